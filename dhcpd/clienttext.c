#include "dhcpd/clienttext.h"

void clienttext_put(struct text *out, const struct lease_client *client)
{
	text_put(out, "\\x");
	text_put_hex(out, client->octets, client->length);
}

void clienttext_put_element(struct text *out, const struct lease_client *client)
{
	text_put(out, "\"\\\\x");
	text_put_hex(out, client->octets, client->length);
	text_put(out, "\"");
}
