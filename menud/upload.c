#include "menud/upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/text.h"
#include "db/rows.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/partfile.h"

#define BUFFER_SIZE ((size_t)1024 * 1024)
#define TOKEN_SIZE 65
/* A slow disk may keep a client waiting for so long; then it comes again. */
#define END_MS 120000

enum state {
	ASKING,	   /* the database: may it, and where to */
	OPENING,   /* the file, in the pool */
	RECEIVING, /* octets, and writing them in the pool */
	ENDING,	   /* the last octets, their synchronisation, the name */
	RECORDING, /* the database: it is stored */
	OVER,	   /* answered, or its client has gone */
};

struct upload {
	struct upload *prev, *next; /* of `uploads` */
	struct menud *menud;
	struct http_request *http; /* NULL once it is answered, or its client has gone */
	enum state state;
	bool is_working; /* in the pool: `part` and `writing` are its own */
	bool is_ended;	 /* the body is complete */
	bool is_last;	 /* the part ends with it: `digest` */
	char version[20], number[8], token[TOKEN_SIZE];
	uint64_t offset, received, room; /* received: where the octets end that were taken */
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct partfile part;
	enum partfile_result result; /* of the work */
	uint8_t *filling, *writing;
	size_t filled, to_write;
};

/* Hashes that requests left behind, so that the next one of the part need not read the file. */
struct memory {
	char path[PATH_SIZE];
	uint64_t hashed;
	struct sha256_ctx hash;
};

#define MEMORIES 64
static struct memory memories[MEMORIES];
static size_t next_memory;
static struct upload *uploads;

static void remember(const struct partfile *part)
{
	struct memory *memory = NULL;

	for (size_t i = 0; i < MEMORIES; i++) {
		if (strcmp(memories[i].path, part->path) == 0)
			memory = &memories[i];
	}
	if (!memory)
		memory = &memories[next_memory++ % MEMORIES];
	(void)snprintf(memory->path, sizeof(memory->path), "%s", part->path);
	memory->hashed = part->hashed;
	memory->hash = part->hash;
}

static void recall(struct partfile *part)
{
	for (size_t i = 0; i < MEMORIES; i++) {
		if (strcmp(memories[i].path, part->path) == 0) {
			part->hashed = memories[i].hashed;
			part->hash = memories[i].hash;
		}
	}
}

/* Frees it when nobody has it any more: neither the connection nor the pool nor the database.
 */
static void release(struct upload *upload)
{
	if (upload->state != OVER || upload->is_working || upload->http)
		return;
	if (upload->part.file >= 0) {
		remember(&upload->part);
		partfile_close(&upload->part);
	}
	DL_DELETE(uploads, upload);
	free(upload->filling);
	free(upload->writing);
	free(upload);
}

/* The request has got its answer, or must not get one: it is not ours any more. */
static void let_go(struct upload *upload)
{
	if (upload->http)
		http_set_data(upload->http, NULL);
	upload->http = NULL;
	upload->state = OVER;
	release(upload);
}

static void answer_stored(struct upload *upload, unsigned status)
{
	char size[24];
	char body[48];
	const struct http_header headers[] = {{"Upload-Offset", size}, {NULL, NULL}};
	int length;

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)upload->part.size);
	length = snprintf(body, sizeof(body), "stored=%s\n", size);
	if (upload->http)
		http_answer_text(upload->http, status, "text/plain; charset=utf-8", body,
				 (size_t)length, headers);
	let_go(upload);
}

static void answer(struct upload *upload, unsigned status, const char *message)
{
	if (upload->http && status == 503)
		answer_later(upload->http, message);
	else if (upload->http)
		answer_line(upload->http, status, message);
	let_go(upload);
}

/* Another request for the same part stands in the way: one whose client has gone without a
 * word. */
static void drop_others(const struct upload *upload)
{
	struct upload *other;
	struct upload *next;

	DL_FOREACH_SAFE(uploads, other, next)
	{
		struct http_request *http = other->http;

		if (other == upload || !http || other->state != RECEIVING ||
		    strcmp(other->part.path, upload->part.path) != 0)
			continue;
		let_go(other);
		http_drop(http);
	}
}

static void answer_failed(struct upload *upload)
{
	const char *reason = strerror(upload->part.error);
	char message[256];

	switch (upload->result) {
	case PARTFILE_BUSY:
		drop_others(upload);
		answer(upload, 503, "another upload of this part is going on");
		return;
	case PARTFILE_FULL:
		log_error("store_full", "path=%s reason=%s remedy=%s",
			  log_text(upload->part.path), log_text(reason),
			  "\"make room below images/ of the image store\"");
		answer(upload, 507, "the image store is full");
		return;
	case PARTFILE_DIFFERENT:
		answer(upload, 422, "what was stored has another SHA-256: it is removed");
		return;
	default:
		log_error(
			"store_failed", "path=%s reason=%s remedy=%s",
			log_text(upload->part.path), log_text(reason),
			"\"see that menud's user may write below images/ of the image store\"");
		(void)snprintf(message, sizeof(message), "the image store fails: %s", reason);
		answer(upload, 500, message);
	}
}

