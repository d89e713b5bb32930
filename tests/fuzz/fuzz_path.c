/* path_clean: whatever is asked, a clean name stays beneath its root. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): this must hold in every build. */
static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct path path;

	if (path_clean((const char *)data, size, &path) != ERR_OK)
		return 0;
	check(path.name[0] != '\0' && path.name[0] != '/');
	check(!strstr(path.name, "//") && !strchr(path.name, '\\'));
	for (const char *segment = path.name; segment; segment = strchr(segment, '/')) {
		segment += *segment == '/';
		check(strcmp(segment, "..") != 0 && strncmp(segment, "../", 3) != 0);
	}
	return 0;
}
