/*
 * rows - the only place that reads columns of a result.
 *
 *	for (size_t row = 0; row < rows_count(rows); row++)
 *		const char *name = rows_text(rows, row, rows_column(rows, "name"));
 *
 * A reader collects: the first column that is missing or cannot be read sets `bad`, and the
 * caller looks once.
 */
#ifndef ROUSE_DB_ROWS_H
#define ROUSE_DB_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip4.h"
#include "core/mac.h"
#include "core/uuid.h"

struct db_rows;

/*
 * Keeps the rows of an answer beyond its callback: the answer's own are empty from then on.
 * NULL when memory is short. To be freed with rows_free.
 */
struct db_rows *rows_take(const struct db_rows *rows);
void rows_free(struct db_rows *rows);

/* The same again. NULL when memory is short. */
struct db_rows *rows_copy(const struct db_rows *rows);
/*
 * Both in the order of their column "id": `base` without those whose id is among `changed` (in
 * order), and `delta` in their stead. NULL when memory is short, or their columns differ.
 */
struct db_rows *rows_merge(const struct db_rows *base, const struct db_rows *delta,
			   const int64_t *changed, size_t changed_count);

size_t rows_count(const struct db_rows *rows);
size_t rows_width(const struct db_rows *rows);
const char *rows_name(const struct db_rows *rows, size_t column);
/* The value at a position, or NULL for SQL's null. */
const char *rows_at(const struct db_rows *rows, size_t row, size_t column);

/* Reads one row's columns by name. */
struct row {
	const struct db_rows *rows;
	size_t row;
	const char *bad; /* the first column that could not be read, or NULL */
};

struct row rows_row(const struct db_rows *rows, size_t row);
const char *row_text(struct row *row, const char *column);     /* null becomes "" */
const char *row_nullable(struct row *row, const char *column); /* null stays NULL */
int64_t row_number(struct row *row, const char *column);       /* null becomes 0 */
bool row_truth(struct row *row, const char *column);	       /* null becomes false */
uint32_t row_ip4(struct row *row, const char *column);	       /* null becomes 0 */
/* false when null (no error), or when it cannot be read (then bad is set) */
bool row_mac(struct row *row, const char *column, struct mac *ret_mac);
bool row_uuid(struct row *row, const char *column, struct uuid *ret_uuid);
/* bytea in hex form ("\x..") into the caller's buffer; its length. */
size_t row_bytes(struct row *row, const char *column, uint8_t *buffer, size_t size);

#endif
