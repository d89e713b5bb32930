"""dhcpd when something is missing: the database, itself, free addresses; and under a burst."""

import re
import stat
from collections import namedtuple

import pytest

from test_dhcpd_kit import (ACK, DECLINE, NAK, OFFER, RELEASE, REQUEST, SERVER, Site, firmware, option,
                            packed)


@pytest.fixture(name="site")
def make_site(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path / "state")
    site.state.mkdir()
    yield site
    site.close()


@pytest.fixture(name="database")
def make_database(postgres):
    """Whatever a test does to it, the next one finds it running."""
    yield postgres
    if not (postgres.directory / "data" / "postmaster.pid").exists():
        postgres.start()


def macs(count, kind=1):
    return [f"02:00:00:{kind:02x}:{i >> 8:02x}:{i & 255:02x}" for i in range(count)]


def lose_database(site, database):
    said = len(site.daemon.output)
    database.stop()
    site.daemon.wait_for("event=database_away", after=said)


# --- the database goes and comes ---

def test_outage_honours_what_is_recorded_and_promises_nothing(site, database):
    site.start()
    known, offered = site.wire("02:00:00:00:00:01"), site.wire("02:00:00:00:00:02")
    ack = known.lease()
    site.neighbour(ack.yiaddr, known.mac)
    offer = offered.discover()
    lose_database(site, database)
    # the known client: renewing, rebooting, starting anew; each time what is left, never more
    left = 600
    for reply in (known.ask(REQUEST, ciaddr=ack.yiaddr, source=ack.yiaddr),
                  known.ask(REQUEST, option(50, packed(ack.yiaddr))),
                  known.request(known.discover())):
        assert reply.type == ACK and reply.yiaddr == ack.yiaddr
        assert 0 < reply.number(51) <= left
        assert reply.number(51) > reply.number(59) > reply.number(58) > reply.number(51) // 2
        left = reply.number(51)
    assert left < 600
    # nobody new, not even whom an address was offered; and nobody is refused
    assert offered.request(offer, timeout=1) is None
    assert site.wire("02:00:00:00:00:03").discover(timeout=1) is None
    assert site.wire("02:00:00:00:00:04").ask(REQUEST, option(50, packed("192.168.1.1")),
                                              timeout=1) is None
    said = len(site.daemon.output)
    database.start()
    site.daemon.wait_for("event=leases_loaded", timeout=15, after=said)
    assert known.ask(REQUEST, ciaddr=ack.yiaddr, source=ack.yiaddr).number(51) == 600
    assert site.wire("02:00:00:00:00:03").lease().type == ACK
    assert "level=error" not in site.daemon.output


def test_an_ack_never_comes_before_its_row(site, database):
    site.start()
    wire = site.wire("02:00:00:00:00:05")
    offer = wire.discover()
    blocker = database.connect("postgres")
    try:
        with blocker.cursor() as cursor:
            cursor.execute("begin; lock table rouse_data.lease in access exclusive mode")
        assert wire.request(offer, timeout=1.5) is None
        with blocker.cursor() as cursor:
            cursor.execute("rollback")
        # the deadline is not past: the parked ACK leaves when its row has committed
        reply = wire.receive(3)
        assert reply.type == ACK and site.lease_of(wire.mac).state == "bound"
        site.neighbour(reply.yiaddr, wire.mac)
        # once more, for longer than an ACK may wait: it never comes, but the lease is recorded
        with blocker.cursor() as cursor:
            cursor.execute("begin; lock table rouse_data.lease in access exclusive mode")
        late = site.wire("02:00:00:00:00:06")
        assert late.discover(timeout=1).type == OFFER  # it promises nothing, and waits for nobody
        assert wire.ask(REQUEST, ciaddr=reply.yiaddr, source=reply.yiaddr,
                        timeout=0.5) is None
        site.daemon.wait_for("event=acks_given_up", timeout=5)
        # a database that does not commit is an outage: the remainder is given at once
        again = wire.ask(REQUEST, ciaddr=reply.yiaddr, source=reply.yiaddr, timeout=1)
        assert again.type == ACK and again.number(51) < 600
        assert late.discover(timeout=0.5) is None
        with blocker.cursor() as cursor:
            cursor.execute("rollback")
        assert wire.receive(1) is None
    finally:
        blocker.close()


