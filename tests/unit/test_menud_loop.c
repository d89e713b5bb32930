/* Which of iPXE's requests over HTTP get its script, and which the file that they name. */
#include "unit.h"

#include "menud/loop.h"

#define AGENT "iPXE/1.0.0+git-20190125.36a4c85-5.1"

static struct site_subnet subnet = {.net = {0x0a4d0000, 24}};
static const struct site bare = {.hosts = NULL};

static enum loop_verdict judge(const char *name, const char *agent)
{
	const struct loop_request request = {.name = name, .agent = agent, .is_on = true};

	return loop_judge(&bare, &request);
}

static void the_script_by_its_names(void **state)
{
	static const char *const names[] = {"default.ipxe", "autoexec.ipxe",
					    "tftp/default.ipxe", "tftp/autoexec.ipxe"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(judge(names[i], NULL), LOOP_SCRIPT);
	assert_int_equal(judge("own/default.ipxe", AGENT), LOOP_NONE);
}

static void ipxe_that_asks_for_itself(void **state)
{
	static const char *const others[] = {NULL,	  "",	      "UefiHttpBoot/1.0",
					     "curl/7.88", "myiPXE/1", "iPXE"};

	(void)state;
	assert_int_equal(judge("ipxe.efi", AGENT), LOOP_BROKEN);
	assert_int_equal(judge("tftp/undionly.kpxe", AGENT), LOOP_BROKEN);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(judge("ipxe.efi", others[i]), LOOP_NONE);
	assert_int_equal(judge("fos/bzImage", AGENT), LOOP_NONE);
	assert_int_equal(judge("own/ipxe.efi", AGENT), LOOP_NONE);
	assert_int_equal(judge("tftp/own/ipxe.efi", AGENT), LOOP_NONE);
	assert_int_equal(judge("tftp/", AGENT), LOOP_NONE);
}

static void what_a_menu_names_is_meant(void **state)
{
	const struct loop_request request = {
		.name = "ipxe.efi", .agent = AGENT, .as = "kernel", .is_on = true};

	(void)state;
	assert_int_equal(loop_judge(&bare, &request), LOOP_NONE);
}

static void it_is_switched_by_subnet(void **state)
{
	const struct site site = {.subnets = &subnet, .subnet_count = 1};
	struct loop_request request = {
		.name = "ipxe.efi", .agent = AGENT, .address = 0x0a4d0064};

	(void)state;
	subnet.loop_breaker = true;
	assert_int_equal(loop_judge(&site, &request), LOOP_BROKEN);
	subnet.loop_breaker = false;
	request.is_on = true;
	assert_int_equal(loop_judge(&site, &request), LOOP_NONE);
	request.address = 0x0a4e0001; /* of no subnet */
	assert_int_equal(loop_judge(&site, &request), LOOP_BROKEN);
	request.address = 0; /* of IPv6 */
	assert_int_equal(loop_judge(&site, &request), LOOP_BROKEN);
	request.is_on = false;
	assert_int_equal(loop_judge(&site, &request), LOOP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_script_by_its_names),
		cmocka_unit_test(ipxe_that_asks_for_itself),
		cmocka_unit_test(what_a_menu_names_is_meant),
		cmocka_unit_test(it_is_switched_by_subnet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
