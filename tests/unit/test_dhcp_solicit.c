#include "unit.h"

#include "core/bytes.h"
#include "dhcpd/solicit.h"

static uint8_t packet[512];
static struct bytes_writer out;

/* The packet's beginning, from the machine's link-local address to all servers' multicast. */
static void begin(uint8_t next, uint16_t port, uint8_t message)
{
	out = bytes_writer(packet, sizeof(packet));
	bytes_put_u32(&out, 0x60000000U);
	bytes_put_u16(&out, 0);
	bytes_put_u8(&out, next);
	bytes_put_u8(&out, 1);
	bytes_put_zeros(&out, 32);
	bytes_put_u16(&out, 546);
	bytes_put_u16(&out, port);
	bytes_put_u32(&out, 0);
	bytes_put_u32(&out, (uint32_t)message << 24 | 0x112233U);
}

static void put_option(uint16_t code, const void *octets, uint16_t length)
{
	bytes_put_u16(&out, code);
	bytes_put_u16(&out, length);
	bytes_put(&out, octets, length);
}

static void put_vendor_class(const char *word)
{
	uint16_t length = (uint16_t)strlen(word);

	bytes_put_u16(&out, 16);
	bytes_put_u16(&out, (uint16_t)(6 + length));
	bytes_put_u32(&out, 343);
	bytes_put_u16(&out, length);
	bytes_put(&out, word, length);
}

static void test_firmware(void **state)
{
	struct solicit solicit;

	(void)state;
	begin(17, 547, 1);
	put_option(1, "\0\4uuiduuiduuiduuid", 18);
	put_option(61, "\0\7", 2);
	put_vendor_class("PXEClient:Arch:00007:UNDI:003000");
	assert_true(solicit_read(packet, out.length, &solicit));
	assert_int_equal(solicit.class, PXE_CLASS_FIRMWARE);
	assert_true(solicit.has_arch);
	assert_int_equal(solicit.arch_code, 7);
}

static void test_http_and_ipxe(void **state)
{
	struct solicit solicit;

	(void)state;
	begin(17, 547, 1);
	put_vendor_class("HTTPClient:Arch:00016");
	assert_true(solicit_read(packet, out.length, &solicit));
	assert_int_equal(solicit.class, PXE_CLASS_HTTP);
	assert_false(solicit.has_arch);
	/* iPXE, in either order of its options */
	put_option(15, "\0\4iPXE", 6);
	assert_true(solicit_read(packet, out.length, &solicit));
	assert_int_equal(solicit.class, PXE_CLASS_IPXE);
	begin(17, 547, 1);
	put_option(15, "\0\4iPXE", 6);
	put_vendor_class("PXEClient:Arch:00007");
	assert_true(solicit_read(packet, out.length, &solicit));
	assert_int_equal(solicit.class, PXE_CLASS_IPXE);
}

static void test_what_is_none(void **state)
{
	static const struct {
		uint8_t next;
		uint16_t port;
		uint8_t message;
	} others[] = {{58, 547, 1}, {17, 546, 1}, {17, 547, 3}, {17, 547, 12}};
	struct solicit solicit;

	(void)state;
	/* an operating system's */
	begin(17, 547, 1);
	put_option(1, "\0\4uuiduuiduuiduuid", 18);
	put_option(16, "\0\0\1\67\0\x8MSFT 5.0", 14);
	assert_false(solicit_read(packet, out.length, &solicit));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		begin(others[i].next, others[i].port, others[i].message);
		put_option(61, "\0\7", 2);
		assert_false(solicit_read(packet, out.length, &solicit));
	}
}

/* Wherever it is cut off, no octet beyond is read, and what came before counts. */
static void test_cut_off(void **state)
{
	struct solicit solicit;
	size_t whole;

	(void)state;
	begin(17, 547, 1);
	put_option(61, "\0\7", 2);
	whole = out.length;
	put_vendor_class("HTTPClient");
	for (size_t length = 0; length < out.length; length++) {
		uint8_t *copy = test_malloc(length + 1);

		memcpy(copy, packet, length);
		assert_int_equal(solicit_read(copy, length, &solicit), length >= whole);
		test_free(copy);
	}
	/* classes whose lengths lead beyond their option */
	begin(17, 547, 1);
	put_option(16, "\0\0\1\67\xff\xffPXEClient", 15);
	put_option(61, "\0", 1);
	assert_false(solicit_read(packet, out.length, &solicit));
}

static void test_a_machine_that_repeats_itself(void **state)
{
	static struct solicit_memory memory;
	struct mac mac = {{2, 0, 0, 0, 0, 1}}, other = {{2, 0, 0, 1, 0, 0}};

	(void)state;
	assert_true(solicit_is_new(&memory, &mac, 1000));
	assert_false(solicit_is_new(&memory, &mac, 1000 + SOLICIT_AGAIN_MS - 1));
	assert_true(solicit_is_new(&memory, &mac, 1000 + SOLICIT_AGAIN_MS));
	assert_false(solicit_is_new(&memory, &mac, 1001 + SOLICIT_AGAIN_MS));
	/* so many others, and it is forgotten */
	for (unsigned i = 0; i < SOLICIT_CLIENTS; i++) {
		other.octet[5] = (uint8_t)i;
		assert_true(solicit_is_new(&memory, &other, 40000));
		assert_false(solicit_is_new(&memory, &other, 40001));
	}
	assert_true(solicit_is_new(&memory, &mac, 40002));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_http_and_ipxe),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_a_machine_that_repeats_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
