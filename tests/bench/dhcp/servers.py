"""The DHCP servers under test, each with durable settings as its documentation gives them.

One /16 network, one pool of 65,000 addresses, leases of an hour. `fresh()` starts a server that has no
lease; `cpu_seconds()` is what it and its database have used so far. Logs are at warning for all:
what is compared is the exchange, not the disk of the log.
"""

import json
import os
import shutil
import time
from pathlib import Path

SERVER = "10.77.0.1"
SUBNET = "10.77.0.0/16"
FIRST, LAST = "10.77.1.0", "10.77.254.255"
LEASE_SECONDS = 3600
TICKS = os.sysconf("SC_CLK_TCK")


def stat_of(pid):
    """Parent and CPU seconds of a process, or None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    # with its children that have ended: PostgreSQL's backends do
    return int(fields[1]), sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICKS


def cpu_of_tree(root):
    """CPU seconds of a process and all that descend from it."""
    table = {int(entry.name): stat_of(entry.name)
             for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    wanted, total = {root}, 0.0
    for pid in sorted(pid for pid, stat in table.items() if stat):
        parent, seconds = table[pid]
        if pid in wanted or parent in wanted:
            wanted.add(pid)
            total += seconds
    return total


def favour(pid, nice):
    """Before everything else on this machine: sessions share the CPU among them by this number."""
    path = Path(f"/proc/{pid}/autogroup")
    if path.exists():
        path.write_text(str(-nice), encoding="ascii")


class Server:
    """`host`: where it runs; `place`: a folder of its own; `postgres`: the cluster, if it needs one."""

    name = ""
    first_guess = 1000
    uses_postgres = False
    nice = 0

    def __init__(self, host, place, postgres=None):
        self.host, self.place, self.postgres = host, Path(place), postgres
        self.process = None
        self.place.mkdir(mode=0o755, exist_ok=True)

    def command(self):
        raise NotImplementedError

    def forget(self):
        """Removes every lease; the server does not run."""

    def environment(self):
        return {}

    def wait_ready(self):
        # it answers a DISCOVER: perfdhcp's first exchange shows it
        time.sleep(1)

    def start(self):
        self.process = self.host.spawn(self.command(), name=self.name, environment=self.environment())
        favour(self.process.pid, self.nice)
        self.wait_ready()
        assert self.process.is_running(), self.process.output

    def fresh(self):
        self.stop()
        self.forget()
        self.start()

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def postmaster(self):
        return int((self.postgres.directory / "data" / "postmaster.pid").read_text().split()[0])

    def cpu_seconds(self):
        seconds = cpu_of_tree(self.process.pid)
        if self.uses_postgres:
            seconds += cpu_of_tree(self.postmaster())
        return seconds

    def memory_mib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class Rouse(Server):
    name = "rouse"
    first_guess = 8000
    uses_postgres = True

    def __init__(self, host, place, postgres, program, flags=(), network=(SUBNET, FIRST, LAST)):
        super().__init__(host, place, postgres)
        self.program, self.flags = program, list(flags)
        if network is None or postgres.sql("select subnet from rouse.subnets"):
            return  # another dhcpd has made it
        subnet, first, last = network
        postgres.sql("insert into rouse.subnets (subnet, lease_seconds) values (%s, %s)",
                     subnet, LEASE_SECONDS)
        postgres.sql("insert into rouse.pools (subnet, first, last) values (%s, %s, %s)",
                     subnet, first, last)

    def command(self):
        return [self.program, "--interface", "eth0", "--state-dir", "", "--log-level", "warning",
                "--database", self.postgres.conninfo("rouse_dhcpd"), *self.flags]

    def forget(self):
        self.postgres.admin("truncate rouse_data.lease, rouse_data.event")
        self.postgres.admin("checkpoint")


class RouseRepeat(Rouse):
    """Repeats of a minute are answered from what is recorded: ISC does so by its dhcp-cache-threshold."""

    name = "rouse-repeat"

    def start(self):
        self.postgres.sql("select rouse.setting('dhcp_repeat_seconds', '60')")
        super().start()

    def stop(self):
        super().stop()
        self.postgres.sql("select rouse.setting('dhcp_repeat_seconds', '0')")


class Kea(Server):
    """Debian's Kea; `threads` 0 is its default, one thread."""

    def __init__(self, host, place, postgres=None, threads=0):
        super().__init__(host, place, postgres)
        self.threads = threads
        self.uses_postgres = postgres is not None
        self.name = ("kea-pgsql" if postgres else "kea-memfile") + (f"-{threads}" if threads else "")
        self.first_guess = 1500 if postgres else 9000
        if postgres:
            self._make_database()

    def _make_database(self):
        connection = self.postgres.connect("postgres", "postgres")
        with connection.cursor() as cursor:
            cursor.execute("drop database if exists kea with (force)")
            cursor.execute("create database kea")
        connection.close()
        script = Path("/usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql")
        self.host.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", script,
                       self.postgres.conninfo("postgres", "kea")])

    def _backend(self):
        if self.uses_postgres:
            return {"type": "postgresql", "host": str(self.postgres.directory / "run"),
                    "name": "kea", "user": "postgres"}
        return {"type": "memfile", "persist": True, "name": str(self.place / "leases.csv"),
                "lfc-interval": 3600}

    def command(self):
        configuration = {"Dhcp4": {
            "interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "udp"},
            "lease-database": self._backend(),
            "valid-lifetime": LEASE_SECONDS,
            "multi-threading": {"enable-multi-threading": self.threads > 0,
                                "thread-pool-size": self.threads, "packet-queue-size": 64},
            "subnet4": [{"subnet": SUBNET, "pools": [{"pool": f"{FIRST} - {LAST}"}]}],
            "loggers": [{"name": "kea-dhcp4", "severity": "WARN",
                         "output_options": [{"output": "stderr"}]}]}}
        path = self.place / "kea.conf"
        path.write_text(json.dumps(configuration), encoding="utf-8")
        return ["kea-dhcp4", "-c", path]

    def environment(self):
        return {"KEA_PIDFILE_DIR": str(self.place), "KEA_LOCKFILE_DIR": str(self.place)}

    def forget(self):
        if self.uses_postgres:
            connection = self.postgres.connect("postgres", "kea")
            with connection.cursor() as cursor:
                cursor.execute("truncate lease4, lease4_stat")
                cursor.execute("checkpoint")
            connection.close()
        for path in self.place.glob("leases.csv*"):
            path.unlink()


