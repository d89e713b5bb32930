"""dhcpd beside other people's DHCP servers: as a proxy, as an observer, and as a server that finds
another one in its place."""

import socket
import struct
import time

import pytest
from scapy.layers.dhcp6 import DHCP6OptClientId, DHCP6_Solicit, DUID_LL
from scapy.layers.inet import UDP  # pylint: disable=no-name-in-module
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import dhcp_servers
from net import Lab
from test_dhcpd_kit import (ACK, DISCOVER, OFFER, REQUEST, SERVER, Reply, Site, firmware, option,
                            packed)

OTHER = "10.77.0.9"
MACS = (f"02:00:00:00:{number // 256:02x}:{number % 256:02x}" for number in range(1, 60000))


@pytest.fixture(scope="module", name="site")
def make_site(postgres, build, tmp_path_factory):
    """The server's host runs our dhcpd; `other` is the host of somebody else's."""
    with Lab() as laboratory:
        site = Site(laboratory, postgres, build, tmp_path_factory.mktemp("state"), pool=None)
        site.other = laboratory.host("other", addresses=[f"{OTHER}/24"])
        site.workdir = tmp_path_factory.mktemp("others")
        yield site
        site.close()


@pytest.fixture(name="ours")
def run_ours(site):
    """Starts our dhcpd by flags; ends it, which must be in order."""
    def start(*flags):
        site.start(*flags, wait="event=snapshot_loaded", serving=False)
        return site.daemon
    yield start
    site.close()


@pytest.fixture(name="others")
def run_others(site):
    """Starts other people's servers; those that still run at the end are ended."""
    running = []

    def start(kind, host):
        running.append(dhcp_servers.start(kind, host, site.workdir))
        return running[-1]
    yield start
    for process in running:
        process.stop()


def replies(wire, count, timeout=5.0):
    """So many answers to the last message, whoever sent them; by the server's identifier."""
    found = []
    deadline = time.monotonic() + timeout
    while len(found) < count and (left := deadline - time.monotonic()) > 0:
        reply = wire.receive(left)
        if reply:
            found.append(reply)
    assert len(found) == count, [reply.options for reply in found]
    return found


def ask(wire, kind, *options, count=1, **more):
    wire.send(wire.message(kind, *options, **more))
    return replies(wire, count)


def take_address(wire, *options):
    """An operating system's way to an address; only the main server may answer."""
    (offer,) = ask(wire, DISCOVER, *options)
    assert offer.type == OFFER and offer.yiaddr != "0.0.0.0"
    (ack,) = ask(wire, REQUEST, option(54, offer.options[54]), option(50, packed(offer.yiaddr)),
                 *options)
    assert ack.type == ACK and ack.yiaddr == offer.yiaddr
    return ack


def offers_to(wire, *options, **more):
    """(the main server's offer, the proxy's) to a machine that boots."""
    both = ask(wire, DISCOVER, *options, count=2, **more)
    (main,) = [offer for offer in both if offer.yiaddr != "0.0.0.0"]
    (proxy,) = [offer for offer in both if offer.yiaddr == "0.0.0.0"]
    assert (main.type, proxy.type) == (OFFER, OFFER)
    return main, proxy


class Address:
    """The client has an address, and sockets on it, as long as `with` lasts."""

    def __init__(self, host, address):
        self.host, self.address = host, address
        self.sockets = []

    def __enter__(self):
        self.host.run(["ip", "addr", "add", f"{self.address}/24", "dev", "eth0"])
        return self

    def ask(self, port, server, server_port, octets, timeout=5):
        """From that port to the server's; its answer, or None."""
        with self.host.entered():
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sockets.append(asking)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asking.bind((self.address, port))
        asking.settimeout(timeout)
        asking.sendto(octets, (server, server_port))
        try:
            answer, self.peer = asking.recvfrom(4096)
        except TimeoutError:
            return None
        finally:
            asking.close()
        return Reply(None, answer)

    def __exit__(self, *_):
        self.host.run(["ip", "addr", "del", f"{self.address}/24", "dev", "eth0"])


