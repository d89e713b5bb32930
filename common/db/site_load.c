#include "db/site_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dhcp_value.h"

static const char *const view_names[SITE_VIEWS] = {
	"settings_now", "hosts_now",	    "boot_rules_now",	 "subnets_now",
	"pools_now",	"reservations_now", "dhcp_options_now",	 "boot_files_now",
	"profiles_now", "menu_now",	    "boot_defaults_now",
};

const char *site_view_name(enum site_view view)
{
	return view_names[view];
}

static enum err load_setting(struct site *site, struct row *row)
{
	site->settings[row->row] =
		(struct site_setting){row_text(row, "name"), row_text(row, "value")};
	return ERR_OK;
}

/* MACs parted by blanks; more than a record holds are refused, never silently forgotten. */
static enum err parse_macs(const char *text, struct host *host)
{
	while (*text) {
		size_t length = strcspn(text, " ");

		if (host->mac_count == HOST_MACS_MAX)
			return ERR_SPACE;
		if (mac_parse(text, length, &host->macs[host->mac_count]) != ERR_OK)
			return ERR_FORMAT;
		host->mac_count++;
		text += length;
		text += *text == ' ';
	}
	return ERR_OK;
}

static enum err load_host(struct site *site, struct row *row)
{
	struct host *host = &site->hosts[row->row];
	enum err err;

	host->id = row_number(row, "id");
	host->name = row_text(row, "name");
	host->product = row_text(row, "product");
	host->group_id = row_number(row, "group_id");
	host->has_uuid = row_uuid(row, "uuid", &host->uuid);
	host->has_live_job = row_truth(row, "live_job");
	err = host_state_parse(row_text(row, "state"), &host->state);
	if (err != ERR_OK)
		return err;
	err = parse_macs(row_text(row, "macs"), host);
	if (err != ERR_OK && !row->bad)
		row->bad = "macs";
	return err;
}

static enum err load_rule(struct site *site, struct row *row)
{
	struct boot_rule *rule = &site->rules[row->row];
	struct boot_rule_words words = {
		row_nullable(row, "stage"),	 row_nullable(row, "loader"),
		row_nullable(row, "host_state"), row_nullable(row, "job"),
		row_nullable(row, "firmware"),	 row_nullable(row, "arch"),
		row_text(row, "answer")};
	const char *bad;

	rule->position = (int)row_number(row, "position");
	rule->name = row_text(row, "name");
	rule->host = row_nullable(row, "host");
	rule->product = row_nullable(row, "product");
	rule->argument = row_text(row, "argument");
	rule->reason = row_text(row, "reason");
	return boot_rule_parse(&words, rule, &bad);
}

/* The word's position in the list, which is the enum's value. */
static enum err read_word(const char *word, const char *const *words, size_t count, int *value)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0) {
			*value = (int)i;
			return ERR_OK;
		}
	}
	return ERR_FORMAT;
}

static enum err load_subnet(struct site *site, struct row *row)
{
	static const char *const probes[] = {"off", "arp", "icmp", "auto"};
	struct site_subnet *subnet = &site->subnets[row->row];
	int probe = SITE_PROBE_OFF;
	enum err err = ip4_net_parse(row_text(row, "subnet"), &subnet->net);

	if (err == ERR_OK)
		err = ip4_parse_list(row_text(row, "routers"), subnet->routers,
				     SITE_ADDRESSES_MAX, &subnet->router_count);
	if (err == ERR_OK)
		err = ip4_parse_list(row_text(row, "dns"), subnet->dns, SITE_ADDRESSES_MAX,
				     &subnet->dns_count);
	subnet->id = row_number(row, "id");
	subnet->domain_name = row_text(row, "domain_name");
	subnet->next_server = row_ip4(row, "next_server");
	subnet->lease_seconds = (uint32_t)row_number(row, "lease_seconds");
	subnet->lease_seconds_min = (uint32_t)row_number(row, "lease_seconds_min");
	subnet->lease_seconds_max = (uint32_t)row_number(row, "lease_seconds_max");
	subnet->shared_network = row_text(row, "shared_network");
	subnet->menud_urls = row_text(row, "menud_urls");
	subnet->loop_breaker = row_truth(row, "loop_breaker");
	if (err == ERR_OK)
		err = read_word(row_text(row, "probe"), probes, 4, &probe);
	subnet->probe = (enum site_probe)probe;
	return err;
}

static enum err load_pool(struct site *site, struct row *row)
{
	struct site_pool *pool = &site->pools[row->row];

	pool->subnet_id = row_number(row, "subnet_id");
	pool->first = row_ip4(row, "first");
	pool->last = row_ip4(row, "last");
	return pool->first <= pool->last ? ERR_OK : ERR_RANGE;
}

static enum err load_reservation(struct site *site, struct row *row)
{
	struct site_reservation *reservation = &site->reservations[row->row];

	if (!row_mac(row, "mac", &reservation->mac))
		return ERR_FORMAT;
	reservation->address = row_ip4(row, "address");
	reservation->host = row_text(row, "host");
	return ERR_OK;
}

