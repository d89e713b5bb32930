#include "unit.h"

#include "tftpd/resolve.h"

static struct resolved resolved(const char *name)
{
	return resolve_name(name, strlen(name));
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(resolved("ipxe.efi").kind, RESOLVE_FILE);
	assert_string_equal(resolved("/grub/grub.cfg").path.name, "grub/grub.cfg");
	assert_string_equal(resolved("\\Boot\\BCD").path.name, "Boot/BCD");
	assert_string_equal(resolved("ipxe.efi\xff").path.name, "ipxe.efi");
	assert_int_equal(resolved("default.ipxe").kind, RESOLVE_SCRIPT);
	assert_int_equal(resolved("/autoexec.ipxe").kind, RESOLVE_SCRIPT);
	assert_int_equal(resolved("raw/default.ipxe").kind, RESOLVE_FILE);
}

static void test_refusals(void **state)
{
	char endless[PATH_SIZE + 10];

	(void)state;
	memset(endless, 'a', sizeof(endless));
	assert_int_equal(resolved("../etc/passwd").code, PACKET_ACCESS);
	assert_int_equal(resolved("a/..\\../etc/passwd").kind, RESOLVE_REFUSED);
	assert_int_equal(resolved("").code, PACKET_ILLEGAL);
	assert_int_equal(resolved("/").code, PACKET_ILLEGAL);
	assert_int_equal(resolved("a\nb").code, PACKET_ILLEGAL);
	assert_int_equal(resolve_name(endless, sizeof(endless)).code, PACKET_NOT_FOUND);
	assert_true(strlen(resolved("../x").reason) > 0);
}

static void test_stages(void **state)
{
	static const struct {
		const char *path, *stage;
	} cases[] = {
		{"ipxe.efi", "tftp_nbp"},
		{"undionly.kpxe", "tftp_nbp"},
		{"default.ipxe", "script"},
		{"grub/grub.cfg", "script"},
		{"grub.cfg-01-52-54-00", "script"},
		{"pxelinux.cfg/01-52-54", "script"},
		{"grub/x86_64-efi/fs.lst", "script"},
		{"debian/vmlinuz-6.1", "kernel"},
		{"fos/bzImage", "kernel"},
		{"fos/init.xz", "initrd"},
		{"debian/initrd.img", "initrd"},
		{"snponly.bin", "tftp_nbp"},
		{"kernel-loader", "tftp_nbp"}, /* a site's boot file, whatever it is called */
		{"kernel-7", "kernel"},
	};
	struct site_boot_file file = {.file = "kernel-loader", .product = ""};
	struct site site = {.boot_files = &file, .boot_file_count = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(resolve_stage(&site, cases[i].path), cases[i].stage);
}

static const struct mac lab_mac = {{0x52, 0x54, 0, 0, 0, 1}};

/* One host, one subnet, and one rule for the disabled. */
struct lab {
	struct host host;
	struct site_subnet subnet;
	struct site_setting setting;
	struct boot_rule rules[2];
	uint32_t mac_index[64], uuid_index[64];
	struct site site;
};

static void lab_build(struct lab *lab, enum host_state host_state, enum boot_answer answer)
{
	size_t bad;

	memset(lab, 0, sizeof(*lab));
	lab->host = (struct host){.id = 1,
				  .name = "lab-01",
				  .product = "",
				  .state = host_state,
				  .macs = {lab_mac},
				  .mac_count = 1};
	lab->subnet = (struct site_subnet){.net = {0x0a4d0000, 24}, .menud_urls = ""};
	lab->setting = (struct site_setting){"menud_urls", "http://site:8080"};
	lab->rules[0] = (struct boot_rule){.position = 10,
					   .name = "disabled",
					   .host_state = 1 << HOST_DISABLED,
					   .answer = answer,
					   .argument = "",
					   .reason = "the host is disabled"};
	lab->rules[1] = (struct boot_rule){.position = 20,
					   .name = "all",
					   .answer = BOOT_SCRIPT,
					   .argument = "",
					   .reason = "the script"};
	lab->site = (struct site){.hosts = &lab->host,
				  .host_count = 1,
				  .subnets = &lab->subnet,
				  .subnet_count = 1,
				  .settings = &lab->setting,
				  .setting_count = 1,
				  .rules = lab->rules,
				  .rule_count = 2,
				  .mac_index = lab->mac_index,
				  .uuid_index = lab->uuid_index};
	lab->site.index_size = site_index_size(&lab->site);
	assert_true(lab->site.index_size <= 64);
	assert_int_equal(site_index(&lab->site, &bad), ERR_OK);
}

static struct resolve_client lab_client(const struct lab *lab)
{
	return (struct resolve_client){.site = &lab->site,
				       .mac = &lab_mac,
				       .address = 0x0a4d0064,
				       .menud_urls = "http://own:8080"};
}

static void test_policy(void **state)
{
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	assert_int_equal(resolve_decide(&client).answer, RESOLVE_ALLOW);
	lab_build(&lab, HOST_DISABLED, BOOT_NOTHING);
	assert_int_equal(resolve_decide(&client).answer, RESOLVE_FORBID);
	assert_string_equal(resolve_decide(&client).reason, "the host is disabled");
	client.mac = NULL; /* not in the neighbour table: an unknown machine */
	assert_int_equal(resolve_decide(&client).answer, RESOLVE_ALLOW);
	client.mac = &lab_mac;
	lab_build(&lab, HOST_DISABLED, BOOT_REFUSE);
	assert_int_equal(resolve_decide(&client).answer, RESOLVE_FORBID);
	lab_build(&lab, HOST_DISABLED, BOOT_LOCAL);
	assert_int_equal(resolve_decide(&client).answer, RESOLVE_LOCAL);
	lab.site.rule_count = 0;
	assert_int_equal(resolve_decide(&client).answer, RESOLVE_ALLOW);
}

static void assert_script(const struct resolve_client *client, const char *has,
			  const char * not )
{
	struct resolve_verdict verdict = resolve_decide(client);
	char buffer[8192];
	struct text out = text_into(buffer, sizeof(buffer));

	assert_int_equal(resolve_render(client, &verdict, &out), ERR_OK);
	assert_memory_equal(buffer, "#!ipxe\n", 7);
	assert_non_null(strstr(buffer, has));
	assert_null(strstr(buffer, not ));
}

static void test_whose_urls(void **state)
{
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	assert_script(&client, "http://site:8080", "own");
	lab.subnet.menud_urls = "http://near:1 http://far:2";
	assert_script(&client, "http://near:1", "site");
	assert_script(&client, "http://far:2", "own");
	client.address = 0x0a4e0001; /* of another subnet */
	assert_script(&client, "http://site:8080", "near");
	lab.site.setting_count = 0;
	assert_script(&client, "http://own:8080", "site");
}

/* An address in place of iPXE's ${next-server}, for loaders that know no settings. */
static void test_url_for_loaders(void **state)
{
	static const struct {
		const char *next_server, *wanted;
	} cases[] = {{"10.77.0.1", "http://10.77.0.1:8080"},
		     {"fd00::1", "http://[fd00::1]:8080"}};
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	lab.setting.value = "http://${next-server}:8080 http://other";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buffer[64];
		struct text out = text_into(buffer, sizeof(buffer));
		struct ip ip;

		assert_int_equal(ip_parse(cases[i].next_server, &ip), ERR_OK);
		assert_int_equal(resolve_menud_url(&client, &ip, &out), ERR_OK);
		assert_string_equal(buffer, cases[i].wanted);
	}
}

