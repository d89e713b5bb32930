#include "db/conninfo.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CONNINFO_HOSTS_MAX == 8, "a message below says so");

/* Ours, where the connection string says nothing: a dead peer is noticed within seconds. */
static const char *const defaults[][2] = {
	{"keepalives_idle", "10"},     {"keepalives_interval", "5"}, {"keepalives_count", "3"},
	{"tcp_user_timeout", "15000"}, {"client_encoding", "UTF8"},
};

/* Keeps a copy of part of a text; NULL when memory is short. */
static const char *keep(struct conninfo *info, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (copy)
		info->texts[info->text_count++] = copy;
	return copy;
}

/* The position-th element of a comma-separated list; the only one stands for all. */
static const char *element(const char *list, size_t position, size_t *ret_length)
{
	if (!list)
		list = "";
	if (!strchr(list, ','))
		position = 0;
	while (position > 0 && *list) {
		list += strcspn(list, ",");
		list += *list == ',';
		position--;
	}
	*ret_length = strcspn(list, ",");
	return list;
}

static size_t element_count(const char *list)
{
	size_t count = 1;

	for (; list && *list; list++)
		count += *list == ',';
	return count;
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++) {
		if (strcmp(options->keyword, keyword) == 0)
			return options->val;
	}
	return NULL;
}

static bool is_name(const char *host)
{
	struct in6_addr address;

	return host[0] != '\0' && host[0] != '/' && host[0] != '@' &&
	       inet_pton(AF_INET, host, &address) != 1 &&
	       inet_pton(AF_INET6, host, &address) != 1;
}

static void add(struct conninfo_host *host, size_t *count, const char *keyword,
		const char *value)
{
	if (*count < CONNINFO_KEYS_MAX) {
		host->keywords[*count] = keyword;
		host->values[*count] = value;
		(*count)++;
	}
}

/* The keywords that differ from host to host: host, hostaddr, port. */
static enum err add_place(struct conninfo *info, const PQconninfoOption *options,
			  size_t position, struct conninfo_host *host, size_t *count)
{
	static const char *const keywords[] = {"host", "port", "hostaddr"};
	const char *given[3] = {NULL, NULL, NULL};

	for (size_t i = 0; i < 3; i++) {
		const char *list = value_of(options, keywords[i]);
		size_t length;
		const char *text = element(list, position, &length);

		if (!list || length == 0)
			continue;
		given[i] = keep(info, text, length);
		if (!given[i])
			return ERR_MEMORY;
		add(host, count, keywords[i], given[i]);
	}
	host->name = given[0] && !given[2] && is_name(given[0]) ? given[0] : NULL;
	if (host->name) {
		host->address_slot = *count;
		add(host, count, "hostaddr", NULL);
	}
	return ERR_OK;
}

static enum err add_host(struct conninfo *info, const PQconninfoOption *options,
			 size_t position, const char *program)
{
	struct conninfo_host *host = &info->hosts[position];
	size_t count = 0;
	enum err err = add_place(info, options, position, host, &count);

	if (err != ERR_OK)
		return err;
	for (const PQconninfoOption *option = options; option->keyword; option++) {
		const char *text;

		if (!option->val || strcmp(option->keyword, "host") == 0 ||
		    strcmp(option->keyword, "hostaddr") == 0 ||
		    strcmp(option->keyword, "port") == 0)
			continue;
		text = keep(info, option->val, strlen(option->val));
		if (!text)
			return ERR_MEMORY;
		add(host, &count, option->keyword, text);
	}
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (!value_of(options, defaults[i][0]))
			add(host, &count, defaults[i][0], defaults[i][1]);
	}
	add(host, &count, "fallback_application_name", program);
	return ERR_OK;
}

/*
 * What is wrong with the text. libpq quotes the piece it stumbled over, which in a text that
 * holds a password (or a URI's user:password@) may be just that.
 */
static enum err refuse(const char *text, const char *reason, char **ret_message)
{
	if (strstr(text, "pass") || strchr(text, '@'))
		reason = "it is neither \"key=value key='a value' ...\" nor a valid "
			 "postgresql:// URI (it is not shown, for it may hold a password)";
	*ret_message = strdup(reason);
	return *ret_message ? ERR_FORMAT : ERR_MEMORY;
}

enum err conninfo_parse(const char *text, const char *program, struct conninfo *ret_info,
			char **ret_message)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &message);
	const char *list;
	enum err err = ERR_OK;

	if (!options) {
		err = refuse(text, message ? message : "out of memory", ret_message);
		PQfreemem(message);
		return err;
	}
	memset(ret_info, 0, sizeof(*ret_info));
	list = value_of(options, value_of(options, "host") ? "host" : "hostaddr");
	ret_info->host_count = element_count(list);
	if (ret_info->host_count > CONNINFO_HOSTS_MAX) {
		PQconninfoFree(options);
		return refuse("", "it names more than 8 hosts", ret_message);
	}
	for (size_t i = 0; i < ret_info->host_count && err == ERR_OK; i++)
		err = add_host(ret_info, options, i, program);
	PQconninfoFree(options);
	if (err != ERR_OK) {
		conninfo_free(ret_info);
		*ret_message = NULL;
	}
	return err;
}

void conninfo_free(struct conninfo *info)
{
	for (size_t i = 0; i < info->text_count; i++)
		free(info->texts[i]);
	memset(info, 0, sizeof(*info));
}
