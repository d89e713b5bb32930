#include "menud/base_url.h"

#include <string.h>

#include "core/text.h"

/* May the client's Host header stand in a script? Letters, digits, and what addresses hold. */
static bool is_plain_host(const char *host)
{
	size_t length = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789.-:[]");

	return length > 0 && length < 100 && host[length] == '\0';
}

/* The Host header, or our address that the client reached, with its port. */
static void put_host(const struct http_request *request, struct text *out)
{
	const char *host = http_get_header(request, "Host");
	char address[IP_TEXT_SIZE];
	uint16_t port;
	struct ip local;

	if (host && is_plain_host(host)) {
		text_put(out, host);
		return;
	}
	local = http_local(request, &port);
	ip_format(&local, address);
	text_printf(out, ip_is_v4(&local) ? "%s:%u" : "[%s]:%u", address, port);
}

void base_url_of(const struct http_request *request, char url[BASE_URL_SIZE])
{
	struct text out = text_into(url, BASE_URL_SIZE);

	text_put(&out, http_is_tls(request) ? "https://" : "http://");
	put_host(request, &out);
}

/* Behind the last ":" that is not within an address of IPv6. */
static void cut_port(struct text *out)
{
	char *colon = strrchr(out->start, ':');

	if (!colon || strchr(colon, ']') || strchr(colon, '/'))
		return;
	*colon = '\0';
	out->length = (size_t)(colon - out->start);
}

void base_url_of_client(const struct menud *menud, const struct http_request *request,
			char url[BASE_URL_SIZE])
{
	struct text out = text_into(url, BASE_URL_SIZE);

	text_put(&out, "http://");
	put_host(request, &out);
	if (!http_is_tls(request))
		return;
	cut_port(&out);
	text_printf(&out, ":%u", http_port(menud->http));
}
