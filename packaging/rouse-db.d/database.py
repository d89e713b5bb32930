"""A database, reached through psql: the one client that is there wherever PostgreSQL is.

Values never become part of a command line's SQL by hand: quote() writes them as literals.
"""

import csv
import io
import os
import shutil
import subprocess


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
    package = "zstd" if name == "zstd" else "postgresql"
    raise Trouble(f"the program {name} is missing", remedy=f"apt-get install {package}")


class Database:
    def __init__(self, conninfo):
        self.conninfo = conninfo

    def _psql(self, more):
        return [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *more, "-d", self.conninfo]

    def script(self, text, more=()):
        """Runs a script; returns what it printed."""
        environment = dict(os.environ, PGAPPNAME="rouse-db", PGOPTIONS="-c client_min_messages=warning")
        done = subprocess.run(self._psql(more), input=text, text=True, capture_output=True,
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

    def become_psql(self, arguments):
        os.execv(program("psql"), ["psql", "-d", self.conninfo, *arguments])

    @staticmethod
    def _explain(message):
        lines = [line for line in message.splitlines() if line]
        text = "\n  ".join(line.replace("psql:<stdin>:", "line ") for line in lines) or "psql failed"
        if "could not connect" in text or "connection to server" in text:
            text += "\n  remedy: is the server running, and is the connection string right?" \
                    " A private one is started by: rouse-db start --private DIR"
        elif "lock timeout" in text or "deadlock detected" in text:
            text += "\n  remedy: somebody was using the database; nothing was changed. Do it again."
        elif "permission denied" in text:
            text += "\n  remedy: do it as a role that may: see docs/reference/rouse-db.md"
        return text