class Isc(Server):
    name = "isc"
    first_guess = 1200

    def command(self):
        path = self.place / "dhcpd.conf"
        path.write_text(f"authoritative; default-lease-time {LEASE_SECONDS};\n"
                        "subnet 10.77.0.0 netmask 255.255.0.0 "
                        f"{{ range {FIRST} {LAST}; }}\n", encoding="ascii")
        leases = self.place / "dhcpd.leases"
        leases.touch()
        return ["dhcpd", "-4", "-f", "-q", "-cf", path, "-lf", leases,
                "-pf", self.place / "dhcpd.pid", "eth0"]

    def forget(self):
        for path in self.place.glob("dhcpd.leases*"):
            path.unlink()


class Null(Server):
    """Answers from nothing, and records nothing: what the path and perfdhcp carry at most."""

    name = "null"
    first_guess = 14000

    def __init__(self, host, place, program):
        super().__init__(host, place)
        self.program = program

    def command(self):
        return [self.program, SERVER]


class Dnsmasq(Server):
    name = "dnsmasq"
    first_guess = 400

    def command(self):
        return ["dnsmasq", "-k", "--port=0", "--conf-file=/dev/null", "--user=root",
                "--dhcp-authoritative", "--quiet-dhcp", "--dhcp-lease-max=65000", "--no-ping",
                f"--dhcp-range={FIRST},{LAST},255.255.0.0,{LEASE_SECONDS}", "--log-facility=/dev/null",
                f"--dhcp-leasefile={self.place / 'leases'}", f"--pid-file={self.place / 'pid'}"]

    def forget(self):
        shutil.rmtree(self.place)
        self.place.mkdir()
