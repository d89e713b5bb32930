"""A private PostgreSQL cluster for tests, made by packaging/rouse-db: the schema as it is shipped.

    from postgres import Postgres

    with Postgres() as postgres:
        postgres.sql("insert into rouse.hosts (name) values (%s)", "lab-01")
        daemon = server.spawn(["tftpd", "--database", postgres.conninfo("rouse_tftpd")])
        postgres.stop()         # the database is away
        postgres.start()
        postgres.fresh()        # as it was at the beginning, in a fraction of a second

It listens on a unix socket only, so that it is reached from every network namespace. It runs
outside of them: as `postgres` when the caller is root, else as the caller. As root, every role of
ours may be assumed (see docs/reference/rouse-db.8).
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2
import psycopg2.extras

ROUSE_DB = Path(__file__).resolve().parents[2] / "packaging" / "rouse-db"
DATABASE = "rouse"
TEMPLATE = "rouse_as_shipped"


class PostgresError(Exception):
    """rouse-db failed; the message is its own."""


class Postgres:
    """`directory`: where to make the cluster; by default in /tmp, and removed in the end."""

    def __init__(self, directory=None):
        self._place = None if directory else Path(tempfile.mkdtemp(prefix="rouse-pg-", dir="/tmp"))
        self.directory = Path(directory) if directory else self._place / "db"
        if self._place:
            self._place.chmod(0o755)  # `postgres` must be able to walk through

    def __enter__(self):
        try:
            self._rouse_db("init")
            self._maintain(f"create database {TEMPLATE} template {DATABASE}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if (self.directory / "data" / "postmaster.pid").exists():
            self.stop()
        if self._place:
            shutil.rmtree(self._place)

    def _rouse_db(self, verb):
        done = subprocess.run([ROUSE_DB, verb, "--private", self.directory], text=True, timeout=120,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            log = self.directory / "log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise PostgresError(f"rouse-db {verb}: {done.stdout}\n{tail}")

    def conninfo(self, role=None, database=DATABASE):
        """A connection string; without a role, as oneself, who is an operator."""
        user = f" user={role}" if role else ""
        return f"host={self.directory / 'run'} dbname={database}{user}"

    def connect(self, role=None, database=DATABASE):
        """A connection of psycopg2 in autocommit; the caller closes it."""
        connection = psycopg2.connect(self.conninfo(role, database),
                                      cursor_factory=psycopg2.extras.NamedTupleCursor)
        connection.autocommit = True
        return connection

    def sql(self, text, *values, role=None):
        """One statement, as the operator; its rows as named tuples, [] when it has none."""
        return self._execute(text, values, role, DATABASE)

    def admin(self, text, *values):
        """One statement as the superuser: to look behind the views, or to move the clock of a row."""
        return self._execute(text, values, "postgres", DATABASE)

    def value(self, text, *values, role=None):
        """The single value of the single row that there must be."""
        ((value,),) = self.sql(text, *values, role=role)
        return value

    def _execute(self, text, values, role, database):
        connection = self.connect(role, database)
        try:
            with connection.cursor() as cursor:
                # without values, a % is a %
                cursor.execute(text, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _maintain(self, text):
        self._execute(text, (), "postgres", "postgres")

    def fresh(self):
        """The database as it was when the cluster was made; whoever is connected is thrown out."""
        self._maintain(f"drop database if exists {DATABASE} with (force)")
        self._maintain(f"create database {DATABASE} template {TEMPLATE}")

    def stop(self):
        """The server goes away: every connection is closed, and new ones are refused."""
        self._rouse_db("stop")

    def crash(self):
        """SIGKILL to every process of the server: nothing is written that was not written before."""
        (pid, *_) = (self.directory / "data" / "postmaster.pid").read_text(encoding="ascii").split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for process in (pid, *children):
            try:
                os.kill(int(process), signal.SIGKILL)
            except ProcessLookupError:
                pass  # a child that ends with its parent
        for process in (pid, *children):
            while Path(f"/proc/{process}").exists():
                time.sleep(0.02)
        (self.directory / "data" / "postmaster.pid").unlink()

    def start(self):
        self._rouse_db("start")
