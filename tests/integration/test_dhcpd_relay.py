"""Relays and what they say, subnets that share a link, wishes, BOOTP, and clients of other makers."""

import pytest
from test_dhcpd_kit import ACK, DISCOVER, LOADED, NAK, OFFER, REQUEST, SERVER, Site, option, packed

# pylint: disable=redefined-outer-name


@pytest.fixture
def site(lab, postgres, build, tmp_path):
    postgres.fresh()
    made = Site(lab, postgres, build, tmp_path / "state")
    made.start()
    yield made
    made.close()


# other people's relays: how each is started, what it says then, and what it tells of the port
RELAYS = {
    "dnsmasq": (["dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null",
                 "--log-facility=-", "--log-dhcp", f"--dhcp-relay=10.88.0.1,{SERVER}"], "started", None),
    "isc": (["dhcrelay", "-4", "-d", "--no-pid", "-a", "-id", "eth1", "-iu", "eth0", SERVER],
            "Sending on +Socket/fallback", "eth1"),
}


@pytest.fixture(params=RELAYS)
def routed(request, lab, postgres, build, tmp_path):
    """Two segments: the server on one, a client on the other, one of Debian's relays between."""
    postgres.fresh()
    made = Site(lab, postgres, build, tmp_path / "state")
    postgres.sql("insert into rouse.subnets (subnet, routers) values ('10.88.0.0/24', '{10.88.0.1}')")
    postgres.sql("insert into rouse.pools (subnet, first, last) values "
                 "('10.88.0.0/24', '10.88.0.20', '10.88.0.250')")
    far = lab.segment("far")
    relay = lab.host("relay", addresses=["10.77.0.254/24"], segment="lan")
    relay.attach(far, ["10.88.0.1/24"])
    relay.run("sysctl -qw net.ipv4.ip_forward=1")
    made.server.run("ip route add 10.88.0.0/24 via 10.77.0.254")
    made.far_client = lab.host("farclient", segment=far)
    made.start()
    command, ready, made.port = RELAYS[request.param]
    made.relay = relay.spawn(command)
    made.relay.wait_for(ready)
    yield made
    made.close()


def test_a_client_behind_a_relay_gets_renews_and_gives_back(routed, tmp_path):
    said = tmp_path / "udhcpc"
    said.write_text("#!/bin/sh\n[ \"$1\" = bound ] && ip addr add $ip/24 dev $interface && "
                    "ip route add default via $router\nexit 0\n", encoding="utf-8")
    said.chmod(0o755)
    mac = routed.far_client.mac()
    client = routed.far_client.spawn(["busybox", "udhcpc", "-f", "-R", "-i", "eth0", "-s", said])
    address = client.wait_for(r"lease of (10\.88\.0\.\d+) obtained", timeout=20).group(1)
    row = routed.wait_until(lambda: (rows := routed.postgres.sql(
        "select address, relay, circuit_id, granted_at from rouse.leases where mac = %s::macaddr "
        "and relay is not null", mac)) and rows[0])
    assert (row.address, row.relay, row.circuit_id) == (address, "10.88.0.1", routed.port)
    # a renewal goes straight to the server, through the router: no relay has a hand in it
    after = len(client.output)
    client.signal(10)
    client.wait_for(rf"lease of {address} obtained", after=after)
    assert routed.lease_of(mac).granted_at > row.granted_at
    # and what the relay said of the port is remembered
    assert routed.postgres.value("select circuit_id from rouse.leases where mac = %s::macaddr",
                                 mac) == routed.port
    client.signal(12)
    routed.wait_until(lambda: routed.lease_of(mac).state == "released")
    client.stop()


def test_what_the_relay_says_is_kept_with_the_lease(site):
    wire = site.wire("02:00:00:00:02:01")
    site.neighbour("10.77.0.254", wire.mac)
    agent = option(82, b"\x01\x0aGi0/1:v100\x02\x06\x00\x01\x02\x03\x04\x05")
    offer = wire.discover(agent, giaddr="10.77.0.254")
    ack = wire.request(offer, agent, giaddr="10.77.0.254")
    assert ack.type == ACK and ack.options[82] == agent[2:]
    row = site.wait_until(lambda: (rows := site.postgres.sql(
        "select relay, circuit_id, remote_id from rouse.leases where address = %s::inet "
        "and relay is not null", ack.yiaddr)) and rows[0])
    assert tuple(row) == ("10.77.0.254", "Gi0/1:v100", "0x000102030405")


