"""Several dhcpd on one database, and a database that fails over."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from postgres import Postgres

from dhcp_crowd import Crowd
from test_dhcpd_kit import ACK, LOADED, NAK, REQUEST, SERVER, Site, option, packed

SECOND = "10.77.0.2"


@pytest.fixture(name="site")
def make_site(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path / "state", pool=("10.77.0.20", "10.77.0.250"))
    site.state.mkdir()
    yield site
    site.close()


@pytest.fixture(name="second")
def make_second(lab, site):
    """Another dhcpd on the same segment and database; started after the first."""
    host = lab.host("second", addresses=[f"{SECOND}/24"])

    def start():
        daemon = host.spawn([site.program, "--interface", "eth0", "--state-dir", "", "--instance",
                             "second", "--log-level", "debug",
                             "--database", site.postgres.conninfo("rouse_dhcpd")], name="second dhcpd")
        daemon.wait_for(LOADED, timeout=20)
        return daemon
    return start


def test_what_one_grants_the_other_knows(site, second, postgres):
    site.start()
    other = second()
    wire = site.wire("02:00:00:00:01:01")
    offer = wire.discover()
    # both may have answered: let it be the first server's lease
    said = len(other.output)
    reply = wire.ask(REQUEST, option(54, packed(SERVER)), option(50, packed(offer.yiaddr)))
    assert reply.type == ACK
    other.wait_for("event=leases_of_others count=1", timeout=10, after=said)
    # from memory alone: the database is away, and so is who granted it
    site.daemon.kill()
    postgres.stop()
    try:
        other.wait_for("event=database_away", timeout=10)
        # a request that came while it still hoped for the database is lost, as any datagram may be
        again = site.wait_until(lambda: wire.ask(REQUEST, option(50, packed(reply.yiaddr)), timeout=1))
        assert again.type == ACK and again.yiaddr == reply.yiaddr
        assert again.options[54] == packed(SECOND) and 0 < again.number(51) <= 600
    finally:
        postgres.start()


def test_two_on_one_pool_and_one_is_killed_under_load(site, second):
    site.start()
    second()
    crowd = Crowd(site, 200)
    crowd.begin()
    crowd.hear(10, enough=lambda: len(crowd.leases) >= 60)
    # in the middle of it: grants are on their way, offers of both are taken up
    assert 60 <= len(crowd.leases) < 200
    site.daemon.kill()
    crowd.settle(60)
    assert {ack.server for ack in crowd.acks} == {SERVER, SECOND}
    # nothing acknowledged is lost, nothing is given twice
    crowd.check_recorded(site.postgres)


# --- failover ---

class Standby:
    """A copy of the cluster as it is now, that hears nothing more of it: it lags behind."""

    def __init__(self, postgres, directory):
        self.directory = Path(directory)
        self.first = postgres
        self.data, self.run = self.directory / "data", self.directory / "run"

    def _as_postgres(self, *command):
        done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                               *map(str, command)],
                              cwd="/", text=True, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True)
        assert done.returncode == 0, done.stdout

    def pg(self, program, *arguments):
        self._as_postgres(next(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")), *arguments)

    def copy(self):
        self.directory.mkdir()
        self.directory.chmod(0o755)
        for path in (self.data, self.run):
            path.mkdir()
            self.give_to_postgres(path)
        hba = self.first.directory / "data" / "pg_hba.conf"
        if "replication" not in hba.read_text():
            with open(hba, "a", encoding="ascii") as file:
                file.write("local replication postgres peer map=rouse\n")
            self.first.admin("select pg_reload_conf()")
        self.pg("pg_basebackup", "-h", self.first.directory / "run", "-U", "postgres", "-D", self.data,
                "-X", "fetch", "-c", "fast")
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as file:
            file.write(f"unix_socket_directories = '{self.run}'\n")
        (self.data / "standby.signal").touch()
        self.give_to_postgres(self.data / "standby.signal")

    @staticmethod
    def give_to_postgres(path):
        shutil.chown(path, "postgres", "postgres")
        if path.is_dir():
            path.chmod(0o700 if path.name == "data" else 0o755)

    def start(self):
        try:
            self.pg("pg_ctl", "start", "-w", "-s", "-D", self.data, "-l", self.data / "log")
        except AssertionError as error:
            raise AssertionError((self.data / "log").read_text()) from error

    def follow(self):
        """From now on it hears everything, and the first commits nothing that it has not written."""
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as file:
            file.write(f"primary_conninfo = 'host={self.first.directory / 'run'} user=postgres "
                       "application_name=rouse_standby'\n")
        self.start()
        self.first.admin("alter system set synchronous_standby_names = 'rouse_standby'")
        self.first.admin("select pg_reload_conf()")
        Site.wait_until(lambda: self.first.admin(
            "select 1 from pg_stat_replication where sync_state = 'sync' and state = 'streaming'"))

    def promote(self):
        self.pg("pg_ctl", "promote", "-w", "-s", "-D", self.data)

    def stop(self):
        if (self.data / "postmaster.pid").exists():
            self.pg("pg_ctl", "stop", "-m", "immediate", "-s", "-D", self.data)


@pytest.fixture(name="standby")
def make_standby(postgres):
    place = Path(tempfile.mkdtemp(prefix="rouse-standby-", dir="/tmp"))
    place.chmod(0o755)  # `postgres` must be able to walk through
    standby = Standby(postgres, place / "db")
    yield standby
    standby.stop()
    shutil.rmtree(place)
    if not (postgres.directory / "data" / "postmaster.pid").exists():
        postgres.start()
    # else it would wait for the standby for ever
    postgres.admin("alter system reset synchronous_standby_names")
    postgres.admin("select pg_reload_conf()")


def both_servers(postgres, standby):
    return f"host={postgres.directory / 'run'},{standby.run} dbname=rouse user=rouse_dhcpd"


def fail_over(postgres, standby, contested):
    """The copy takes over; it knows of no lease, and gives one address away before dhcpd comes."""
    postgres.stop()
    standby.start()
    standby.promote()
    there = Postgres(standby.directory)
    assert there.sql("select address, mac, state from rouse.leases") == []
    there.sql("select * from rouse_daemon.lease_grant('t', array[%s::inet], array['\\x01aa'::bytea], "
              "'{null}', '{600}', '{null}', '{null}')", contested.yiaddr, role="rouse_dhcpd")
    return there


def check_reasserted(site, there, kept, first, taken, contested):
    rows = {row.address: row for row in there.sql("select address, mac, state from rouse.leases")}
    assert rows[first.yiaddr].state == "bound" and rows[first.yiaddr].mac == kept.mac
    assert rows[contested.yiaddr].state == "declined"
    # and it is in force: one renews, the other has to look for another address
    site.neighbour(first.yiaddr, kept.mac)
    assert kept.ask(REQUEST, ciaddr=first.yiaddr, source=first.yiaddr).type == ACK
    assert taken.ask(REQUEST, option(54, packed(SERVER)), option(50, packed(contested.yiaddr))).type == NAK
    assert taken.lease().yiaddr != contested.yiaddr


def test_after_a_failover_what_was_acknowledged_is_recorded_again(site, postgres, standby):
    standby.copy()
    site.start("--database", both_servers(postgres, standby))
    kept, taken = site.wire("02:00:00:00:03:01"), site.wire("02:00:00:00:03:02")
    first, contested = kept.lease(), taken.lease()
    site.daemon.signal(signal.SIGSTOP)
    there = fail_over(postgres, standby, contested)
    said = len(site.daemon.output)
    site.daemon.signal(signal.SIGCONT)
    site.daemon.wait_for("event=leases_reasserted count=2 conflicts=1", timeout=30, after=said)
    site.daemon.wait_for(f"event=lease_conflict address={contested.yiaddr}", after=said)
    site.daemon.wait_for(LOADED, after=said, timeout=10)
    check_reasserted(site, there, kept, first, taken, contested)


def test_a_synchronous_standby_lacks_nothing(site, postgres, standby):
    """Promoted in mid-load: what was acknowledged is there before dhcpd has said a word."""
    standby.copy()
    standby.follow()
    site.start("--database", both_servers(postgres, standby))
    crowd = Crowd(site, 150)
    crowd.begin()
    crowd.hear(10, enough=lambda: len(crowd.leases) >= 50)
    site.daemon.signal(signal.SIGSTOP)
    postgres.crash()
    standby.promote()
    crowd.hear(0.5)
    assert len(crowd.leases) >= 50
    there = Postgres(standby.directory)
    crowd.check_recorded(there)
    said = len(site.daemon.output)
    site.daemon.signal(signal.SIGCONT)
    site.daemon.wait_for(r"event=leases_reasserted count=\d+ conflicts=0", timeout=15, after=said)
    crowd.settle(30)
    crowd.check_recorded(there)
    assert not crowd.naks


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_failover_while_dhcpd_was_not_there(site, postgres, standby, end):
    """What it acknowledged, and in which timeline, is on its disk: also of one that was killed."""
    standby.copy()
    # an identifier is no card's address: the card must be kept beside it
    postgres.sql("select rouse.setting('one_machine_one_address', 'false')")
    site.start("--database", both_servers(postgres, standby))
    kept, taken = site.wire("02:00:00:00:03:03"), site.wire("02:00:00:00:03:04")
    identifier = option(61, b"\xff\0\1machine-3")
    first, contested = kept.lease(identifier), taken.lease()
    # within a tenth of a second
    site.wait_until(lambda: taken.mac in (site.state / "leases").read_text(encoding="ascii"), timeout=5)
    if end == "stop":
        assert site.daemon.stop() == 0
    else:
        site.daemon.kill()
    there = fail_over(postgres, standby, contested)
    there.sql("select rouse.setting('one_machine_one_address', 'false')")
    site.start("--database", both_servers(postgres, standby))
    site.daemon.wait_for("event=database_failed_over .*before=1")
    site.daemon.wait_for("event=leases_reasserted count=2 conflicts=1")
    site.daemon.wait_for(f"event=lease_conflict address={contested.yiaddr} mac={taken.mac}")
    rows = {row.address: row for row in there.sql("select address, mac, state from rouse.leases")}
    assert (rows[first.yiaddr].state, rows[first.yiaddr].mac) == ("bound", kept.mac)
    assert rows[contested.yiaddr].state == "declined"
    # once: the next start finds the timeline that it has seen
    site.daemon.kill()
    site.start("--database", both_servers(postgres, standby))
    assert "event=database_failed_over" not in site.daemon.output
    assert kept.request(first, identifier).yiaddr == first.yiaddr
    assert taken.lease().yiaddr != contested.yiaddr
