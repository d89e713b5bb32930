#include "menud/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/http_date.h"
#include "core/path.h"
#include "core/text.h"
#include "io/beneath.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/condition.h"
#include "menud/range.h"

static int open_folder(const char *name)
{
	int folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		log_warning("folder_missing", "folder=%s reason=%s remedy=%s", log_text(name),
			    log_text(strerror(errno)),
			    log_text("make it, or mend the keys root and image_store"));
	return folder;
}

void file_open_roots(struct menud *menud)
{
	char roots[1024];
	char *state = NULL;

	beneath_check();
	(void)snprintf(roots, sizeof(roots), "%s", menud->settings.root);
	for (char *root = strtok_r(roots, " ", &state); root;
	     root = strtok_r(NULL, " ", &state)) {
		int folder;

		if (menud->root_count == MENUD_ROOTS_MAX) {
			log_warning("too_many_roots", "most=%d left_out=%s", MENUD_ROOTS_MAX,
				    log_text(root));
			break;
		}
		folder = open_folder(root);
		if (folder >= 0)
			menud->roots[menud->root_count++] = folder;
	}
	menud->image_store = open_folder(menud->settings.image_store);
	/* before the daemon is confined: what is captured goes there. Where it cannot be made,
	 * the first capture says so. */
	if (menud->image_store >= 0)
		(void)mkdirat(menud->image_store, "images", 0755);
}

void file_close_roots(struct menud *menud)
{
	for (size_t i = 0; i < menud->root_count; i++)
		(void)close(menud->roots[i]);
	menud->root_count = 0;
	if (menud->image_store >= 0)
		(void)close(menud->image_store);
	menud->image_store = -1;
}

/* A regular file beneath the folder, by no magic link and no symlink out of it; -1 with errno.
 */
static int open_beneath(int folder, const char *path, struct stat *ret_stat)
{
	int file = beneath_open(folder, path, O_RDONLY | O_NONBLOCK);

	if (file < 0)
		return -1;
	if (fstat(file, ret_stat) == 0 && S_ISREG(ret_stat->st_mode))
		return file;
	(void)close(file);
	errno = ENOENT;
	return -1;
}

/* UEFI HTTP Boot judges an image by its type (UEFI 2.10 section 24.7.3.1). */
static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{".efi", "application/efi"},	       {".ipxe", "text/plain; charset=utf-8"},
		{".cfg", "text/plain; charset=utf-8"}, {".iso", "application/vnd.efi-iso"},
		{".img", "application/vnd.efi-img"},
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	}
	return "application/octet-stream";
}

#define ETAG_SIZE 96

/* An image's is its version's; any other file's changes with its place, size and time. */
static void put_etag(char etag[ETAG_SIZE], const struct stat *facts,
		     const struct file_wish *wish)
{
	if (wish->etag)
		(void)snprintf(etag, ETAG_SIZE, "\"%s\"", wish->etag);
	else
		(void)snprintf(etag, ETAG_SIZE, "\"%llx-%llx-%llx\"",
			       (unsigned long long)facts->st_ino,
			       (unsigned long long)facts->st_size,
			       (unsigned long long)facts->st_mtim.tv_sec * 1000000000ULL +
				       (unsigned long long)facts->st_mtim.tv_nsec);
}

static struct condition condition_of(const struct http_request *request)
{
	return (struct condition){
		.if_match = http_get_header(request, "If-Match"),
		.if_unmodified_since = http_get_header(request, "If-Unmodified-Since"),
		.if_none_match = http_get_header(request, "If-None-Match"),
		.if_modified_since = http_get_header(request, "If-Modified-Since"),
		.if_range = http_get_header(request, "If-Range"),
	};
}

/* The client's Range, where it counts: for GET (RFC 9110 section 14.2) and this very version.
 * A part of another version would tear the stream. */
static const char *find_range(const struct http_request *request,
			      const struct condition *condition, const struct validators *now)
{
	if (strcmp(http_method(request), "GET") != 0 || !condition_allows_range(condition, now))
		return NULL;
	return http_get_header(request, "Range");
}