def renew_five_times(site, wire, ack, server):
    """The main server answers each unicast renewal: none is stolen from it."""
    with Address(site.client, ack.yiaddr) as client:
        for _ in range(5):
            reply = client.ask(68, server, 67, wire.message(REQUEST, ciaddr=ack.yiaddr))
            assert reply is not None and reply.type == ACK and reply.yiaddr == ack.yiaddr


def check_both_answer(site, server):
    """The main server serves, and the proxy adds what boots."""
    ours = SERVER
    wire = site.wire(site.client.mac())
    ack = take_address(wire)
    assert ack.options[54] == packed(server)
    renew_five_times(site, wire, ack, server)

    _, proxy = offers_to(site.wire(next(MACS)), *firmware(0))
    assert proxy.options[54] == packed(ours) and proxy.frame["IP"].src == ours
    assert proxy.frame.dst == "ff:ff:ff:ff:ff:ff"
    assert (proxy.file, proxy.siaddr) == ("undionly.kpxe", ours)
    assert proxy.options[60] == b"PXEClient" and proxy.options[43] == b"\x06\x01\x08\xff"
    assert proxy.options[97] == b"\0" + bytes(range(16)) and 51 not in proxy.options

    _, proxy = offers_to(site.wire(next(MACS)), *firmware(7, user=b"iPXE", ipxe=True))
    assert (proxy.file, proxy.siaddr) == ("default.ipxe", ours) and 175 not in proxy.options

    check_uefi(site, ours)


def check_uefi(site, ours):
    """UEFI firmware gets a promise, and its file on port 4011: from there and to there."""
    wire = site.wire(site.client.mac())
    # OVMF asks for broadcast answers, so the main server's is heard, too
    main, proxy = offers_to(wire, *firmware(7), broadcast=True)
    assert (proxy.file, proxy.siaddr) == ("", ours)
    assert proxy.options[60] == b"PXEClient" and 43 not in proxy.options and 67 not in proxy.options
    with Address(site.client, main.yiaddr) as client:
        ack = client.ask(4011, ours, 4011, wire.message(REQUEST, *firmware(7), ciaddr=main.yiaddr))
        assert ack is not None and client.peer == (ours, 4011)
    assert (ack.type, ack.file, ack.siaddr, ack.yiaddr) == (ACK, "ipxe.efi", ours, "0.0.0.0")
    assert ack.options[67].rstrip(b"\0") == b"ipxe.efi" and ack.options[60] == b"PXEClient"


@pytest.mark.parametrize("kind", dhcp_servers.KINDS)
def test_a_proxy_beside_a_server_on_another_host(site, ours, others, kind):
    others(kind, site.other)
    ours("--mode", "proxy")
    check_both_answer(site, OTHER)
    # Kea sends its broadcasts to one card alone: nobody else can hear them
    if kind != "kea":
        (row,) = site.wait_until(lambda: site.postgres.admin(
            "delete from rouse_data.foreign_dhcp where address = %s returning *", OTHER))
        assert (row.kind, row.router, row.mac) == ("server", "10.77.0.254", site.other.mac())


@pytest.mark.parametrize("kind", dhcp_servers.KINDS)
def test_a_proxy_beside_a_server_on_the_same_host(site, ours, others, kind):
    main = others(kind, site.server)
    daemon = ours("--mode", "proxy")
    check_both_answer(site, SERVER)
    # the other order: a server that starts beside us finds its port free
    main.stop()
    others(kind, site.server)
    check_both_answer(site, SERVER)
    ports = site.server.run(["ss", "-lunpH"]).stdout
    assert not [line for line in ports.splitlines() if f"pid={daemon.pid}," in line
                and line.split()[3].endswith(":67")], ports


def test_a_proxy_is_silent_to_those_who_should_not_boot(site, ours):
    site.postgres.sql("insert into rouse.hosts (name, state) values ('retired', 'disabled')")
    mac = next(MACS)
    site.postgres.sql("insert into rouse.nics (mac, host) values (%s, 'retired')", mac)
    ours("--mode", "proxy")
    silent = [(mac, firmware(7)), (next(MACS), []), (next(MACS), firmware(6)),
              (next(MACS), firmware(22, vendor="U-Boot"))]
    for machine, options in silent:
        assert site.wire(machine).discover(*options, timeout=0.5) is None
    # it is alive all the while
    assert site.wire(next(MACS)).discover(*firmware(7)).type == OFFER
    reasons = site.wait_until(lambda: site.postgres.sql(
        "select reason from rouse.events where mac = %s and stage = 'proxy'", mac))
    assert reasons[0].reason == "the host is disabled or retired"


