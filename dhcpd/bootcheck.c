#include "dhcpd/bootcheck.h"

#include <string.h>

#include "dhcpd/option.h"
#include "dhcpd/packet.h"

const char *bootcheck_way_name(enum bootcheck_way way)
{
	return way == BOOTCHECK_TFTP ? "tftp" : "pxe";
}

const char *bootcheck_answer_name(enum bootcheck_answer answer)
{
	static const char *const names[] = {
		[BOOTCHECK_SERVED] = "served",	 [BOOTCHECK_MISSING] = "missing",
		[BOOTCHECK_REFUSED] = "refused", [BOOTCHECK_CLOSED] = "closed",
		[BOOTCHECK_SILENT] = "silent",	 [BOOTCHECK_UNREACHABLE] = "unreachable",
	};

	return names[answer];
}

/* One machine's address: not 0/8, the loopback's 127/8, multicast or a broadcast. */
static bool is_a_machine(uint32_t address)
{
	uint32_t first = address >> 24;

	return first != 0 && first != 127 && first < 224;
}

static bool is_same(const struct bootcheck_target *a, const struct bootcheck_target *b)
{
	return a->way == b->way && a->address == b->address && strcmp(a->file, b->file) == 0;
}

static bool is_resting(const struct bootcheck *check, uint64_t now_ms)
{
	return check->is_used && now_ms - check->began_ms < BOOTCHECK_AGAIN_MS;
}

/* Its own place; else one that is free, or has rested longest. NULL: all are busy. */
static struct bootcheck *find_place(struct bootcheck_table *table,
				    const struct bootcheck_target *target, uint64_t now_ms)
{
	struct bootcheck *oldest = NULL;

	for (size_t i = 0; i < BOOTCHECK_SERVERS; i++) {
		struct bootcheck *check = &table->checks[i];

		if (check->is_used && is_same(&check->target, target))
			return check;
		if (!is_resting(check, now_ms) && !check->is_answered &&
		    (!oldest || !check->is_used ||
		     (oldest->is_used && check->began_ms < oldest->began_ms)))
			oldest = check;
	}
	return oldest;
}

/* A TFTP answer does not name its file: of one address, one question is open at a time. */
static bool is_asked_already(const struct bootcheck_table *table,
			     const struct bootcheck_target *target)
{
	for (size_t i = 0; i < BOOTCHECK_SERVERS; i++) {
		const struct bootcheck *check = &table->checks[i];

		if (check->is_asking && check->target.way == target->way &&
		    check->target.address == target->address)
			return true;
	}
	return false;
}

void bootcheck_want(struct bootcheck_table *table, const struct bootcheck_target *target,
		    uint64_t now_ms)
{
	struct bootcheck *check;

	if (!is_a_machine(target->address) || is_asked_already(table, target))
		return;
	check = find_place(table, target, now_ms);
	if (!check) {
		table->left_out++;
		return;
	}
	if (is_resting(check, now_ms))
		return;
	*check = (struct bootcheck){
		.target = *target,
		.is_used = true,
		.is_asking = true,
		.began_ms = now_ms,
		.next_ms = now_ms,
	};
}

static void end(struct bootcheck *check, enum bootcheck_answer answer)
{
	check->answer = answer;
	check->is_asking = false;
	check->is_answered = true;
}

const struct bootcheck *bootcheck_due(struct bootcheck_table *table, uint64_t now_ms)
{
	for (size_t i = 0; i < BOOTCHECK_SERVERS; i++) {
		struct bootcheck *check = &table->checks[i];

		if (!check->is_asking || now_ms < check->next_ms)
			continue;
		if (check->tries == BOOTCHECK_TRIES) {
			end(check, BOOTCHECK_SILENT);
			continue;
		}
		check->tries++;
		check->next_ms = now_ms + BOOTCHECK_TRY_MS;
		return check;
	}
	return NULL;
}

bool bootcheck_hear(struct bootcheck_table *table, enum bootcheck_way way, uint32_t address,
		    enum bootcheck_answer answer)
{
	for (size_t i = 0; i < BOOTCHECK_SERVERS; i++) {
		struct bootcheck *check = &table->checks[i];

		if (!check->is_asking || check->tries == 0 || check->target.way != way ||
		    check->target.address != address)
			continue;
		end(check, answer);
		return true;
	}
	return false;
}

const struct bootcheck *bootcheck_take(struct bootcheck_table *table)
{
	for (size_t i = 0; i < BOOTCHECK_SERVERS; i++) {
		if (!table->checks[i].is_answered)
			continue;
		table->checks[i].is_answered = false;
		return &table->checks[i];
	}
	return NULL;
}

bool bootcheck_is_idle(const struct bootcheck_table *table)
{
	for (size_t i = 0; i < BOOTCHECK_SERVERS; i++) {
		if (table->checks[i].is_asking || table->checks[i].is_answered)
			return false;
	}
	return true;
}

size_t bootcheck_encode_pxe(const struct mac *mac, uint32_t xid,
			    uint8_t buffer[BOOTCHECK_PXE_SIZE])
{
	struct bytes_writer out = bytes_writer(buffer, BOOTCHECK_PXE_SIZE);
	static const uint8_t arch[] = {0, 7}, nic[] = {1, 3, 16};

	packet_put_request(&out, mac, xid, 0);
	/* all of it fits */
	(void)option_put_u8(&out, OPTION_MESSAGE_TYPE, PACKET_REQUEST);
	(void)option_put(&out, OPTION_CLIENT_ARCH, arch, sizeof(arch));
	(void)option_put(&out, OPTION_CLIENT_NIC, nic, sizeof(nic));
	(void)option_put_text(&out, OPTION_VENDOR_CLASS, "PXEClient:Arch:00007:UNDI:003016");
	bytes_put_u8(&out, OPTION_END);
	bytes_put_zeros(&out, BOOTCHECK_PXE_SIZE - out.length);
	return out.length;
}

bool bootcheck_is_pxe_answer(const void *octets, size_t length, uint32_t xid)
{
	struct packet packet;

	return packet_parse(octets, length, &packet) == ERR_OK &&
	       packet.op == PACKET_BOOTREPLY && packet.xid == xid;
}