static void proceed(struct upload *upload);

static void work(void *data)
{
	struct upload *upload = data;
	struct partfile *part = &upload->part;

	if (upload->state == OPENING) {
		upload->result = partfile_open(part);
		return;
	}
	upload->result = upload->to_write == 0
				 ? PARTFILE_OK
				 : partfile_append(part, upload->writing, upload->to_write);
	if (upload->state != ENDING || upload->result != PARTFILE_OK)
		return;
	upload->result =
		upload->is_last ? partfile_finish(part, upload->digest) : partfile_sync(part);
}

static void on_worked(void *data)
{
	struct upload *upload = data;

	upload->is_working = false;
	upload->to_write = 0;
	if (upload->state == OVER)
		release(upload);
	else if (upload->result != PARTFILE_OK)
		answer_failed(upload);
	else
		proceed(upload);
}

/* What is filled goes to the pool, and the other buffer is filled meanwhile. */
static void start_work(struct upload *upload)
{
	uint8_t *full = upload->filling;

	upload->filling = upload->writing;
	upload->writing = full;
	upload->to_write = upload->filled;
	upload->filled = 0;
	upload->is_working = true;
	loop_work(&upload->menud->loop, work, on_worked, upload);
}

static void on_recorded(void *data, const struct db_answer *answered)
{
	struct upload *upload = data;
	struct row row;

	upload->is_working = false;
	if (upload->state == OVER) {
		release(upload);
	} else if (answered->outcome != DB_OK || rows_count(answered->rows) != 1) {
		answer(upload, 503, "the part is stored, but the database is away");
	} else {
		row = rows_row(answered->rows, 0);
		if (row_truth(&row, "fos_stored"))
			answer_stored(upload, 200);
		else
			answer(upload, 403, "this token captures that part no more");
	}
}

static void put_hex(const uint8_t *octets, size_t length, char *text)
{
	for (size_t i = 0; i < length; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", octets[i]);
}

static void record(struct upload *upload)
{
	char size[24];
	char hash[2 * SHA256_DIGEST_SIZE + 1];
	const char *params[] = {upload->version, upload->number, upload->token, size, hash};

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)upload->part.size);
	put_hex(upload->digest, sizeof(upload->digest), hash);
	upload->state = RECORDING;
	upload->is_working = true;
	if (db_query(upload->menud->work,
		     "select rouse_daemon.fos_stored($1::bigint, $2::int, $3, $4::bigint, $5)",
		     params, 5, MENUD_DATABASE_MS, on_recorded, upload) == ERR_OK)
		return;
	upload->is_working = false;
	answer(upload, 503, "the part is stored, but the database is away");
}

/* The file is open: may this request go on behind what is stored? */
static void begin_receiving(struct upload *upload)
{
	upload->state = RECEIVING;
	upload->received = upload->offset;
	if (upload->offset != upload->part.size) {
		answer_stored(upload, 409);
		return;
	}
	if (!upload->part.is_whole) {
		upload->filling = malloc(BUFFER_SIZE);
		upload->writing = malloc(BUFFER_SIZE);
		if (!upload->filling || !upload->writing) {
			answer(upload, 503, "out of memory");
			return;
		}
	}
	http_resume(upload->http);
	if (upload->is_ended)
		proceed(upload);
}

/* The pool has done what it was asked for, or the body is complete. */
static void proceed(struct upload *upload)
{
	if (upload->is_working)
		return;
	if (upload->state == OPENING) {
		begin_receiving(upload);
	} else if (upload->state == ENDING && upload->is_last) {
		record(upload);
	} else if (upload->state == ENDING) {
		answer_stored(upload, 200);
	} else if (upload->is_ended) {
		upload->state = ENDING;
		start_work(upload);
	} else {
		if (upload->filled == BUFFER_SIZE)
			start_work(upload);
		http_resume(upload->http);
	}
}

static void on_allowed(void *data, const struct db_answer *answered)
{
	struct upload *upload = data;
	struct row row;

	upload->is_working = false;
	if (upload->state == OVER) {
		release(upload);
	} else if (answered->outcome != DB_OK) {
		answer(upload, 503, "the database is away");
	} else if (rows_count(answered->rows) == 0) {
		answer(upload, 403, "this token captures no such part");
	} else {
		row = rows_row(answered->rows, 0);
		upload->room = (uint64_t)row_number(&row, "room");
		(void)snprintf(upload->part.path, sizeof(upload->part.path), "%s",
			       row_text(&row, "path"));
		recall(&upload->part);
		upload->state = OPENING;
		start_work(upload);
	}
}