/* Headers of an answer about a file; the last one says NULL. */
#define HEADERS_MAX 5

static void add_header(struct http_header headers[HEADERS_MAX], const char *name,
		       const char *value)
{
	size_t at = 0;

	while (headers[at].name)
		at++;
	headers[at] = (struct http_header){name, value};
}

/* The file, or its part; the descriptor goes to the answer. */
static void send_range(struct http_request *request, int file, uint64_t size, const char *range,
		       const char *type, struct http_header headers[HEADERS_MAX])
{
	char content_range[80];
	uint64_t offset;
	uint64_t length;
	enum range_result result = range_parse(range, size, &offset, &length);

	if (result == RANGE_UNSATISFIABLE) {
		(void)snprintf(content_range, sizeof(content_range), "bytes */%llu",
			       (unsigned long long)size);
		add_header(headers, "Content-Range", content_range);
		(void)close(file);
		http_answer_text(request, 416, "text/plain", "", 0, headers);
		return;
	}
	if (result == RANGE_PART) {
		(void)snprintf(content_range, sizeof(content_range), "bytes %llu-%llu/%llu",
			       (unsigned long long)offset,
			       (unsigned long long)(offset + length - 1),
			       (unsigned long long)size);
		add_header(headers, "Content-Range", content_range);
	}
	http_answer_file(request, result == RANGE_PART ? 206 : 200, type, file, offset, length,
			 headers);
}

/* Sends what of the file the client wants and has not; the descriptor goes to the answer. */
static void send_file(struct http_request *request, int file, const struct stat *facts,
		      const struct file_wish *wish)
{
	static const char changed[] = "the file is not the version that was asked for\n";
	char etag[ETAG_SIZE];
	char modified[HTTP_DATE_SIZE];
	struct http_header headers[HEADERS_MAX] = {{"Accept-Ranges", "bytes"}, {"ETag", etag}};
	const struct condition condition = condition_of(request);
	/* an image's copies have times of their own, on each server another */
	struct validators now = {etag, wish->etag ? -1 : facts->st_mtim.tv_sec};

	put_etag(etag, facts, wish);
	if (now.modified < 0 || http_date_format(now.modified, modified) != ERR_OK)
		now.modified = -1;
	else
		add_header(headers, "Last-Modified", modified);
	switch (condition_judge(&condition, &now)) {
	case CONDITION_HOLDS:
		send_range(request, file, (uint64_t)facts->st_size,
			   find_range(request, &condition, &now), type_of(wish->path), headers);
		return;
	case CONDITION_NOT_MODIFIED:
		/* its length is told, and libmicrohttpd sends nothing of it */
		http_answer_file(request, 304, NULL, file, 0, (uint64_t)facts->st_size,
				 headers);
		return;
	case CONDITION_FAILED:
		http_answer_text(request, 412, "text/plain", changed, sizeof(changed) - 1,
				 headers);
		break;
	}
	(void)close(file);
}

static void answer_missing(struct http_request *request, const char *path)
{
	char message[PATH_SIZE + 64];

	log_info("file_missing", "path=%s", log_text(path));
	(void)snprintf(message, sizeof(message), "there is no file \"%s\" beneath the roots",
		       path);
	answer_line(request, 404, message);
}

/*
 * The file could not be opened. One that may not be served is as good as missing; when it is we
 * who cannot (no descriptor left, a broken disk), the client is to come again.
 */
static void answer_unopened(struct http_request *request, const char *path, int error)
{
	if (error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG) {
		answer_missing(request, path);
	} else if (error == EACCES || error == EPERM || error == EXDEV || error == ELOOP) {
		log_warning("file_refused", "path=%s reason=%s", log_text(path),
			    log_text(strerror(error)));
		answer_missing(request, path);
	} else {
		log_error("file_unreadable", "path=%s reason=%s", log_text(path),
			  log_text(strerror(error)));
		answer_later(request, "the file cannot be read at the moment");
	}
}

