/*
 * loaders - models of how iPXE, GRUB and PXELINUX read what we render, for tests: what a script
 * makes each of them do, without the words that stand behind the commands. If two menus differ
 * in their texts only, what is heard must be the same.
 *
 *	struct heard heard = {0};
 *	ipxe_hear(script, typed_by_somebody, &heard);
 *	... heard.text is "menu\nitem\nchoose ||\ngoto local\n...", heard.bad NULL
 *
 * Written from the loaders' behaviour: iPXE by its source of 2019 and of today (a line is split
 * at white space, "||", "&&" and since then ";" end a command, a word with "#" begins a
 * comment, settings are expanded in each word; builds before 2013 expanded the line first),
 * GRUB by its manual (writing full configuration files), PXELINUX by syslinux's
 * doc/syslinux.txt.
 */
#ifndef ROUSE_TESTS_LOADERS_H
#define ROUSE_TESTS_LOADERS_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEARD_SIZE 65536
#define LOADER_LINE_SIZE 32768
#define LOADER_WORDS_MAX 2048
#define LOADER_DEPTH_MAX 32

struct heard {
	char text[HEARD_SIZE];
	size_t length;
	const char *bad; /* what no text of ours may do, or NULL */
};

static void hear(struct heard *heard, const char *word, const char *end)
{
	int length = snprintf(heard->text + heard->length, sizeof(heard->text) - heard->length,
			      "%s%s", word, end);

	if (length < 0 || (size_t)length >= sizeof(heard->text) - heard->length)
		heard->bad = "the model is too small";
	else
		heard->length += (size_t)length;
}

/* ---- iPXE */

static bool is_ipxe_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What a setting holds. Those that a stranger fills hold what he typed. */
static void put_setting(const char *name, const char *typed, char *to, size_t size)
{
	static const char *const foreign[] = {"typed",	  "username",	  "password",
					      "product",  "manufacturer", "serial",
					      "filename", "hostname"};
	size_t base = strcspn(name, ":");
	const char *type = name + base;
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (strlen(foreign[i]) != base || memcmp(foreign[i], name, base) != 0)
			continue;
		for (; *typed && at + 4 < size; typed++) {
			unsigned char c = (unsigned char)*typed;
			bool is_hex = strcmp(type, ":hexraw") == 0;
			bool is_url = strcmp(type, ":uristring") == 0 &&
				      (c <= ' ' || c >= 0x7f || strchr("%/#:@?", c));

			at += (size_t)snprintf(to + at, size - at,
					       is_hex	? "%02x"
					       : is_url ? "%%%02X"
							: "%c",
					       c);
		}
		return;
	}
	(void)snprintf(to, size, "x");
}

/* Innermost first, again and again, as iPXE does: but not for ever. */
static void ipxe_expand(char *text, size_t size, const char *typed)
{
	for (int rounds = 0; rounds < 64; rounds++) {
		static char value[LOADER_LINE_SIZE];
		static char tail[LOADER_LINE_SIZE];
		char *start = NULL, *end = NULL;

		for (char *at = text; *at && !end; at++) {
			if (at[0] == '$' && at[1] == '{')
				start = at;
			else if (start && *at == '}')
				end = at;
		}
		if (!end)
			return;
		*end = '\0';
		put_setting(start + 2, typed, value, sizeof(value));
		(void)snprintf(tail, sizeof(tail), "%s", end + 1);
		(void)snprintf(start, size - (size_t)(start - text), "%s%s", value, tail);
	}
}

static bool ipxe_ends_command(const char *word)
{
	return strcmp(word, "||") == 0 || strcmp(word, "&&") == 0 || strcmp(word, ";") == 0;
}

/* One line without its label: what is run, and on which condition. */
static void ipxe_hear_line(char *line, const char *typed, struct heard *heard)
{
	bool is_first = true, is_goto = false, is_set = false;

	for (char *at = line; *at;) {
		static char word[LOADER_LINE_SIZE];
		size_t length = 0;

		while (is_ipxe_space(*at))
			at++;
		while (at[length] && !is_ipxe_space(at[length]))
			length++;
		if (length == 0 || *at == '#')
			break;
		(void)snprintf(word, sizeof(word), "%.*s", (int)length, at);
		at += length;
		if (ipxe_ends_command(word)) {
			hear(heard, " ", word);
			is_first = true;
			continue;
		}
		ipxe_expand(word, sizeof(word), typed);
		if (is_first)
			hear(heard, "\n", word);
		else if (is_goto || is_set)
			hear(heard, " ", word);
		is_goto = is_first && strcmp(word, "goto") == 0;
		is_set = is_first && strcmp(word, "set") == 0;
		is_first = false;
	}
}

/* `old`: a build that expands the settings of a line before it splits it. */
static void ipxe_hear(const char *script, const char *typed, bool old, struct heard *heard)
{
	static char line[LOADER_LINE_SIZE];
	size_t length = 0;

	for (const char *at = script;; at++) {
		if (*at != '\n' && *at != '\0') {
			line[length++] = *at;
			if (length == sizeof(line)) {
				heard->bad = "a line is too long for the model";
				return;
			}
			continue;
		}
		if (length > 0 && line[length - 1] == '\r')
			length--;
		line[length] = '\0';
		if (length > 0 && line[length - 1] == '\\') {
			heard->bad = "a line goes on in the next";
			return;
		}
		char *command = line;

		while (is_ipxe_space(*command))
			command++;
		if (*command == ':') {
			size_t label = strcspn(command, " \t\v\f\r");
			char after = command[label];

			command[label] = '\0';
			hear(heard, "\n", command);
			command += label + (after != '\0');
		}
		if (old)
			ipxe_expand(command, sizeof(line) - (size_t)(command - line), typed);
		ipxe_hear_line(command, typed, heard);
		length = 0;
		if (*at == '\0')
			return;
	}
}