def test_an_offer_may_be_held_back(site, ours):
    ours("--mode", "proxy", "--proxy-delay-ms", "700")
    wires = [site.wire(next(MACS)) for _ in range(3)]
    began = time.monotonic()
    for wire in wires:
        wire.send(wire.message(DISCOVER, *firmware(0)))
    for wire in wires:
        assert wire.receive().type == OFFER
        assert time.monotonic() - began > 0.69


def test_a_relay_is_answered_at_its_port_67(site, ours):
    ours("--mode", "proxy")
    wire = site.wire(next(MACS))
    with Address(site.client, "10.77.0.7") as relay:
        offer = relay.ask(67, SERVER, 67, wire.message(DISCOVER, *firmware(0), option(82, b"\1\1x"),
                                                       giaddr="10.77.0.7"))
        assert relay.peer == (SERVER, 67)
    assert (offer.type, offer.giaddr, offer.file) == (OFFER, "10.77.0.7", "undionly.kpxe")
    assert list(offer.options)[-1] == 82 and offer.options[82] == b"\1\1x"


def test_a_second_proxy_is_noticed(site, ours):
    daemon = ours("--mode", "proxy")
    offer = bytearray(site.wire(next(MACS)).message(OFFER, option(54, packed("10.77.0.66")),
                                                    option(60, b"PXEClient")))
    offer[0] = 2
    wire = site.wire("02:00:00:00:66:66")
    frame = wire.frame(bytes(offer), source="10.77.0.66")
    # from port 67 to 68: the other way round than a client's
    frame = frame[:34] + b"\0\x43\0\x44" + frame[38:40] + b"\0\0" + frame[42:]
    wire.send_frame(frame)
    daemon.wait_for("event=foreign_proxy address=10.77.0.66 mac=02:00:00:00:66:66")
    (row,) = site.wait_until(lambda: site.postgres.sql(
        "select kind, count from rouse.foreign_dhcp where address = '10.77.0.66'"))
    assert row == ("proxy", 1)


def test_port_4011_taken_is_said_with_a_remedy(site):
    with site.server.entered():
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("0.0.0.0", 4011))
    daemon = site.server.spawn([site.program, "--interface", "eth0", "--mode", "proxy", "--database",
                                site.postgres.conninfo("rouse_dhcpd"), "--state-dir", ""])
    assert daemon.wait() == 69
    assert "port=4011" in daemon.output and "another proxy DHCP server runs here" in daemon.output
    taken.close()


def events_of(site, mac):
    return site.postgres.sql("select stage, kind, host(address) as address, name, reason, detail "
                             "from rouse.events where mac = %s order by at", mac)


def test_an_observer_tells_the_whole_story(site, ours, others):
    """Broadcast answers are heard; one to the card alone is inferred from what follows."""
    others("dnsmasq", site.other)
    ours("--mode", "observe")
    wire = site.wire(next(MACS))
    (offer,) = ask(wire, DISCOVER, *firmware(7), broadcast=True)
    chosen = [option(54, offer.options[54]), option(50, packed(offer.yiaddr))]
    # no broadcast flag: the ACK goes to the card alone, and the observer cannot hear it
    ask(wire, REQUEST, *chosen, *firmware(7))
    (offer,) = ask(wire, DISCOVER, *firmware(7, user=b"iPXE"), broadcast=True)
    ask(wire, REQUEST, *chosen, *firmware(7, user=b"iPXE"), broadcast=True)
    site.wait_until(lambda: [e for e in events_of(site, wire.mac) if e.stage == "ipxe_dhcp"
                             and e.kind == "ack"])
    story = events_of(site, wire.mac)
    assert [(e.stage, e.kind) for e in story] == [
        ("fw_dhcp", "discover"), ("fw_dhcp", "offer"), ("fw_dhcp", "request"), ("fw_dhcp", "ack"),
        ("ipxe_dhcp", "discover"), ("ipxe_dhcp", "offer"), ("ipxe_dhcp", "request"),
        ("ipxe_dhcp", "ack")]
    inferred, heard = story[3], story[7]
    assert inferred.detail["inferred"] is True and inferred.detail["server"] == OTHER
    assert "inferred" not in heard.detail and heard.detail["server"] == OTHER
    assert inferred.address == heard.address == offer.yiaddr
    assert heard.reason == f"heard from another server, {OTHER}"


