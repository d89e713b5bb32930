#include "dhcpd/leasefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/hex.h"

#define TITLE "rouse leases 1\n"
#define PATH_MAX_LENGTH 512
#define LINE_SIZE 700

static const char *const state_names[] = {NULL, "bound", "released", "declined", "expired"};

static bool write_lease(FILE *file, const struct lease *lease, uint64_t now_ms, time_t now)
{
	int64_t left = ((int64_t)lease->ends_ms - (int64_t)now_ms) / 1000;
	char address[IP4_TEXT_SIZE];

	/* an offer is no lease */
	if (!state_names[lease->state])
		return true;
	ip4_format(lease->address, address);
	if (fprintf(file, "%s ", address) < 0)
		return false;
	for (size_t i = 0; i < lease->client.length; i++) {
		if (fprintf(file, "%02x", lease_key_octets(&lease->client)[i]) < 0)
			return false;
	}
	return fprintf(file, " %s %" PRId64 "\n", state_names[lease->state],
		       (int64_t)now + left) > 0;
}

static bool write_all(FILE *file, const struct lease_table *leases, uint64_t now_ms)
{
	time_t now = time(NULL);

	if (fputs(TITLE, file) == EOF)
		return false;
	for (size_t i = 0; i < leases->count; i++) {
		if (!write_lease(file, &leases->leases[i], now_ms, now))
			return false;
	}
	return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

enum err leasefile_write(const char *path, const struct lease_table *leases, uint64_t now_ms)
{
	char fresh[PATH_MAX_LENGTH];
	bool is_written;
	int opened;
	FILE *file;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return ERR_SYSTEM;
	}
	opened = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	file = opened >= 0 ? fdopen(opened, "w") : NULL;
	if (!file) {
		if (opened >= 0)
			(void)close(opened);
		return ERR_SYSTEM;
	}
	is_written = write_all(file, leases, now_ms);
	if (fclose(file) != 0)
		is_written = false;
	return is_written && rename(fresh, path) == 0 ? ERR_OK : ERR_SYSTEM;
}

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

/* `client` is where the lease's key is kept. */
static bool read_line(const char *line, uint64_t now_ms, time_t now,
		      struct lease_client *client, struct lease *lease)
{
	char address[IP4_TEXT_SIZE], hex[2 * LEASE_CLIENT_MAX + 1], state[16];
	int64_t ends, left_ms;

	*lease = (struct lease){0};
	if (sscanf(line, "%15s %512s %15s %" SCNd64, address, hex, state, &ends) != 4 ||
	    ip4_parse(address, &lease->address) != ERR_OK || !read_client(hex, client) ||
	    !read_state(state, lease) || ends < 0 || ends > INT64_MAX / 2000)
		return false;
	left_ms = (ends - (int64_t)now) * 1000;
	if (left_ms > 0)
		lease->ends_ms = now_ms + (uint64_t)left_ms;
	else if ((uint64_t)-left_ms < now_ms)
		lease->ends_ms = now_ms - (uint64_t)-left_ms;
	lease->client = lease_key_of(client);
	lease->has_mac = client->length == 7 && client->octets[0] == 1;
	if (lease->has_mac)
		memcpy(lease->mac.octet, client->octets + 1, sizeof(lease->mac.octet));
	return true;
}

enum err leasefile_read(const char *path, uint64_t now_ms,
			void (*on_lease)(void *data, const struct lease *lease), void *data,
			size_t *ret_bad)
{
	FILE *file = fopen(path, "re");
	time_t now = time(NULL);
	char line[LINE_SIZE];
	struct lease_client client;
	struct lease lease;
	size_t bad = 0;

	if (!file)
		return errno == ENOENT ? ERR_ABSENT : ERR_SYSTEM;
	if (!fgets(line, sizeof(line), file) || strcmp(line, TITLE) != 0)
		bad++;
	else
		while (fgets(line, sizeof(line), file)) {
			if (read_line(line, now_ms, now, &client, &lease))
				on_lease(data, &lease);
			else
				bad++;
		}
	(void)fclose(file);
	*ret_bad = bad;
	return ERR_OK;
}
