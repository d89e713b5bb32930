/*
 * No byte that came from a client, a host record or an operator's label begins a new command:
 * menus with random hostile texts, read by models of iPXE, GRUB and PXELINUX (loaders.h).
 */
#include "unit.h"

#include "hostile_menu.h"

#define ROUNDS 10000
#define TEXT_SIZE 24

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Pieces that mean something to one loader or another; with settings of iPXE's, or without. */
static const char *random_text(uint32_t *seed, bool settings, char buffer[TEXT_SIZE])
{
	static const char *const pieces[] = {
		"||",	"&&", ";",    "#",    ":",     "\n",	"\r",	"\t",	 "\v",
		"\f",	" ",  " ",    "\\",   "'",     "\"",	"`",	"$",	 "${",
		"$(",	"}",  "{",    "<",    ">",     "|",	"&",	"^",	 "%",
		"--",	"-",  "=",    "!",    "~",     "*",	"\x01", "\x7f",	 "\xc3\xa9",
		"\xff", "x",  "exit", "fi\n", "shell", "LABEL", "MENU", "APPEND"};
	size_t length = 0;

	buffer[0] = '\0';
	for (uint32_t count = next_random(seed) % 8; count > 0; count--) {
		const char *piece =
			pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))];

		if (length + strlen(piece) >= TEXT_SIZE)
			break;
		if (!settings && strcmp(piece, "${") == 0)
			continue;
		memcpy(buffer + length, piece, strlen(piece) + 1);
		length += strlen(piece);
	}
	return buffer;
}

static void no_text_begins_a_command(void **state)
{
	static struct heard wanted, seen;
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char texts[HOSTILE_TEXTS][TEXT_SIZE];
		struct hostile from = {.shape = next_random(&seed)};
		const char *bad;
		int dialect = 0;

		for (size_t i = 0; i < HOSTILE_TEXTS; i++)
			from.texts[i] = random_text(&seed, round % 2 == 0, texts[i]);
		bad = hostile_compare(&from, &dialect, &wanted, &seen);
		if (bad)
			fail_msg("round %d, dialect %d: %s\nwanted:%s\nseen:%s", round, dialect,
				 bad, wanted.text, seen.text);
	}
}

/* A model that hears nothing would pass everything. */
static void the_models_hear(void **state)
{
	static struct heard heard;

	(void)state;
	ipxe_hear("#!ipxe\n:top echo a b || shell # no\nset x ${product} ; reboot\n", "y || z",
		  false, &heard);
	assert_string_equal(heard.text, "\n:top\necho ||\nshell\nset x ;\nreboot");
	memset(&heard, 0, sizeof(heard));
	ipxe_hear("echo ${product}\n", "y || z", true, &heard);
	assert_string_equal(heard.text, "\necho ||\nz");
	memset(&heard, 0, sizeof(heard));
	ipxe_hear("iseq ${product:uristring}${product:hexraw} 1\n", "||", true, &heard);
	assert_string_equal(heard.text, "\niseq");
	memset(&heard, 0, sizeof(heard));
	grub_hear("echo 'a;b' \"c\"; reboot\nmenuentry 'x' --id 'y' {\nlinux a\\ b\n}\n",
		  &heard);
	assert_null(heard.bad);
	assert_string_equal(heard.text, "\necho\nreboot\nmenuentry {\nlinux\n}");
	memset(&heard, 0, sizeof(heard));
	grub_hear("echo 'a' $b\n", &heard);
	assert_non_null(heard.bad);
	memset(&heard, 0, sizeof(heard));
	pxelinux_hear("# x\nSAY a\n  MENU LABEL b\nLABEL c\rLINUX d\n", &heard);
	assert_string_equal(heard.text, "\nSAY \nMENU LABEL\nLABEL \nLINUX ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_models_hear),
		cmocka_unit_test(no_text_begins_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
