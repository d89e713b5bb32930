#include "stall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOPELESS_SECONDS = 120, PAUSE_MAX_SECONDS = 5 };

static time_t now_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

void stall_read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "r");

	line[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(line, (int)size, file) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	(void)fclose(file);
}

static void write_note(const char *words)
{
	FILE *file = fopen("note", "w");

	if (file == NULL)
		return;
	fprintf(file, "(%s; trying again)", words);
	(void)fclose(file);
}

void stall_end(struct stall *stall)
{
	*stall = (struct stall){0};
}

bool stall_wait(struct stall *stall, const char *words, int retry_after_seconds)
{
	char continued[32];

	if (stall->since == 0)
		stall->since = now_seconds();
	stall_read_line("continued", continued, sizeof(continued));
	if (now_seconds() - stall->since >= HOPELESS_SECONDS &&
	    strtoll(continued, NULL, 10) > stall->since + HOPELESS_SECONDS / 2)
		return false;
	stall->pause += stall->pause < PAUSE_MAX_SECONDS;
	write_note(words);
	sleep((unsigned)(retry_after_seconds > 0 ? retry_after_seconds : stall->pause));
	(void)unlink("note");
	return true;
}