/* The value's octets are the only thing of a site that is not a view into its rows. */
static enum err load_option(struct site *site, struct row *row)
{
	static const char *const scopes[] = {"global", "subnet", "class", "group", "host"};
	struct site_option *option = &site->options[row->row];
	int scope = SITE_OPTION_GLOBAL;
	int64_t code = row_number(row, "code");
	uint8_t octets[DHCP_VALUE_MAX];
	uint8_t *kept;
	enum err err;

	if (code < 1 || code > 254)
		return ERR_RANGE;
	option->code = (uint8_t)code;
	option->owner = row_number(row, "owner");
	option->class = row_text(row, "class");
	option->is_always = row_truth(row, "always");
	err = read_word(row_text(row, "scope"), scopes, 5, &scope);
	option->scope = (enum site_option_scope)scope;
	if (err == ERR_OK)
		err = dhcp_value_encode(row_text(row, "type"), row_text(row, "value"), octets,
					&option->length);
	if (err != ERR_OK)
		return err;
	kept = malloc(option->length + 1);
	if (!kept)
		return ERR_MEMORY;
	memcpy(kept, octets, option->length);
	option->octets = kept;
	return ERR_OK;
}

static void free_options(struct site *site)
{
	for (size_t i = 0; site->options && i < site->option_count; i++)
		free((void *)site->options[i].octets);
}

static enum err load_boot_file(struct site *site, struct row *row)
{
	int64_t arch = row_number(row, "arch");

	if (arch < 0 || arch > UINT16_MAX)
		return ERR_RANGE;
	site->boot_files[row->row] =
		(struct site_boot_file){(uint16_t)arch, row_truth(row, "http"),
					row_text(row, "product"), row_text(row, "file")};
	return ERR_OK;
}

static enum err load_profile(struct site *site, struct row *row)
{
	static const char *const kinds[] = {"linux", "efi", "iso", "chain", "local"};
	struct site_profile *profile = &site->profiles[row->row];
	int kind = PROFILE_LINUX;
	enum err err = read_word(row_text(row, "kind"), kinds, 5, &kind);

	*profile = (struct site_profile){
		.name = row_text(row, "name"),
		.title = row_text(row, "title"),
		.kind = (enum profile_kind)kind,
		.kernel = row_text(row, "kernel"),
		.initrd = row_text(row, "initrd"),
		.arguments = row_text(row, "arguments"),
		.file = row_text(row, "file"),
		.url = row_text(row, "url"),
	};
	return err;
}

static enum err load_menu_item(struct site *site, struct row *row)
{
	struct site_menu_item *item = &site->menu[row->row];
	/* visibility uses the same words as the boot rules, so it is read by the same code */
	struct boot_rule_words words = {.host_state = row_nullable(row, "host_state"),
					.firmware = row_nullable(row, "firmware"),
					.arch = row_nullable(row, "arch"),
					.answer = "menu"};
	const char *role = row_text(row, "role");
	struct boot_rule sets = {0};
	const char *bad;
	enum err err = boot_rule_parse(&words, &sets, &bad);

	*item = (struct site_menu_item){
		.key = row_text(row, "key"),
		.title = row_text(row, "title"),
		.action = row_text(row, "action"),
		.profile = row_text(row, "profile"),
		.hotkey = row_text(row, "hotkey"),
		.host_state = sets.host_state,
		.firmware = sets.firmware,
		.arch = sets.arch,
		.parent = row_text(row, "parent"),
		.confirm = row_text(row, "confirm"),
		.group_id = row_number(row, "group_id"),
		/* a role that this source does not know yet must not open the item to all */
		.role = role[0] == '\0'		      ? BOOT_ROLE_ANONYMOUS
			: strcmp(role, "viewer") == 0 ? BOOT_ROLE_VIEWER
						      : BOOT_ROLE_OPERATOR,
	};
	return err;
}

static enum err load_default(struct site *site, struct row *row)
{
	site->defaults[row->row] = (struct site_default){
		.group_id = row_number(row, "group_id"),
		.product = row_text(row, "product"),
		.host = row_text(row, "host"),
		.menu_default = row_text(row, "menu_default"),
		.timeout_seconds = row_nullable(row, "menu_timeout_seconds")
					   ? row_number(row, "menu_timeout_seconds")
					   : -1,
		.menu_key = row_text(row, "menu_key"),
		.exits_bios = row_text(row, "exit_bios"),
		.exits_efi = row_text(row, "exit_efi"),
	};
	return ERR_OK;
}

static enum err allocate(size_t count, size_t size, void *ret_array)
{
	void *array = calloc(count > 0 ? count : 1, size);

	if (!array)
		return ERR_MEMORY;
	memcpy(ret_array, &array, sizeof(array));
	return ERR_OK;
}

/* How each view's rows come in: where the array is, how large a record, who reads one. */
struct part {
	void *array; /* address of the pointer in the site */
	size_t *count;
	size_t size;
	enum err (*load)(struct site *site, struct row *row);
};

