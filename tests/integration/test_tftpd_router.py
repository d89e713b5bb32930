"""Clients behind a router: no neighbour table knows them, so they are named by their lease."""

import random
import time

import pytest
from test_tftpd import Net, expect_error, fetch, receive, request
from test_tftpd_site import change, wait_for_event

SERVER = "10.99.69.1"
CLIENT = "10.88.0.20"
UNKNOWN = "10.88.0.21"  # has no lease
MANY = 150

# pylint: disable=redefined-outer-name


@pytest.fixture(scope="module")
def net(module_lab, build, tmp_path_factory):
    made = Net(module_lab, build, tmp_path_factory.mktemp("tftpd"))
    far = module_lab.segment("far")
    router = module_lab.host("router", addresses=["10.99.69.254/24"], segment="lan")
    router.attach(far, ["10.88.0.1/24"])
    router.run("sysctl -qw net.ipv4.ip_forward=1")
    made.server.run("ip route add 10.88.0.0/24 via 10.99.69.254")
    made.client = module_lab.host("farclient", segment=far, addresses=[
        f"10.88.0.{20 + n}/24" for n in range(MANY)])
    made.client.run("ip route add default via 10.88.0.1")
    made.mac = made.client.mac()
    return made


@pytest.fixture
def site(net, postgres):
    postgres.fresh()
    postgres.sql("insert into rouse.hosts (name, state) values ('lab-01', 'active')")
    postgres.sql("insert into rouse.nics (mac, host) values (%s, 'lab-01')", net.mac)
    postgres.sql("select rouse_daemon.lease_grant('d/1', %s::inet[], '{\\x01}', %s::macaddr[], "
                 "'{3600}', '{null}', '{null}')", [CLIENT], [net.mac], role="rouse_dhcpd")
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    daemon = net.start("--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                       "--client-views", ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    yield daemon
    assert daemon.stop() == 0, daemon.output


def refusal(net, name, code, address=CLIENT):
    with net.socket(address) as sock:
        sock.sendto(request(name), (SERVER, 69))
        return expect_error(sock, code)


def served(net, name, address=CLIENT):
    """What one block holds."""
    with net.socket(address) as sock:
        sock.sendto(request(name, blksize=1400), (SERVER, 69))
        sender = receive(sock)[3]
        sock.sendto(b"\0\4\0\0", sender)
        payload = receive(sock)[2]
        sock.sendto(b"\0\4\0\1", sender)
        return payload


def test_its_own_view_and_its_event(net, site, postgres):
    folder = net.root / "by-mac" / net.mac.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seen").write_text("its own")
    (net.root / "seen").write_text("by all")
    assert served(net, "seen") == b"its own"
    assert served(net, "seen", UNKNOWN) == b"by all"
    row = wait_for_event(postgres, kind="sent", name="seen", address=CLIENT)
    assert (row.mac, row.host) == (net.mac, "lab-01")
    assert wait_for_event(postgres, kind="sent", name="seen", address=UNKNOWN).mac is None
    # known for a while: the first request asked, and nobody asks again
    postgres.admin("update rouse_data.lease set state = 'released'")
    assert served(net, "seen") == b"its own"


def test_who_is_known_by_the_name_only(net, site, postgres):
    """A stranger's lease is nobody's here; GRUB and PXELINUX say their card in what they ask for."""
    for name in ("grub/grub.cfg-01-52-54-00-00-00-42", "pxelinux.cfg/01-52-54-00-00-00-42"):
        served(net, name, UNKNOWN)
        assert wait_for_event(postgres, kind="sent", name=name, address=UNKNOWN).mac == "52:54:00:00:00:42"


def test_policy_and_configurations(net, site, postgres):
    assert b"lab-01" in served(net, "pxelinux.cfg/0A580014")
    assert b"this machine" in served(net, "pxelinux.cfg/default", UNKNOWN)
    assert "another machine" in refusal(net, "grub.cfg-01-52-54-00-00-00-99", 2)
    change(site, postgres, "update rouse.hosts set state = 'disabled' where name = 'lab-01'")
    assert refusal(net, "default.ipxe", 2) == "the host is disabled or retired"
    with net.socket(UNKNOWN) as sock:
        sock.sendto(request("default.ipxe", blksize=1400, tsize=0), (SERVER, 69))
        assert receive(sock)[0] == 6


def test_a_job_reaches_it(net, site, postgres):
    """Two questions to the database, one after the other: who it is, and what it shall do."""
    change(site, postgres, "select rouse.inventory('lab-01')")
    text = served(net, "pxelinux.cfg/default")
    assert b"rouse_ticket=" in text and net.mac.replace(":", "-").encode() in text


def test_many_at_once(net, site):
    """More than may ask at a time: the others are served as unknown machines."""
    expected = net.file("short", 500)
    socks = [net.socket(f"10.88.0.{20 + n}") for n in range(MANY)]
    for sock in socks:
        sock.sendto(request("short"), (SERVER, 69))
    for sock in socks:
        opcode, _, payload, sender = receive(sock)
        assert (opcode, payload) == (3, expected)
        sock.sendto(b"\0\4\0\1", sender)
        sock.close()


class Held:
    """Somebody has locked the leases: the question who an address is waits."""

    def __init__(self, postgres):
        self.connection = postgres.connect("postgres")

    def __enter__(self):
        self.connection.autocommit = False
        self.connection.cursor().execute("lock table rouse_data.lease in access exclusive mode")
        return self

    def __exit__(self, *_):
        self.connection.rollback()
        self.connection.close()


def test_one_question_for_all_who_wait(net, site, postgres):
    """More requests of one client than questions may be asked: all wait for the same answer."""
    folder = net.root / "by-mac" / net.mac.replace(":", "-")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "waited").write_text("its own")
    (net.root / "waited").write_text("by all")
    socks = [net.socket(CLIENT) for _ in range(MANY)]
    with Held(postgres):
        for sock in socks:
            sock.sendto(request("waited"), (SERVER, 69))
    for sock in socks:
        opcode, _, payload, sender = receive(sock)
        assert (opcode, payload) == (3, b"its own")
        sock.sendto(b"\0\4\0\1", sender)
        sock.close()
    # parked twice, for the machine's name and its kind, and yet one request each
    assert site.stop() == 0, site.output
    assert f"{MANY} requests," in site.output


