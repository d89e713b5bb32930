"""Migrations.

One psql session does a migration: it takes an advisory lock, compares the checksums of what has
been applied, applies each new file of migrations/ in a transaction of its own, and then, if any of
its files changed, all of api/ in one.
"""

import hashlib
import os
import re
from pathlib import Path

from database import Trouble, quote

LOCK = "hashtextextended('rouse.migrate', 0)"

LEDGER = """
create table if not exists rouse_data.migration (
	number int primary key, name text not null, checksum text not null,
	applied_at timestamptz not null default clock_timestamp());
comment on table rouse_data.migration is 'Migrations that have been applied, with their SHA-256.';
create table if not exists rouse_data.api (
	is_only boolean primary key default true check (is_only), checksum text not null,
	applied_at timestamptz not null default clock_timestamp());
comment on table rouse_data.api is 'The SHA-256 of the API files that are applied.';
"""


def folder():
    """Where the SQL files are."""
    here = Path(__file__).resolve().parent
    places = [os.environ.get("ROUSE_SCHEMA_DIR"), here / "../../common/schema",
              here / "../../../share/rouse/schema"]
    for place in places:
        if place and (Path(place) / "migrations").is_dir():
            return Path(place).resolve()
    raise Trouble("the SQL files of the schema are not found",
                  remedy="Set ROUSE_SCHEMA_DIR to the folder that holds migrations/ and api/.")


def migrations():
    """(number, name, path, checksum) of each migration, in order."""
    found = []
    for path in sorted((folder() / "migrations").glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not match:
            raise Trouble(f"{path} is not named NNNN_name.sql", remedy="Rename it.")
        found.append((int(match[1]), match[2], path, hashlib.sha256(path.read_bytes()).hexdigest()))
    # Gaps are fine: whoever works on a branch of its own takes numbers that nobody else takes.
    for (number, _, before, _), (again, _, path, _) in zip(found, found[1:]):
        if number == again:
            raise Trouble(f"{path} has the number of {before.name}",
                          remedy="Each migration has a number of its own: rename the one that no database has yet.")
    return found


def api_files():
    return sorted((folder() / "api").glob("*.sql"))


def api_checksum():
    whole = hashlib.sha256()
    for path in api_files():
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def _check_ledger(files):
    """SQL that refuses to go on where a migration was changed after it had been applied."""
    known = ", ".join(f"({number}, {quote(checksum)})" for number, _, _, checksum in files)
    return f"""
do $$ declare wrong record; begin
	select m.*, f.checksum as file_checksum into wrong from rouse_data.migration m
	left join (values {known}) as f (number, checksum) using (number)
	where f.checksum is distinct from m.checksum order by m.number limit 1;
	if wrong.number is not null and wrong.file_checksum is null then
		raise exception 'the database has migration % (%), which this version of rouse does not know',
			wrong.number, wrong.name using hint = 'Use a rouse-db at least as new as the database.';
	elsif wrong.number is not null then
		raise exception 'migration % (%) was changed after it had been applied', wrong.number, wrong.name
			using hint = 'Restore the file; changes go into a new migration.';
	end if;
end $$;
"""


def _apply(number, name, path, checksum):
    return f"""
select not exists (select from rouse_data.migration where number = {number}) as wanted \\gset
\\if :wanted
begin;
\\i {path}
insert into rouse_data.migration (number, name, checksum) values ({number}, {quote(name)}, {quote(checksum)});
commit;
\\echo applied migration {number:04d} {name}
\\endif
"""


def roles_script():
    """SQL that makes the roles and the empty schemas, or leaves those that are there."""
    return f"begin;\n\\i {folder() / 'roles.sql'}\ncommit;\n"


def _script(bootstrap):
    files = migrations()
    parts = ["set lock_timeout = '10s';\n", f"select pg_advisory_lock({LOCK}) \\g /dev/null\n"]
    if bootstrap:
        parts.append(roles_script())
    parts += ["set role rouse_owner;\n", LEDGER, _check_ledger(files)]
    parts += [_apply(*file) for file in files]
    checksum = quote(api_checksum())
    parts.append(f"select not exists (select from rouse_data.api where checksum = {checksum})"
                 " as wanted \\gset\n\\if :wanted\nbegin;\n\\o /dev/null\n")
    parts += [f"\\i {path}\n" for path in api_files()]
    parts.append(f"""\\o
insert into rouse_data.api (checksum) values ({checksum})
	on conflict (is_only) do update set checksum = excluded.checksum, applied_at = clock_timestamp();
commit;
\\echo applied the API
\\endif
""")
    return "".join(parts)


def init(database):
    print(database.script(_script(bootstrap=True)), end="")


def migrate(database):
    if database.value("select count(*) from pg_namespace where nspname = 'rouse_data'") == "0":
        raise Trouble("this database has no rouse in it yet", remedy="rouse-db init")
    said = database.script(_script(bootstrap=False))
    print(said or "nothing to do: the database is of this version\n", end="")