def test_a_database_that_comes_back_and_does_not_commit_is_an_outage(site, database):
    """Also when what waits was sent before the connection was lost, and although the database refuses the grant
    every 2 s (its lock time-out) and then answers the question for changes: it has not committed."""
    site.start()
    wire, late = site.wire("02:00:00:00:00:0d"), site.wire("02:00:00:00:00:0e")
    offer = wire.discover()
    blocker = database.connect("postgres")
    try:
        with blocker.cursor() as cursor:
            # everybody may read it
            cursor.execute("begin; lock table rouse_data.lease in exclusive mode")
        assert wire.request(offer, timeout=0.3) is None
        said = len(site.daemon.output)
        database.admin("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rouse_dhcpd'")
        site.daemon.wait_for("event=leases_loaded", timeout=20, after=said)
        silence = f"event=silent [^\n]*mac={late.mac} [^\n]*the database is away"
        site.wait_until(lambda: late.discover(timeout=0.3) is None and
                        re.search(silence, site.daemon.output[said:]))
        # without the clock of the oldest grant each such answer would end the outage for a second
        assert not [offer for _ in range(10) if (offer := late.discover(timeout=0.3))]
        with blocker.cursor() as cursor:
            cursor.execute("rollback")
    finally:
        blocker.close()
    # and its end is seen, too
    site.wait_until(lambda: late.discover(timeout=0.3))


def test_a_grant_that_fails_within_its_commit_is_not_acknowledged(site, database):
    """The server sends the rows before it commits; they count for nothing if the commit fails."""
    database.admin("create function public.fail() returns trigger language plpgsql as "
                   "$$ begin raise exception 'not this time'; end $$")
    database.admin("create constraint trigger fail after insert on rouse_data.lease deferrable "
                   "initially deferred for each row execute function public.fail()")
    site.start()
    wire = site.wire("02:00:00:00:00:0f")
    offer = wire.discover()
    assert wire.request(offer, timeout=1.5) is None
    assert site.lease_of(wire.mac) is None
    database.admin("drop trigger fail on rouse_data.lease")
    # the row was kept and is recorded now: whenever the client asks again, it is its own
    site.wait_until(lambda: wire.request(offer, timeout=1))
    assert site.lease_of(wire.mac).state == "bound"


def test_a_retransmission_takes_the_place_of_the_packet_before(site, database):
    site.start()
    wire = site.wire("02:00:00:00:00:07")
    offer = wire.discover()
    blocker = database.connect("postgres")
    try:
        with blocker.cursor() as cursor:
            cursor.execute("begin; lock table rouse_data.lease in access exclusive mode")
        assert wire.request(offer, timeout=0.3) is None
        first = wire.xid
        assert wire.request(offer, timeout=0.3) is None
        with blocker.cursor() as cursor:
            cursor.execute("rollback")
        assert wire.receive(3).type == ACK
        assert wire.receive(0.5, xid=first) is None
    finally:
        blocker.close()


def test_killed_and_started_again_keeps_every_lease(site):
    site.start()
    leases = {mac: site.wire(mac).lease().yiaddr for mac in macs(20)}
    site.daemon.kill()
    site.start()
    for mac, address in leases.items():
        wire = site.wire(mac)
        # it remembers; so nobody else is offered one of them
        assert wire.ask(REQUEST, option(50, packed(address))).type == ACK
    assert site.wire("02:00:00:00:00:99").discover().yiaddr not in leases.values()


