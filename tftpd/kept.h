/*
 * kept - configurations that were made for a client, kept for a while, so that a size probe, a
 * request that comes again and the fetch itself see the same octets.
 */
#ifndef ROUSE_TFTPD_KEPT_H
#define ROUSE_TFTPD_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "core/path.h"

#define KEPT_MS 30000
#define KEPT_TEXTS_MAX 512

struct kept_text {
	struct ip peer;
	char name[PATH_SIZE];
	char *text;
	size_t length;
	uint64_t until_ms;
	struct kept_text *prev, *next;
};

struct kept {
	struct kept_text *texts; /* the oldest first */
	size_t text_count;
};

/* NULL: none is kept, or its time is over. */
const struct kept_text *kept_find(struct kept *kept, const struct ip *peer, const char *name,
				  uint64_t now_ms);
/* Copies the text, in place of an older one. ERR_MEMORY. */
MUST_CHECK enum err kept_add(struct kept *kept, const struct ip *peer, const char *name,
			     const char *text, size_t length, uint64_t until_ms);
void kept_close(struct kept *kept);

#endif
