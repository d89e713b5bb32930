/* The parsers of a request's fields and target: foreign bytes of any length. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/http.h"
#include "io/http_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): this must hold in every build. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

struct seen {
	size_t count, octets;
};

static void on_field(void *data, const char *name, const char *value)
{
	struct seen *seen = data;

	must(name[0] != '\0');
	seen->octets += strlen(name) + strlen(value);
	seen->count++;
}

static void fuzz_form(const uint8_t *data, size_t size)
{
	struct seen seen = {0};
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	if (http_parse_form(text, size, 100, on_field, &seen) == ERR_RANGE)
		must(seen.count == 100);
	must(seen.count <= 100 && seen.octets <= size);
	free(text);
}

static void fuzz_target(const uint8_t *data, size_t size)
{
	char *target = malloc(size + 1);
	const char *path;
	char *query;

	if (!target)
		abort();
	memcpy(target, data, size);
	target[size] = '\0';
	if (http_split_target(target, &path, &query) == ERR_OK)
		must(path[0] == '/' && strlen(path) + strlen(query) <= size);
	free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_form(data, size);
	fuzz_target(data, size);
	return 0;
}
