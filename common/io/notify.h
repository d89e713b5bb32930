/*
 * notify - tells systemd what the daemon is doing (sd_notify), and takes sockets it was given.
 * Without systemd every call does nothing.
 */
#ifndef ROUSE_IO_NOTIFY_H
#define ROUSE_IO_NOTIFY_H

#include <stdint.h>

/* READY=1: sockets are bound and the configuration is valid; not: the database is reachable. */
void notify_ready(void);
/* STATUS=: one line for people. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void notify_stopping(void);
void notify_reloading(void);
/* From here on nothing is told: another process speaks for the service. */
void notify_forget(void);
/* The watchdog's time in ms, 0 when there is none; and one sign of life. */
uint64_t notify_watchdog_ms(void);
void notify_alive(void);
/* The activated socket named `name` in its unit (FileDescriptorName=), or 0. */
int notify_socket(const char *name);

#endif
