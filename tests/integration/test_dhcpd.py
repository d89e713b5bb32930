"""dhcpd on a real network with a real database: who gets what, and what is recorded."""

import json
import re

import pytest

from net import Lab
from test_dhcpd_kit import (ACK, DECLINE, EVERYBODY, INFORM, NAK, OFFER, RELEASE, REQUEST, SERVER,
                            Site, firmware, mac_octets, option, packed)

UDHCPC_SCRIPT = """#!/bin/sh
case $1 in
bound|renew) ip addr flush dev "$interface"; ip addr add "$ip/24" dev "$interface" ;;
deconfig) ip addr flush dev "$interface"; ip link set "$interface" up ;;
esac
"""

# Debian's own would write the tester's /etc/resolv.conf
DHCLIENT_SCRIPT = """#!/bin/sh
case $reason in
BOUND|RENEW|REBIND|REBOOT) ip addr replace "$new_ip_address/24" dev "$interface" ;;
RELEASE|EXPIRE|FAIL) ip addr flush dev "$interface" ;;
esac
"""


@pytest.fixture(scope="module", name="site")
def make_site(postgres, build, tmp_path_factory):
    with Lab() as laboratory:
        site = Site(laboratory, postgres, build, tmp_path_factory.mktemp("state"), ipv6=True)
        site.start()
        yield site
        site.close()


def script(tmp_path, text):
    path = tmp_path / "script"
    path.write_text(text)
    path.chmod(0o755)
    return path


# --- real clients ---

def test_udhcpc_gets_renews_and_releases(site, tmp_path):
    mac = site.client.mac()
    client = site.client.spawn(["udhcpc", "-f", "-i", "eth0", "-s", script(tmp_path, UDHCPC_SCRIPT),
                                "-t", "5", "-T", "1"])
    address = client.wait_for(r"lease of ([\d.]+) obtained").group(1)
    lease = site.lease_of(mac)
    assert (lease.address, lease.state) == (address, "bound")
    said = len(client.output)
    client.signal(10)  # SIGUSR1: renew
    client.wait_for(rf"lease of {address} obtained", after=said)
    assert site.lease_of(mac).granted_at > lease.granted_at
    client.signal(12)  # SIGUSR2: release
    site.wait_until(lambda: site.lease_of(mac).state == "released")
    client.stop()


def test_dhclient_gets_keeps_and_gives_back(site, tmp_path):
    where = ["-sf", script(tmp_path, DHCLIENT_SCRIPT), "-lf", tmp_path / "leases",
             "-pf", tmp_path / "pid"]
    mac = site.client.mac()
    client = site.client.spawn(["dhclient", "-d", "-v", "-1", *where, "eth0"])
    address = client.wait_for(r"bound to ([\d.]+)").group(1)
    assert site.lease_of(mac).address == address
    client.kill()
    # it comes back with its lease file: INIT-REBOOT, at once the same address
    client = site.client.spawn(["dhclient", "-d", "-v", "-1", *where, "eth0"])
    client.wait_for(rf"bound to {address}")
    assert "DHCPDISCOVER" not in client.output
    client.kill()
    site.client.run(["dhclient", "-r", "-v", *where, "eth0"])
    site.wait_until(lambda: site.lease_of(mac).state == "released")
    site.client.run("ip addr flush dev eth0")


# --- the protocol, field by field ---

def test_an_exchange_field_by_field(site):
    wire = site.wire("02:00:00:00:00:10")
    offer = wire.discover(option(12, b"pc-10"), option(61, b"\x01" + mac_octets(wire.mac)))
    assert offer.type == OFFER and offer.op == 2 and offer.chaddr == wire.mac
    assert offer.options[54] == packed(SERVER)
    assert (offer.number(51), offer.number(58), offer.number(59)) == (600, 300, 525)
    assert offer.options[1] == packed("255.255.255.0")
    assert offer.options[3] == packed("10.77.0.1")
    assert offer.options[6] == packed("10.77.0.2") + packed("10.77.0.3")
    assert offer.options[15] == b"lab.example"
    assert offer.options[61] == b"\x01" + mac_octets(wire.mac)
    assert (offer.file, offer.siaddr) == ("", "0.0.0.0")
    # without the broadcast flag: a frame to the card, addressed to the new address
    assert offer.frame.dst == wire.mac and offer.frame["IP"].dst == offer.yiaddr
    assert offer.frame["IP"].src == SERVER
    ack = wire.request(offer, option(12, b"pc-10"), broadcast=True)
    assert ack.type == ACK and ack.yiaddr == offer.yiaddr
    assert ack.frame.dst == "ff:ff:ff:ff:ff:ff" and ack.frame["IP"].dst == EVERYBODY
    lease = site.lease_of(wire.mac)
    assert (lease.address, lease.state, lease.host_name) == (ack.yiaddr, "bound", "pc-10")


