/* Which value of an option a client gets, in which order, and where in the reply. */
#include "test_dhcp_samples.h"

#include "dhcpd/optionset.h"
#include "dhcpd/reply.h"

#define VALUE(text) (const uint8_t *)(text), sizeof(text) - 1
#define MTU 26
#define NTP 42
#define ROOT_PATH 17

static struct decide_verdict verdict;
static struct reply reply;
static uint8_t buffer[PACKET_SIZE_REPLY_MAX];

static void configure(struct site_option *options, size_t count)
{
	size_t bad;

	sample_site.options = options;
	sample_site.option_count = count;
	memset(sample_index, 0, sizeof(sample_index));
	assert_int_equal(site_index(&sample_site, &bad), ERR_OK);
}

/* The reply to this request, read again. */
static struct packet answer(const struct packet *packet)
{
	struct decide_question question = {
		.site = &sample_site,
		.leases = &sample_table,
		.packet = packet,
		.now_ms = 1000,
		.server = SERVER,
		.is_database_up = true,
		.has_asked = true,
	};
	struct packet again;

	decide(&question, &verdict);
	assert_int_equal(reply_encode(packet, &verdict, buffer, &reply), ERR_OK);
	assert_int_equal(packet_parse(buffer, reply.length, &again), ERR_OK);
	return again;
}

static void assert_value(const struct packet *packet, uint8_t code, const char *expected)
{
	size_t length;
	const uint8_t *octets = packet_option(packet, code, &length);

	if (!expected) {
		assert_null(octets);
		return;
	}
	assert_non_null(octets);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(octets, expected, length);
}

static struct packet ask(uint8_t last_of_mac, const char *class, const char *user_class,
			 const char *list)
{
	struct sample sample;
	struct packet packet;

	sample_begin(&sample, PACKET_DISCOVER, last_of_mac);
	if (class)
		sample_text(&sample, OPTION_VENDOR_CLASS, class);
	if (user_class)
		sample_text(&sample, OPTION_USER_CLASS, user_class);
	if (list)
		sample_text(&sample, OPTION_PARAMETER_LIST, list);
	sample_end(&sample, &packet);
	return answer(&packet);
}

static void the_more_special_scope_wins(void **state)
{
	struct site_option options[] = {
		{SITE_OPTION_HOST, 1, "", ROOT_PATH, false, VALUE("host")},
		{SITE_OPTION_GROUP, 4, "", ROOT_PATH, false, VALUE("group")},
		{SITE_OPTION_GROUP, 5, "", NTP, false, VALUE("other group")},
		{SITE_OPTION_CLASS, 0, "MSFT 5.0", ROOT_PATH, false, VALUE("longer class")},
		{SITE_OPTION_CLASS, 0, "MSFT", ROOT_PATH, false, VALUE("class")},
		{SITE_OPTION_CLASS, 0, "lab", ROOT_PATH, false, VALUE("user class")},
		{SITE_OPTION_SUBNET, 1, "", ROOT_PATH, false, VALUE("subnet")},
		{SITE_OPTION_SUBNET, 2, "", NTP, false, VALUE("other subnet")},
		{SITE_OPTION_GLOBAL, 0, "", ROOT_PATH, false, VALUE("global")},
	};
	const char list[] = {ROOT_PATH, NTP, 0};
	struct packet got;

	(void)state;
	configure(options, 9);
	got = ask(1, "MSFT 5.0", NULL, list);
	assert_value(&got, ROOT_PATH, "host");
	assert_value(&got, NTP, NULL);
	sample_hosts[1].group_id = 4;
	got = ask(2, "MSFT 5.0", NULL, list);
	assert_value(&got, ROOT_PATH, "group");
	assert_value(&got, NTP, NULL);
	sample_hosts[1].group_id = 0;
	got = ask(9, "MSFT 5.0", NULL, list);
	assert_value(&got, ROOT_PATH, "longer class");
	got = ask(9, "MSFT 98", NULL, list);
	assert_value(&got, ROOT_PATH, "class");
	got = ask(9, NULL, "\x03lab", list); /* as RFC 3004 has it */
	assert_value(&got, ROOT_PATH, "user class");
	got = ask(9, NULL, "lab", list); /* as everybody sends it */
	assert_value(&got, ROOT_PATH, "user class");
	got = ask(9, NULL, "labs", list);
	assert_value(&got, ROOT_PATH, "subnet");
	/* they are sorted now: only the host's own is left */
	configure(options + 8, 1);
	got = ask(9, NULL, NULL, list);
	assert_value(&got, ROOT_PATH, NULL);
}

