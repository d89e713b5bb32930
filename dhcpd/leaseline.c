#include "dhcpd/leaseline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"

#define TIMELINE "timeline "

static const char *const state_names[] = {NULL, "bound", "released", "declined", "expired"};

/* --- writing --- */

bool leaseline_has(const struct lease *lease)
{
	return state_names[lease->state] != NULL;
}

void leaseline_put(struct text *out, const struct lease *lease,
		   const struct leaseline_clock *clock)
{
	int64_t left = ((int64_t)lease->ends_ms - (int64_t)clock->now_ms) / 1000;
	int64_t age = ((int64_t)clock->now_ms - (int64_t)lease->granted_ms) / 1000;
	int64_t now = (int64_t)clock->now;
	char address[IP4_TEXT_SIZE], mac[MAC_TEXT_SIZE] = "-";

	ip4_format(lease->address, address);
	if (lease->has_mac)
		mac_format(&lease->mac, mac);
	text_put(out, address);
	text_put(out, " ");
	text_put_hex(out, lease_key_octets(&lease->client), lease->client.length);
	text_printf(out, " %s %" PRId64 " %" PRId64 " %s\n", state_names[lease->state],
		    now + left, lease->granted_ms > 0 ? now - age : 0, mac);
}

void leaseline_put_timeline(struct text *out, const char *timeline)
{
	text_printf(out, TIMELINE "%s\n", timeline);
}

/* --- reading --- */

static bool read_client(const char *hex, struct lease_client *client)
{
	size_t length = strlen(hex);

	if (length == 0 || length % 2 || length / 2 > sizeof(client->octets))
		return false;
	for (size_t i = 0; i < length / 2; i++) {
		int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		client->octets[i] = (uint8_t)(high << 4 | low);
	}
	client->length = (uint16_t)(length / 2);
	return true;
}

static bool read_state(const char *word, struct lease *lease)
{
	for (int i = LEASE_BOUND; i <= LEASE_EXPIRED; i++) {
		if (strcmp(word, state_names[i]) == 0) {
			lease->state = (enum lease_state)i;
			return true;
		}
	}
	return false;
}

static bool read_mac(const char *word, struct lease *lease)
{
	lease->has_mac = strcmp(word, "-") != 0;
	return !lease->has_mac || mac_parse(word, strlen(word), &lease->mac) == ERR_OK;
}

/* A time of the clock on the wall as one of the loop's; before its beginning: `least`. */
static bool read_time(int64_t seconds, const struct leaseline_clock *clock, uint64_t least,
		      uint64_t *time_ms)
{
	int64_t left_ms;

	if (seconds < 0 || seconds > INT64_MAX / 2000)
		return false;
	left_ms = (seconds - (int64_t)clock->now) * 1000;
	*time_ms = left_ms >= 0 || (uint64_t)-left_ms < clock->now_ms
			   ? clock->now_ms + (uint64_t)left_ms
			   : least;
	return true;
}

static bool read_granted(int64_t seconds, const struct leaseline_clock *clock,
			 struct lease *lease)
{
	if (seconds == 0)
		return true;
	/* granted before this machine started: as early as can be said */
	if (!read_time(seconds, clock, 1, &lease->granted_ms))
		return false;
	if (lease->granted_ms > clock->now_ms)
		lease->granted_ms = clock->now_ms;
	return true;
}

bool leaseline_read(const char *line, const struct leaseline_clock *clock,
		    struct lease_client *client, struct lease *ret_lease)
{
	char address[IP4_TEXT_SIZE], hex[2 * LEASE_CLIENT_MAX + 1], state[16];
	char mac[MAC_TEXT_SIZE];
	int64_t ends, granted;

	*ret_lease = (struct lease){0};
	if (sscanf(line, "%15s %512s %15s %" SCNd64 " %" SCNd64 " %17s", address, hex, state,
		   &ends, &granted, mac) != 6 ||
	    ip4_parse(address, &ret_lease->address) != ERR_OK || !read_client(hex, client) ||
	    !read_state(state, ret_lease) || !read_mac(mac, ret_lease) ||
	    !read_time(ends, clock, 0, &ret_lease->ends_ms))
		return false;
	ret_lease->client = lease_key_of(client);
	return read_granted(granted, clock, ret_lease);
}

bool leaseline_read_timeline(const char *line, char *ret_timeline, size_t size)
{
	size_t title = strlen(TIMELINE), length;

	if (strncmp(line, TIMELINE, title) != 0)
		return false;
	length = strspn(line + title, "0123456789");
	if (length == 0 || length >= size || line[title + length] != '\n')
		return false;
	memcpy(ret_timeline, line + title, length);
	ret_timeline[length] = '\0';
	return true;
}
