#include "dhcpd/probe.h"

#include <string.h>

#include "dhcpd/option.h"

static void begin_round(struct probe *probe, uint64_t now_ms)
{
	probe->is_asking = true;
	probe->began_ms = now_ms;
	probe->sent = 0;
	probe->answer_count = 0;
}

static void end_round(struct probe *probe, enum probe_state state, uint64_t next_ms)
{
	probe->state = state;
	probe->is_asking = false;
	probe->next_ms = next_ms;
}

void probe_begin(struct probe *probe, uint32_t xid, uint64_t now_ms)
{
	*probe = (struct probe){.state = PROBE_STARTING, .xid = xid};
	begin_round(probe, now_ms);
}

void probe_heard(struct probe *probe, const struct packet *packet, uint32_t server)
{
	if (packet->xid != probe->xid || packet->message != PACKET_OFFER || packet->yiaddr == 0)
		return;
	for (size_t i = 0; i < probe->answer_count; i++) {
		if (probe->answers[i] == server)
			return;
	}
	if (probe->answer_count < PROBE_ANSWERS_MAX)
		probe->answers[probe->answer_count++] = server;
}

void probe_hint(struct probe *probe)
{
	uint64_t soon = probe->began_ms + PROBE_HINT_MS;

	if (probe->state == PROBE_CLEAR && soon < probe->next_ms)
		probe->next_ms = soon;
}

/* The first question and its repetition. */
static bool is_question_due(struct probe *probe, uint64_t now_ms)
{
	if (probe->sent >= 2 ||
	    now_ms - probe->began_ms < (uint64_t)probe->sent * PROBE_REPEAT_MS)
		return false;
	probe->sent++;
	return true;
}

static bool tick_round(struct probe *probe, uint64_t now_ms, enum probe_verdict verdict)
{
	uint64_t most = probe->state == PROBE_STARTING ? PROBE_HOLD_MS : PROBE_ROUND_MS;

	if (verdict == PROBE_STRANGER) {
		end_round(probe, PROBE_FOREIGN, now_ms + PROBE_AGAIN_MS);
		return false;
	}
	if (now_ms - probe->began_ms < most)
		return is_question_due(probe, now_ms);
	/* only once: or somebody who makes us ask again and again could keep us at the start */
	if (probe->state != PROBE_CLEAR)
		probe->late_until_ms = now_ms + PROBE_LATE_MS;
	end_round(probe, PROBE_CLEAR, now_ms + PROBE_WATCH_MS);
	return false;
}

static bool tick_between(struct probe *probe, uint64_t now_ms, enum probe_verdict verdict)
{
	/* who answered cannot be judged before the database has named our peers */
	if (verdict == PROBE_NOT_KNOWN) {
		probe->late_until_ms = now_ms + PROBE_LATE_MS;
		return false;
	}
	if (probe->state == PROBE_CLEAR && verdict == PROBE_STRANGER) {
		end_round(probe, PROBE_FOREIGN, now_ms + PROBE_AGAIN_MS);
		return false;
	}
	if (probe->state == PROBE_CLEAR && now_ms >= probe->late_until_ms)
		probe->is_settled = true;
	if (now_ms < probe->next_ms)
		return false;
	/* a late answer to an old question is no answer to this one */
	probe->xid++;
	begin_round(probe, now_ms);
	return is_question_due(probe, now_ms);
}

bool probe_tick(struct probe *probe, uint64_t now_ms, enum probe_verdict verdict)
{
	return probe->is_asking ? tick_round(probe, now_ms, verdict)
				: tick_between(probe, now_ms, verdict);
}

bool probe_permits(const struct probe *probe, enum probe_policy policy)
{
	switch (policy) {
	case PROBE_NEVER:
		return true;
	case PROBE_ALWAYS:
		return probe->state == PROBE_CLEAR;
	default:
		return probe->state == PROBE_CLEAR || probe->is_settled;
	}
}

struct mac probe_mac(const struct mac *our_mac)
{
	struct mac mac = *our_mac;

	/* bit 1 of the first octet: locally administered; bit 0 stays as it is: no group */
	mac.octet[0] = (uint8_t)((mac.octet[0] ^ 4) | 2);
	return mac;
}

size_t probe_encode(const struct mac *mac, uint32_t xid, uint8_t *buffer)
{
	static const uint8_t wanted[] = {OPTION_SUBNET_MASK, OPTION_ROUTERS};
	struct bytes_writer out = bytes_writer(buffer, PACKET_SIZE_MIN);

	/* the answer must not go to one card */
	packet_put_request(&out, mac, xid, PACKET_FLAG_BROADCAST);
	/* all of it fits the smallest packet */
	(void)option_put_u8(&out, OPTION_MESSAGE_TYPE, PACKET_DISCOVER);
	(void)option_put(&out, OPTION_PARAMETER_LIST, wanted, sizeof(wanted));
	(void)option_put_text(&out, OPTION_VENDOR_CLASS, "rouse-probe");
	bytes_put_u8(&out, OPTION_END);
	bytes_put_zeros(&out, PACKET_SIZE_MIN - out.length);
	return out.length;
}