bool file_exists(const struct menud *menud, const char *rest)
{
	struct path path;
	struct stat facts;

	if (path_clean(rest, strlen(rest), &path) != ERR_OK)
		return true; /* file_answer() says what is wrong with it */
	for (size_t i = 0; i < menud->root_count; i++) {
		int file = open_beneath(menud->roots[i], path.name, &facts);

		if (file >= 0)
			(void)close(file);
		/* one that cannot be opened now is one: nothing else may stand in for it */
		if (file >= 0 || (errno != ENOENT && errno != ENOTDIR))
			return true;
	}
	return false;
}

void file_answer(struct menud *menud, struct http_request *request, const char *rest)
{
	struct path path;
	int error = ENOENT;
	enum err err = path_clean(rest, strlen(rest), &path);

	if (err != ERR_OK) {
		answer_line(request, err == ERR_REFUSED ? 403 : 400,
			    "the path leaves the root, or holds control bytes");
		return;
	}
	for (size_t i = 0; i < menud->root_count; i++) {
		struct stat facts;
		int file = open_beneath(menud->roots[i], path.name, &facts);

		if (file >= 0) {
			send_file(request, file, &facts,
				  &(struct file_wish){.path = path.name});
			return;
		}
		if (errno != ENOENT)
			error = errno;
	}
	answer_unopened(request, path.name, error);
}

void file_answer_image(struct menud *menud, struct http_request *request,
		       const struct file_wish *wish)
{
	struct stat facts;
	int file = -1;

	errno = ENOENT;
	if (menud->image_store >= 0)
		file = open_beneath(menud->image_store, wish->path, &facts);
	if (file < 0) {
		answer_unopened(request, wish->path, errno);
		return;
	}
	if (wish->size_wanted > 0 && facts.st_size != wish->size_wanted) {
		log_error("image_damaged", "path=%s size=%lld expected=%lld remedy=%s",
			  log_text(wish->path), (long long)facts.st_size,
			  (long long)wish->size_wanted,
			  log_text("take the image in anew with `rouse-db image add`"));
		(void)close(file);
		answer_missing(request, wish->path);
		return;
	}
	send_file(request, file, &facts, wish);
}

static bool is_firmware(const struct http_request *request)
{
	const char *agent = http_get_header(request, "User-Agent");

	return agent && strncmp(agent, "UefiHttpBoot/", 13) == 0;
}

/*
 * Firmware that boots by HTTP names no MAC: the database knows its lease's address. It asks for
 * the size first, by HEAD.
 */
static void record_firmware(struct menud *menud, const struct http_request *request,
			    struct event *event)
{
	event->stage = "tftp_nbp"; /* the first stage, whatever brings it */
	event->mac = NULL;
	if (strcmp(http_method(request), "HEAD") == 0 && strcmp(event->kind, "sent") == 0)
		event->kind = "probe";
	events_push(menud->events, event);
}

void file_record_done(struct menud *menud, struct http_request *request, unsigned status,
		      uint64_t sent)
{
	const char *as = http_field(request, "as");
	const char *mac_text = http_field(request, "mac");
	const char *path = http_path(request);
	struct mac mac;
	bool has_mac = mac_text && mac_parse(mac_text, strlen(mac_text), &mac) == ERR_OK;
	char detail[96];
	struct event event = {
		.stage = as && strcmp(as, "initrd") == 0 ? "initrd" : "kernel",
		/* 304: it has it */
		.kind = status < 400 ? "sent" : "missing",
		.mac = has_mac ? &mac : NULL,
		.address = http_peer(request),
		.name = path + strlen("/files/"),
		.detail = detail,
	};

	if (status == 0)
		event.kind = "aborted";
	(void)snprintf(detail, sizeof(detail), "{\"status\":%u,\"bytes\":%llu}", status,
		       (unsigned long long)sent);
	if (is_firmware(request)) {
		record_firmware(menud, request, &event);
		return;
	}
	if (!has_mac || strcmp(http_method(request), "HEAD") == 0)
		return; /* fetched by a person, a probe or another server: no machine's story */
	events_push(menud->events, &event);
}
