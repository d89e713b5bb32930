/* jail's two halves; see jail_confine(). Each returns ERR_SYSTEM with the message written. */
#ifndef ROUSE_IO_JAIL_INTERNAL_H
#define ROUSE_IO_JAIL_INTERNAL_H

#include <stddef.h>

#include "core/err.h"

MUST_CHECK enum err jail_bound_files(const char *const *writable, size_t writable_count);
MUST_CHECK enum err jail_bound_calls(void);

#endif
