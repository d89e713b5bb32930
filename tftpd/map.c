#include "tftpd/map.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ip.h"
#include "core/text.h"
#include "io/log.h"

#define LINE_SIZE 1024
#define GROUPS 10

struct map_rule {
	regex_t regex;
	bool replaces, repeats, ends, starts_over, refuses, is_inverse;
	bool no_read, no_write, no_ip4, no_ip6;
	char *replacement; /* what it replaces by, or tells the client that it refuses */
};

/* ---- reading */

static const char *read_letters(const char *letters, struct map_rule *rule, int *ret_flags)
{
	for (; *letters; letters++) {
		switch (*letters) {
		case 'r':
			rule->replaces = true;
			break;
		case 'g':
			rule->repeats = true;
			break;
		case 'i':
			*ret_flags |= REG_ICASE;
			break;
		case 'e':
			rule->ends = true;
			break;
		case 's':
			rule->starts_over = true;
			break;
		case 'a':
			rule->refuses = true;
			break;
		case '~':
			rule->is_inverse = true;
			break;
		case 'G':
			rule->no_write = true;
			break;
		case 'P':
			rule->no_read = true;
			break;
		case '4':
			rule->no_ip6 = true;
			break;
		case '6':
			rule->no_ip4 = true;
			break;
		default:
			return "only the letters r g i e s a ~ G P 4 and 6 are known";
		}
	}
	if (rule->is_inverse && rule->replaces)
		return "what does not match cannot be replaced";
	if (rule->refuses && rule->replaces)
		return "what is refused is not replaced";
	return rule->repeats && !rule->replaces ? "\"g\" goes with \"r\" only" : NULL;
}

/* The next word of a line, in place; "\ " and "\#" stay within it. NULL: there is none. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t\r\n");
	char *at = word;

	while (*at && !strchr(" \t\r\n#", *at))
		at += *at == '\\' && at[1] ? 2 : 1;
	*line = at;
	if (at == word)
		return NULL;
	if (*at == '#')
		**line = '\0';
	else if (*at)
		*(*line)++ = '\0';
	return word;
}

/* NULL, or what is wrong with the line. *ret_is_rule: it is no empty one. */
static const char *read_rule(char *line, struct map_rule *rule, bool *ret_is_rule)
{
	static char message[128];
	char *letters = next_word(&line);
	char *expression = letters ? next_word(&line) : NULL;
	char *replacement = expression ? next_word(&line) : NULL;
	int flags = REG_EXTENDED;
	const char *problem;
	int result;

	*ret_is_rule = letters != NULL;
	if (!letters)
		return NULL;
	problem = read_letters(letters, rule, &flags);
	if (problem)
		return problem;
	if (!expression)
		return "the regular expression is missing";
	if (next_word(&line))
		return "there is more than letters, expression and replacement";
	if (replacement && !rule->replaces && !rule->refuses)
		return "a replacement goes with \"r\" only, a message with \"a\" only";
	result = regcomp(&rule->regex, expression, flags);
	if (result != 0) {
		(void)regerror(result, &rule->regex, message, sizeof(message));
		return message;
	}
	rule->replacement = strdup(replacement ? replacement : "");
	if (rule->replacement)
		return NULL;
	regfree(&rule->regex);
	return "out of memory";
}

static enum err read_lines(FILE *in, const char *file, struct map *map)
{
	char line[LINE_SIZE];

	for (int number = 1; fgets(line, sizeof(line), in); number++) {
		struct map_rule rule = {0};
		bool is_rule = false;
		const char *problem = "the line is longer than 1023 octets";

		if (strchr(line, '\n') || feof(in))
			problem = read_rule(line, &rule, &is_rule);
		if (!problem && is_rule && map->count == MAP_RULES_MAX) {
			problem = "there are more than 256 rules";
			regfree(&rule.regex);
			free(rule.replacement);
		}
		if (problem) {
			log_error("bad_map", "file=%s line=%d reason=%s remedy=%s",
				  log_text(file), number, log_text(problem),
				  log_text("see map_file in tftpd.conf(5)"));
			return ERR_FORMAT;
		}
		if (is_rule)
			map->rules[map->count++] = rule;
	}
	return ferror(in) ? ERR_SYSTEM : ERR_OK;
}

static void tell_unread(const char *file, const char *reason)
{
	log_error("bad_map", "file=%s reason=%s remedy=%s", log_text(file), log_text(reason),
		  log_text("mend 'map_file' in tftpd.conf"));
}

enum err map_read(const char *file, struct map *ret_map)
{
	struct map map = {0};
	FILE *in;
	enum err err;

	if (file[0] == '\0') {
		*ret_map = map;
		return ERR_OK;
	}
	in = fopen(file, "re");
	if (!in) {
		tell_unread(file, strerror(errno));
		return ERR_SYSTEM;
	}
	map.rules = calloc(MAP_RULES_MAX, sizeof(*map.rules));
	err = map.rules ? read_lines(in, file, &map) : ERR_MEMORY;
	if (err == ERR_SYSTEM || err == ERR_MEMORY) /* a line's fault has been told */
		tell_unread(file, err == ERR_SYSTEM ? strerror(errno) : err_text(err));
	(void)fclose(in);
	if (err == ERR_OK)
		*ret_map = map;
	else
		map_free(&map);
	return err;
}

void map_free(struct map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		regfree(&map->rules[i].regex);
		free(map->rules[i].replacement);
	}
	free(map->rules);
	*map = (struct map){0};
}

