/*
 * settings - dhcpd's own file: what it must know before the database answers.
 */
#ifndef ROUSE_DHCPD_SETTINGS_H
#define ROUSE_DHCPD_SETTINGS_H

#include "io/conf.h"

struct settings {
	char *database;
	char *interface; /* names parted by blanks */
	char *state_dir; /* "": nothing is saved */
	char *user;
	char *log_level;
	char *instance; /* "": host name and process id */
};

/* As conf_read(), with every value checked; sets the log level. */
enum conf_result settings_read(int argc, char **argv, struct settings *settings, int *ret_exit);
void settings_free(struct settings *settings);

#endif