def test_the_relay_plays_the_server(site):
    wire = site.wire("02:00:00:00:02:02")
    site.neighbour("10.77.0.254", wire.mac)
    agent = option(82, b"\x0b\x04" + packed("10.77.0.254"))
    offer = wire.discover(agent, giaddr="10.77.0.254")
    assert offer.options[54] == packed("10.77.0.254") and offer.frame["IP"].src == SERVER
    assert wire.request(offer, agent, giaddr="10.77.0.254").type == ACK


def test_one_daemon_on_two_links(lab, postgres, build, tmp_path):
    """Each link has its own subnet, is answered from the address there, and a card that moves is told so."""
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path / "state")
    postgres.sql("insert into rouse.subnets (subnet) values ('10.88.0.0/24')")
    postgres.sql("insert into rouse.pools (subnet, first, last) values "
                 "('10.88.0.0/24', '10.88.0.20', '10.88.0.29'), ('10.88.0.0/24', '10.88.0.40', '10.88.0.49')")
    far = lab.segment("far")
    site.server.attach(far, ["10.88.0.1/24"])
    mac = "02:00:00:00:02:0c"
    here, there = site.wire(mac), site.wire(mac, host=lab.host("farclient", segment=far))
    try:
        site.start("--interface", "eth0 eth1")
        first = here.lease()
        assert first.yiaddr.startswith("10.77.0.") and first.options[54] == packed(SERVER)
        site.wait_until(lambda: there.discover(timeout=0.5))  # that link is asked for other servers first
        assert there.ask(REQUEST, option(50, packed(first.yiaddr))).type == NAK
        second = there.lease()
        assert second.yiaddr.startswith("10.88.0.") and second.options[54] == packed("10.88.0.1")
        # a lease in each network: coming back, it has its first address again
        assert here.lease().yiaddr == first.yiaddr
    finally:
        site.close()


def test_subnets_of_one_link_share_their_pools(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path / "state", pool=("10.77.0.20", "10.77.0.20"))
    postgres.sql("insert into rouse.subnets (subnet, shared_network) values ('10.99.0.0/24', 'lan')")
    postgres.sql("insert into rouse.pools (subnet, first, last) values "
                 "('10.99.0.0/24', '10.99.0.20', '10.99.0.20')")
    postgres.sql("update rouse.subnets set shared_network = 'lan'")
    site.start(wait="event=snapshot_loaded")
    site.daemon.wait_for(LOADED, timeout=20)
    first = site.wait_until(lambda: site.wire("02:00:00:00:02:03").discover(timeout=0.3))
    second = site.wire("02:00:00:00:02:04").lease()
    assert {first.yiaddr, second.yiaddr} == {"10.77.0.20", "10.99.0.20"}
    # it is its own again, and the third one finds nothing: once said, with the counts
    third = site.wire("02:00:00:00:02:05")
    assert third.discover(timeout=0.5) is None
    assert third.discover(timeout=0.5) is None
    assert site.daemon.output.count("event=pools_exhausted") == 1
    row = postgres.sql("select sum(total) as total, sum(bound) as bound, sum(free) as free from rouse.pools")[0]
    assert [int(value) for value in row] == [2, 1, 1]  # an offer is no lease
    site.close()


def test_wishes_and_refusals(site):
    wire = site.wire("02:00:00:00:02:06")
    site.postgres.sql("update rouse.subnets set lease_seconds_min = 300, lease_seconds_max = 7200")
    wish = option(51, (7000).to_bytes(4, "big"))
    offer = site.wait_until(lambda: (reply := wire.discover(wish)).number(51) == 7000 and reply)
    ack = wire.request(offer, wish)
    assert (ack.number(51), ack.number(58), ack.number(59)) == (7000, 3500, 6125)
    left = site.postgres.value("select extract(epoch from expires_at - now())::int from rouse.leases "
                               "where mac = %s::macaddr", wire.mac)
    assert 6900 < left <= 7000
    stranger = site.wire("02:00:00:00:02:07")
    assert stranger.ask(REQUEST, option(50, packed("10.77.0.200")), timeout=0.5) is None
    site.postgres.sql("select rouse.setting('dhcp_nak_unknown_client', 'true')")
    site.wait_until(lambda: stranger.ask(REQUEST, option(50, packed("10.77.0.200")), timeout=0.5))


