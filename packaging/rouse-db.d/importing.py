"""Takes rows from elsewhere into the database: one transaction, and a report of what could not be.

Each row is tried by itself: the database judges it, and its words say why one was refused.
"""

from pathlib import Path

from database import Trouble, quote

TRY = """
create temp table refused (number int generated always as identity, place text, what text, why text);
create temp table taken (kind text);
create function pg_temp.try(kind text, place text, what text, command text) returns void language plpgsql as $$
declare
	problem text;
	detail text;
begin
	execute command;
	insert into pg_temp.taken values (kind);
exception when unique_violation then
	insert into pg_temp.refused (place, what, why) values (place, what, 'rouse has it already');
when others then
	get stacked diagnostics problem = message_text, detail = pg_exception_detail;
	insert into pg_temp.refused (place, what, why) values (place, what, concat_ws(': ', problem, nullif(detail, '')));
end $$;
"""


def read_text(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}") from error


def attempt(kind, place, what, command):
    """The statement that tries a command; `kind` is what it is counted as, the others are for the report."""
    return f"select pg_temp.try({quote(kind)}, {quote(place)}, {quote(what)}, {quote(command)});"


def insert(view, columns):
    """An INSERT of one row: {column: value}; None is left out. A value with `.sql` is SQL already."""
    given = {column: value for column, value in columns.items() if value is not None}
    values = ", ".join(value.sql if isinstance(value, Sql) else quote(value) for value in given.values())
    return f"insert into rouse.{view} ({', '.join(given)}) values ({values})"


class Sql:
    def __init__(self, sql):
        self.sql = sql


def run(database, statements, skipped, dry_run):
    """`skipped`: what was not even tried, as (where, what, why)."""
    script = ["begin;" + TRY, *statements,
              "select 'taken', kind, count(*), '' from taken group by kind order by kind;",
              "select 'refused', place, what, why from refused order by number;",
              "rollback;" if dry_run else "commit;"]
    rows = [row for row in database.as_owner().rows("\n".join(script)) if len(row) == 4]
    print("would be taken:" if dry_run else "taken:")
    for _, what, count, _ in (row for row in rows if row[0] == "taken"):
        print(f"  {count:>6} {what}")
    left = skipped + [tuple(row[1:]) for row in rows if row[0] == "refused"]
    print(f"not taken: {len(left)}")
    for where, what, why in left:
        print(f"  {where}: {what}: {why}")
