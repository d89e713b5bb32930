/* What a stranger sends to log in: Basic authorization, and session words. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "menud/credentials.h"
#include "menud/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): this must hold in every build. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

static void fuzz_credentials(const char *header)
{
	struct credentials given;

	if (credentials_parse(header, &given) == ERR_OK)
		must(given.name[0] != '\0' && !strchr(given.name, ':'));
	else
		must(given.name[0] == '\0' && given.password[0] == '\0');
	must(memchr(given.name, '\0', sizeof(given.name)) != NULL);
	must(memchr(given.password, '\0', sizeof(given.password)) != NULL);
}

/* Nobody guesses a signature. */
static void fuzz_session(const char *word)
{
	static const struct session_keys keys = {.key = {"a secret"}, .count = 1};
	struct session session;

	must(session_read(&keys, word, &(struct ip){{0}}, 0, &session) != ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	fuzz_credentials(text);
	fuzz_session(text);
	free(text);
	return 0;
}
