/* The menu's renderers: four octets say what menu, the rest are its texts, parted by NULs.
 * Whatever they hold, no loader does anything else (tests/unit/hostile_menu.h). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/hostile_menu.h"

#define SHAPE_SIZE 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char texts[4096];
	static struct heard wanted, seen;
	struct hostile from = {0};
	size_t at = 0;
	int dialect;

	if (size < SHAPE_SIZE || size - SHAPE_SIZE >= sizeof(texts))
		return 0;
	memcpy(&from.shape, data, SHAPE_SIZE);
	memcpy(texts, data + SHAPE_SIZE, size - SHAPE_SIZE);
	texts[size - SHAPE_SIZE] = '\0';
	for (size_t i = 0; i < HOSTILE_TEXTS; i++) {
		from.texts[i] = texts + at;
		if (at + strlen(texts + at) < size - SHAPE_SIZE)
			at += strlen(texts + at) + 1;
	}
	if (hostile_compare(&from, &dialect, &wanted, &seen))
		abort();
	return 0;
}
