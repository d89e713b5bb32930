#include "menud/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *prefix; /* with a final "/", more of the path follows */
	enum route_to to;
	const char *methods;
} routes[] = {
	{"/boot", ROUTE_BOOT, "GET, HEAD, POST"},
	{"/files/", ROUTE_FILES, "GET, HEAD"},
	{"/boot/", ROUTE_LOADER, "GET, HEAD"},
	{"/grub/", ROUTE_LOADER, "GET, HEAD"},
	{"/pxelinux.cfg/", ROUTE_LOADER, "GET, HEAD"},
	{"/answers/", ROUTE_ANSWERS, "GET, HEAD"},
	{"/fos/image/", ROUTE_FOS_IMAGE, "GET, HEAD, PUT"},
	{"/fos/script/", ROUTE_FOS_SCRIPT, "GET, HEAD"},
	{"/fos/", ROUTE_FOS, "POST"},
	{"/login", ROUTE_LOGIN, "GET, HEAD, POST"},
	{"/login/", ROUTE_LOGIN, "GET, HEAD, POST"},
	{"/api/v1/", ROUTE_API, "GET, HEAD, POST"},
	{"/healthz", ROUTE_HEALTH, "GET, HEAD"},
	{"/readyz", ROUTE_READY, "GET, HEAD"},
	{"/metrics", ROUTE_METRICS, "GET, HEAD"},
};

static bool allows(const char *methods, const char *method)
{
	size_t length = strlen(method);

	while (*methods) {
		size_t word = strcspn(methods, ",");

		if (word == length && memcmp(methods, method, length) == 0)
			return true;
		methods += word;
		methods += strspn(methods, ", ");
	}
	return false;
}

struct route route_find(const char *method, const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t length = strlen(routes[i].prefix);
		bool has_rest = routes[i].prefix[length - 1] == '/';

		if (strncmp(path, routes[i].prefix, length) != 0)
			continue;
		if (has_rest ? path[length] == '\0' : path[length] != '\0')
			continue;
		if (!allows(routes[i].methods, method))
			return (struct route){ROUTE_METHOD, routes[i].methods};
		return (struct route){routes[i].to,
				      path + (routes[i].to == ROUTE_LOADER ? 1 : length)};
	}
	return (struct route){ROUTE_UNKNOWN, path};
}
