#include "dhcpd/optionset.h"

#include <string.h>

#include "dhcpd/option.h"

static void set_value(struct optionset *set, uint8_t code, const void *octets, size_t length)
{
	set->values[code].octets = octets;
	set->values[code].length = (uint16_t)length;
}

static void set_text(struct optionset *set, uint8_t code, const char *text)
{
	if (*text)
		set_value(set, code, text, strlen(text));
}

static void set_addresses(struct optionset *set, uint8_t code, const uint32_t *addresses,
			  size_t count, uint8_t *octets)
{
	struct bytes_writer out = bytes_writer(octets, 4 * count);

	for (size_t i = 0; i < count; i++)
		bytes_put_u32(&out, addresses[i]);
	if (count > 0)
		set_value(set, code, octets, out.length);
}

/* Some firmware needs mask, routers and DNS and asks for none of them. */
static void set_subnet(struct optionset *set, const struct site_subnet *subnet)
{
	uint32_t mask = ip4_mask(&subnet->net), broadcast = ip4_broadcast(&subnet->net);

	set_addresses(set, OPTION_SUBNET_MASK, &mask, 1, set->own.mask);
	set_addresses(set, OPTION_BROADCAST, &broadcast, 1, set->own.broadcast);
	set_addresses(set, OPTION_ROUTERS, subnet->routers, subnet->router_count,
		      set->own.routers);
	set_addresses(set, OPTION_DNS, subnet->dns, subnet->dns_count, set->own.dns);
	set_text(set, OPTION_DOMAIN_NAME, subnet->domain_name);
	set->values[OPTION_SUBNET_MASK].is_always = true;
	set->values[OPTION_ROUTERS].is_always = true;
	set->values[OPTION_DNS].is_always = true;
}

static void apply(struct optionset *set, const struct site_option *option)
{
	set_value(set, option->code, option->octets, option->length);
	if (option->is_always)
		set->values[option->code].is_always = true;
}

static void apply_scope(struct optionset *set, const struct site *site,
			enum site_option_scope scope, int64_t owner)
{
	size_t count;
	const struct site_option *options = site_options_of(site, scope, owner, &count);

	for (size_t i = 0; i < count; i++)
		apply(set, &options[i]);
}

static void apply_classes(struct optionset *set, const struct optionset_question *question)
{
	size_t count;
	const struct site_option *options =
		site_options_of(question->site, SITE_OPTION_CLASS, 0, &count);

	for (size_t i = 0; i < count; i++) {
		if (pxe_is_of_class(question->client, question->request, options[i].class))
			apply(set, &options[i]);
	}
}

void optionset_gather(const struct optionset_question *question, struct optionset *ret_set)
{
	const struct host *host = question->host;

	memset(ret_set->values, 0, sizeof(ret_set->values));
	apply_scope(ret_set, question->site, SITE_OPTION_GLOBAL, 0);
	set_subnet(ret_set, question->subnet);
	apply_scope(ret_set, question->site, SITE_OPTION_SUBNET, question->subnet->id);
	apply_classes(ret_set, question);
	if (!host)
		return;
	if (host->group_id != 0)
		apply_scope(ret_set, question->site, SITE_OPTION_GROUP, host->group_id);
	set_text(ret_set, OPTION_HOST_NAME, host->name);
	apply_scope(ret_set, question->site, SITE_OPTION_HOST, host->id);
}
