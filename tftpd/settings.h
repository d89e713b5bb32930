/*
 * settings - tftpd's own keys: what it must know before the database answers (tftpd.conf(5)).
 */
#ifndef ROUSE_TFTPD_SETTINGS_H
#define ROUSE_TFTPD_SETTINGS_H

#include "core/err.h"
#include "core/ip.h"
#include "io/conf.h"
#include "tftpd/ports.h"

struct settings {
	char *database; /* "": works alone */
	char *listen;
	long port;
	char *root;
	char *menud_urls;
	char *user;
	bool confine;
	char *log_level;
	long metrics_port;
	char *state_dir;
	long transfers_max;
	char *transfer_ports;
	long drain_seconds;
	bool drain_apart;
	bool reuse_port;
	bool broadcasts;
	bool loop_breaker;
	bool client_views;
	long blksize_max;
	char *repairs;
	char *map_file;
	char *boot_root;
	char *upload_root; /* "": nothing is taken */
	bool upload_replace;
	long upload_max_mib;
};

/* As conf_read(), and checks the values that are more than text; the message is written. */
enum conf_result settings_read(int argc, char **argv, struct settings *settings, int *ret_exit);
/* The address of the key `listen`, without its zone; none: all. */
struct ip settings_address(const struct settings *settings);
/* The interface that a zone names ("%eth0"), 0 when there is none or no such interface. */
unsigned settings_scope(const struct settings *settings);
/* Does `listen` mean every address of both kinds? */
bool settings_is_both(const struct settings *settings);
/* The key `repairs` as repair_parse() reads it. */
unsigned settings_repairs(const struct settings *settings);
/* The key `transfer_ports` as ports_parse() reads it. */
struct ports settings_ports(const struct settings *settings);
void settings_free(struct settings *settings);

#endif
