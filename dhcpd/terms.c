#include "dhcpd/terms.h"

#include "dhcpd/option.h"

uint32_t terms_lease_seconds(const struct site_subnet *subnet, const struct packet *packet)
{
	uint32_t least =
		subnet->lease_seconds_min ? subnet->lease_seconds_min : subnet->lease_seconds;
	uint32_t most =
		subnet->lease_seconds_max ? subnet->lease_seconds_max : subnet->lease_seconds;
	uint32_t wish;

	if (!packet_option_u32(packet, OPTION_LEASE_SECONDS, &wish))
		return subnet->lease_seconds;
	return wish < least ? least : wish > most ? most : wish;
}

uint32_t terms_spare_seconds(const struct site *site, uint32_t lease_seconds)
{
	long most = site_setting_number(site, "dhcp_repeat_seconds", 0);

	/* the database counts in 31 bits */
	if (most <= 0 || lease_seconds > INT32_MAX / 2)
		return 0;
	return lease_seconds / 8 < (uint32_t)most ? lease_seconds / 8 : (uint32_t)most;
}

bool terms_are_recorded(const struct lease *lease, const struct packet *packet,
			uint32_t lease_seconds, uint64_t now_ms)
{
	size_t length;

	/* a name that the client gives itself goes into the database */
	return lease_is_bound(lease, now_ms) &&
	       lease_seconds_left(lease, now_ms) >= lease_seconds &&
	       !packet_option(packet, OPTION_HOST_NAME, &length) &&
	       !packet_option(packet, OPTION_FQDN, &length);
}
