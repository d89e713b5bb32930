#include "tftpd/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void drop(struct kept *kept, struct kept_text *text)
{
	DL_DELETE(kept->texts, text);
	kept->text_count--;
	free(text->text);
	free(text);
}

static struct kept_text *find(const struct kept *kept, const struct ip *peer, const char *name)
{
	struct kept_text *text;

	DL_FOREACH(kept->texts, text)
	{
		if (ip_equal(&text->peer, peer) && strcmp(text->name, name) == 0)
			return text;
	}
	return NULL;
}

const struct kept_text *kept_find(struct kept *kept, const struct ip *peer, const char *name,
				  uint64_t now_ms)
{
	struct kept_text *text = find(kept, peer, name);

	if (text && now_ms >= text->until_ms) {
		drop(kept, text);
		return NULL;
	}
	return text;
}

enum err kept_add(struct kept *kept, const struct ip *peer, const char *name, const char *text,
		  size_t length, uint64_t until_ms)
{
	struct kept_text *old = find(kept, peer, name);
	struct kept_text *added = calloc(1, sizeof(*added));

	if (old)
		drop(kept, old);
	if (added)
		added->text = malloc(length + 1);
	if (!added || !added->text) {
		free(added);
		return ERR_MEMORY;
	}
	memcpy(added->text, text, length);
	added->length = length;
	added->peer = *peer;
	added->until_ms = until_ms;
	(void)snprintf(added->name, sizeof(added->name), "%s", name);
	if (kept->text_count == KEPT_TEXTS_MAX)
		drop(kept, kept->texts);
	DL_APPEND(kept->texts, added);
	kept->text_count++;
	return ERR_OK;
}

void kept_close(struct kept *kept)
{
	while (kept->texts)
		drop(kept, kept->texts);
}
