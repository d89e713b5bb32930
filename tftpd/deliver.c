#include "tftpd/deliver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tftpd/report.h"
#include "tftpd/window.h"

#define MESSAGE_SIZE 128

static struct udp_datagram where_of(const struct transfer *transfer)
{
	const struct udp_datagram asked = {.peer = transfer->peer,
					   .local = transfer->local,
					   .interface = transfer->interface};

	return udp_reply_to(&asked);
}

void deliver_error(struct server *server, const struct server_tid *tid,
		   const struct udp_datagram *where, enum packet_code code, const char *text)
{
	uint8_t *room = outbox_room(&server->outbox, tid->socket, PACKET_ANSWER_SIZE);
	struct bytes_writer out = bytes_writer(room, PACKET_ANSWER_SIZE);

	packet_write_error(&out, code, text);
	outbox_add(&server->outbox, where, out.length, NULL);
}

static void send_oack(struct server *server, const struct transfer *transfer)
{
	struct udp_datagram where = where_of(transfer);
	uint8_t *room = outbox_room(&server->outbox, server->tids[transfer->tid].socket,
				    PACKET_ANSWER_SIZE);
	struct bytes_writer out = bytes_writer(room, PACKET_ANSWER_SIZE);

	session_write_oack(&out, &transfer->asked,
			   transfer->is_upload ? &transfer->receive.terms
					       : &transfer->session.terms);
	outbox_add(&server->outbox, &where, out.length, NULL);
}

void deliver_ack(struct server *server, const struct transfer *transfer, uint16_t number)
{
	struct udp_datagram where = where_of(transfer);
	uint8_t *room = outbox_room(&server->outbox, server->tids[transfer->tid].socket,
				    PACKET_ANSWER_SIZE);
	struct bytes_writer out = bytes_writer(room, PACKET_ANSWER_SIZE);

	packet_write_ack(&out, number);
	outbox_add(&server->outbox, &where, out.length, NULL);
}

/*
 * Not in memory: read it in the pool, and look again in a moment. False when that was tried, or
 * cannot be done: then the loop itself has to wait for the disk.
 */
static bool read_ahead(struct server *server, struct transfer *transfer, uint64_t offset)
{
	if (transfer->warm && !warm_is_done(transfer->warm))
		return true;
	if (transfer->warm && warm_holds(transfer->warm, offset))
		return false;
	warm_release(transfer->warm);
	transfer->warm = NULL;
	return warm_start(server->loop, transfer->source.file, offset, &transfer->warm) ==
	       ERR_OK;
}

/* As many blocks as one datagram of segments holds. ERR_AWAY: they are being read. */
static enum err send_window(struct server *server, struct transfer *transfer,
			    struct window window)
{
	const struct session *session = &transfer->session;
	struct udp_datagram where = where_of(transfer);
	size_t length = window_length(session, window);
	uint8_t *room =
		outbox_room(&server->outbox, server->tids[transfer->tid].socket, length);
	enum err err = window_read(&transfer->source, session, window, false, room);

	if (err == ERR_AWAY) {
		if (read_ahead(server, transfer, session_block_offset(session, window.first)))
			return ERR_AWAY;
		err = window_read(&transfer->source, session, window, true, room);
	}
	if (err != ERR_OK)
		return err;
	if (window.count > 1)
		where.segment = PACKET_DATA_HEADER + (size_t)session->terms.blksize;
	outbox_add(&server->outbox, &where, length, transfer);
	return ERR_OK;
}

static enum err send_blocks(struct server *server, struct transfer *transfer,
			    const struct session_step *step)
{
	unsigned most = window_most(transfer->session.terms.blksize);

	for (unsigned done = 0; done < step->count;) {
		unsigned left = step->count - done;
		struct window window = {step->first + done, left < most ? left : most};
		enum err err = send_window(server, transfer, window);

		if (err == ERR_AWAY) {
			session_hold(&transfer->session, left, loop_now_ms(server->loop));
			return ERR_OK;
		}
		if (err != ERR_OK) {
			log_error("file_unreadable", "file=%s block=%" PRIu64 " reason=%s",
				  log_text(transfer->name), window.first,
				  log_text(err == ERR_SHORT
						   ? "it was cut while it was being sent"
						   : strerror(errno)));
			return err;
		}
		done += window.count;
	}
	return ERR_OK;
}

/* What was kept of an upload goes to the disk. */
static struct session_step store(struct transfer *transfer, struct session_step step,
				 uint64_t now)
{
	const struct session_event event = {.kind = SESSION_NOT_STORED,
					    .message = "the server could not store it"};

	if (upload_store(transfer->upload, transfer->receive.is_last) == ERR_OK)
		return step;
	return receive_step(&transfer->receive, &event, now);
}

static struct session_step take(struct transfer *transfer, const struct session_event *event,
				uint64_t now)
{
	struct session_step step = receive_step(&transfer->receive, event, now);

	if (step.keep)
		upload_keep(transfer->upload, event->message, event->message_length);
	return step.store ? store(transfer, step, now) : step;
}

static struct session_step give(struct server *server, struct transfer *transfer,
				const struct session_event *event, uint64_t now)
{
	struct session_step step = session_step(&transfer->session, event, now);

	if (step.send == SESSION_SEND_DATA && send_blocks(server, transfer, &step) != ERR_OK)
		step = session_step(&transfer->session,
				    &(struct session_event){.kind = SESSION_UNREADABLE}, now);
	return step;
}

static void send_answer(struct server *server, struct transfer *transfer,
			const struct session_step *step)
{
	struct udp_datagram where = where_of(transfer);

	if (step->send == SESSION_SEND_OACK)
		send_oack(server, transfer);
	if (step->send == SESSION_SEND_ACK)
		deliver_ack(server, transfer, (uint16_t)step->first);
	if (step->send == SESSION_SEND_ERROR)
		deliver_error(server, &server->tids[transfer->tid], &where, step->code,
			      step->reason);
}

void deliver_step(struct server *server, struct transfer *transfer,
		  const struct session_event *event)
{
	uint64_t now = loop_now_ms(server->loop);
	char message[MESSAGE_SIZE] = "";
	struct session_step step = transfer->is_upload ? take(transfer, event, now)
						       : give(server, transfer, event, now);

	send_answer(server, transfer, &step);
	if (step.outcome == SESSION_OPEN) {
		server_await(server, transfer,
			     transfer->is_upload ? transfer->receive.wait_until_ms
						 : transfer->session.wait_until_ms);
		return;
	}
	if (event->kind == SESSION_ERROR)
		(void)snprintf(message, sizeof(message), "%.*s", (int)event->message_length,
			       event->message);
	transfer->is_whole = step.outcome == SESSION_RECEIVED;
	report_end(server, transfer, &step, message);
	transfer_end(&server->transfers, transfer, now);
}

void deliver_stored(void *data, void *owner, const struct upload_problem *problem)
{
	struct server *server = data;
	struct transfer *transfer = owner;
	struct session_event event = {.kind = SESSION_STORED};

	if (problem) {
		event = (struct session_event){.kind = SESSION_NOT_STORED,
					       .number = problem->code,
					       .message = problem->reason};
		log_error("upload_failed", "file=%s reason=%s remedy=%s",
			  log_text(transfer->name), log_text(strerror(problem->error)),
			  log_text("see upload_root in tftpd.conf(5)"));
	}
	deliver_step(server, transfer, &event);
	server_settle(server);
}
