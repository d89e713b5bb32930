/*
 * bootchecker - asks the boot servers that clients are sent to whether they answer, and tells
 * rouse.boot_servers: the socket, the clock and the database around bootcheck.h.
 *
 *	bootchecker_want(checker, BOOTCHECK_TFTP, next_server, "ipxe.efi");
 */
#ifndef ROUSE_DHCPD_BOOTCHECKER_H
#define ROUSE_DHCPD_BOOTCHECKER_H

#include <stdint.h>

#include "core/err.h"
#include "core/mac.h"
#include "db/conn.h"
#include "dhcpd/bootcheck.h"
#include "io/loop.h"

struct bootchecker;

struct bootchecker_options {
	struct loop *loop;
	struct db_conn *conn;
	const char *instance;
};

/* A message is written when it fails. */
MUST_CHECK enum err bootchecker_open(const struct bootchecker_options *options,
				     struct bootchecker **ret_checker);
/*
 * A client is sent to this address, for this file; a URL is none, and "" asks nothing of a TFTP
 * server. Accepts NULL: nothing is asked.
 */
void bootchecker_want(struct bootchecker *checker, enum bootcheck_way way, uint32_t address,
		      const char *file);
/* Before db_close(). Accepts NULL. */
void bootchecker_close(struct bootchecker *checker);

#endif
