#include "menud/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Reads digits; false when there are none. A number that is beyond any file's size stays so. */
static bool take_number(const char **at, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *digit = *at;

	while (*digit >= '0' && *digit <= '9') {
		value = value > UINT64_MAX / 100 ? UINT64_MAX
						 : value * 10 + (uint64_t)(*digit - '0');
		digit++;
	}
	if (digit == *at)
		return false;
	*at = digit;
	*ret_value = value;
	return true;
}

static enum range_result part(uint64_t first, uint64_t last, uint64_t size,
			      uint64_t *ret_offset, uint64_t *ret_length)
{
	if (first >= size)
		return RANGE_UNSATISFIABLE;
	if (last >= size)
		last = size - 1;
	*ret_offset = first;
	*ret_length = last - first + 1;
	return RANGE_PART;
}

enum range_result range_parse(const char *header, uint64_t size, uint64_t *ret_offset,
			      uint64_t *ret_length)
{
	uint64_t first;
	uint64_t last;

	*ret_offset = 0;
	*ret_length = size;
	if (!header || strncasecmp(header, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	header += 6;
	if (*header == '-') { /* the last so many octets */
		header++;
		if (!take_number(&header, &last) || *header != '\0')
			return RANGE_WHOLE;
		if (last == 0)
			return RANGE_UNSATISFIABLE;
		return part(last < size ? size - last : 0, size, size, ret_offset, ret_length);
	}
	if (!take_number(&header, &first) || *header++ != '-')
		return RANGE_WHOLE;
	last = UINT64_MAX;
	if (*header != '\0' && (!take_number(&header, &last) || *header != '\0'))
		return RANGE_WHOLE;
	if (last < first)
		return RANGE_WHOLE;
	return part(first, last, size, ret_offset, ret_length);
}
