"""dhcpd under load while its database misbehaves: the contract of the parked ACK and the outage rule.

No ACK comes later than two seconds after its request; who holds a recorded lease gets what is left
of it; nobody is refused; nobody new is promised anything; and when it is over, everything that was
acknowledged is recorded and no address is two clients'.
"""

import signal
import time

import pytest

from dhcp_crowd import Crowd
from test_dhcpd_kit import ACK, LOADED, REQUEST, Site, option, packed

ACK_DEADLINE = 2.0
SLOW = 1.0        # what a busy machine may add between the kernel's clock and dhcpd's
LEASE = 3600
LOCK_SECONDS = 30


@pytest.fixture(name="site")
def make_site(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path / "state", lease_seconds=LEASE)
    site.state.mkdir()
    yield site
    site.close()


@pytest.fixture(name="database")
def make_database(postgres):
    yield postgres
    if not (postgres.directory / "data" / "postmaster.pid").exists():
        postgres.start()


class Lock:
    """Nobody reads or writes a lease (or another table), as long as `with` lasts."""

    def __init__(self, database, table="lease"):
        self.connection = database.connect("postgres")
        self.table = table

    def __enter__(self):
        with self.connection.cursor() as cursor:
            cursor.execute(f"begin; lock table rouse_data.{self.table} in access exclusive mode")

    def __exit__(self, *_):
        self.connection.close()


def ends_of(database):
    return {row.mac: row.ends for row in database.sql(
        "select mac, extract(epoch from expires_at)::float8 as ends from rouse.leases where state = 'bound'")}


def check_outage(holders, newcomers, before, acks_before):
    """What was said since then was the outage rule's."""
    assert not holders.naks and not newcomers.naks
    assert not newcomers.acks and not newcomers.offers
    for ack in holders.acks[acks_before:]:
        assert ack.address == holders.leases[ack.mac].address
        assert ack.at - ack.asked_at < ACK_DEADLINE + SLOW, ack
        # a promise no longer than what was recorded when the outage began
        assert ack.asked_at + ack.seconds < before[ack.mac] + 1.5, ack


@pytest.mark.patience(180)
def test_the_table_of_leases_is_locked_for_30_seconds(site, database):
    site.start()
    holders, newcomers = Crowd(site, 60), Crowd(site, 40, kind=3)
    holders.begin()
    holders.settle(30)
    before, said = ends_of(database), len(holders.acks)
    with Lock(database):
        end = time.monotonic() + LOCK_SECONDS
        # seen also if nobody asks for a lease; until then an offer may leave, which promises nothing
        time.sleep(3)
        while time.monotonic() < end:
            newcomers.begin()
            holders.come_back()
            holders.hear(2, at_most=1.5)
            newcomers.hear(0.1, at_most=0.5)
    released = time.time()
    holders.hear(3)
    newcomers.hear(1)
    # those whose request came before the outage was seen have asked again, and got it
    served = {ack.mac for ack in holders.acks[said:] if ack.at < released}
    assert len(served) == len(holders.macs)
    check_outage(holders, newcomers, before, said)
    assert len(holders.acks) - said > 5 * len(holders.macs)
    # full service: the whole time for who holds one, and leases for the others
    site.wait_until(lambda: _come_back_whole(holders), timeout=10)
    newcomers.settle(20)
    for crowd in (holders, newcomers):
        crowd.check_recorded(database)
        assert not crowd.naks
    assert not {ack.address for ack in holders.leases.values()} & \
        {ack.address for ack in newcomers.leases.values()}


def _come_back_whole(crowd):
    crowd.come_back()
    crowd.hear(1, at_most=5)
    return all(ack.seconds == LEASE for ack in crowd.leases.values())


def test_no_lease_waits_behind_what_is_only_told(site, database):
    """Events have a connection of their own: each ACK comes, with its row, while none can be recorded."""
    site.start()
    recording = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%%record(%%'"
    with Lock(database, "event"):
        for number in range(5):
            wire = site.wire(f"02:00:00:00:04:{0x20 + number:02x}")
            # it would be an outage if the grant waited for its turn
            assert wire.lease().number(51) == LEASE
            assert site.lease_of(wire.mac).state == "bound"
            site.wait_until(lambda: database.admin(recording))
    site.wait_until(lambda: database.sql("select 1 from rouse.events where kind = 'ack'"))


def test_an_ack_that_missed_its_deadline_never_leaves(site, database):
    """Also when the process itself stood still, and the answer was there before it looked at the time."""
    site.start()
    wire = site.wire("02:00:00:00:04:01")
    offer = wire.discover()
    with Lock(database):
        wire.send(wire.message(REQUEST, option(54, offer.options[54]), option(50, packed(offer.yiaddr))))
        site.wait_until(lambda: database.admin(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%%lease_grant%%'"))
        site.daemon.signal(signal.SIGSTOP)
    site.wait_until(lambda: site.lease_of(wire.mac))
    time.sleep(ACK_DEADLINE)
    site.daemon.signal(signal.SIGCONT)
    assert wire.receive(1) is None
    assert wire.request(offer).type == ACK


@pytest.mark.patience(180)
def test_postgresql_dies_in_mid_load_and_then_dhcpd(site, database):
    site.start()
    crowd = Crowd(site, 200)
    crowd.begin()
    crowd.hear(10, enough=lambda: len(crowd.leases) >= 60)
    assert 60 <= len(crowd.leases) < 200
    said = len(site.daemon.output)
    database.crash()
    site.daemon.wait_for("event=database_away", after=said)
    # offers and grants that were under way have come to nothing, or to what the log of PostgreSQL has
    crowd.hear(3)
    held, acknowledged = dict(crowd.leases), len(crowd.acks)
    # a tenth of a second after the last grant all of them are on dhcpd's own disk
    site.daemon.kill()
    site.start(wait="event=database_away")
    site.daemon.wait_for("event=serving")
    crowd.come_back()
    crowd.begin()
    crowd.hear(1)
    assert {ack.mac for ack in crowd.acks[acknowledged:]} == set(held)
    assert crowd.leases.keys() == held.keys() and not crowd.naks
    for ack in crowd.acks[acknowledged:]:
        assert ack.address == held[ack.mac].address
        assert ack.asked_at + ack.seconds < held[ack.mac].at + LEASE + 1.5
    said = len(site.daemon.output)
    database.start()
    site.daemon.wait_for(LOADED, timeout=15, after=said)
    crowd.settle(30)
    crowd.check_recorded(database)
    assert not crowd.naks
