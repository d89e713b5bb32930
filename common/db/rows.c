#include "db/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "db/rows_internal.h"

struct db_rows *rows_take(const struct db_rows *rows)
{
	/* the answer is const to its reader; its owner (conn) expects an emptied one */
	struct db_rows *from = (struct db_rows *)(uintptr_t)rows;
	struct db_rows *taken = malloc(sizeof(*taken));

	if (!taken)
		return NULL;
	taken->result = from->result;
	from->result = NULL;
	return taken;
}

void rows_free(struct db_rows *rows)
{
	if (!rows)
		return;
	PQclear(rows->result);
	free(rows);
}

static struct db_rows *rows_of(PGresult *result)
{
	struct db_rows *rows = result ? malloc(sizeof(*rows)) : NULL;

	if (rows)
		rows->result = result;
	else
		PQclear(result);
	return rows;
}

struct db_rows *rows_copy(const struct db_rows *rows)
{
	return rows_of(PQcopyResult(rows->result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES));
}

static bool has_same_columns(const struct db_rows *a, const struct db_rows *b)
{
	if (rows_width(a) != rows_width(b))
		return false;
	for (size_t i = 0; i < rows_width(a); i++) {
		if (strcmp(rows_name(a, i), rows_name(b, i)) != 0)
			return false;
	}
	return true;
}

/* Adds one row at the end. */
static bool add_row(PGresult *result, const struct db_rows *from, size_t row)
{
	int at = PQntuples(result);

	for (int i = 0; i < PQnfields(result); i++) {
		bool is_null = PQgetisnull(from->result, (int)row, i);

		if (!PQsetvalue(result, at, i,
				is_null ? NULL : PQgetvalue(from->result, (int)row, i),
				is_null ? -1 : PQgetlength(from->result, (int)row, i)))
			return false;
	}
	return true;
}

static int64_t id_of(const struct db_rows *rows, size_t row, int column)
{
	return row < rows_count(rows)
		       ? strtoll(PQgetvalue(rows->result, (int)row, column), NULL, 10)
		       : INT64_MAX;
}

struct db_rows *rows_merge(const struct db_rows *base, const struct db_rows *delta,
			   const int64_t *changed, size_t changed_count)
{
	int column = PQfnumber(base->result, "id");
	size_t at = 0, new_at = 0, next = 0;
	PGresult *result;
	bool is_good = column >= 0 && has_same_columns(base, delta);

	result = is_good ? PQcopyResult(base->result, PG_COPYRES_ATTRS) : NULL;
	while (result && is_good && (at < rows_count(base) || new_at < rows_count(delta))) {
		int64_t id = id_of(base, at, column), new_id = id_of(delta, new_at, column);

		while (next < changed_count && changed[next] < id)
			next++;
		if (next < changed_count && changed[next] == id)
			at++; /* gone, or in `delta` */
		else if (new_id < id)
			is_good = add_row(result, delta, new_at++);
		else
			is_good = add_row(result, base, at++);
	}
	if (!is_good) {
		PQclear(result);
		result = NULL;
	}
	return rows_of(result);
}

size_t rows_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

size_t rows_width(const struct db_rows *rows)
{
	return (size_t)PQnfields(rows->result);
}

const char *rows_name(const struct db_rows *rows, size_t column)
{
	return PQfname(rows->result, (int)column);
}

const char *rows_at(const struct db_rows *rows, size_t row, size_t column)
{
	if (PQgetisnull(rows->result, (int)row, (int)column))
		return NULL;
	return PQgetvalue(rows->result, (int)row, (int)column);
}

struct row rows_row(const struct db_rows *rows, size_t row)
{
	return (struct row){.rows = rows, .row = row};
}

static void mark_bad(struct row *row, const char *column)
{
	if (!row->bad)
		row->bad = column;
}

const char *row_nullable(struct row *row, const char *column)
{
	int position = PQfnumber(row->rows->result, column);

	if (position < 0 || row->row >= rows_count(row->rows)) {
		mark_bad(row, column);
		return NULL;
	}
	return rows_at(row->rows, row->row, (size_t)position);
}

const char *row_text(struct row *row, const char *column)
{
	const char *value = row_nullable(row, column);

	return value ? value : "";
}

int64_t row_number(struct row *row, const char *column)
{
	const char *value = row_nullable(row, column);
	char *end;
	long long number;

	if (!value)
		return 0;
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0')
		mark_bad(row, column);
	return number;
}

bool row_truth(struct row *row, const char *column)
{
	const char *value = row_text(row, column);

	if (strcmp(value, "t") != 0 && strcmp(value, "f") != 0 && value[0] != '\0')
		mark_bad(row, column);
	return value[0] == 't';
}

uint32_t row_ip4(struct row *row, const char *column)
{
	const char *value = row_nullable(row, column);
	char text[IP4_TEXT_SIZE];
	uint32_t address = 0;
	size_t length;

	if (!value)
		return 0;
	/* inet may print its prefix */
	length = strcspn(value, "/");
	if (length >= sizeof(text)) {
		mark_bad(row, column);
		return 0;
	}
	memcpy(text, value, length);
	text[length] = '\0';
	if (ip4_parse(text, &address) != ERR_OK)
		mark_bad(row, column);
	return address;
}

bool row_mac(struct row *row, const char *column, struct mac *ret_mac)
{
	const char *value = row_nullable(row, column);

	if (!value)
		return false;
	if (mac_parse(value, strlen(value), ret_mac) == ERR_OK)
		return true;
	mark_bad(row, column);
	return false;
}

bool row_uuid(struct row *row, const char *column, struct uuid *ret_uuid)
{
	const char *value = row_nullable(row, column);

	if (!value)
		return false;
	if (uuid_parse(value, strlen(value), ret_uuid) == ERR_OK)
		return true;
	mark_bad(row, column);
	return false;
}

size_t row_bytes(struct row *row, const char *column, uint8_t *buffer, size_t size)
{
	const char *value = row_text(row, column);
	size_t length = strlen(value);
	size_t count = length >= 2 ? (length - 2) / 2 : 0;

	if (value[0] == '\0')
		return 0;
	if (strncmp(value, "\\x", 2) != 0 || length % 2 != 0 || count > size) {
		mark_bad(row, column);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		int high = hex_value(value[2 + 2 * i]);
		int low = hex_value(value[3 + 2 * i]);

		if (high < 0 || low < 0) {
			mark_bad(row, column);
			return 0;
		}
		buffer[i] = (uint8_t)(high << 4 | low);
	}
	return count;
}
