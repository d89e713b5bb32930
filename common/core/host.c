#include "core/host.h"

#include <string.h>

static const char *const names[] = {"unknown", "pending", "active", "disabled", "retired"};

const char *host_state_name(enum host_state state)
{
	return names[state];
}

enum err host_state_parse(const char *text, enum host_state *ret_state)
{
	for (int i = HOST_UNKNOWN; i <= HOST_RETIRED; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret_state = (enum host_state)i;
			return ERR_OK;
		}
	}
	return ERR_FORMAT;
}
