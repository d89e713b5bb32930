#include "menud/condition.h"

#include <string.h>

#include "core/http_date.h"

static const char blanks[] = " \t";

/* One entity tag of a list (section 8.8.3); NULL ends it, be it for a mistake. */
struct tag {
	const char *opaque; /* with its quotes */
	size_t length;
	bool is_weak;
};

static const char *next_tag(const char *at, struct tag *ret_tag)
{
	const char *end;

	at += strspn(at, ", \t"); /* a list may have empty members */
	ret_tag->is_weak = strncmp(at, "W/", 2) == 0;
	if (ret_tag->is_weak)
		at += 2;
	if (*at != '"')
		return NULL;
	end = strchr(at + 1, '"');
	if (!end)
		return NULL;
	ret_tag->opaque = at;
	ret_tag->length = (size_t)(end + 1 - at);
	at = end + 1 + strspn(end + 1, blanks);
	return *at == ',' || *at == '\0' ? at : NULL;
}

static bool is_ours(const struct tag *tag, const char *etag)
{
	return strlen(etag) == tag->length && memcmp(etag, tag->opaque, tag->length) == 0;
}

/* "*", or a list with our tag in it. Strongly compared, a weak one is never ours. */
static bool names(const char *list, const char *etag, bool is_strong)
{
	struct tag tag;

	list += strspn(list, blanks);
	if (list[0] == '*')
		return list[1 + strspn(list + 1, blanks)] == '\0';
	while ((list = next_tag(list, &tag)) != NULL) {
		if (!(is_strong && tag.is_weak) && is_ours(&tag, etag))
			return true;
	}
	return false;
}

/* Whether the header tells a time that can be compared with the file's. */
static bool tells_time(const char *header, const struct validators *now, int64_t *ret_time)
{
	return header && now->modified >= 0 && http_date_parse(header, ret_time) == ERR_OK;
}

enum condition_result condition_judge(const struct condition *condition,
				      const struct validators *now)
{
	int64_t then;

	if (condition->if_match) {
		if (!names(condition->if_match, now->etag, true))
			return CONDITION_FAILED;
	} else if (tells_time(condition->if_unmodified_since, now, &then)) {
		if (now->modified > then)
			return CONDITION_FAILED;
	}
	if (condition->if_none_match) {
		if (names(condition->if_none_match, now->etag, false))
			return CONDITION_NOT_MODIFIED;
	} else if (tells_time(condition->if_modified_since, now, &then)) {
		if (now->modified <= then)
			return CONDITION_NOT_MODIFIED;
	}
	return CONDITION_HOLDS;
}

bool condition_allows_range(const struct condition *condition, const struct validators *now)
{
	const char *wanted = condition->if_range;
	int64_t then;

	if (!wanted)
		return true;
	/* a client may send a date only if it had the file a second or more after that */
	if (tells_time(wanted, now, &then))
		return now->modified == then;
	return strcmp(wanted, now->etag) == 0;
}