def test_bootp_gets_what_is_reserved(site):
    wire = site.wire("02:00:00:00:02:08")
    message = wire.message(DISCOVER)[:240] + b"\xff"
    site.postgres.sql("insert into rouse.reservations (mac, address) values (%s, '10.77.0.9')", wire.mac)

    def ask():
        wire.send(message)
        return wire.receive(timeout=0.5)
    reply = site.wait_until(ask)
    assert reply.yiaddr == "10.77.0.9" and len(reply.octets) == 300
    assert 53 not in reply.options and 51 not in reply.options
    assert reply.options[1] == packed("255.255.255.0")


def test_bootp_gets_an_address_of_the_pool_where_the_site_says_so(site):
    wire, other = site.wire("02:00:00:00:02:0a"), site.wire("02:00:00:00:02:0b")
    site.postgres.sql("select rouse.setting('dhcp_bootp_seconds', '86400')")

    def ask(card):
        card.send(card.message(DISCOVER)[:240] + b"\xff")
        return card.receive(timeout=0.5)
    reply = site.wait_until(lambda: ask(wire))
    assert 53 not in reply.options and 51 not in reply.options
    # it was recorded before it was sent, and is the client's own from now on
    left = site.postgres.sql("select address, extract(epoch from expires_at - now())::int as seconds "
                             "from rouse.leases where mac = %s::macaddr and state = 'bound'", wire.mac)
    assert [row.address for row in left] == [reply.yiaddr] and 86000 < left[0].seconds <= 86400
    assert ask(other).yiaddr != reply.yiaddr
    assert ask(wire).yiaddr == reply.yiaddr
    # also when it speaks DHCP the next time (RFC 1534)
    assert wire.lease().yiaddr == reply.yiaddr


def test_an_identifier_of_255_octets(site):
    wire = site.wire("02:00:00:00:02:09")
    site.postgres.sql("select rouse.setting('one_machine_one_address', 'false')")
    site.wait_until(lambda: site.daemon.output.count("event=snapshot_loaded") >= 2)
    identifier = option(61, bytes(range(255)))
    offer = wire.discover(identifier)
    ack = wire.request(offer, identifier)
    assert ack.type == ACK and ack.options[61] == bytes(range(255))
    # the key is one octet and the identifier
    assert site.postgres.value("select octet_length(client) from rouse.leases where address = %s::inet",
                               ack.yiaddr) == 256


def test_dhcpcd_gets_and_gives_back(site, tmp_path):
    mac = site.client.mac()
    config = tmp_path / "dhcpcd.conf"
    config.write_text("clientid\noption domain_name_servers, host_name, classless_static_routes\n"
                      "noipv6\nscript /bin/true\n", encoding="utf-8")
    client = site.client.spawn(["dhcpcd", "-B", "-4", "-d", "-f", config, "--noarp", "eth0"])
    address = client.wait_for(r"leased ([\d.]+) for 600 seconds", timeout=20).group(1)
    site.wait_until(lambda: (lease := site.lease_of(mac)) and lease.address == address)
    client.stop()


def test_one_port_cannot_take_the_pool(site):
    site.postgres.sql("select rouse.setting('dhcp_port_addresses_max', '2')")
    agent = option(82, b"\x01\x04eth1")
    wires = [site.wire(f"02:00:00:00:03:{number:02x}") for number in range(3)]
    site.neighbour("10.77.0.254", wires[0].mac)
    other = option(82, b"\x01\x04eth9")
    # the setting is in force
    site.wait_until(lambda: site.daemon.output.count("event=snapshot_loaded") >= 2)
    for wire in wires[:2]:
        offer = wire.discover(agent, giaddr="10.77.0.254")
        assert wire.request(offer, agent, giaddr="10.77.0.254").type == ACK
    assert wires[2].discover(agent, giaddr="10.77.0.254", timeout=0.7) is None
    assert wires[2].discover(other, giaddr="10.77.0.254").type == OFFER
    assert wires[1].discover(agent, giaddr="10.77.0.254").type == OFFER


