"""Backup and restore, by pg_dump and pg_restore.

A backup holds the three schemas with their rows, owners and rights. Roles belong to the server, not to
the database: a restore makes those of rouse, and names of people are granted theirs again by hand.
What is kept with the number of its transaction (the lists of changes) is left out: such numbers mean
nothing on another server, and every daemon reads the whole configuration when it connects anew.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import schema
from database import Trouble, program

SCHEMAS = ("rouse", "rouse_data", "rouse_daemon")
TRANSIENT = "rouse_data.*change"
EVENTS = "rouse_data.event*"


def backup(database, file, without_events):
    if file.exists():
        raise Trouble(f"{file} exists already", remedy="Name another file, or move this one away.")
    part = file.with_name(file.name + ".part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise Trouble(f"{part} cannot be written: {error.strerror}", remedy="Name a place that you may write.") from error
    try:
        database.run(["pg_dump", "--format=custom", "--role=rouse_owner", f"--file={part}",
                      *(f"--schema={name}" for name in SCHEMAS), f"--exclude-table-data={TRANSIENT}",
                      *([f"--exclude-table-data={EVENTS}"] if without_events else [])], "pg_dump")
        handle = os.open(part, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        os.rename(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    print(f"{file}: {file.stat().st_size} bytes")


def check(file):
    """The contents of a backup, without its schemas, which the restore makes itself; or Trouble."""
    done = subprocess.run([program("pg_restore"), "--list", str(file)], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"{file} cannot be read as a backup: {done.stderr.strip()}",
                      remedy="Name a file that rouse-db backup has made.")
    if " TABLE DATA rouse_data migration " not in done.stdout:
        raise Trouble(f"{file} is a backup of something else", remedy="Name a file that rouse-db backup has made.")
    return [line for line in done.stdout.splitlines() if not re.match(r"\d+; \d+ \d+ SCHEMA ", line)]


def restore(database, file):
    """Into a database that has no rouse in it: the roles, then all of the backup or nothing of it."""
    contents = check(file)
    names = ", ".join(f"'{name}'" for name in SCHEMAS)
    if database.value("select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                      f" where n.nspname in ({names})") != "0":
        raise Trouble("this database has rouse in it already, and a restore overwrites nothing",
                      remedy="Restore into a new one: create database NAME.")
    database.script(schema.roles_script())
    with tempfile.NamedTemporaryFile("w", prefix="rouse-restore-", encoding="utf-8") as chosen:
        chosen.write("\n".join(contents) + "\n")
        chosen.flush()
        database.run(["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--role=rouse_owner",
                      f"--use-list={chosen.name}", str(Path(file))], "pg_restore")
    # An older backup is brought to this version.
    schema.migrate(database)