/* No subnet is IPv6's, not even one that holds every address. */
static void test_ipv6_is_in_no_subnet(void **state)
{
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	lab.subnet.net = (struct ip4_net){0, 0};
	lab.subnet.menud_urls = "http://near:1";
	assert_script(&client, "http://near:1", "site");
	client.address = 0;
	assert_script(&client, "http://site:8080", "near");
}

/* The nearest first, and only what is known. */
static void test_views(void **state)
{
	const struct arch uefi = {ARCH_X86_64, FIRMWARE_EFI};
	const struct arch http = {ARCH_ARM64, FIRMWARE_HTTP};
	char views[RESOLVE_VIEWS][PATH_SIZE];
	char longest[PATH_SIZE];
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	client.arch = &uefi;
	assert_int_equal(resolve_views(&client, "a/b", views), 3);
	assert_string_equal(views[0], "by-mac/52-54-00-00-00-01/a/b");
	assert_string_equal(views[1], "by-arch/x86_64-efi/a/b");
	assert_string_equal(views[2], "by-subnet/10.77.0.0-24/a/b");
	/* what boots by HTTP boots by TFTP as UEFI, too */
	client.arch = &http;
	client.mac = NULL;
	client.address = 0;
	assert_int_equal(resolve_views(&client, "a", views), 1);
	assert_string_equal(views[0], "by-arch/arm64-efi/a");
	client.arch = NULL;
	assert_int_equal(resolve_views(&client, "a", views), 0);
	/* a path that has no room there */
	client = lab_client(&lab);
	client.arch = &uefi;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(resolve_views(&client, longest, views), 0);
	longest[sizeof(longest) - sizeof("by-arch/x86_64-efi/")] = '\0';
	assert_int_equal(resolve_views(&client, longest, views), 1);
	assert_memory_equal(views[0], "by-arch/x86_64-efi/aaa", 22);
}

static void test_local_script_says_why(void **state)
{
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_DISABLED, BOOT_LOCAL);
	client = lab_client(&lab);
	assert_script(&client, "the host is disabled", "chain");
}

static void test_render_fails_aloud(void **state)
{
	struct lab lab;
	struct resolve_client client;
	struct resolve_verdict verdict = {RESOLVE_ALLOW, ""};
	char buffer[8192];
	struct text out = text_into(buffer, sizeof(buffer));

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	lab.site.setting_count = 0;
	client.menud_urls = " ";
	assert_int_equal(resolve_render(&client, &verdict, &out), ERR_RANGE);
	client.menud_urls = "a b c d e f g h i j k l m n o p q";
	assert_int_equal(resolve_render(&client, &verdict, &out), ERR_SPACE);
	client.menud_urls = "http://own:8080";
	out = text_into(buffer, 40);
	assert_int_equal(resolve_render(&client, &verdict, &out), ERR_SPACE);
}

