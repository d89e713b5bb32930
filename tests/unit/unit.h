/* unit - what every unit test includes, in the order that CMocka wants. */
#ifndef ROUSE_TESTS_UNIT_H
#define ROUSE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
