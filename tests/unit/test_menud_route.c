/* Which handler a request is for. */
#include "unit.h"

#include "menud/route.h"

static void expect(const char *method, const char *path, enum route_to to, const char *rest)
{
	struct route route = route_find(method, path);

	assert_int_equal(route.to, to);
	if (rest)
		assert_string_equal(route.rest, rest);
}

static void routes(void **state)
{
	(void)state;
	expect("GET", "/boot", ROUTE_BOOT, NULL);
	expect("POST", "/boot", ROUTE_BOOT, NULL);
	expect("PUT", "/boot", ROUTE_METHOD, "GET, HEAD, POST");
	expect("GET", "/boot/", ROUTE_UNKNOWN, NULL);
	expect("GET", "/bootx", ROUTE_UNKNOWN, NULL);
	expect("GET", "/files/fos/bzImage", ROUTE_FILES, "fos/bzImage");
	expect("HEAD", "/files/x", ROUTE_FILES, "x");
	expect("GET", "/files/", ROUTE_UNKNOWN, NULL);
	expect("GET", "/boot/grub.cfg", ROUTE_LOADER, "boot/grub.cfg");
	expect("GET", "/grub/x86_64-efi/http.mod", ROUTE_LOADER, "grub/x86_64-efi/http.mod");
	expect("HEAD", "/pxelinux.cfg/default", ROUTE_LOADER, "pxelinux.cfg/default");
	expect("POST", "/pxelinux.cfg/default", ROUTE_METHOD, "GET, HEAD");
	expect("GET", "/grub/", ROUTE_UNKNOWN, NULL);
	expect("POST", "/fos/checkin", ROUTE_FOS, "checkin");
	expect("GET", "/fos/checkin", ROUTE_METHOD, "POST");
	expect("GET", "/answers/00ff/done", ROUTE_ANSWERS, "00ff/done");
	expect("POST", "/answers/00ff", ROUTE_METHOD, "GET, HEAD");
	expect("GET", "/fos/image/12", ROUTE_FOS_IMAGE, "12");
	expect("GET", "/fos/script/12", ROUTE_FOS_SCRIPT, "12");
	expect("POST", "/fos/script/12", ROUTE_METHOD, "GET, HEAD");
	expect("GE", "/healthz", ROUTE_METHOD, NULL);
	expect("GET", "/healthz", ROUTE_HEALTH, NULL);
	expect("GET", "/metrics", ROUTE_METRICS, NULL);
	expect("POST", "/metrics", ROUTE_METHOD, "GET, HEAD");
	expect("GET", "/login", ROUTE_LOGIN, "");
	expect("POST", "/login/ipxe", ROUTE_LOGIN, "ipxe");
	expect("GET", "/login/", ROUTE_UNKNOWN, NULL);
	expect("GET", "/api/v1/hosts", ROUTE_API, "hosts");
	expect("DELETE", "/api/v1/hosts", ROUTE_METHOD, "GET, HEAD, POST");
	expect("GET", "", ROUTE_UNKNOWN, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(routes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
