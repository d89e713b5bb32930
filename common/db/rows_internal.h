/* rows_internal - what conn and saved must know of struct db_rows; nobody else includes this.
 */
#ifndef ROUSE_DB_ROWS_INTERNAL_H
#define ROUSE_DB_ROWS_INTERNAL_H

#include <libpq-fe.h>

struct db_rows {
	PGresult *result; /* owned; NULL once taken */
};

#endif
