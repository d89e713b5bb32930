/*
 * condition - RFC 9110 section 13: does the client have what it asks for already, or a part of
 * it? For GET and HEAD.
 *
 *	struct validators now = {"\"1f-40\"", 784111777};
 *	struct condition condition = {0};
 *
 *	condition.if_none_match = http_get_header(request, "If-None-Match");
 *	if (condition_judge(&condition, &now) == CONDITION_NOT_MODIFIED)
 *		... 304 ...
 */
#ifndef ROUSE_MENUD_CONDITION_H
#define ROUSE_MENUD_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

/* What the file is now. */
struct validators {
	const char *etag; /* strong, with its quotes */
	int64_t modified; /* seconds since 1970; -1: its time says nothing */
};

/* The values of the request's headers, NULL where it has none. */
struct condition {
	const char *if_match, *if_unmodified_since;
	const char *if_none_match, *if_modified_since;
	const char *if_range;
};

enum condition_result {
	CONDITION_HOLDS,
	CONDITION_NOT_MODIFIED, /* 304 */
	CONDITION_FAILED,	/* 412 */
};

/* In the order of section 13.2.2. A date that is none is as absent, a list that is none names
 * nothing. */
enum condition_result condition_judge(const struct condition *condition,
				      const struct validators *now);
/* Whether Range counts: there is no If-Range, or it names this very version (section 13.1.5).
 */
bool condition_allows_range(const struct condition *condition, const struct validators *now);

#endif
