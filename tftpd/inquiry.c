#include "tftpd/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "tftpd/server.h"

#define TOLD_EVERY_MS 60000

/* FNV-1a: keys of one site differ in their last characters. */
static size_t place_of(const char *key)
{
	uint32_t hash = 2166136261U;

	for (; *key; key++)
		hash = (hash ^ (uint8_t)*key) * 16777619U;
	return hash % INQUIRY_SLOTS;
}

enum err inquiry_recall(const struct inquiry *inquiry, const char *key, uint64_t now_ms,
			union inquiry_answer *ret_answer)
{
	const struct inquiry_entry *entry = &inquiry->slots[place_of(key)];

	if (now_ms >= entry->until_ms || strcmp(entry->key, key) != 0)
		return ERR_AWAY;
	if (!entry->is_known)
		return ERR_ABSENT;
	*ret_answer = entry->answer;
	return ERR_OK;
}

static void tell_failure(struct inquiry *inquiry, uint64_t now_ms, const char *reason)
{
	unsigned long left_out;

	if (log_repeat_due(&inquiry->failed_told, now_ms, TOLD_EVERY_MS, &left_out))
		log_warning(inquiry->kind->event, "reason=%s left_out=%lu effect=%s",
			    log_text(reason), left_out, log_text(inquiry->kind->effect));
}

static void note(struct inquiry *inquiry, const char *key, uint64_t now_ms,
		 const struct db_answer *answer)
{
	struct inquiry_entry entry = {.is_known = false};

	memcpy(entry.key, key, strnlen(key, sizeof(entry.key) - 1));
	if (answer->outcome != DB_OK) {
		tell_failure(inquiry, now_ms, answer->message);
	} else if (rows_count(answer->rows) == 1) {
		struct row row = rows_row(answer->rows, 0);

		entry.is_known = inquiry->kind->read(&row, &entry.answer);
	}
	entry.until_ms = now_ms + (entry.is_known ? INQUIRY_KEPT_MS : INQUIRY_UNKNOWN_MS);
	inquiry->slots[place_of(key)] = entry;
}

/* The requests go their way again, and find what was noted. */
static void on_answer(void *data, const struct db_answer *answer)
{
	struct parked_request *asking = data;
	struct server *server = asking->server;
	struct inquiry *inquiry = asking->asker;

	if (!server) { /* it has closed meanwhile */
		free(asking);
		return;
	}
	inquiry->asked--;
	note(inquiry, asking->name, loop_now_ms(server->loop), answer);
	/* itself is one of them */
	parked_resume(&inquiry->parked, server, asking->name, false);
}

static enum err ask(struct inquiry *inquiry, struct server *server,
		    const struct udp_datagram *datagram, const char *key)
{
	const char *params[] = {key};
	const struct parked_question question = {.name = key,
						 .sql = inquiry->kind->sql,
						 .params = params,
						 .param_count = 1,
						 .on_answer = on_answer,
						 .asker = inquiry};
	enum err err;

	if (inquiry->asked == INQUIRY_ASKED_MAX)
		return ERR_SPACE;
	err = parked_ask(&inquiry->parked, server, datagram, &question);
	if (err == ERR_OK)
		inquiry->asked++;
	return err;
}

enum err inquiry_find(struct inquiry *inquiry, struct server *server,
		      const struct udp_datagram *datagram, const char *key,
		      union inquiry_answer *ret_answer)
{
	enum err err = inquiry_recall(inquiry, key, loop_now_ms(server->loop), ret_answer);

	if (err != ERR_AWAY || parked_has(&inquiry->parked, &datagram->peer, key))
		return err;
	if (parked_has(&inquiry->parked, NULL, key))
		err = parked_join(&inquiry->parked, server, datagram, key);
	else
		err = ask(inquiry, server, datagram, key);
	return err == ERR_OK ? ERR_AWAY : ERR_ABSENT;
}

void inquiry_close(struct inquiry *inquiry)
{
	parked_close(&inquiry->parked);
}