def test_one_makers_cards_cannot_take_the_pool(site):
    site.postgres.sql("insert into rouse.hosts (name) values ('lab-01')")
    site.postgres.sql("insert into rouse.nics (mac, host) values ('00:16:36:00:00:09', 'lab-01')")
    loaded = site.daemon.output.count("event=snapshot_loaded")
    site.postgres.sql("select rouse.setting('dhcp_prefix_addresses_max', '2')")
    site.wait_until(lambda: site.daemon.output.count("event=snapshot_loaded") > loaded)
    flood = [site.wire(f"00:16:36:00:00:{number:02x}") for number in range(3)]
    for wire in flood[:2]:
        wire.lease()
    assert flood[2].discover(timeout=0.7) is None
    # nor by a REQUEST without an offer; and who has an address keeps it
    assert flood[2].ask(REQUEST, option(54, packed(SERVER)), option(50, packed("10.77.0.99"))).type == NAK
    flood[1].lease()
    # a host that is known, and another maker's card
    site.wire("00:16:36:00:00:09").lease()
    site.wire("00:16:37:00:00:01").lease()
    site.wait_until(lambda: site.postgres.value(
        "select count(*) from rouse.events where kind = 'silent' and reason ~ 'dhcp_prefix_addresses_max'"))
# a machine of its own: with its own /run, and without udev, for which a read-only /sys stands
NETWORKD = """set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/network /run/systemd/netif
chown systemd-network:systemd-network /run/systemd/netif
cat >/run/systemd/network/10-eth0.network <<END
[Match]
Name=eth0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
[DHCPv4]
UseHostname=no
END
mount -o remount,ro /sys
SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console exec /lib/systemd/systemd-networkd
"""


def test_systemd_networkd_gets_obeys_and_gives_back(site):
    mac = site.client.mac()
    site.postgres.sql("insert into rouse.dhcp_options (option, value) values "
                      "('classless-static-routes', '10.9.0.0/16 10.77.0.7, 0.0.0.0/0 10.77.0.8')")
    site.wait_until(lambda: site.daemon.output.count("event=snapshot_loaded") >= 2)
    client = site.client.spawn(NETWORKD, name="networkd")
    address = client.wait_for(r"DHCPv4 address ([\d.]+)/24", timeout=20).group(1)
    client.wait_for("State changed: configuring -> configured")
    lease = site.lease_of(mac)
    assert (lease.address, lease.state) == (address, "bound")
    # option 121 stands over option 3 (RFC 3442)
    routes = site.client.run("ip route show proto dhcp").stdout
    assert "default via 10.77.0.8" in routes and "10.9.0.0/16 via 10.77.0.7" in routes
    assert "via 10.77.0.1 " not in routes
    client.stop()
    site.wait_until(lambda: site.lease_of(mac).state == "released")


@pytest.mark.parametrize("htype,hlen,name", [(32, 0, "InfiniBand (RFC 4390)"), (8, 6, "FDDI"), (6, 6, "IEEE 802")])
def test_hardware_that_is_no_ethernet(site, htype, hlen, name):
    """It is known by its identifier or its own kind of address, and answered by broadcast: no frame of ours could be its own."""
    wire = site.wire(f"02:00:00:00:04:{htype:02x}")
    identifier = option(61, b"\xff" + name.encode())

    def ask(kind, *options):
        octets = wire.message(kind, identifier, *options)
        wire.send(octets[:1] + bytes([htype, hlen]) + octets[3:])
        return wire.receive()
    offer = ask(DISCOVER)
    assert (offer.type, offer.htype, offer.hlen) == (OFFER, htype, hlen)
    ack = ask(REQUEST, option(54, packed(SERVER)), option(50, packed(offer.yiaddr)))
    assert (ack.type, ack.yiaddr, ack.frame.dst) == (ACK, offer.yiaddr, "ff:ff:ff:ff:ff:ff")
    assert ack.options[61] == identifier[2:]
    row = site.postgres.sql("select client, mac from rouse.leases where address = %s::inet", ack.yiaddr)[0]
    assert row.mac is None and bytes(row.client) == b"\xff\xff" + name.encode()