def ask_by_ipv6(site, mac, *options):
    """A SOLICIT as firmware sends it, to all DHCPv6 servers of the link."""
    packet = Ether(src=mac, dst="33:33:00:01:00:02") / IPv6(src="fe80::1", dst="ff02::1:2") / UDP(sport=546, dport=547) / \
        DHCP6_Solicit(trid=1) / DHCP6OptClientId(duid=DUID_LL(lladdr=mac))
    for code, octets in options:
        packet /= Raw(struct.pack("!HH", code, len(octets)) + octets)
    site.wire(mac).send_frame(bytes(packet))


@pytest.mark.parametrize("mode", ["observe", "server"])
def test_what_machines_ask_by_ipv6_is_told(site, ours, mode):
    ours("--mode", mode)
    system, machine = next(MACS), next(MACS)
    vendor = b"\0\0\1\x57\0\x20PXEClient:Arch:00007:UNDI:003000"
    ask_by_ipv6(site, system)
    for _ in range(3):
        ask_by_ipv6(site, machine, (16, vendor), (61, b"\0\7"))
    (told,) = site.wait_until(lambda: events_of(site, machine))
    assert (told.stage, told.kind, told.detail["class"], told.detail["arch"]) == ("fw_dhcp", "solicit", "firmware", 7)
    assert not events_of(site, system)


# --- mode server, with somebody else in its place ---

@pytest.fixture(scope="module", name="pool")
def make_pool(site):
    site.configure(("10.77.0.20", "10.77.0.99"))


@pytest.mark.parametrize("kind", dhcp_servers.KINDS)
def test_a_server_serves_not_beside_a_stranger(site, pool, ours, others, kind):
    others(kind, site.other)
    daemon = ours()
    daemon.wait_for(f"event=not_serving .*address={OTHER}")
    site.wait_until(lambda: site.postgres.sql(
        "select * from rouse.foreign_dhcp where address = %s and seen_by in "
        "(select instance from rouse.daemons where alive)", OTHER))
    assert site.wire(next(MACS)).discover(*firmware(7)).options[54] == packed(OTHER)
    assert "event=offer" not in daemon.output


def test_a_server_may_be_told_to_serve_beside_a_stranger(site, pool, ours, others):
    others("dnsmasq", site.other)
    daemon = ours()
    daemon.wait_for(f"event=not_serving .*address={OTHER}")
    ack = take_address(site.wire(next(MACS)))
    assert ack.options[54] == packed(OTHER)
    rows = site.wait_until(lambda: site.postgres.sql(
        "select status from rouse.daemons where status like 'observing only: %'"))
    assert f"{OTHER} gives addresses on eth0" in rows[0].status
    # it is told to serve all the same
    said = len(daemon.output)
    site.postgres.sql("select rouse.setting('dhcp_step_back', 'never')")
    daemon.wait_for("event=serving", after=said)
    both = ask(site.wire(next(MACS)), DISCOVER, count=2)
    assert {offer.options[54] for offer in both} == {packed(OTHER), packed(SERVER)}
    site.postgres.sql("select rouse.setting('dhcp_step_back', 'start')")


START_IS_OVER = 12  # s: until then an answer to the probe is one that came before us


def settled(site, ours):
    """Our dhcpd serves, and it is too late for anybody to have been there before it."""
    daemon = ours()
    daemon.wait_for("event=serving")
    time.sleep(START_IS_OVER)
    return daemon


