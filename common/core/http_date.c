#include "core/http_date.h"

#include <time.h>

#define LAST_SECOND 253402300799 /* of the year 9999 */

/* Daemons never call setlocale(): libc's names of days and months are HTTP's. */
static const char *const forms[] = {
	"%a, %d %b %Y %T GMT", /* Sun, 06 Nov 1994 08:49:37 GMT */
	"%A, %d-%b-%y %T GMT", /* Sunday, 06-Nov-94 08:49:37 GMT */
	"%a %b %e %T %Y",      /* Sun Nov  6 08:49:37 1994 */
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

enum err http_date_format(int64_t seconds, char text[HTTP_DATE_SIZE])
{
	time_t second = (time_t)seconds;
	struct tm civil;

	text[0] = '\0';
	if (seconds < 0 || seconds > LAST_SECOND || !gmtime_r(&second, &civil))
		return ERR_RANGE;
	return strftime(text, HTTP_DATE_SIZE, forms[0], &civil) > 0 ? ERR_OK : ERR_RANGE;
}

enum err http_date_parse(const char *text, int64_t *ret_seconds)
{
	struct tm civil = {0};
	const char *end = NULL;
	time_t minute;
	int day, seconds;

	for (size_t i = 0; i < FORMS && (!end || *end != '\0'); i++) {
		civil = (struct tm){0};
		end = strptime(text, forms[i], &civil);
	}
	if (!end || *end != '\0')
		return ERR_FORMAT;
	day = civil.tm_mday;
	seconds = civil.tm_sec; /* 60 may be one: it leads to the next minute, not to another
				   day */
	civil.tm_sec = 0;
	minute = timegm(&civil); /* makes the 1st of December of a 31st of November */
	if (minute < 0 || civil.tm_mday != day)
		return ERR_FORMAT;
	*ret_seconds = minute + seconds;
	return ERR_OK;
}