static struct packet_options ipxe_options(void)
{
	return (struct packet_options){.option = {[PACKET_BLKSIZE] = {true, 1432, "blksize"},
						  [PACKET_TSIZE] = {true, 0, "tsize"}}};
}

static bool is_loop(const struct resolve_client *client, const char *name, bool is_on)
{
	struct resolved asked = resolved(name);
	struct packet_options options = ipxe_options();

	return resolve_is_loop(client, &asked, &options, is_on);
}

static void test_loop_is_for_first_stages(void **state)
{
	static struct site_boot_file files[] = {{7, false, "", "ipxe.efi"},
						{0, false, "Lab", "mine.kpxe"}};
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	lab.site.subnet_count = 0;
	/* without the database's list */
	assert_true(is_loop(&client, "undionly.kpxe", true));
	assert_true(is_loop(&client, "/snponly.efi\xff", true));
	assert_false(is_loop(&client, "undionly.kpxe", false));
	assert_false(is_loop(&client, "raw/undionly.kpxe", true));
	assert_false(is_loop(&client, "folder/undionly.kpxe", true));
	assert_false(is_loop(&client, "shimx64.efi", true));
	assert_false(is_loop(&client, "default.ipxe", true));
	assert_false(is_loop(&client, "../ipxe.efi", true));
	/* with it */
	lab.site.boot_files = files;
	lab.site.boot_file_count = 2;
	assert_true(is_loop(&client, "ipxe.efi", true));
	assert_true(is_loop(&client, "MINE.kpxe", true));
	assert_false(is_loop(&client, "undionly.kpxe", true));
}

static void test_loop_is_switched_by_subnet(void **state)
{
	struct lab lab;
	struct resolve_client client;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	lab.subnet.loop_breaker = true;
	assert_true(is_loop(&client, "ipxe.efi", false));
	lab.subnet.loop_breaker = false;
	assert_false(is_loop(&client, "ipxe.efi", true));
	client.address = 0x0a4e0001; /* of no subnet */
	assert_true(is_loop(&client, "ipxe.efi", true));
	assert_false(is_loop(&client, "ipxe.efi", false));
}

/* Firmware and other loaders ask for the same files in ways of their own. */
static void test_loop_knows_ipxe_by_its_options(void **state)
{
	struct lab lab;
	struct resolve_client client;
	struct resolved asked = resolved("ipxe.efi");
	struct packet_options options;

	(void)state;
	lab_build(&lab, HOST_ACTIVE, BOOT_NOTHING);
	client = lab_client(&lab);
	lab.subnet.loop_breaker = true;
	options = ipxe_options();
	assert_true(resolve_is_loop(&client, &asked, &options, true));
	options.option[PACKET_BLKSIZE].value = 1468;
	assert_false(resolve_is_loop(&client, &asked, &options, true));
	options = ipxe_options();
	options.option[PACKET_WINDOWSIZE].is_asked = true;
	assert_false(resolve_is_loop(&client, &asked, &options, true));
	options = ipxe_options();
	options.option[PACKET_TIMEOUT].is_asked = true;
	assert_false(resolve_is_loop(&client, &asked, &options, true));
	options = ipxe_options();
	options.option[PACKET_TSIZE].value = 4096;
	assert_false(resolve_is_loop(&client, &asked, &options, true));
	options = ipxe_options();
	options.option[PACKET_TSIZE].is_asked = false;
	assert_false(resolve_is_loop(&client, &asked, &options, true));
	memset(&options, 0, sizeof(options));
	assert_false(resolve_is_loop(&client, &asked, &options, true));
}

static void test_raw_is_the_root_once_more(void **state)
{
	struct resolved asked = resolved("/raw/a/b.efi");

	(void)state;
	assert_int_equal(asked.kind, RESOLVE_FILE);
	assert_string_equal(asked.path.name, "raw/a/b.efi");
	assert_string_equal(resolve_file(&asked), "a/b.efi");
	asked = resolved("rawhide/b.efi");
	assert_string_equal(resolve_file(&asked), "rawhide/b.efi");
	asked = resolved("raw/../../x");
	assert_int_equal(asked.kind, RESOLVE_REFUSED);
	asked = resolved("raw/"); /* a folder, and no way to ask for an empty name */
	assert_string_equal(resolve_file(&asked), "raw");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_whose_urls),
		cmocka_unit_test(test_url_for_loaders),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_ipv6_is_in_no_subnet),
		cmocka_unit_test(test_local_script_says_why),
		cmocka_unit_test(test_render_fails_aloud),
		cmocka_unit_test(test_loop_is_for_first_stages),
		cmocka_unit_test(test_loop_is_switched_by_subnet),
		cmocka_unit_test(test_loop_knows_ipxe_by_its_options),
		cmocka_unit_test(test_raw_is_the_root_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
