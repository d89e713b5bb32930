/*
 * answer - the short answers that several handlers give: one line of text with a status.
 */
#ifndef ROUSE_MENUD_ANSWER_H
#define ROUSE_MENUD_ANSWER_H

#include "db/conn.h"
#include "io/http.h"

/* "message\n" as text/plain. */
void answer_line(struct http_request *request, unsigned status, const char *message);
/* 503 with Retry-After: 5, for trouble that passes. */
void answer_later(struct http_request *request, const char *message);
/* The same when the database cannot be asked now. */
void answer_away(struct http_request *request, const char *reason);
/* What the database refused: 400 when a field was wrong (22023, 54001), else 500; with its
 * message and hint. */
void answer_refused(struct http_request *request, const struct db_answer *answer);

/* Is there a row to answer with? If not, the request is answered: what the database refused,
 * that it is away, or 403 with `absent` where it found nothing. */
bool answer_has_row(struct http_request *request, const struct db_answer *answer,
		    const char *absent);

#endif
