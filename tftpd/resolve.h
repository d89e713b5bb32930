/*
 * resolve - what a name that a client asked for stands for: a file beneath the roots, a script
 * that is generated, or a refusal with TFTP's code and the reason in words. Pure; whether a
 * file exists is the shell's to find out (tftpd/source.h).
 *
 *	struct resolved asked = resolve_name(request.name, request.name_length);
 *	if (asked.kind == RESOLVE_REFUSED)
 *		answer ERROR asked.code, asked.reason
 *	if (asked.kind == RESOLVE_SCRIPT)
 *		verdict = resolve_decide(&client); RESOLVE_ALLOW: the root's own file of that
 * name, or what resolve_render() writes
 */
#ifndef ROUSE_TFTPD_RESOLVE_H
#define ROUSE_TFTPD_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arch.h"
#include "core/err.h"
#include "core/ip.h"
#include "core/mac.h"
#include "core/path.h"
#include "core/site.h"
#include "core/text.h"
#include "tftpd/packet.h"

enum resolve_kind {
	RESOLVE_FILE,
	RESOLVE_SCRIPT, /* default.ipxe, autoexec.ipxe: generated unless a root has one */
	RESOLVE_CONFIG, /* GRUB's or PXELINUX's configuration: made, unless a root has one */
	RESOLVE_REFUSED,
};

struct resolved {
	enum resolve_kind kind;
	struct path path;      /* for FILE and SCRIPT */
	bool is_raw;	       /* asked below raw/: the file as it is, whoever asks */
	enum packet_code code; /* for REFUSED */
	const char *reason;    /* likewise; static */
};

/* What a name of a file that is being replaced begins with (upload.h): nobody may ask for it.
 */
#define RESOLVE_UNFINISHED ".rouse-upload-"

struct resolved resolve_name(const char *name, size_t length);
/* Where a FILE lies beneath the roots: its path without raw/. Points into `resolved`. */
const char *resolve_file(const struct resolved *resolved);
/* The event stage that a fetch of this path belongs to: "tftp_nbp", "script", "kernel",
 * "initrd". */
const char *resolve_stage(const struct site *site, const char *path);

/* Who asks for a script, and with what it is made. */
struct resolve_client {
	const struct site *site; /* maybe empty, never NULL */
	const struct mac *mac;	 /* NULL: neither the neighbour table nor a lease knows it */
	uint32_t address;	 /* of IPv4; 0: it asks by IPv6 */
	const struct arch *arch; /* NULL: not known */
	const char *menud_urls;	 /* the daemon's own, when site and subnet name none */
};

/*
 * The loop breaker. A DHCP server that can name one file only sends iPXE the iPXE binary again,
 * for ever. iPXE is known by the options it asks with; when it asks by a first stage's name,
 * without a folder, it is to get default.ipxe instead: it judges what it loads by content, not
 * by name. The subnet's switch decides; `is_on` where no subnet is known. Never below raw/.
 */
bool resolve_is_loop(const struct resolve_client *client, const struct resolved *asked,
		     const struct packet_options *options, bool is_on);

/* Does the site name this file, as a kernel or initial disk of FOS or of a profile? */
bool resolve_is_of_site(const struct site *site, const char *path);
/*
 * The first boot service that this client is to use, with iPXE's ${next-server} as
 * `next_server`. ERR_RANGE: none is known. ERR_FORMAT: it holds another of iPXE's settings.
 * ERR_SPACE.
 */
MUST_CHECK enum err resolve_menud_url(const struct resolve_client *client,
				      const struct ip *next_server, struct text *out);

#define RESOLVE_VIEWS 3

/*
 * Where this client's own version of a file would lie, the nearest first: below by-mac/ and its
 * MAC with dashes, below by-arch/ and its kind as "x86_64-efi", below by-subnet/ and its subnet
 * as "10.77.0.0-24". How many there are: a client that is not known so well has fewer.
 */
size_t resolve_views(const struct resolve_client *client, const char *path,
		     char ret_views[RESOLVE_VIEWS][PATH_SIZE]);

enum resolve_answer {
	RESOLVE_ALLOW,
	RESOLVE_LOCAL,	/* a script that boots the local disk */
	RESOLVE_FORBID, /* ERROR 2 with the reason */
};

struct resolve_verdict {
	enum resolve_answer answer;
	const char *reason; /* the rule's words; belongs to the site */
};

/* The boot policy's word. Without any rule (no database yet) everything is allowed. */
struct resolve_verdict resolve_decide(const struct resolve_client *client);
/* Writes the script. ERR_SPACE; ERR_RANGE when no menud's URL is known. */
MUST_CHECK enum err resolve_render(const struct resolve_client *client,
				   const struct resolve_verdict *verdict, struct text *out);

#endif
