#include "core/http_date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400
#define LAST_SECOND 253402300799 /* of the year 9999 */

static const char *const day_names[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
static const char *const long_day_names[] = {"Thursday", "Friday",  "Saturday", "Sunday",
					     "Monday",	 "Tuesday", "Wednesday"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil {
	int year, month, day; /* month: 0 is January */
	int hour, minute, second;
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month] + (month == 1 && is_leap(year));
}

/* From 1970 to the beginning of the year. */
static int64_t days_before_year(int year)
{
	int64_t before = year - 1;

	return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

static int64_t days_of(const struct civil *date)
{
	int64_t days = days_before_year(date->year) + date->day - 1;

	for (int month = 0; month < date->month; month++)
		days += days_of_month(date->year, month);
	return days;
}

enum err http_date_format(int64_t seconds, char text[HTTP_DATE_SIZE])
{
	int64_t days = seconds / DAY_SECONDS;
	int rest = (int)(seconds % DAY_SECONDS);
	struct civil date = {.day = 1};

	text[0] = '\0';
	if (seconds < 0 || seconds > LAST_SECOND)
		return ERR_RANGE;
	date.year = 1970 + (int)(days / 366); /* never too late, and some years too early */
	while (days_before_year(date.year + 1) <= days)
		date.year++;
	date.day = (int)(days - days_before_year(date.year)) + 1;
	while (date.day > days_of_month(date.year, date.month))
		date.day -= days_of_month(date.year, date.month++);
	(void)snprintf(text, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
		       day_names[days % 7], date.day, month_names[date.month], date.year,
		       rest / 3600, rest / 60 % 60, rest % 60);
	return ERR_OK;
}

/* --- reading: each takes what it knows off the front, or gives false --- */

static bool take(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool take_name(const char **at, const char *const *names, int count, int *ret_which)
{
	for (*ret_which = 0; *ret_which < count; (*ret_which)++) {
		if (take(at, names[*ret_which]))
			return true;
	}
	return false;
}

/* Of which day it was, the rest of the date tells. */
static bool take_day_name(const char **at, const char *const *names)
{
	int ignored;

	return take_name(at, names, 7, &ignored);
}

static bool take_digits(const char **at, int digits, int *ret_number)
{
	*ret_number = 0;
	for (; digits > 0; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*ret_number = *ret_number * 10 + (**at - '0');
	}
	return true;
}

static bool take_month(const char **at, struct civil *date)
{
	return take_name(at, month_names, 12, &date->month);
}

static bool take_time(const char **at, struct civil *date)
{
	return take_digits(at, 2, &date->hour) && take(at, ":") &&
	       take_digits(at, 2, &date->minute) && take(at, ":") &&
	       take_digits(at, 2, &date->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_fixed(const char *at, struct civil *date)
{
	return take_day_name(&at, day_names) && take(&at, ", ") &&
	       take_digits(&at, 2, &date->day) && take(&at, " ") && take_month(&at, date) &&
	       take(&at, " ") && take_digits(&at, 4, &date->year) && take(&at, " ") &&
	       take_time(&at, date) && strcmp(at, " GMT") == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool read_rfc850(const char *at, struct civil *date)
{
	if (!take_day_name(&at, long_day_names) || !take(&at, ", ") ||
	    !take_digits(&at, 2, &date->day) || !take(&at, "-") || !take_month(&at, date) ||
	    !take(&at, "-") || !take_digits(&at, 2, &date->year) || !take(&at, " ") ||
	    !take_time(&at, date) || strcmp(at, " GMT") != 0)
		return false;
	date->year += date->year < 70 ? 2000 : 1900;
	return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(const char *at, struct civil *date)
{
	if (!take_day_name(&at, day_names) || !take(&at, " ") || !take_month(&at, date) ||
	    !take(&at, " "))
		return false;
	return (take(&at, " ") ? take_digits(&at, 1, &date->day)
			       : take_digits(&at, 2, &date->day)) &&
	       take(&at, " ") && take_time(&at, date) && take(&at, " ") &&
	       take_digits(&at, 4, &date->year) && *at == '\0';
}

enum err http_date_parse(const char *text, int64_t *ret_seconds)
{
	struct civil date = {0};

	if (!read_fixed(text, &date) && !read_rfc850(text, &date) && !read_asctime(text, &date))
		return ERR_FORMAT;
	/* a leap second is the next one here */
	if (date.year < 1970 || date.day < 1 ||
	    date.day > days_of_month(date.year, date.month) || date.hour > 23 ||
	    date.minute > 59 || date.second > 60)
		return ERR_FORMAT;
	*ret_seconds = days_of(&date) * DAY_SECONDS + date.hour * 3600 + date.minute * 60 +
		       date.second;
	return ERR_OK;
}
