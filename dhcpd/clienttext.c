#include "dhcpd/clienttext.h"

static void put_hex(struct text *out, const struct lease_client *client)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * LEASE_CLIENT_MAX];

	for (size_t i = 0; i < client->length; i++) {
		hex[2 * i] = digits[client->octets[i] >> 4];
		hex[2 * i + 1] = digits[client->octets[i] & 15];
	}
	text_put_bytes(out, hex, 2 * (size_t)client->length);
}

void clienttext_put(struct text *out, const struct lease_client *client)
{
	text_put(out, "\\x");
	put_hex(out, client);
}

void clienttext_put_element(struct text *out, const struct lease_client *client)
{
	text_put(out, "\"\\\\x");
	put_hex(out, client);
	text_put(out, "\"");
}