def test_one_machine_has_one_address_whatever_it_calls_itself(site):
    wire = site.wire("02:00:00:00:00:11")
    first = wire.lease(*firmware(7))
    second = wire.lease(option(61, b"\xff\x00\x01\x02\x03"))
    third = wire.lease(option(61, b"\x01" + mac_octets(wire.mac)))
    assert first.yiaddr == second.yiaddr == third.yiaddr
    assert site.postgres.value("select count(*) from rouse.leases where mac = %s::macaddr",
                               wire.mac) == 1


def test_init_reboot_on_a_wrong_network_is_refused(site):
    wire = site.wire("02:00:00:00:00:12")
    nak = wire.ask(REQUEST, option(50, packed("192.168.9.9")))
    assert nak.type == NAK and nak.yiaddr == "0.0.0.0"
    assert nak.frame["IP"].dst == EVERYBODY
    assert b"another network" in nak.options[56]
    # within our network, but unknown: another server may know it
    assert wire.ask(REQUEST, option(50, packed("10.77.0.190")), timeout=1) is None


def test_a_request_to_another_server_is_not_ours(site):
    wire = site.wire("02:00:00:00:00:13")
    offer = wire.discover()
    assert wire.ask(REQUEST, option(54, packed("10.77.0.9")), option(50, packed(offer.yiaddr)),
                    timeout=1) is None
    assert site.lease_of(wire.mac) is None


def test_renewing_and_informing(site):
    wire = site.wire("02:00:00:00:00:14")
    ack = wire.lease()
    # unicast to the address it has: so it must answer for it
    site.client.run(["ip", "addr", "add", f"{ack.yiaddr}/24", "dev", "eth0"])
    site.neighbour(ack.yiaddr, wire.mac)
    again = wire.ask(REQUEST, ciaddr=ack.yiaddr, source=ack.yiaddr)
    assert again.type == ACK and again.yiaddr == again.ciaddr == ack.yiaddr
    assert again.frame["IP"].dst == ack.yiaddr
    told = wire.ask(INFORM, ciaddr=ack.yiaddr, source=ack.yiaddr)
    assert told.type == ACK and told.yiaddr == "0.0.0.0"
    assert 6 in told.options and not {51, 58, 59} & set(told.options)
    # many forget to name the address (ciaddr) that they send from
    told = wire.ask(INFORM, source=ack.yiaddr)
    assert told.type == ACK and told.frame["IP"].dst == ack.yiaddr
    assert wire.ask(INFORM, source="192.0.2.1", timeout=0.5) is None
    site.client.run("ip addr flush dev eth0")


def test_a_declined_address_is_given_to_nobody(site):
    wire = site.wire("02:00:00:00:00:15")
    ack = wire.lease()
    wire.send(wire.message(DECLINE, option(54, packed(SERVER)), option(50, packed(ack.yiaddr))))
    site.wait_until(lambda: site.lease_of(wire.mac).state == "declined")
    assert wire.lease().yiaddr != ack.yiaddr
    other = site.wire("02:00:00:00:00:16")
    assert other.discover(option(50, packed(ack.yiaddr))).yiaddr != ack.yiaddr


def test_what_was_only_offered_is_declined_for_everybody(site):
    """By the client's own look before it takes the offer: the database learns of it, and so do others."""
    wire = site.wire("02:00:00:00:00:1e")
    offer = wire.discover()
    wire.send(wire.message(DECLINE, option(54, packed(SERVER)), option(50, packed(offer.yiaddr))))
    lease = site.wait_until(lambda: site.lease_of(wire.mac))
    assert (str(lease.address), lease.state) == (offer.yiaddr, "declined")
    assert wire.lease().yiaddr != offer.yiaddr