static bool copy_word(char *to, size_t size, const char *from, const char *allowed)
{
	size_t length = strspn(from, allowed);

	if (length == 0 || length >= size)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

static bool parse_digest(const char *hex, uint8_t *digest)
{
	if (strlen(hex) != (size_t)2 * SHA256_DIGEST_SIZE ||
	    hex[strspn(hex, "0123456789abcdef")] != '\0')
		return false;
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		digest[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

/* What is wrong with the request, or NULL. */
static const char *parse(struct upload *upload, const char *rest)
{
	static const char digits[] = "0123456789";
	const char *slash = strchr(rest, '/');
	const char *offset = http_field(upload->http, "offset");
	const char *sha256 = http_field(upload->http, "sha256");
	const char *authorization = http_get_header(upload->http, "Authorization");
	char number[20];

	if (!slash || !copy_word(upload->version, sizeof(upload->version), rest, digits) ||
	    !copy_word(upload->number, sizeof(upload->number), slash + 1, digits) ||
	    strlen(upload->version) + 1 + strlen(upload->number) != strlen(rest))
		return "the path is /fos/image/VERSION/PART";
	if (!offset || !copy_word(number, sizeof(number), offset, digits) ||
	    strcmp(number, offset) != 0)
		return "offset is missing, or no number";
	if (!authorization || strncmp(authorization, "Bearer ", 7) != 0 ||
	    !copy_word(upload->token, sizeof(upload->token), authorization + 7,
		       "0123456789abcdef"))
		return "a part is taken from a bearer token only";
	upload->is_last = sha256 != NULL;
	if (upload->is_last && !parse_digest(sha256, upload->digest))
		return "sha256 is 64 lower-case hex digits";
	upload->offset = strtoull(number, NULL, 10);
	return NULL;
}

bool upload_begin(struct menud *menud, struct http_request *request, const char *rest)
{
	struct upload *upload = calloc(1, sizeof(*upload));
	const char *params[4];
	const char *wrong;
	char address[IP_TEXT_SIZE];
	struct ip peer = http_peer(request);

	if (!upload) {
		answer_later(request, "out of memory");
		return true;
	}
	*upload = (struct upload){.menud = menud,
				  .http = request,
				  .part = {.store = menud->image_store, .file = -1}};
	DL_APPEND(uploads, upload);
	http_set_data(request, upload);
	wrong = parse(upload, rest);
	if (wrong) {
		answer(upload, 400, wrong);
		return true;
	}
	ip_format(&peer, address);
	params[0] = upload->version;
	params[1] = upload->number;
	params[2] = upload->token;
	params[3] = address;
	upload->is_working = true;
	if (db_query(menud->work,
		     "select * from rouse_daemon.fos_upload($1::bigint, $2::int, $3, $4::inet)",
		     params, 4, MENUD_DATABASE_MS, on_allowed, upload) != ERR_OK) {
		upload->is_working = false;
		answer(upload, 503, "the database is away");
	}
	return true;
}

size_t upload_take(struct http_request *request, const char *octets, size_t length)
{
	struct upload *upload = http_get_data(request);
	size_t taken;

	if (upload->state != RECEIVING)
		return 0;
	if (upload->part.is_whole) {
		answer_stored(upload, 409);
		return length;
	}
	/* a client that names no length shows only now how much it sends */
	if (upload->received + length > upload->room) {
		answer(upload, 413, "the image would be larger than image_gib_max allows");
		return length;
	}
	taken = BUFFER_SIZE - upload->filled < length ? BUFFER_SIZE - upload->filled : length;
	memcpy(upload->filling + upload->filled, octets, taken);
	upload->filled += taken;
	upload->received += taken;
	if (upload->filled == BUFFER_SIZE && !upload->is_working)
		start_work(upload);
	return taken;
}

static void on_abandon(void *data, struct http_request *request)
{
	struct upload *upload = http_get_data(request);

	(void)data;
	if (upload)
		let_go(upload);
}

void upload_end(struct http_request *request)
{
	struct upload *upload = http_get_data(request);

	upload->is_ended = true;
	http_park(request, END_MS, on_abandon);
	if (upload->state == RECEIVING)
		proceed(upload);
}

void upload_done(struct http_request *request)
{
	struct upload *upload = http_get_data(request);

	if (upload)
		let_go(upload);
}
