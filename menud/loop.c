#include "menud/loop.h"

#include <string.h>

static const char folder[] = "tftp/"; /* what tftpd serves, seen from its parent */

static bool is_ipxe(const char *agent)
{
	return agent && strncmp(agent, "iPXE/", 5) == 0;
}

enum loop_verdict loop_judge(const struct site *site, const struct loop_request *request)
{
	const struct site_subnet *subnet =
		request->address ? site_subnet_of(site, request->address) : NULL;
	const char *name = request->name;

	if (strncmp(name, folder, sizeof(folder) - 1) == 0)
		name += sizeof(folder) - 1;
	if (strcmp(name, "default.ipxe") == 0 || strcmp(name, "autoexec.ipxe") == 0)
		return LOOP_SCRIPT;
	if (request->as || !is_ipxe(request->agent) || strchr(name, '/') ||
	    !(subnet ? subnet->loop_breaker : request->is_on))
		return LOOP_NONE;
	return site_is_first_stage(site, name) ? LOOP_BROKEN : LOOP_NONE;
}