static void columns_of_the_subnet_stand_between_global_and_its_options(void **state)
{
	struct site_option global[] = {
		{SITE_OPTION_GLOBAL, 0, "", OPTION_DOMAIN_NAME, false, VALUE("global")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_HOST_NAME, false, VALUE("every")}};
	struct site_option special[] = {
		{SITE_OPTION_SUBNET, 1, "", OPTION_DOMAIN_NAME, false, VALUE("special")}};
	struct packet got;

	(void)state;
	configure(global, 2);
	got = ask(1, NULL, NULL, "\x0f\x0c");
	assert_value(&got, OPTION_DOMAIN_NAME, "lab.example");
	assert_value(&got, OPTION_HOST_NAME, "lab-01");
	got = ask(9, NULL, NULL, "\x0f\x0c");
	assert_value(&got, OPTION_HOST_NAME, "every");
	configure(special, 1);
	got = ask(9, NULL, NULL, "\x0f");
	assert_value(&got, OPTION_DOMAIN_NAME, "special");
}

static void only_what_is_asked_for_unless_always(void **state)
{
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", MTU, false, VALUE("\x23\x28")},
		{SITE_OPTION_GLOBAL, 0, "", NTP, true, VALUE("abcd")},
		{SITE_OPTION_SUBNET, 1, "", NTP, false, VALUE("efgh")},
	};
	struct packet got;

	(void)state;
	configure(options, 3);
	got = ask(9, NULL, NULL, "\x01");
	assert_value(&got, MTU, NULL);
	assert_value(&got, NTP, "efgh"); /* "always" is said once, of the option */
	got = ask(9, NULL, NULL, "\x1a");
	assert_value(&got, MTU, "\x23\x28");
	got = ask(9, NULL, NULL, NULL);
	assert_value(&got, MTU, "\x23\x28");
}

static void in_the_order_of_the_list(void **state)
{
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", MTU, false, VALUE("\x05\xdc")},
		{SITE_OPTION_GLOBAL, 0, "", NTP, false, VALUE("abcd")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_CLASSLESS_ROUTES, false, VALUE("rrrrr")},
	};
	static const char wanted[] = "\x01\x04\xff\xff\xff\x00" /* the mask before all */
				     "\x2a\x04"
				     "abcd"
				     "\x1a\x02\x05\xdc"
				     "\x03\x04\x0a\x4d\x00\x01";

	(void)state;
	configure(options, 3);
	(void)ask(9, NULL, NULL, "\x2a\x1a\x2a\x03\x01");
	assert_memory_equal(buffer + 240 + 3 + 6 + 18, wanted, sizeof(wanted) - 1);
}

/* RFC 3442: who asks for classless routes and gets them gets no others. */
static void classless_routes_stand_for_all_routes(void **state)
{
	static uint8_t long_value[300];
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", OPTION_STATIC_ROUTES, true, VALUE("ssssssss")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_CLASSLESS_ROUTES, false, VALUE("rrrrr")},
	};
	struct packet got;
	uint32_t router;

	(void)state;
	configure(options, 2);
	got = ask(9, NULL, NULL, "\x03\x21\x79");
	assert_value(&got, OPTION_CLASSLESS_ROUTES, "rrrrr");
	assert_value(&got, OPTION_ROUTERS, NULL);
	assert_value(&got, OPTION_STATIC_ROUTES, NULL);
	/* who does not ask may not know them */
	got = ask(9, NULL, NULL, "\x03\x21");
	assert_value(&got, OPTION_CLASSLESS_ROUTES, NULL);
	assert_true(packet_option_u32(&got, OPTION_ROUTERS, &router));
	got = ask(9, NULL, NULL, NULL);
	assert_value(&got, OPTION_CLASSLESS_ROUTES, "rrrrr");
	assert_value(&got, OPTION_STATIC_ROUTES, "ssssssss");
	/* too long for this client: it must not be left without any */
	options[1].octets = long_value;
	options[1].length = sizeof(long_value);
	got = ask(9, NULL, NULL, "\x03\x21\x79");
	assert_value(&got, OPTION_CLASSLESS_ROUTES, NULL);
	assert_value(&got, OPTION_STATIC_ROUTES, "ssssssss");
	assert_int_equal(reply.left_out, 1);
}