/* ---- applying */

/* A replacement on its way out, with the letter case that is in force. */
struct writer {
	struct text out;
	char letter_case; /* 'U', 'L' or 'E' */
	const char *name;
	const regmatch_t *groups;
	const struct ip *address;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		int c = (unsigned char)bytes[i];
		char written = (char)(writer->letter_case == 'U'   ? toupper(c)
				      : writer->letter_case == 'L' ? tolower(c)
								   : c);

		text_put_bytes(&writer->out, &written, 1);
	}
}

static void write_hex(struct writer *writer)
{
	size_t octets = sizeof(writer->address->octet);

	for (size_t i = ip_is_v4(writer->address) ? octets - 4 : 0; i < octets; i++) {
		char digits[3];

		(void)snprintf(digits, sizeof(digits), "%02X", writer->address->octet[i]);
		write_bytes(writer, digits, 2);
	}
}

static void write_escape(struct writer *writer, char c)
{
	char address[IP_TEXT_SIZE];

	if (c >= '0' && c <= '9') {
		const regmatch_t *group = &writer->groups[c - '0'];

		if (group->rm_so >= 0)
			write_bytes(writer, writer->name + group->rm_so,
				    (size_t)(group->rm_eo - group->rm_so));
	} else if (c == 'U' || c == 'L' || c == 'E') {
		writer->letter_case = c;
	} else if (c == 'i') {
		ip_format(writer->address, address);
		write_bytes(writer, address, strlen(address));
	} else if (c == 'x') {
		write_hex(writer);
	} else {
		write_bytes(writer, &c, 1);
	}
}

/* The name with what matched replaced. ERR_SPACE. */
static enum err replace(const struct map_rule *rule, const struct ip *address,
			char name[PATH_SIZE], const regmatch_t groups[GROUPS])
{
	char buffer[PATH_SIZE];
	struct writer writer = {.out = text_into(buffer, sizeof(buffer)),
				.letter_case = 'E',
				.name = name,
				.groups = groups,
				.address = address};

	text_put_bytes(&writer.out, name, (size_t)groups[0].rm_so);
	for (const char *at = rule->replacement; *at; at++) {
		if (*at == '\\' && at[1])
			write_escape(&writer, *++at);
		else
			write_bytes(&writer, at, 1);
	}
	text_put(&writer.out, name + groups[0].rm_eo);
	if (writer.out.failed)
		return ERR_SPACE;
	memcpy(name, buffer, writer.out.length + 1);
	return ERR_OK;
}

/* Is the rule for such requests, from such addresses? */
static bool concerns(const struct map_rule *rule, bool is_write, const struct ip *address)
{
	return !(is_write ? rule->no_write : rule->no_read) &&
	       !(ip_is_v4(address) ? rule->no_ip4 : rule->no_ip6);
}

static bool is_match(const struct map_rule *rule, const char *name, regmatch_t groups[GROUPS])
{
	bool is_found = regexec(&rule->regex, name, GROUPS, groups, 0) == 0;

	if (!rule->is_inverse)
		return is_found;
	/* what does not match is the whole name */
	for (int i = 0; i < GROUPS; i++)
		groups[i] = (regmatch_t){.rm_so = -1, .rm_eo = -1};
	groups[0] = (regmatch_t){.rm_so = 0, .rm_eo = (regoff_t)strlen(name)};
	return !is_found;
}

/* What a rule that matched does to the name. ERR_SPACE: too long, or for ever. */
static enum err rewrite(const struct map_rule *rule, const struct ip *address,
			char name[PATH_SIZE], regmatch_t groups[GROUPS], int *steps)
{
	do {
		if (++*steps > MAP_STEPS_MAX)
			return ERR_SPACE;
		if (rule->replaces && replace(rule, address, name, groups) != ERR_OK)
			return ERR_SPACE;
	} while (rule->repeats && is_match(rule, name, groups));
	return ERR_OK;
}

/* The rule's message, if it has one; one that is too long for a name is left out. */
static enum err refuse(const struct map_rule *rule, const struct ip *address,
		       char name[PATH_SIZE], const regmatch_t groups[GROUPS],
		       char ret_message[PATH_SIZE])
{
	bool has_message =
		rule->replacement[0] != '\0' && replace(rule, address, name, groups) == ERR_OK;

	(void)snprintf(ret_message, PATH_SIZE, "%s", has_message ? name : "");
	return ERR_REFUSED;
}

enum err map_apply(const struct map *map, bool is_write, const struct ip *address,
		   const char *name, char ret_name[PATH_SIZE])
{
	char mapped[PATH_SIZE];
	int steps = 0;

	if (strlen(name) >= sizeof(mapped))
		return ERR_SPACE;
	memcpy(mapped, name, strlen(name) + 1);
	for (size_t i = 0; i < map->count;) {
		const struct map_rule *rule = &map->rules[i];
		regmatch_t groups[GROUPS];

		if (!concerns(rule, is_write, address) || !is_match(rule, mapped, groups)) {
			i++;
			continue;
		}
		if (rule->refuses)
			return refuse(rule, address, mapped, groups, ret_name);
		if (rewrite(rule, address, mapped, groups, &steps) != ERR_OK)
			return ERR_SPACE;
		if (rule->ends)
			break;
		i = rule->starts_over ? 0 : i + 1;
	}
	memcpy(ret_name, mapped, strlen(mapped) + 1);
	return ERR_OK;
}
