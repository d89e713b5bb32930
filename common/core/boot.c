#include "core/boot.h"

#include <stdbool.h>
#include <string.h>

static const char *const stages[] = {"dhcp", "script", "menu", NULL};
static const char *const loaders[] = {"firmware", "ipxe", "grub", "pxelinux", "other", NULL};
static const char *const states[] = {"unknown",	 "pending", "active",
				     "disabled", "retired", NULL};
static const char *const jobs[] = {"none", "live", NULL};
static const char *const firmwares[] = {"bios", "efi", "http", "uboot", "other", NULL};
static const char *const archs[] = {"i386",    "x86_64", "arm32", "arm64",
				    "riscv64", "other",	 NULL};
static const char *const answers[] = {"nothing", "first_stage", "script", "job", "menu",
				      "local",	 "profile",	"refuse", NULL};

/* The position of a word of `length` bytes in a vocabulary, or -1. */
static int find_word(const char *const *vocabulary, const char *word, size_t length)
{
	for (int i = 0; vocabulary[i]; i++) {
		if (strlen(vocabulary[i]) == length && memcmp(vocabulary[i], word, length) == 0)
			return i;
	}
	return -1;
}

static enum err parse_set(const char *const *vocabulary, const char *words, uint8_t *ret_set,
			  const char **ret_bad)
{
	uint8_t set = 0;

	while (words && *words) {
		size_t length = strcspn(words, " ");
		int value = find_word(vocabulary, words, length);

		if (value < 0) {
			*ret_bad = words;
			return ERR_FORMAT;
		}
		set |= (uint8_t)(1U << value);
		words += length;
		words += *words == ' ';
	}
	*ret_set = set;
	return ERR_OK;
}

enum err boot_rule_parse(const struct boot_rule_words *words, struct boot_rule *rule,
			 const char **ret_bad)
{
	const struct {
		const char *const *vocabulary;
		const char *words;
		uint8_t *set;
	} predicates[] = {
		{stages, words->stage, &rule->stage},
		{loaders, words->loader, &rule->loader},
		{states, words->host_state, &rule->host_state},
		{jobs, words->job, &rule->job},
		{firmwares, words->firmware, &rule->firmware},
		{archs, words->arch, &rule->arch},
	};
	int answer = find_word(answers, words->answer, strlen(words->answer));

	for (size_t i = 0; i < sizeof(predicates) / sizeof(predicates[0]); i++) {
		enum err err = parse_set(predicates[i].vocabulary, predicates[i].words,
					 predicates[i].set, ret_bad);

		if (err != ERR_OK)
			return err;
	}
	if (answer < 0) {
		*ret_bad = words->answer;
		return ERR_FORMAT;
	}
	rule->answer = (enum boot_answer)answer;
	return ERR_OK;
}

static bool set_holds(uint8_t set, unsigned value)
{
	return set == 0 || (set >> value & 1);
}

/* Is `value` one of the lines? A predicate on a fact that is not known never holds. */
static bool lines_hold(const char *lines, const char *value)
{
	size_t length = strlen(value);

	if (!lines)
		return true;
	while (*lines && length > 0) {
		size_t line = strcspn(lines, "\n");

		if (line == length && memcmp(lines, value, length) == 0)
			return true;
		lines += line;
		lines += *lines == '\n';
	}
	return false;
}

static bool rule_holds(const struct boot_rule *rule, const struct boot_facts *facts)
{
	return set_holds(rule->stage, facts->stage) && set_holds(rule->loader, facts->loader) &&
	       set_holds(rule->host_state, facts->host_state) &&
	       set_holds(rule->job, facts->job) &&
	       set_holds(rule->firmware, facts->arch.firmware) &&
	       set_holds(rule->arch, facts->arch.cpu) && lines_hold(rule->host, facts->host) &&
	       lines_hold(rule->product, facts->product);
}

struct boot_verdict boot_decide(const struct boot_rule *rules, size_t count,
				const struct boot_facts *facts)
{
	for (size_t i = 0; i < count; i++) {
		if (rule_holds(&rules[i], facts))
			return (struct boot_verdict){rules[i].answer, rules[i].argument,
						     rules[i].reason, rules[i].position};
	}
	return (struct boot_verdict){BOOT_NOTHING, "", "no rule matches", 0};
}

const char *boot_answer_name(enum boot_answer answer)
{
	return answers[answer];
}
