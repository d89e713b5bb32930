#include "db/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/rows_internal.h"

#define FORMAT 1

static json_t *json_of_row(const struct db_rows *rows, size_t row)
{
	json_t *cells = json_array();

	for (size_t column = 0; cells && column < rows_width(rows); column++) {
		const char *value = rows_at(rows, row, column);

		if (json_array_append_new(cells, value ? json_string(value) : json_null()) !=
		    0) {
			json_decref(cells);
			return NULL;
		}
	}
	return cells;
}

static json_t *json_of_view(const struct db_rows *rows)
{
	json_t *columns = json_array();
	json_t *lines = json_array();
	bool whole = columns && lines;

	for (size_t column = 0; whole && column < rows_width(rows); column++)
		whole = json_array_append_new(columns, json_string(rows_name(rows, column))) ==
			0;
	for (size_t row = 0; whole && row < rows_count(rows); row++)
		whole = json_array_append_new(lines, json_of_row(rows, row)) == 0;
	if (!whole) {
		json_decref(columns);
		json_decref(lines);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "columns", columns, "rows", lines);
}

static json_t *json_of_site(const struct site_rows *rows)
{
	json_t *views = json_object();

	for (int view = 0; views && view < SITE_VIEWS; view++) {
		if (!rows->view[view])
			continue;
		if (json_object_set_new(views, site_view_name((enum site_view)view),
					json_of_view(rows->view[view])) != 0) {
			json_decref(views);
			return NULL;
		}
	}
	return views ? json_pack("{s:i, s:o}", "format", FORMAT, "views", views) : NULL;
}

enum err saved_write(const char *file, const struct site_rows *rows)
{
	char draft[4096];
	json_t *root;
	int status = -1;
	int saved;
	int fd;

	if ((size_t)snprintf(draft, sizeof(draft), "%s.new", file) >= sizeof(draft))
		return ERR_SPACE;
	root = json_of_site(rows);
	if (!root)
		return ERR_MEMORY;
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		status = json_dumpfd(root, fd, JSON_COMPACT);
		status = fsync(fd) == 0 ? status : -1;
		status = close(fd) == 0 ? status : -1;
		if (status == 0)
			status = rename(draft, file);
	}
	saved = errno;
	json_decref(root);
	if (fd >= 0 && status != 0)
		(void)unlink(draft);
	errno = saved;
	return status == 0 ? ERR_OK : ERR_SYSTEM;
}

/* Rebuilds a result as the database would have given it, so that one reader serves both. */
static bool fill_result(PGresult *result, const json_t *lines, size_t width)
{
	size_t row;
	const json_t *cells;

	json_array_foreach(lines, row, cells)
	{
		if (json_array_size(cells) != width)
			return false;
		for (size_t column = 0; column < width; column++) {
			const json_t *cell = json_array_get(cells, column);
			/* libpq's signature wants a writable pointer; it only copies */
			char *value = (char *)(uintptr_t)json_string_value(cell);
			int length = value ? (int)json_string_length(cell) : -1;

			if ((!value && !json_is_null(cell)) ||
			    !PQsetvalue(result, (int)row, (int)column, value, length))
				return false;
		}
	}
	return true;
}

static bool set_columns(PGresult *result, const json_t *columns)
{
	size_t width = json_array_size(columns);
	PGresAttDesc *attributes = calloc(width > 0 ? width : 1, sizeof(*attributes));
	bool is_set = attributes != NULL;

	for (size_t i = 0; is_set && i < width; i++) {
		attributes[i].name =
			(char *)(uintptr_t)json_string_value(json_array_get(columns, i));
		is_set = attributes[i].name != NULL;
	}
	is_set = is_set && PQsetResultAttrs(result, (int)width, attributes);
	free(attributes);
	return is_set;
}

static struct db_rows *rows_of_view(const json_t *view)
{
	const json_t *columns = json_object_get(view, "columns");
	const json_t *lines = json_object_get(view, "rows");
	struct db_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return NULL;
	rows->result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	if (rows->result && json_is_array(columns) && json_is_array(lines) &&
	    set_columns(rows->result, columns) &&
	    fill_result(rows->result, lines, json_array_size(columns)))
		return rows;
	rows_free(rows);
	return NULL;
}

enum err saved_read(const char *file, struct site_rows *ret_rows)
{
	json_error_t error;
	json_t *root;
	const json_t *views;
	struct site_rows rows = {0};
	bool whole;

	if (access(file, F_OK) != 0)
		return ERR_ABSENT;
	root = json_load_file(file, 0, &error);
	whole = root && json_integer_value(json_object_get(root, "format")) == FORMAT;
	views = whole ? json_object_get(root, "views") : NULL;
	for (int view = 0; whole && view < SITE_VIEWS; view++) {
		const json_t *saved =
			json_object_get(views, site_view_name((enum site_view)view));

		if (!saved)
			continue;
		rows.view[view] = rows_of_view(saved);
		whole = rows.view[view] != NULL;
	}
	json_decref(root);
	if (!whole) {
		for (int view = 0; view < SITE_VIEWS; view++)
			rows_free(rows.view[view]);
		return ERR_FORMAT;
	}
	*ret_rows = rows;
	return ERR_OK;
}
