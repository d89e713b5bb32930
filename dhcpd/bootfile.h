/*
 * bootfile - the boot answer of a DHCP reply: which file, from which server, and why. The
 * choice is core's boot_decide(); here its answer becomes a name that this client can use.
 *
 *	struct bootfile boot;
 *	bootfile_choose(&(struct bootfile_question){...}, &boot);
 */
#ifndef ROUSE_DHCPD_BOOTFILE_H
#define ROUSE_DHCPD_BOOTFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/site.h"
#include "dhcpd/pxe.h"

#define BOOTFILE_SIZE 256 /* one option 67, and a NUL */
#define BOOTFILE_REASON 160

struct bootfile_question {
	const struct site *site;
	const struct site_subnet *subnet;
	const struct host *host; /* NULL: unknown */
	const struct pxe_client *client;
	uint32_t server; /* our own address: tftpd's unless the site says otherwise */
};

struct bootfile {
	bool is_answered;	  /* the reply carries a boot answer */
	char file[BOOTFILE_SIZE]; /* "" when the client brings its own names (U-Boot) */
	uint32_t next_server;	  /* siaddr */
	char reason[BOOTFILE_REASON];
};

void bootfile_choose(const struct bootfile_question *question, struct bootfile *ret_boot);

#endif
