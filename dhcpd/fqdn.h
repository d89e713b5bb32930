/*
 * fqdn - what a client calls itself: option 12, or option 81 (RFC 4702), which is answered too:
 * dhcpd updates no DNS, and says so.
 */
#ifndef ROUSE_DHCPD_FQDN_H
#define ROUSE_DHCPD_FQDN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcpd/packet.h"

#define FQDN_VALUE_MAX 255

/*
 * The client's own name: foreign octets, cut at a NUL or at size - 1. Empty when it says none,
 * or only an empty one.
 */
void fqdn_client_name(const struct packet *packet, char *ret_text, size_t size);
/*
 * The value of the reply's option 81; false when the client sent none that can be read.
 * `ret_value` has FQDN_VALUE_MAX octets.
 */
bool fqdn_answer(const struct packet *packet, uint8_t *ret_value, size_t *ret_length);

#endif