def test_starts_with_the_saved_leases_while_the_database_is_away(site, database):
    site.start()
    wire = site.wire("02:00:00:00:00:08")
    ack = wire.lease(*firmware(7))
    assert site.daemon.stop() == 0
    for name in ("leases", "site.json"):
        assert stat.S_IMODE((site.state / name).stat().st_mode) == 0o600
    database.stop()
    site.start(wait="event=database_away")
    offer = wire.discover(*firmware(7))
    assert offer.type == OFFER and offer.yiaddr == ack.yiaddr and offer.file == "ipxe.efi"
    again = wire.request(offer, *firmware(7))
    assert again.type == ACK and 0 < again.number(51) <= 600
    assert site.wire("02:00:00:00:00:09").discover(timeout=1) is None
    database.start()
    site.daemon.wait_for("event=leases_loaded", timeout=15)
    assert site.wire("02:00:00:00:00:09").lease().type == ACK


def test_many_leases_are_saved_in_many_turns(site, database):
    """No turn of the loop writes them all; and the file is whole without an orderly stop."""
    count = 30000
    database.admin("insert into rouse_data.lease (address, client, mac, state, expires_at, granted_at, instance) "
                   "select '10.77.16.0'::inet + n, '\\x01'::bytea || decode(lpad(to_hex(n), 12, '0'), 'hex'), "
                   "lpad(to_hex(n), 12, '0')::macaddr, 'bound', now() + interval '1 day', now(), 'other/1' "
                   "from generate_series(1, %s) n", count)
    site.start()
    saved = site.daemon.wait_for(r"event=leases_saved entries=(\d+) turns=(\d+)", timeout=30)
    assert int(saved.group(1)) >= count and int(saved.group(2)) >= count // 2000
    wire = site.wire("02:00:00:00:00:0b")
    ack = wire.lease()
    # what is granted now goes into the new file
    site.wait_until(lambda: f"\n{ack.yiaddr} " in (site.state / "leases").read_text())
    site.daemon.kill()
    assert not (site.state / "leases.new").exists()
    said = (site.state / "leases").read_text().splitlines()
    assert len({line.split()[0] for line in said if line.startswith("10.77.")}) == count + 1
    # and is in force without the database
    database.stop()
    site.start(wait="event=database_away")
    again = wire.ask(REQUEST, option(50, packed(ack.yiaddr)))
    assert again.type == ACK and 0 < again.number(51) <= 600


def test_what_is_declined_in_an_outage_is_recorded_after_it(site, database):
    site.start()
    leased, offered = site.wire("02:00:00:00:00:1a"), site.wire("02:00:00:00:00:1b")
    taken = [leased.lease().yiaddr, offered.discover().yiaddr]
    lose_database(site, database)
    said = len(site.daemon.output)
    for wire, address in zip((leased, offered), taken):
        wire.send(wire.message(DECLINE, option(54, packed(SERVER)), option(50, packed(address))))
    site.wait_until(lambda: site.daemon.output.count("it is quarantined", said) == 2)
    database.start()
    site.daemon.wait_for("event=leases_loaded", timeout=20, after=said)
    for wire, address in zip((leased, offered), taken):
        row = site.wait_until(lambda wire=wire: (found := site.lease_of(wire.mac)) and
                              found.state == "declined" and found)
        assert str(row.address) == address
        # not even to whom it was offered, by the table in memory or by the database
        assert wire.lease().yiaddr not in taken


def test_a_damaged_lease_file_is_told_and_no_obstacle(site):
    (site.state / "leases").write_text("rouse leases 2\n10.77.0.100 zz bound 1 0 -\nnonsense\n")
    site.start()
    site.daemon.wait_for("event=saved_leases_damaged.*bad_lines=2")
    assert site.wire("02:00:00:00:00:0a").lease().type == ACK


def test_another_server_has_taken_the_address(site, database):
    """Two servers, one database: the row decides, whatever the table in memory says."""
    site.start()
    wire = site.wire("02:00:00:00:00:0b")
    offer = wire.discover()
    database.sql("select * from rouse_daemon.lease_grant('other/1', array[%s::inet], "
                 "array['\\x010200000000ee'::bytea], array['02:00:00:00:00:ee'::macaddr], array[600], "
                 "array[null::text], array[null::text])", offer.yiaddr, role="rouse_dhcpd")
    nak = wire.request(offer)
    assert nak.type == NAK and b"another client" in nak.options[56]
    assert wire.lease().yiaddr != offer.yiaddr
    # and what the other server has granted, this one renews
    other = site.wire("02:00:00:00:00:ee")
    assert other.ask(REQUEST, option(50, packed(offer.yiaddr))).type == ACK