def test_release_needs_address_and_client(site):
    wire, stranger = site.wire("02:00:00:00:00:17"), site.wire("02:00:00:00:00:18")
    ack = wire.lease()
    said = len(site.daemon.output)
    stranger.send(stranger.message(RELEASE, option(54, packed(SERVER)), ciaddr=ack.yiaddr))
    site.daemon.wait_for("message=release.*not this client", after=said)
    assert site.lease_of(wire.mac).state == "bound"
    wire.send(wire.message(RELEASE, option(54, packed(SERVER)), ciaddr=ack.yiaddr))
    site.wait_until(lambda: site.lease_of(wire.mac).state == "released")
    # it is kept for its client until it would have ended
    assert wire.lease().yiaddr == ack.yiaddr


def test_a_relayed_packet_goes_back_to_the_relay(site):
    wire = site.wire("02:00:00:00:00:19")
    site.neighbour("10.77.0.254", wire.mac)
    offer = wire.discover(option(82, b"\x01\x04eth0"), giaddr="10.77.0.254")
    assert offer.type == OFFER and offer.giaddr == "10.77.0.254"
    assert (offer.frame["IP"].dst, offer.frame["UDP"].dport) == ("10.77.0.254", 67)
    assert offer.options[82] == b"\x01\x04eth0"
    assert offer.octets[240:].rstrip(b"\0").endswith(b"\x52\x06\x01\x04eth0\xff")


# --- what operators say ---

def test_a_reservation_is_kept(site):
    wire = site.wire("02:00:00:00:00:20")
    old = wire.lease().yiaddr
    site.postgres.sql("insert into rouse.reservations (mac, address) values (%s, '10.77.0.50')",
                      wire.mac)
    # the live client is sent to its reservation by a refusal of its renewal
    nak = site.wait_until(lambda: (reply := wire.ask(REQUEST, ciaddr=old))
                          and reply.type == NAK and reply)
    assert b"reserved" in nak.options[56]
    assert wire.lease().yiaddr == "10.77.0.50"
    assert site.wire("02:00:00:00:00:21").discover(
        option(50, packed("10.77.0.50"))).yiaddr != "10.77.0.50"
    assert [row.state for row in site.postgres.sql(
        "select state from rouse.leases where mac = %s::macaddr order by address = '10.77.0.50'",
        wire.mac)] == ["released", "bound"]


BOOT = [
    ("BIOS ROM", firmware(0), "undionly.kpxe", {60: b"PXEClient", 43: b"\x06\x01\x08\xff"}),
    ("UEFI", firmware(7), "ipxe.efi", {}),
    ("UEFI, as RFC 4578 misprints it", firmware(9), "ipxe.efi", {}),
    ("UEFI HTTP boot", firmware(16, vendor="HTTPClient"), "http://10.77.0.1:8080/files/tftp/ipxe.efi",
     {60: b"HTTPClient"}),
    ("iPXE", firmware(0, user=b"iPXE", ipxe=True), "default.ipxe", {175: b"\xb0\x01\x01"}),
    ("iPXE, RFC 3004", firmware(7, user=b"\x04iPXE", ipxe=True), "default.ipxe",
     {175: b"\xb0\x01\x01"}),
    ("iPXE by option 175 alone", firmware(7, ipxe=True), "default.ipxe", {175: b"\xb0\x01\x01"}),
    ("iPXE that plays a vendor's ROM", firmware(0, user=b"lab-rom", ipxe=True), "undionly.kpxe",
     {60: b"PXEClient", 43: b"\x06\x01\x08\xff"}),
]


@pytest.mark.parametrize("name,options,file,expected", BOOT, ids=[row[0] for row in BOOT])
def test_the_boot_answer(site, name, options, file, expected):
    wire = site.wire("02:00:00:00:01:%02x" % [row[0] for row in BOOT].index(name))
    offer = wire.discover(*options, broadcast=True)
    ack = wire.request(offer, *options, broadcast=True)
    for reply in (offer, ack):
        assert reply.file == file
        assert reply.options[67] == file.encode()
        assert reply.siaddr == SERVER
        assert reply.options[66] == SERVER.encode()
        assert reply.options[97] == b"\0" + bytes(range(16))
        for code in (43, 60, 175):
            assert reply.options.get(code) == expected.get(code), code
        # old EDK2 writes a NUL behind the name: a PAD stands there, then END
        tail = reply.octets[240:].rstrip(b"\0")
        assert tail.endswith(b"\x43" + bytes([len(file)]) + file.encode() + b"\0\xff")
        assert 300 <= len(reply.octets) <= 1472