static void list_parts(struct site *site, struct part parts[SITE_VIEWS])
{
	const struct part all[SITE_VIEWS] = {
		[SITE_SETTINGS] = {&site->settings, &site->setting_count,
				   sizeof(*site->settings), load_setting},
		[SITE_HOSTS] = {&site->hosts, &site->host_count, sizeof(*site->hosts),
				load_host},
		[SITE_RULES] = {&site->rules, &site->rule_count, sizeof(*site->rules),
				load_rule},
		[SITE_SUBNETS] = {&site->subnets, &site->subnet_count, sizeof(*site->subnets),
				  load_subnet},
		[SITE_POOLS] = {&site->pools, &site->pool_count, sizeof(*site->pools),
				load_pool},
		[SITE_RESERVATIONS] = {&site->reservations, &site->reservation_count,
				       sizeof(*site->reservations), load_reservation},
		[SITE_OPTIONS] = {&site->options, &site->option_count, sizeof(*site->options),
				  load_option},
		[SITE_BOOT_FILES] = {&site->boot_files, &site->boot_file_count,
				     sizeof(*site->boot_files), load_boot_file},
		[SITE_PROFILES] = {&site->profiles, &site->profile_count,
				   sizeof(*site->profiles), load_profile},
		[SITE_MENU] = {&site->menu, &site->menu_count, sizeof(*site->menu),
			       load_menu_item},
		[SITE_DEFAULTS] = {&site->defaults, &site->default_count,
				   sizeof(*site->defaults), load_default},
	};

	memcpy(parts, all, sizeof(all));
}

static enum err load_view(struct site *site, const struct part *part,
			  const struct db_rows *rows, enum site_view view, char *problem,
			  size_t problem_size)
{
	size_t count = rows ? rows_count(rows) : 0;
	enum err err = allocate(count, part->size, part->array);

	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct row row = rows_row(rows, i);

		err = part->load(site, &row);
		if (err == ERR_OK && row.bad)
			err = ERR_FORMAT;
		if (err != ERR_OK)
			(void)snprintf(problem, problem_size,
				       "rouse_daemon.%s, row %zu (%s): %s%s%s",
				       view_names[view], i + 1,
				       rows_width(rows) > 1 && rows_at(rows, i, 1)
					       ? rows_at(rows, i, 1)
					       : "",
				       err_text(err), row.bad ? ": column " : "",
				       row.bad ? row.bad : "");
	}
	*part->count = count;
	return err;
}

static enum err make_index(struct site *site, char *problem, size_t problem_size)
{
	size_t bad = 0;
	enum err err;

	site->index_size = site_index_size(site);
	err = allocate(site->index_size, sizeof(*site->mac_index), &site->mac_index);
	if (err == ERR_OK)
		err = allocate(site->index_size, sizeof(*site->uuid_index), &site->uuid_index);
	if (err == ERR_OK)
		err = allocate(site->reservation_count, sizeof(*site->reserved),
			       &site->reserved);
	if (err == ERR_OK)
		err = site_index(site, &bad);
	if (err == ERR_RANGE)
		(void)snprintf(problem, problem_size, "host %s claims the MAC of another host",
			       site->hosts[bad].name);
	return err;
}

enum err site_load_take(struct site_rows *rows, struct loaded_site **ret_loaded, char *problem,
			size_t problem_size)
{
	struct loaded_site *loaded = calloc(1, sizeof(*loaded));
	struct part parts[SITE_VIEWS];
	enum err err = ERR_OK;

	if (!loaded) {
		site_rows_free(rows);
		return ERR_MEMORY;
	}
	loaded->rows = *rows;
	memset(rows, 0, sizeof(*rows));
	(void)snprintf(problem, problem_size, "out of memory");
	list_parts(&loaded->site, parts);
	for (int view = 0; view < SITE_VIEWS && err == ERR_OK; view++)
		err = load_view(&loaded->site, &parts[view], loaded->rows.view[view],
				(enum site_view)view, problem, problem_size);
	if (err == ERR_OK)
		err = make_index(&loaded->site, problem, problem_size);
	if (err != ERR_OK) {
		site_load_free(loaded);
		return err;
	}
	problem[0] = '\0';
	*ret_loaded = loaded;
	return ERR_OK;
}

void site_rows_free(struct site_rows *rows)
{
	for (int view = 0; view < SITE_VIEWS; view++)
		rows_free(rows->view[view]);
	memset(rows, 0, sizeof(*rows));
}

void site_load_free(struct loaded_site *loaded)
{
	struct part parts[SITE_VIEWS];

	if (!loaded)
		return;
	free_options(&loaded->site);
	list_parts(&loaded->site, parts);
	for (int view = 0; view < SITE_VIEWS; view++) {
		void *array;

		memcpy(&array, parts[view].array, sizeof(array));
		free(array);
		rows_free(loaded->rows.view[view]);
	}
	free(loaded->site.mac_index);
	free(loaded->site.uuid_index);
	free(loaded->site.reserved);
	free(loaded);
}