# --- many at once, and too many ---

def test_a_burst_is_committed_in_groups(site, database):
    """While the first commit is under way the others gather: one, a full group of 128, and the rest."""
    site.start()
    wires = [site.wire(mac) for mac in macs(200, kind=2)]
    offers = [wire.discover() for wire in wires]
    assert len({offer.yiaddr for offer in offers}) == len(wires)
    frames = [wire.frame(wire.message(REQUEST, option(54, packed(SERVER)),
                                      option(50, packed(offer.yiaddr))))
              for wire, offer in zip(wires, offers)]
    before = counts(site)
    blocker = database.connect("postgres")
    try:
        with blocker.cursor() as cursor:
            # a slow disk, made by hand
            cursor.execute("begin; lock table rouse_data.lease in access exclusive mode")
            for wire, frame in zip(wires, frames):
                wire.send_frame(frame)
            site.wait_until(lambda: counts(site).packets - before.packets >= len(wires))
            cursor.execute("rollback")
    finally:
        blocker.close()
    acks = [wire.receive(5) for wire in wires]
    assert [ack.type for ack in acks] == [ACK] * len(wires)
    assert [ack.yiaddr for ack in acks] == [offer.yiaddr for offer in offers]
    after = counts(site)
    assert after.grants - before.grants == len(wires)
    assert after.statements - before.statements == 3
    # and by PostgreSQL's own count: rows that one transaction wrote share its xmin
    written, transactions = database.admin(
        "select count(*) as written, count(distinct xmin::text) as transactions from rouse_data.lease")[0]
    assert (written, transactions) == (len(wires), 3)


Counts = namedtuple("Counts", "packets grants statements")


def counts(site):
    """What the daemon has counted: it says so when it hears HUP."""
    said = len(site.daemon.output)
    site.daemon.signal(1)
    found = site.daemon.wait_for(
        r"event=reload .*?(\d+) packets.*?(\d+) grants in (\d+) statements", after=said)
    return Counts(*map(int, found.groups()))


def test_the_counters_add_up(site):
    """Each packet is answered, or left unanswered for a reason that is told."""
    site.start()
    wires = [site.wire(mac) for mac in macs(4, kind=5)]
    acks = [wire.lease() for wire in wires]
    first, second, third, fourth = wires
    assert first.ask(REQUEST, option(50, packed("192.168.1.1"))).type == NAK
    # each of these is met with silence, and every silence is another reason
    second.send(second.message(REQUEST, option(54, packed("10.77.0.9")), option(50, packed(acks[1].yiaddr))))
    third.send(third.message(DECLINE, option(54, packed(SERVER)), option(50, packed(acks[2].yiaddr))))
    fourth.send(fourth.message(RELEASE, option(54, packed(SERVER)), ciaddr=acks[3].yiaddr))
    fourth.send(fourth.message(RELEASE, option(54, packed(SERVER)), ciaddr=acks[0].yiaddr))
    fourth.send(fourth.message(14))
    fourth.send(b"\1\1\6")
    assert first.ask(REQUEST, option(50, packed("192.168.1.1"))).type == NAK
    said = len(site.daemon.output)
    site.daemon.signal(1)
    status = site.daemon.wait_for(r"event=reload status=\"(.*)\"", after=said).group(1)
    packets, replies, late, turned_away, malformed = (
        int(re.search(rf"(\d+) {word}", status).group(1))
        for word in ("packets", "replies", "late", "turned away", "malformed"))
    reasons = re.findall(r"(\d+) ([^,;]+)", status[status.index("; unanswered: "):])
    assert {"the client chose another server", "shorter than a header", "the client gives it back",
            "the address is not this client's", "a message type that no client sends"} <= \
        {reason for _, reason in reasons}, status
    assert packets == replies + late + turned_away + sum(int(count) for count, _ in reasons), status
    assert (malformed, late, turned_away) == (1, 0, 0)


