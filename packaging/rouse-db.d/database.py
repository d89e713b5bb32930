"""A database, reached through psql: the one client that is there wherever PostgreSQL is.

Values never become part of a command line's SQL by hand: quote() writes them as literals.
"""

import csv
import io
import os
import shutil
import subprocess
import sys


class Trouble(Exception):
    """A failure that the user is told of: the thing and the reason, and the remedy."""

    def __init__(self, what, remedy=None):
        super().__init__(what if remedy is None else f"{what}\n  remedy: {remedy}")


def quote(value):
    """value as an SQL literal."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if "\0" in text:
        raise Trouble("a text with a zero byte cannot go into the database")
    escaped = text.replace("'", "''").replace("\\", "\\\\")
    return f" E'{escaped}'" if "\\" in text else f"'{escaped}'"


def program(name):
    """Where a program is; PostgreSQL's own are outside the path on Debian."""
    found = shutil.which(name)
    if found:
        return found
    base = "/usr/lib/postgresql"
    versions = sorted((v for v in os.listdir(base) if v.isdigit()), key=int, reverse=True) \
        if os.path.isdir(base) else []
    for version in versions:
        path = f"{base}/{version}/bin/{name}"
        if os.access(path, os.X_OK):
            return path
    package = {"zstd": "zstd", "qemu-img": "qemu-utils"}.get(name, "postgresql")
    raise Trouble(f"the program {name} is missing", remedy=f"apt-get install {package}")


class Database:
    def __init__(self, conninfo, role=None):
        self.conninfo = conninfo
        self.role = role

    def as_owner(self):
        """The same database, whose scripts run as rouse_owner: also for whoever does not inherit its rights."""
        return Database(self.conninfo, "rouse_owner")

    def _psql(self, more):
        return [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *more, "-d", self.conninfo]

    def script(self, text, more=()):
        """Runs a script; returns what it printed."""
        environment = dict(os.environ, PGAPPNAME="rouse-db", PGOPTIONS="-c client_min_messages=warning")
        before = f"set role {self.role};\n" if self.role else ""
        done = subprocess.run(self._psql(more), input=before + text, text=True, capture_output=True,
                              env=environment, check=False)
        if done.returncode != 0:
            raise Trouble(self._explain(done.stderr.strip()))
        return done.stdout

    def rows(self, query):
        """The rows of a query, as lists of text."""
        return list(csv.reader(io.StringIO(self.script(query, ["--csv", "-t"]))))

    def value(self, query):
        found = self.rows(query)
        return found[0][0] if found and found[0] else None

    def become_psql(self, start_file, arguments):
        """Goes on as psql. The caller's own start file, if any, is read by ours."""
        own = os.environ.get("PSQLRC") or os.path.expanduser("~/.psqlrc")
        more = ["-v", f"own_start_file={own}"] if os.path.isfile(own) else []
        if not arguments and sys.stdin.isatty():
            more += ["-v", "is_greeted=1"]
        os.environ["PSQLRC"] = str(start_file)
        os.execv(program("psql"), ["psql", "-d", self.conninfo, *more, *arguments])

    def place(self):
        """Where libpq found it: host, port and name of the database."""
        said = self.script("\\echo :HOST\n\\echo :PORT\n\\echo :DBNAME\n").splitlines()
        return dict(zip(("host", "port", "dbname"), said))

    def run(self, command, what):
        """Runs one of PostgreSQL's client programs on this database; returns what it printed."""
        done = subprocess.run([program(command[0]), *command[1:], "-d", self.conninfo], text=True,
                              capture_output=True, check=False, env=dict(os.environ, PGAPPNAME="rouse-db"))
        if done.returncode != 0:
            raise Trouble(f"{what} failed: " + self._explain(done.stderr.strip()))
        return done.stdout

    @staticmethod
    def _explain(message):
        lines = [line for line in message.splitlines() if line]
        text = "\n  ".join(line.replace("psql:<stdin>:", "line ") for line in lines) or "psql failed"
        if "could not connect" in text or "connection to server" in text:
            text += "\n  remedy: is the server running, and is the connection string right?" \
                    " A private one is started by: rouse-db start --private DIR"
        elif "lock timeout" in text or "deadlock detected" in text:
            text += "\n  remedy: somebody was using the database; what was not said to be applied was not changed. Do it again."
        elif "permission denied" in text:
            text += "\n  remedy: do it as a role that may: see rouse-db(8)"
        return text
