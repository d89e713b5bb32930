/*
 * settings - dhcpd's own file: what it must know before the database answers.
 */
#ifndef ROUSE_DHCPD_SETTINGS_H
#define ROUSE_DHCPD_SETTINGS_H

#include "io/conf.h"

enum settings_mode {
	SETTINGS_SERVER,  /* gives addresses and boot files */
	SETTINGS_PROXY,	  /* adds boot files to another server's addresses */
	SETTINGS_OBSERVE, /* listens, and answers nobody */
};

struct settings {
	char *database;
	char *interface; /* names parted by blanks */
	char *mode;
	long proxy_delay_ms;
	bool check_boot_servers;
	char *state_dir; /* "": nothing is saved */
	char *user;
	bool confine;
	char *log_level;
	long metrics_port;
	char *instance; /* "": host name and process id */
};

/* As conf_read(), with every value checked; sets the log level. */
enum conf_result settings_read(int argc, char **argv, struct settings *settings, int *ret_exit);
enum settings_mode settings_mode(const struct settings *settings);
/* "server", "proxy", "observe". */
const char *settings_mode_name(enum settings_mode mode);
void settings_free(struct settings *settings);

#endif