def test_stopping_while_requests_wait(net, site, postgres):
    """One has asked, the others have joined it: nothing is leaked, nothing used once freed."""
    socks = [net.socket(CLIENT) for _ in range(3)]
    with Held(postgres):
        for sock in socks:
            sock.sendto(request("waited"), (SERVER, 69))
        time.sleep(0.2)
        assert site.stop() == 0, site.output
    for sock in socks:
        sock.close()


def test_without_the_database(net, site, postgres):
    """Nobody waits for one that is away."""
    net.file("short", 500)
    said = len(site.output)
    postgres.stop()
    try:
        site.wait_for("event=database_down", after=said)
        # each of the three would have waited a second
        assert min(seconds_of_a_fetch(net) for _ in range(3)) < 0.9
    finally:
        postgres.start()
    site.wait_for("event=database_up", after=said, timeout=20)
    # written when it is back, and named by the lease as it stood
    row = wait_for_event(postgres, kind="sent", name="short", address=CLIENT)
    assert row.mac == net.mac


def seconds_of_a_fetch(net):
    began = time.monotonic()
    assert fetch_short(net) == 500
    return time.monotonic() - began


def fetch_short(net):
    with net.socket(CLIENT) as sock:
        sock.sendto(request("short"), (SERVER, 69))
        _, _, payload, sender = receive(sock)
        sock.sendto(b"\0\4\0\1", sender)
        return len(payload)
