"""Migrations and checks.

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
ROLES = {
    "rouse_owner": False, "rouse_viewer": False, "rouse_operator": False,
    "rouse_dhcpd": True, "rouse_tftpd": True, "rouse_menud": True,
}

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
    places = [os.environ.get("ROUSE_SCHEMA_DIR"), here / "../../common/schema", "/usr/share/rouse/schema"]
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


def _script(bootstrap):
    files = migrations()
    parts = ["set lock_timeout = '10s';\n", f"select pg_advisory_lock({LOCK}) \\g /dev/null\n"]
    if bootstrap:
        parts.append(f"begin;\n\\i {folder() / 'roles.sql'}\ncommit;\n")
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


def verify(database, roots, store):
    """Prints what is wrong, returns the exit code."""
    problems = list(_versions(database))
    if not problems:
        problems += _roles(database)
        problems += _grants(database)
        problems += _boot_files(database, [Path(root) for root in roots])
        problems += _images(database, store)
    for problem in problems:
        print(f"problem: {problem}")
    print(f"{len(problems)} problem(s) found" if problems else "all is well")
    return 1 if problems else 0


def _versions(database):
    if database.value("select to_regclass('rouse_data.api')") in (None, ""):
        yield "this database has no rouse in it; remedy: rouse-db init"
        return
    applied = {int(n): c for n, c in database.rows("select number, checksum from rouse_data.migration")}
    files = migrations()
    for number, name, _, checksum in files:
        if number not in applied:
            yield f"migration {number:04d}_{name} is not applied; remedy: rouse-db migrate"
        elif applied[number] != checksum:
            yield f"migration {number:04d}_{name} was changed after it had been applied; remedy: restore the file"
    for number in sorted(set(applied) - {file[0] for file in files}):
        yield f"the database has migration {number}, which is newer than this rouse-db; remedy: install that version"
    if database.value("select checksum from rouse_data.api") != api_checksum():
        yield "the API in the database is not that of this version; remedy: rouse-db migrate"


def _roles(database):
    there = {name: may == "t" for name, may in
             database.rows("select rolname, rolcanlogin from pg_roles where rolname like 'rouse\\_%'")}
    for role, logs_in in ROLES.items():
        if role not in there:
            yield f"the role {role} is missing; remedy: rouse-db init"
        elif logs_in and not there[role]:
            yield f"the role {role} cannot log in; remedy: alter role {role} login"


def _grants(database):
    """Rights that are not as the API files say: the tables are nobody's, each daemon has its own."""
    query = """
select format('%s may %s %s', r.rolname, lower(p.word), c.oid::regclass)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join (values ('rouse_viewer'), ('rouse_operator'), ('rouse_dhcpd'), ('rouse_tftpd'), ('rouse_menud')) r (rolname)
cross join (values ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) p (word)
where n.nspname = 'rouse_data' and c.relkind in ('r', 'p')
	and has_table_privilege(r.rolname, c.oid, p.word)
union all
select format('everybody may execute %s', p.oid::regprocedure)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('rouse', 'rouse_daemon')
	and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
union all
select format('%s is missing the right to execute %s', w.role, w.routine)
from (values ('rouse_dhcpd', 'lease_grant'), ('rouse_dhcpd', 'record'), ('rouse_tftpd', 'offer'),
	('rouse_menud', 'fos_checkin'), ('rouse_menud', 'choose')) w (role, routine)
where not exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
	where n.nspname = 'rouse_daemon' and p.proname = w.routine and has_function_privilege(w.role, p.oid, 'EXECUTE'))
"""
    for (text,) in database.rows(query):
        yield text + "; remedy: revoke what was granted by hand, or restore it as in common/schema/api/90_grants.sql"


def _boot_files(database, roots):
    if not roots:
        return
    query = """
select 'the first stage of architecture ' || arch || case when http then ' (HTTP)' else '' end, file
from rouse_data.boot_file
union all select 'setting ' || name, value from rouse_data.setting where name in ('fos_kernel', 'fos_initrd')
union all select 'profile ' || name, unnest(array[kernel, initrd, file]) from rouse_data.profile
"""
    for what, path in database.rows(query):
        if path and not any((root / path).is_file() for root in roots):
            places = ", ".join(str(root) for root in roots)
            yield f"{what}: {path} is in none of {places}; remedy: put the file there, or change the row"


def _images(database, store):
    if not store:
        return
    query = "select image, number, path, size from rouse_data.image_version where state = 'published'"
    for image, number, path, size in database.rows(query):
        file = Path(store) / path
        if not file.is_file():
            yield f"image {image} version {number}: {file} is missing; remedy: restore it, or add the image again"
        elif file.stat().st_size != int(size):
            yield (f"image {image} version {number}: {file} has {file.stat().st_size} bytes, expected {size};"
                   " remedy: restore it, or add the image again")
