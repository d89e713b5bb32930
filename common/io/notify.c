#include "io/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

void notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void notify_status(const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	(void)sd_notifyf(0, "STATUS=%s", line);
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void notify_reloading(void)
{
	(void)sd_notify(0, "RELOADING=1");
}

void notify_forget(void)
{
	(void)unsetenv("NOTIFY_SOCKET");
}

uint64_t notify_watchdog_ms(void)
{
	uint64_t microseconds = 0;

	if (sd_watchdog_enabled(0, &microseconds) <= 0)
		return 0;
	return microseconds / 1000;
}

void notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

int notify_socket(const char *name)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(0, &names);
	int found = 0;

	for (int i = 0; i < count; i++) {
		if (found == 0 && strcmp(names[i], name) == 0)
			found = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	return found;
}
