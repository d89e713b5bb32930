/* The boot policy: the first rule whose predicates all hold decides. */
#include "unit.h"

#include "core/boot.h"

static struct boot_rule rule(int position, struct boot_rule_words words, const char *argument)
{
	struct boot_rule made = {
		.position = position, .argument = argument, .reason = "because"};
	const char *bad = NULL;

	assert_int_equal(boot_rule_parse(&words, &made, &bad), ERR_OK);
	return made;
}

static const struct boot_facts machine = {
	.stage = BOOT_STAGE_MENU,
	.loader = BOOT_LOADER_IPXE,
	.host_state = HOST_ACTIVE,
	.job = BOOT_JOB_LIVE,
	.arch = {ARCH_X86_64, FIRMWARE_EFI},
	.host = "lab-01",
	.product = "OptiPlex 7050",
};

static void the_first_that_holds_decides(void **state)
{
	const struct boot_rule rules[] = {
		rule(10, (struct boot_rule_words){.stage = "dhcp", .answer = "first_stage"},
		     ""),
		rule(20,
		     (struct boot_rule_words){.host_state = "disabled retired",
					      .answer = "nothing"},
		     ""),
		rule(30,
		     (struct boot_rule_words){.stage = "menu", .job = "live", .answer = "job"},
		     ""),
		rule(40, (struct boot_rule_words){.stage = "menu", .answer = "menu"}, ""),
	};
	struct boot_facts facts = machine;

	(void)state;
	assert_int_equal(boot_decide(rules, 4, &facts).answer, BOOT_RUN_JOB);
	facts.job = BOOT_JOB_NONE;
	assert_int_equal(boot_decide(rules, 4, &facts).position, 40);
	facts.host_state = HOST_RETIRED;
	assert_int_equal(boot_decide(rules, 4, &facts).position, 20);
	facts.stage = BOOT_STAGE_DHCP;
	assert_int_equal(boot_decide(rules, 4, &facts).answer, BOOT_FIRST_STAGE);
}

static void no_rule_is_no_boot(void **state)
{
	struct boot_verdict verdict = boot_decide(NULL, 0, &machine);

	(void)state;
	assert_int_equal(verdict.answer, BOOT_NOTHING);
	assert_int_equal(verdict.position, 0);
	assert_string_equal(verdict.reason, "no rule matches");
}

static void names_are_lines_and_an_unknown_fact_never_holds(void **state)
{
	struct boot_rule rules[] = {
		rule(10, (struct boot_rule_words){.answer = "profile"}, "memtest")};
	struct boot_facts facts = machine;

	(void)state;
	rules[0].host = "lab-1\nlab-01\nlab-02";
	assert_int_equal(boot_decide(rules, 1, &facts).answer, BOOT_PROFILE);
	assert_string_equal(boot_decide(rules, 1, &facts).argument, "memtest");
	facts.host = "lab-0";
	assert_int_equal(boot_decide(rules, 1, &facts).answer, BOOT_NOTHING);
	facts.host = "";
	assert_int_equal(boot_decide(rules, 1, &facts).answer, BOOT_NOTHING);
	rules[0].host = NULL;
	rules[0].product = "OptiPlex 7050";
	assert_int_equal(boot_decide(rules, 1, &facts).answer, BOOT_PROFILE);
}

static void every_predicate_counts(void **state)
{
	static const struct boot_rule_words others[] = {
		{.stage = "dhcp script", .answer = "menu"},
		{.loader = "grub", .answer = "menu"},
		{.host_state = "unknown", .answer = "menu"},
		{.job = "none", .answer = "menu"},
		{.firmware = "bios", .answer = "menu"},
		{.arch = "arm64", .answer = "menu"}};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct boot_rule one = rule(1, others[i], "");

		assert_int_equal(boot_decide(&one, 1, &machine).answer, BOOT_NOTHING);
	}
}

static void an_unknown_word_is_named(void **state)
{
	struct boot_rule made = {0};
	const char *bad = NULL;

	(void)state;
	assert_int_equal(boot_rule_parse(&(struct boot_rule_words){.stage = "menu moon",
								   .answer = "menu"},
					 &made, &bad),
			 ERR_FORMAT);
	assert_string_equal(bad, "moon");
	assert_int_equal(
		boot_rule_parse(&(struct boot_rule_words){.answer = "fly"}, &made, &bad),
		ERR_FORMAT);
	assert_string_equal(bad, "fly");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_holds_decides),
		cmocka_unit_test(no_rule_is_no_boot),
		cmocka_unit_test(names_are_lines_and_an_unknown_fact_never_holds),
		cmocka_unit_test(every_predicate_counts),
		cmocka_unit_test(an_unknown_word_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