/* RFC 8925 section 3.3, RFC 2563: not even "always" sends them to who did not ask. */
static void what_takes_ipv4_away_is_only_for_who_asks(void **state)
{
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", OPTION_IPV6_ONLY, true, VALUE("tttt")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_AUTO_CONFIGURE, true, VALUE("\x01")},
	};
	struct sample sample;
	struct packet packet, got;

	(void)state;
	configure(options, 2);
	got = ask(9, NULL, NULL, NULL);
	assert_value(&got, OPTION_IPV6_ONLY, NULL);
	assert_value(&got, OPTION_AUTO_CONFIGURE, NULL);
	got = ask(9, NULL, NULL, "\x01\x6c\x74");
	assert_value(&got, OPTION_IPV6_ONLY, "tttt");
	assert_value(&got, OPTION_AUTO_CONFIGURE, NULL);
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put_u8(&sample.out, OPTION_AUTO_CONFIGURE, 1));
	sample_text(&sample, OPTION_PARAMETER_LIST, "\x01");
	sample_end(&sample, &packet);
	got = answer(&packet);
	assert_value(&got, OPTION_IPV6_ONLY, NULL);
	assert_value(&got, OPTION_AUTO_CONFIGURE, "\x01");
}

static void the_boot_answer_is_ours_alone(void **state)
{
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", OPTION_BOOT_FILE, true, VALUE("other.efi")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_VENDOR_SPECIFIC, true,
		 VALUE("\x01\x01\x01")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_TFTP_SERVER, true, VALUE("elsewhere")},
	};
	struct sample sample;
	struct packet packet, got;

	(void)state;
	configure(options, 3);
	sample_begin(&sample, PACKET_DISCOVER, 9);
	sample_firmware(&sample, "PXEClient:Arch:00000", 0);
	sample_text(&sample, OPTION_PARAMETER_LIST, "\x42\x43\x2b");
	sample_end(&sample, &packet);
	got = answer(&packet);
	assert_value(&got, OPTION_BOOT_FILE, "undionly.kpxe");
	assert_value(&got, OPTION_VENDOR_SPECIFIC, "\x06\x01\x08\xff");
	assert_value(&got, OPTION_TFTP_SERVER, "10.77.0.1");
	/* who does not boot gets what the operator wrote */
	got = ask(9, "udhcp", NULL, "\x42\x43\x2b");
	assert_value(&got, OPTION_BOOT_FILE, "other.efi");
	assert_value(&got, OPTION_TFTP_SERVER, "elsewhere");
	/* a host out of service gets no file, whoever names it */
	sample_begin(&sample, PACKET_DISCOVER, 2);
	sample_firmware(&sample, "PXEClient:Arch:00000", 0);
	sample_text(&sample, OPTION_PARAMETER_LIST, "\x42\x43\x2b");
	sample_end(&sample, &packet);
	got = answer(&packet);
	assert_value(&got, OPTION_BOOT_FILE, NULL);
	assert_value(&got, OPTION_VENDOR_SPECIFIC, NULL);
	assert_value(&got, OPTION_TFTP_SERVER, NULL);
	assert_string_equal((char *)buffer + 108, "");
	assert_int_equal(got.siaddr, 0);
}

/* Telephones, switches, and machines older than options: the header is all that some read. */
static void an_operators_file_is_in_the_header_too(void **state)
{
	static uint8_t long_name[PACKET_FILE_SIZE];
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", OPTION_TFTP_SERVER, false, VALUE("10.77.0.7")},
		{SITE_OPTION_GLOBAL, 0, "", OPTION_BOOT_FILE, false, VALUE("switch.cfg")},
	};
	struct sample sample;
	struct packet packet, got;

	(void)state;
	configure(options, 2);
	got = ask(9, "ciscopnp", NULL, "\x42\x43");
	assert_value(&got, OPTION_BOOT_FILE, "switch.cfg");
	assert_string_equal((char *)buffer + 108, "switch.cfg");
	assert_int_equal(got.siaddr, IP(10, 77, 0, 7));
	/* not for who wants none */
	got = ask(9, "ciscopnp", NULL, "\x01");
	assert_string_equal((char *)buffer + 108, "");
	assert_int_equal(got.siaddr, 0);
	/* a BOOTP client with its reserved address */
	sample_header(&sample, 0x50, 0, 0, 0);
	sample_end(&sample, &packet);
	got = answer(&packet);
	assert_int_equal(verdict.action, DECIDE_BOOTP);
	assert_string_equal((char *)buffer + 108, "switch.cfg");
	assert_int_equal(got.siaddr, IP(10, 77, 0, 7));
	/* U-Boot brings names of its own, unless an operator has a better one */
	got = ask(9, "U-Boot.armv8", NULL, "\x43");
	assert_string_equal((char *)buffer + 108, "switch.cfg");
	/* no server is named: it is where the boot files are */
	configure(options + 1, 1);
	got = ask(9, "ciscopnp", NULL, "\x42\x43");
	assert_int_equal(got.siaddr, SERVER);
	/* a name that the field cannot hold is in the option alone */
	memset(long_name, 'n', sizeof(long_name));
	options[1].octets = long_name;
	options[1].length = sizeof(long_name);
	got = ask(9, "ciscopnp", NULL, "\x43");
	assert_string_equal((char *)buffer + 108, "");
	assert_int_equal(got.siaddr, SERVER);
}