def test_an_architecture_without_a_file_gets_an_address_and_a_reason(site):
    wire = site.wire("02:00:00:00:00:30")
    ack = wire.lease(*firmware(6))
    assert (ack.file, ack.siaddr) == ("", "0.0.0.0")
    assert not {43, 60, 66, 67, 97} & set(ack.options)
    reason = site.wait_until(lambda: site.postgres.sql(
        "select reason from rouse.events where mac = %s::macaddr and kind = 'offer'", wire.mac))
    assert "architecture 6" in reason[0].reason and "rouse.boot_files" in reason[0].reason


def test_a_disabled_host_gets_an_address_and_no_boot(site):
    wire = site.wire("02:00:00:00:00:31")
    site.postgres.sql("insert into rouse.hosts (name, state) values ('off-31', 'disabled')")
    site.postgres.sql("insert into rouse.nics (mac, host) values (%s, 'off-31')", wire.mac)
    site.wait_until(lambda: wire.discover(*firmware(7)).file == "")
    ack = wire.lease(*firmware(7))
    assert ack.file == "" and ack.options[1] == packed("255.255.255.0")


def test_a_new_rule_is_seen_by_the_next_discover(site):
    wire = site.wire("02:00:00:00:00:32")
    assert wire.discover(*firmware(7)).file == "ipxe.efi"
    said = len(site.daemon.output)
    site.postgres.sql("insert into rouse.hosts (name, state) values ('quiet-32', 'active')")
    site.postgres.sql("insert into rouse.nics (mac, host) values (%s, 'quiet-32')", wire.mac)
    site.postgres.sql(
        "insert into rouse.boot_rules (position, name, stage, host, answer, reason) values "
        "(50, 'quiet', '{dhcp}', '{quiet-32}', 'nothing', 'this machine boots from its disk')")
    reply = site.wait_until(lambda: (offer := wire.discover(*firmware(7))) and offer.file == ""
                            and offer)
    assert 67 not in reply.options
    assert "event=started" not in site.daemon.output[said:]


def test_the_trace_tells_the_story(site):
    wire = site.wire("02:00:00:00:00:33")
    wire.lease(*firmware(7))
    wire.lease(*firmware(7, user=b"iPXE", ipxe=True))
    wire.lease(option(60, b"udhcp 1.35.0"))
    rows = site.wait_until(lambda: (found := site.postgres.sql(
        "select stage, kind, name, address, reason, detail from rouse.events "
        "where mac = %s::macaddr order by at", wire.mac)) and len(found) >= 9 and found)
    whole = {"discover", "offer", "request", "ack"}
    # of a running system only the end of an exchange is told
    for stage, wanted in (("fw_dhcp", whole), ("ipxe_dhcp", whole), ("os_dhcp", {"ack"})):
        assert {row.kind for row in rows if row.stage == stage} == wanted, stage
    names = {(row.stage, row.name) for row in rows if row.kind == "ack"}
    assert names == {("fw_dhcp", "ipxe.efi"), ("ipxe_dhcp", "default.ipxe"), ("os_dhcp", None)}
    detail = [row.detail for row in rows if row.kind == "ack"][0]
    detail = detail if isinstance(detail, dict) else json.loads(detail)
    assert detail["interface"] == "eth0"


# --- the router that iPXE waits for ---