def test_an_exhausted_pool_says_so(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path, pool=("10.77.0.100", "10.77.0.103"))
    try:
        # the wire that start() asks with holds one address by its offer
        site.start()
        addresses = {site.wire(mac).lease().yiaddr for mac in macs(3)}
        assert len(addresses) == 3
        late = site.wire("02:00:00:00:00:77")
        assert late.discover(timeout=1) is None
        reason = site.wait_until(lambda: postgres.sql(
            "select reason from rouse.events where mac = %s::macaddr and kind = 'silent'", late.mac))
        assert "enlarge rouse.pools" in reason[0].reason
        # seen without a restart
        postgres.sql("update rouse.pools set last = '10.77.0.110'")
        site.wait_until(lambda: late.discover(timeout=0.5))
        assert late.lease().yiaddr not in addresses
    finally:
        site.close()


# --- starts that fail ---

def refused(site, *flags, host=None):
    done = (host or site.server).run([site.program, *flags], check=False)
    assert done.returncode != 0
    assert "Sanitizer" not in done.stdout and "runtime error" not in done.stdout
    return done.returncode, done.stdout


def test_unknown_key(site, tmp_path):
    file = tmp_path / "dhcpd.conf"
    file.write_text('database = "dbname=rouse"\ninterfaces = "eth0"\n')
    status, said = refused(site, "--config", file)
    assert status == 78
    assert "interfaces" in said and "interface" in said and "2" in said


@pytest.mark.parametrize("flags,words", [
    (["--database", "dbname=rouse"], ["interface", "ip link"]),
    (["--interface", "eth0"], ["database", "connection string"]),
    (["--interface", "nosuch0", "--database", "dbname=rouse"], ["nosuch0", "ip link"]),
    (["--interface", "lo", "--database", "dbname=rouse"], ["lo", "Ethernet"]),
    (["--interface", "eth0", "--database", "dbname=rouse hosst=/x"], ["hosst"]),
    (["--interface", "eth0", "--database", "dbname=rouse", "--log-level", "loud"], ["loud", "debug"]),
    (["--interface", "eth0", "--database", "dbname=rouse", "--user", "nobody-such"], ["nobody-such"]),
])
def test_a_start_that_cannot_be(site, flags, words):
    _, said = refused(site, "--state-dir", "", *flags)
    for word in words:
        assert word in said


def test_an_occupied_port_is_named(site):
    site.start()
    status, said = refused(site, "--interface", "eth0", "--database", "dbname=rouse",
                           "--state-dir", "")
    assert status == 69
    assert "port=67" in said and "in use" in said and "ss -lunp" in said
    assert site.wire("02:00:00:00:00:0c").lease().type == ACK


def test_a_database_that_is_nowhere_is_told_and_waited_for(site):
    site.daemon = site.server.spawn([
        site.program, "--interface", "eth0", "--state-dir", site.state,
        "--database", "host=/nonexistent dbname=rouse password=sesame"])
    site.daemon.wait_for("event=started")
    site.daemon.wait_for(r"event=database_away.*/nonexistent")
    assert site.wire("02:00:00:00:00:0d").discover(timeout=1) is None
    assert "sesame" not in site.daemon.output
    assert site.daemon.is_running()


def test_works_as_another_user(site):
    """Sockets are opened as root, and root is given up for good."""
    site.start("--user", "postgres", "--state-dir", "")
    status = site.server.run(["cat", f"/proc/{daemon_pid(site)}/status"]).stdout
    assert "CapEff:\t0000000000000000" in status
    assert site.wire("02:00:00:00:00:0e").lease().type == ACK


def daemon_pid(site):
    """`ip netns exec` becomes the daemon."""
    return site.daemon.pid


def test_print_config_hides_the_password(site):
    done = site.server.run([site.program, "--interface", "eth0", "--database",
                            "dbname=rouse password=sesame", "--print-config"])
    assert "sesame" not in done.stdout and "***" in done.stdout
