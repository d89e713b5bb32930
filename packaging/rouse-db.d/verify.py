"""Checks of a database: versions, roles, rights, numbers, boot files and images. Each problem is a line with
its remedy.
"""

from pathlib import Path

from schema import api_checksum, migrations

ROLES = {
    "rouse_owner": False, "rouse_viewer": False, "rouse_operator": False,
    "rouse_dhcpd": True, "rouse_tftpd": True, "rouse_menud": True,
}


def verify(database, roots=(), store=None):
    """Prints what is wrong, returns the exit code."""
    problems = list(_presence(database))
    if not problems:
        database = database.as_owner()
        problems += _versions(database)
    if not problems:
        problems += _roles(database)
        problems += _grants(database)
        problems += _sequences(database)
        problems += _transactions(database)
        problems += _boot_files(database, [Path(root) for root in roots])
        problems += _images(database, store)
    for problem in problems:
        print(f"problem: {problem}")
    print(f"{len(problems)} problem(s) found" if problems else "all is well")
    return 1 if problems else 0


def _presence(database):
    if database.value("select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                      " where n.nspname = 'rouse_data' and c.relname = 'api'") == "0":
        yield "this database has no rouse in it; remedy: rouse-db init"
    elif database.value("select pg_has_role('rouse_owner', 'member')") == "f":
        yield "you may not look behind the views; remedy: grant rouse_owner to you, or give another role in --conninfo"


def _versions(database):
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


def _sequences(database):
    """Numbers that the database makes itself and has given already: the next row would be refused."""
    query = """
select quote_ident(c.relname), quote_ident(a.attname), pg_get_serial_sequence(c.oid::regclass::text, a.attname)
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'rouse_data'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
	and pg_get_serial_sequence(c.oid::regclass::text, a.attname) is not null
"""
    parts = [f"select '{table}', '{column}', '{sequence}', max({column}), s.last_value from rouse_data.{table}, {sequence} s"
             f" group by s.last_value having max({column}) > s.last_value"
             for table, column, sequence in database.rows(query)]
    for table, column, sequence, highest, last in database.rows("\nunion all\n".join(parts)):
        yield (f"{sequence} stands at {last}, but rouse_data.{table} has the {column} {highest};"
               f" remedy: select setval('{sequence}', {highest})")


def _transactions(database):
    """What is kept with its transaction's number, which means nothing on another server."""
    query = """
select quote_ident(c.relname), quote_ident(a.attname)
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'rouse_data'::regnamespace and c.relkind in ('r', 'p') and a.atttypid = 'xid8'::regtype
"""
    parts = [f"select '{table}', count(*) from rouse_data.{table}"
             f" where {column} >= pg_snapshot_xmax(pg_current_snapshot()) having count(*) > 0"
             for table, column in database.rows(query)]
    for table, count in database.rows("\nunion all\n".join(parts)):
        yield (f"{count} row(s) of rouse_data.{table} are from transactions that this server has not had, and the"
               f" daemons would read everything again for ever; remedy: as rouse_owner, truncate rouse_data.{table}")


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
    query = ("select p.image, p.version, p.path, p.size from rouse.image_parts p join rouse.image_versions v"
             " on v.image = p.image and v.number = p.version where v.state = 'published' order by 1, 2, part")
    for image, number, path, size in database.rows(query):
        file = Path(store) / path
        if not file.is_file():
            yield f"image {image} version {number}: {file} is missing; remedy: restore it, or add the image again"
        elif file.stat().st_size != int(size):
            yield (f"image {image} version {number}: {file} has {file.stat().st_size} bytes, expected {size};"
                   " remedy: restore it, or add the image again")