def test_a_booting_client_needs_not_wait_for_a_router(site):
    # pylint: disable=import-outside-toplevel
    import socket as sockets
    from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6ND_RS, IPv6
    from scapy.layers.l2 import Ether
    wire = site.wire("02:00:00:00:00:40")
    with site.client.entered():
        frames = sockets.socket(sockets.AF_PACKET, sockets.SOCK_RAW, sockets.htons(0x86dd))
        frames.bind(("eth0", 0))

    def solicit(timeout):
        frames.send(bytes(Ether(src=wire.mac, dst="33:33:00:00:00:02") /
                          IPv6(src="fe80::40", dst="ff02::2", hlim=255) / ICMPv6ND_RS()))
        frames.settimeout(timeout)
        try:
            while True:
                frame = Ether(frames.recv(2048))
                if ICMPv6ND_RA in frame:
                    return frame
        except TimeoutError:
            return None

    with frames:
        # no machine that is not booting is told anything
        assert solicit(0.7) is None
        assert wire.discover(*firmware(7, user=b"iPXE")).type == OFFER
        frame = solicit(3)
        assert frame.dst == wire.mac
        assert frame[IPv6].dst == "fe80::40" and frame[IPv6].hlim == 255
        assert frame[ICMPv6ND_RA].routerlifetime == 0
        received = frame[ICMPv6ND_RA].cksum
        del frame[ICMPv6ND_RA].cksum
        assert Ether(bytes(frame))[ICMPv6ND_RA].cksum == received
        # an operator can turn it off
        site.postgres.sql("update rouse.settings set value = 'false' "
                          "where name = 'ipv6_router_advertisement'")
        site.wait_until(lambda: solicit(0.5) is None)


# --- nonsense ---

def test_malformed_packets_stop_nothing(site):
    wire = site.wire("02:00:00:00:00:50")
    good = wire.message(1)
    nonsense = [b"", b"\x01", good[:100], good[:236], good[:240], good[:-1], good[:2] + b"\xff" + good[3:],
                good[:236] + b"\0\0\0\0" + good[240:], good[:240] + b"\x35", good[:240] + b"\x35\xff\x01",
                good[:240] + b"\x34\x01\x03\x35\x01\x01" + b"\x3d\xff" * 100, b"\xff" * 1400,
                good[:240] + b"\x35\x01\x01" + b"\x0c\xff" + b"x" * 255 + b"\xff", bytes([2]) + good[1:]]
    for octets in nonsense:
        wire.send(octets)
    assert site.wire("02:00:00:00:00:51").lease().type == ACK
    assert site.daemon.is_running()
    # each is counted by its reason, which the next hello tells
    reasons = ("shorter than a header", "a hardware address longer than its field",
               "it is a reply, not a request")
    site.wait_until(lambda: all(
        reason in site.postgres.value("select status from rouse.daemons") for reason in reasons), timeout=30)


def test_foreign_text_is_harmless_in_the_database(site):
    wire = site.wire("02:00:00:00:00:52")
    name = b"a\"b\\c'};drop\xff\xc3\n{,NULL"
    wire.lease(option(12, name), option(60, b"\"\\\x00\x80"))
    assert site.lease_of(wire.mac).host_name == "a\"b\\c'};drop???{,NULL"


def test_host_names_of_every_length(site):
    """Kea's CVE-2019-6472 and 6473 were such names; the longest that is kept has 63 octets."""
    for number, length in enumerate((0, 1, 63, 64, 255)):
        wire = site.wire(f"02:00:00:00:06:{number:02x}")
        assert wire.lease(option(12, b"n" * length)).type == ACK
        assert site.lease_of(wire.mac).host_name == ("n" * min(length, 63) or None)
    # two parts of one option (RFC 3396)
    wire = site.wire("02:00:00:00:06:10")
    assert wire.lease(option(12, b"a" * 255), option(12, b"b" * 255)).type == ACK
    assert site.lease_of(wire.mac).host_name == "a" * 63


def test_an_inform_by_a_relay_is_answered_at_the_clients_address(site):
    wire = site.wire("02:00:00:00:06:20")
    site.neighbour("10.77.0.251", wire.mac)
    ack = wire.ask(INFORM, option(55, b"\x06\x33\x3a\x3b"), ciaddr="10.77.0.251", giaddr="10.77.0.254")
    assert (ack.type, ack.ciaddr, ack.yiaddr) == (ACK, "10.77.0.251", "0.0.0.0")
    assert (ack.frame["IP"].dst, ack.frame["UDP"].dport) == ("10.77.0.251", 68)
    assert 6 in ack.options and not {51, 58, 59} & set(ack.options)


def test_a_hello_is_said(site):
    rows = site.postgres.sql("select * from rouse.daemons where daemon = 'dhcpd'")
    assert len(rows) == 1
    assert re.search(r"\d+ interfaces", rows[0].status)