@pytest.mark.parametrize("kind", ["isc", "kea"])
def test_a_stranger_who_comes_later_is_told_of_at_once(site, pool, ours, others, kind):
    """By its offer, or where that goes to one card only (Kea's do), by its client's choice."""
    daemon = settled(site, ours)
    other = others(kind, site.other)
    said = len(daemon.output)
    wire = site.wire(next(MACS))
    both = ask(wire, DISCOVER, count=2, broadcast=True)
    (offer,) = [offer for offer in both if offer.options[54] == packed(OTHER)]
    ask(wire, REQUEST, option(54, packed(OTHER)), option(50, packed(offer.yiaddr)), broadcast=True)
    daemon.wait_for(f"level=warning event=serving_beside_stranger .*address={OTHER}", after=said)
    rows = site.wait_until(lambda: site.postgres.sql(
        "select status from rouse.daemons where status like 'serving beside a stranger: %'"))
    assert f"{OTHER} gives addresses on eth0, too" in rows[0].status
    site.wait_until(lambda: site.postgres.sql(
        "select * from rouse.foreign_dhcp where address = %s and kind = 'server'", OTHER))
    # its promises stand
    assert {offer.options[54] for offer in ask(site.wire(next(MACS)), DISCOVER, count=2)} == {
        packed(OTHER), packed(SERVER)}
    # unless it is told to make way, and back again
    said = len(daemon.output)
    site.postgres.sql("select rouse.setting('dhcp_step_back', 'always')")
    daemon.wait_for(f"event=not_serving .*address={OTHER}", after=said)
    assert ask(site.wire(next(MACS)), DISCOVER)[0].options[54] == packed(OTHER)
    site.postgres.sql("select rouse.setting('dhcp_step_back', 'start')")
    daemon.wait_for("event=serving ", after=said)
    other.stop()


def forge_offer(wire, xid, client, address="10.77.0.66"):
    """What a rogue says to this client, so that the whole segment hears it."""
    offer = bytearray(wire.message(OFFER, option(54, packed(address))))
    offer[0], offer[4:8], offer[16:20], offer[28:34] = 2, xid, packed("10.77.0.67"), client
    frame = wire.frame(bytes(offer), source=address)
    wire.send_frame(frame[:34] + b"\0\x43\0\x44" + frame[38:40] + b"\0\0" + frame[42:])


def test_a_forged_offer_silences_nobody(site, pool, ours):
    daemon = settled(site, ours)
    rogue = site.wire("02:00:00:00:66:67")
    said = len(daemon.output)
    forge_offer(rogue, b"\1\2\3\4", b"\2\0\0\0\0\1")
    daemon.wait_for("event=foreign_dhcp address=10.77.0.66 mac=02:00:00:00:66:67", after=said)
    assert take_address(site.wire(next(MACS))).options[54] == packed(SERVER)
    # it makes us ask; and even who forges the answer to that is told of, and no more
    while b"rouse-probe" not in (frame := rogue.socket.recv(4096)):
        pass
    forge_offer(rogue, frame[46:50], frame[70:76])
    daemon.wait_for("event=serving_beside_stranger .*address=10.77.0.66", after=said)
    assert take_address(site.wire(next(MACS))).options[54] == packed(SERVER)
    assert "event=not_serving" not in daemon.output


def test_a_peer_is_no_stranger(site, pool, ours, tmp_path):
    """Two of ours on one segment: the second finds the first, and both serve."""
    daemon = settled(site, ours)
    other = site.other.spawn([site.program, "--interface", "eth0", "--database",
                              site.postgres.conninfo("rouse_dhcpd"), "--state-dir", tmp_path])
    other.wait_for("event=serving")
    # heard at once, and chosen: nor does the first take the second for a stranger, who has just come
    wire = site.wire(next(MACS))
    both = ask(wire, DISCOVER, count=2, broadcast=True)
    assert {offer.options[54] for offer in both} == {packed(OTHER), packed(SERVER)}
    (offer,) = [offer for offer in both if offer.options[54] == packed(OTHER)]
    ask(wire, REQUEST, option(54, packed(OTHER)), option(50, packed(offer.yiaddr)), broadcast=True)
    time.sleep(1.5)
    assert other.stop() == 0
    for output in (daemon.output, other.output):
        assert "event=not_serving" not in output and "stranger" not in output
    assert "event=foreign_dhcp" not in other.output
    assert daemon.output.count("event=foreign_dhcp address=10.77.0.9 ") == 0
    assert not site.postgres.sql("select * from rouse.foreign_dhcp where address in (%s, %s) "
                                 "and kind = 'server'", SERVER, OTHER)
