/*
 * boot_table - the boot policy over the cross product of the facts, by core/boot.
 *
 * Reads rules from standard input, one a line: twelve fields parted by tabs (position, stage,
 * loader, host_state, job, firmware, arch, host, product, answer, argument, reason), "-" for
 * null, host and product with one value each. Writes for each combination of facts, in the
 * order of the loops below, the rule's position, its answer, argument and reason, parted by
 * tabs. tests/integration/test_boot_policy.py holds it against rouse.evaluate().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot.h"

#define RULES_MAX 64
#define FIELDS 12

static struct boot_rule rules[RULES_MAX];
static char lines[RULES_MAX][512];

static char *null_of(char *field)
{
	return strcmp(field, "-") == 0 ? NULL : field;
}

static void read_rule(char *line, struct boot_rule *rule)
{
	char *field[FIELDS];
	struct boot_rule_words words;
	const char *bad;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < FIELDS; i++) {
		field[i] = strsep(&line, "\t");
		if (!field[i]) {
			(void)fprintf(stderr, "a rule has %d fields, not %d\n", i, FIELDS);
			exit(2);
		}
	}
	words = (struct boot_rule_words){
		null_of(field[1]), null_of(field[2]), null_of(field[3]), null_of(field[4]),
		null_of(field[5]), null_of(field[6]), field[9]};
	rule->position = atoi(field[0]);
	rule->host = null_of(field[7]);
	rule->product = null_of(field[8]);
	rule->argument = null_of(field[10]) ? field[10] : "";
	rule->reason = field[11];
	if (boot_rule_parse(&words, rule, &bad) != ERR_OK) {
		(void)fprintf(stderr, "unknown word \"%s\"\n", bad);
		exit(2);
	}
}

static void decide_all(size_t count, struct boot_facts facts)
{
	static const char *const hosts[] = {"", "lab-01", "lab-02"};
	static const char *const products[] = {"", "Kiosk"};

	for (size_t host = 0; host < 3; host++) {
		for (size_t product = 0; product < 2; product++) {
			struct boot_verdict verdict;

			facts.host = hosts[host];
			facts.product = products[product];
			verdict = boot_decide(rules, count, &facts);
			printf("%d\t%s\t%s\t%s\n", verdict.position,
			       boot_answer_name(verdict.answer), verdict.argument,
			       verdict.reason);
		}
	}
}

/* The number's digits, in the mixed base of the vocabularies' sizes, the last fact running
 * fastest. */
static struct boot_facts facts_of(unsigned number)
{
	struct boot_facts facts = {.host = "", .product = ""};

	facts.arch.cpu = (enum arch_cpu)(number % 6);
	number /= 6;
	facts.arch.firmware = (enum arch_firmware)(number % 5);
	number /= 5;
	facts.job = (enum boot_job)(number % 2);
	number /= 2;
	facts.host_state = (enum host_state)(number % 5);
	number /= 5;
	facts.loader = (enum boot_loader)(number % 5);
	number /= 5;
	facts.stage = (enum boot_stage)number;
	return facts;
}

int main(void)
{
	size_t count = 0;

	while (count < RULES_MAX && fgets(lines[count], sizeof(lines[0]), stdin)) {
		read_rule(lines[count], &rules[count]);
		count++;
	}
	for (unsigned number = 0; number < 3U * 5 * 5 * 2 * 5 * 6; number++)
		decide_all(count, facts_of(number));
	return 0;
}