/* ---- GRUB */

struct grub_reader {
	const char *at;
	struct heard *heard;
	int depth;	/* of blocks */
	bool is_quoted; /* the latest word: it is then no brace and no keyword */
};

/* Appends one more octet of a word. */
static void grub_put(struct grub_reader *reader, char *word, size_t *length, char c)
{
	if (*length + 1 < LOADER_LINE_SIZE)
		word[(*length)++] = c;
	else
		reader->heard->bad = "a word is too long for the model";
}

/* Reads one word into `word`; false at a separator or the end. */
static bool grub_word(struct grub_reader *reader, char *word)
{
	size_t length = 0;
	bool is_word = false;

	reader->is_quoted = false;
	while (*reader->at == ' ' || *reader->at == '\t')
		reader->at++;
	if (*reader->at == '#') { /* a comment begins where a word could */
		reader->at += strcspn(reader->at, "\n");
		return false;
	}
	while (*reader->at && !strchr(" \t\n;|&<>", *reader->at)) {
		char c = *reader->at++;

		is_word = true;
		if (c == '\'' || c == '"') {
			reader->is_quoted = true;
			for (; *reader->at && *reader->at != c; reader->at++) {
				if (c == '"' && *reader->at == '$')
					grub_put(reader, word, &length, '$');
				else
					grub_put(reader, word, &length, *reader->at);
				if (*reader->at == '\n')
					reader->heard->bad = "a line ends inside quotes";
			}
			if (!*reader->at)
				reader->heard->bad = "a quote is not closed";
			else
				reader->at++;
		} else if (c == '\\') {
			grub_put(reader, word, &length, *reader->at);
			if (*reader->at)
				reader->at++;
		} else if (c == '$') {
			reader->heard->bad = "a variable outside of quotes";
		} else {
			grub_put(reader, word, &length, c);
		}
	}
	word[length] = '\0';
	return is_word;
}

/* An entry has one title, which is no option; what follows --id and --hotkey is no title. */
static void grub_hear_entry(struct grub_reader *reader)
{
	static char word[LOADER_LINE_SIZE];
	int titles = 0;

	while (grub_word(reader, word)) {
		if (!reader->is_quoted && strcmp(word, "{") == 0) {
			reader->depth++;
			hear(reader->heard, " {", "");
			if (titles != 1)
				reader->heard->bad = "an entry without one title";
			return;
		}
		if (strcmp(word, "--id") == 0 || strcmp(word, "--hotkey") == 0)
			(void)grub_word(reader, word);
		else if (word[0] == '-')
			reader->heard->bad = "a title is an option";
		else
			titles++;
	}
	reader->heard->bad = "an entry without a body";
}

static void grub_hear(const char *config, struct heard *heard)
{
	static char word[LOADER_LINE_SIZE];
	struct grub_reader reader = {config, heard, 0, false};

	while (*reader.at) {
		bool is_first = true;

		while (grub_word(&reader, word)) {
			if (is_first && !reader.is_quoted && strcmp(word, "}") == 0)
				reader.depth--;
			if (is_first)
				hear(heard, "\n", word);
			if (is_first &&
			    (strcmp(word, "menuentry") == 0 || strcmp(word, "submenu") == 0)) {
				grub_hear_entry(&reader);
				break;
			}
			is_first = is_first &&
				   (strcmp(word, "if") == 0 || strcmp(word, "then") == 0);
		}
		if (strchr("|&<>", *reader.at) && *reader.at)
			heard->bad = "a pipe or a redirection";
		if (*reader.at)
			reader.at++;
	}
	if (reader.depth != 0)
		heard->bad = "a block is not closed";
}

/* ---- PXELINUX, U-Boot */

/* U-Boot gives up a file in which such a keyword stands alone. */
static bool pxelinux_wants_words(const char *keyword, const char *second)
{
	static const char *const alone[] = {"DEFAULT", "HIDDEN", "END"};

	if (keyword[0] == '\0' || keyword[0] == '#')
		return false;
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		if (strcmp(keyword, "MENU") == 0 && strcmp(second, alone[i]) == 0)
			return false;
	}
	return true;
}

/* The keyword of each line; of MENU the second word as well. */
static void pxelinux_hear(const char *config, struct heard *heard)
{
	while (*config) {
		size_t end = strcspn(config, "\n\r");
		char word[2][32] = {"", ""};
		size_t at = 0;

		for (int i = 0; i < 2; i++) {
			size_t length = 0;

			while (at < end && strchr(" \t\v\f", config[at]))
				at++;
			while (at + length < end && !strchr(" \t\v\f", config[at + length]))
				length++;
			(void)snprintf(word[i], sizeof(word[i]), "%.*s", (int)length,
				       config + at);
			at += length;
			if (strcmp(word[0], "MENU") != 0)
				break;
		}
		while (at < end && strchr(" \t\v\f", config[at]))
			at++;
		if (at == end && pxelinux_wants_words(word[0], word[1]))
			heard->bad = "a keyword without words";
		if (word[0][0] != '\0' && word[0][0] != '#') {
			hear(heard, "\n", word[0]);
			hear(heard, " ", word[1]);
		}
		for (size_t i = 0; i < end; i++) {
			if ((unsigned char)config[i] < ' ')
				heard->bad = "a control octet";
		}
		config += end + (config[end] != '\0');
	}
}

#endif
