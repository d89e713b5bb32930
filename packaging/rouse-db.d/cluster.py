"""The private cluster: a PostgreSQL server of our own in one directory, reached by a unix socket.

DIR/data is the cluster, DIR/run holds the socket, DIR/log is the server's log. It listens on no
port. Whoever runs rouse-db as root gets a server that runs as `postgres`, for PostgreSQL refuses
root; anybody else gets one that runs as themselves.
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from database import Database, Trouble, program, quote

DAEMONS = ("rouse_dhcpd", "rouse_tftpd", "rouse_menud")
SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432")

CONFIGURATION = """
# Written by rouse-db.
listen_addresses = ''
unix_socket_directories = '{run}'
fsync = on
synchronous_commit = on
jit = off
wal_compression = lz4
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u '
"""


class Cluster:
    def __init__(self, directory):
        self.directory = Path(directory).absolute()
        self.data = self.directory / "data"
        self.run = self.directory / "run"
        self.log = self.directory / "log"
        self.caller = pwd.getpwuid(os.geteuid()).pw_name
        self.owner = "postgres" if os.geteuid() == 0 else self.caller

    def conninfo(self, user=None):
        """How to connect: as one's own role, unless another is named."""
        words = [f"host={self.run}", "dbname=rouse"] + ([f"user={user}"] if user else [])
        return " ".join(words)

    def database(self, admin=False):
        if not self.data.is_dir():
            raise Trouble(f"there is no private cluster in {self.directory}",
                          remedy=f"rouse-db init --private {self.directory}")
        return Database(self.conninfo("postgres" if admin else None))

    def _as_owner(self, command, what, **more):
        """Runs one of PostgreSQL's programs as the cluster's owner."""
        if os.geteuid() == 0:
            more.update(user=self.owner, group=pwd.getpwnam(self.owner).pw_gid, extra_groups=[])
        done = subprocess.run(command, text=True, cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
        if done.returncode != 0:
            raise Trouble(f"{what} failed: {done.stdout.strip()}", remedy=f"See {self.log}")

    def _check_place(self):
        if any(c.isspace() or c in "'\\" for c in str(self.directory)):
            raise Trouble(f"{self.directory} has a blank, quote or backslash in its name",
                          remedy="Choose a plainer directory.")
        if len(str(self.run)) > SOCKET_PATH_LIMIT:
            raise Trouble(f"{self.run} is too long for a unix socket",
                          remedy=f"Choose a directory of at most {SOCKET_PATH_LIMIT - 4} characters.")
        if self.data.exists():
            raise Trouble(f"{self.data} exists already",
                          remedy=f"rouse-db start --private {self.directory}, or choose another directory.")
        if os.geteuid() == 0:
            try:
                pwd.getpwnam("postgres")
            except KeyError:
                raise Trouble("there is no user postgres", remedy="apt-get install postgresql") from None

    def create(self, mapped):
        """Makes the cluster's files; its server is not started yet."""
        self._check_place()
        owner = pwd.getpwnam(self.owner)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for path, mode in ((self.data, 0o700), (self.run, 0o755)):
                path.mkdir(mode=mode, exist_ok=True)
                path.chmod(mode)
                os.chown(path, owner.pw_uid, owner.pw_gid)
            self.log.touch(mode=0o640)
            os.chown(self.log, owner.pw_uid, owner.pw_gid)
        except OSError as error:
            raise Trouble(f"{error.filename} cannot be made: {error.strerror}",
                          remedy="Choose a directory that you may write.") from error
        try:
            self._check_reach()
            self._as_owner([program("initdb"), "-D", str(self.data), "-U", "postgres", "-E", "UTF8",
                            "--locale=C.UTF-8", "--auth=peer"], "initdb")
        except Trouble:
            shutil.rmtree(self.data, ignore_errors=True)
            raise
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(CONFIGURATION.format(run=self.run))
        (self.data / "pg_hba.conf").write_text("local all all peer map=rouse\n", encoding="utf-8")
        (self.data / "pg_ident.conf").write_text(self._ident(mapped), encoding="utf-8")

    def _check_reach(self):
        """PostgreSQL must be able to walk to its files."""
        try:
            self._as_owner(["test", "-w", str(self.run)], "the check")
        except Trouble:
            raise Trouble(f"the user {self.owner} cannot reach {self.directory}",
                          remedy="Choose a directory below one that everybody may enter"
                          f" (chmod a+x its parents), or run rouse-db as another user.") from None

    def _ident(self, mapped):
        people = sorted({"root", "postgres", self.caller})
        lines = [f"rouse {person} {role}" for person in people
                 for role in sorted({"postgres", "rouse_operator", "rouse_viewer", *DAEMONS, person})]
        servants = sorted({"rouse", *mapped} - set(people))
        lines += [f"rouse {servant} {role}" for servant in servants for role in DAEMONS]
        return "\n".join(lines) + "\n"

    def is_running(self):
        try:
            self._as_owner([program("pg_ctl"), "status", "-D", str(self.data)], "the check")
        except Trouble:
            return False
        return True

    def start(self):
        """Starts the server, in a session of its own; one that runs already is left alone."""
        self.database()
        if not self.is_running():
            self._as_owner([program("pg_ctl"), "start", "-w", "-s", "-D", str(self.data),
                            "-l", str(self.log)], "starting PostgreSQL", start_new_session=True)
        admin = Database(f"host={self.run} dbname=postgres user=postgres")
        if admin.value("select count(*) from pg_database where datname = 'rouse'") == "0":
            admin.script("create database rouse;")

    def stop(self):
        """Stops the server; one that is stopped already is left alone."""
        self.database()
        if self.is_running():
            self._as_owner([program("pg_ctl"), "stop", "-w", "-s", "-m", "fast", "-D", str(self.data)],
                           "stopping PostgreSQL")

    def discard(self):
        """Removes a cluster that could not be completed; its log stays."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.data, ignore_errors=True)

    def add_people(self):
        """The caller works as an operator under their own name: the history says who did what."""
        if self.caller == "postgres":
            return
        role = '"' + self.caller.replace('"', '""') + '"'
        self.database(admin=True).script(
            f"select not exists (select from pg_roles where rolname = {quote(self.caller)}) as wanted \\gset\n"
            f"\\if :wanted\ncreate role {role} login;\n\\endif\ngrant rouse_operator to {role};\n")

    def report(self):
        lines = ["The database is running. Connection strings:"]
        lines += [f"  {daemon.removeprefix('rouse_')}: {self.conninfo(daemon)}" for daemon in DAEMONS]
        lines += ["Open it:  rouse-db psql --private " + str(self.directory),
                  "Stop it:  rouse-db stop --private " + str(self.directory),
                  "Start it: rouse-db start --private " + str(self.directory)]
        return "\n".join(lines)