/* More than a reply has place for: file and sname help out, each option whole (option 52). */
static void a_full_reply_flows_over(void **state)
{
	static uint8_t text[250];
	struct site_option options[] = {
		{SITE_OPTION_GLOBAL, 0, "", 200, false, text, 220},
		{SITE_OPTION_GLOBAL, 0, "", 201, false, text, 100},
		{SITE_OPTION_GLOBAL, 0, "", 202, false, text, 50},
		{SITE_OPTION_GLOBAL, 0, "", 203, false, text, 90},
	};
	struct packet got;
	size_t length;

	(void)state;
	memset(text, 't', sizeof(text));
	configure(options, 4);
	got = ask(9, NULL, NULL, "\xc8\xc9\xca\xcb");
	assert_true(reply.length <= PACKET_SIZE_EVERYBODY);
	assert_value(&got, OPTION_OVERLOAD, "\x03");
	for (uint8_t code = 200; code < 203; code++) {
		assert_non_null(packet_option(&got, code, &length));
		assert_int_equal(length, options[code - 200].length);
	}
	assert_value(&got, 203, NULL);
	assert_int_equal(reply.left_out, 1);
	/* sname takes 63 octets and its END, not one more */
	options[2].length = 61;
	got = ask(9, NULL, NULL, "\xc8\xc9\xca");
	assert_int_equal(reply.left_out, 0);
	assert_non_null(packet_option(&got, 202, &length));
	options[2].length = 62;
	got = ask(9, NULL, NULL, "\xc8\xc9\xca");
	assert_int_equal(reply.left_out, 1);
	options[2].length = 50;
	/* firmware is spared: its ROM may not look there */
	got = ask(9, "PXEClient:Arch:00007", NULL, "\xc8\xc9\xca\xcb");
	assert_value(&got, OPTION_OVERLOAD, NULL);
	assert_string_equal((char *)buffer + 108, "undionly.kpxe");
}

/* RFC 3396: an option over 255 octets comes in parts, and is whole again when read. */
static void a_long_option_comes_in_parts(void **state)
{
	static uint8_t text[700];
	struct site_option options[] = {{SITE_OPTION_GLOBAL, 0, "", 224, true, text, 700}};
	struct sample sample;
	struct packet packet, got;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i % 251);
	configure(options, 1);
	sample_begin(&sample, PACKET_DISCOVER, 9);
	assert_true(option_put(&sample.out, OPTION_MAX_MESSAGE_SIZE, "\x05\xdc", 2));
	sample_end(&sample, &packet);
	got = answer(&packet);
	assert_memory_equal(packet_option(&got, 224, &length), text, sizeof(text));
	assert_int_equal(length, sizeof(text));
	/* who takes no more than 576 octets goes without */
	got = ask(9, NULL, NULL, "\xe0");
	assert_value(&got, 224, NULL);
	assert_int_equal(reply.left_out, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_more_special_scope_wins, sample_setup),
		cmocka_unit_test_setup(
			columns_of_the_subnet_stand_between_global_and_its_options,
			sample_setup),
		cmocka_unit_test_setup(only_what_is_asked_for_unless_always, sample_setup),
		cmocka_unit_test_setup(in_the_order_of_the_list, sample_setup),
		cmocka_unit_test_setup(classless_routes_stand_for_all_routes, sample_setup),
		cmocka_unit_test_setup(what_takes_ipv4_away_is_only_for_who_asks, sample_setup),
		cmocka_unit_test_setup(the_boot_answer_is_ours_alone, sample_setup),
		cmocka_unit_test_setup(an_operators_file_is_in_the_header_too, sample_setup),
		cmocka_unit_test_setup(a_full_reply_flows_over, sample_setup),
		cmocka_unit_test_setup(a_long_option_comes_in_parts, sample_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
