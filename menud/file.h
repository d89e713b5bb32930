/*
 * file - regular files beneath the served roots and the image store: HEAD, single ranges,
 * conditions, ETag.
 */
#ifndef ROUSE_MENUD_FILE_H
#define ROUSE_MENUD_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "menud/menud.h"

/* What a handler wants sent. */
struct file_wish {
	const char *path;    /* beneath the roots, or beneath the image store */
	const char *etag;    /* NULL: made from the file's own facts */
	int64_t size_wanted; /* 0: any; otherwise another size is a missing file */
};

/* Opens the folders named in the settings; a root that is not there is told and left out. */
void file_open_roots(struct menud *menud);
void file_close_roots(struct menud *menud);
/* Is there anything by that name that file_answer() has to answer for, be it with an error? */
bool file_exists(const struct menud *menud, const char *rest);
/* GET, HEAD /files/PATH */
void file_answer(struct menud *menud, struct http_request *request, const char *rest);
/* The same for a file of the image store, which somebody else has allowed. */
void file_answer_image(struct menud *menud, struct http_request *request,
		       const struct file_wish *wish);
/* Called when a request has been answered: tells the timeline whose kernel went out, and how
 * much of it. */
void file_record_done(struct menud *menud, struct http_request *request, unsigned status,
		      uint64_t sent);

#endif
