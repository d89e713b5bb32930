"""Interfaces that come and go, and servers of several addresses: what hears must hear again, what is asked must answer."""

import pytest

from test_dhcpd_kit import ACK, OFFER, REQUEST, SERVER, Site, firmware, option, packed

CABLE = "eth1"


@pytest.fixture(name="site")
def make_site(lab, postgres, build, tmp_path):
    postgres.fresh()
    made = Site(lab, postgres, build, tmp_path / "state")
    postgres.sql("insert into rouse.subnets (subnet) values ('10.88.0.0/24')")
    postgres.sql("insert into rouse.pools (subnet, first, last) values ('10.88.0.0/24', '10.88.0.20', '10.88.0.250')")
    yield made
    made.close()


def take_down_and_up(site, *addresses):
    """With the interface its addresses go, as with many network managers."""
    site.server.run("ip link set eth0 down && ip addr flush dev eth0")
    site.server.run("ip link set eth0 up")
    for address in addresses:
        site.server.run(f"ip addr add {address} dev eth0")


def test_an_interface_that_was_down_is_served_again(site):
    site.postgres.sql("update rouse.subnets set probe = 'arp'")
    site.start()
    wire = site.wire("02:00:00:00:07:01")
    first = wire.lease()
    take_down_and_up(site, f"{SERVER}/24")
    assert site.wait_until(lambda: wire.discover(timeout=0.5)).yiaddr == first.yiaddr
    # what listens to the wire itself hears again, too: an address that is in use answers the probe
    site.client.run("ip addr add 10.77.0.77/24 dev eth0")
    assert site.wire("02:00:00:00:07:02").discover(option(50, packed("10.77.0.77"))).yiaddr != "10.77.0.77"
    site.client.run("ip addr flush dev eth0")


def test_a_new_address_of_the_interface_is_the_servers_at_once(site):
    site.start()
    wire = site.wire("02:00:00:00:07:11")
    assert wire.discover().options[54] == packed(SERVER)
    take_down_and_up(site, "10.77.0.8/24")
    offer = site.wait_until(lambda: (reply := wire.discover(timeout=0.5)) and
                            reply.options[54] == packed("10.77.0.8") and reply)
    assert offer.frame["IP"].src == "10.77.0.8"
    assert wire.request(offer).type == ACK


def test_the_proxy_hears_an_interface_that_was_down(site):
    site.start("--mode", "proxy", wait="event=snapshot_loaded", serving=False)
    wire = site.wire("02:00:00:00:07:21")
    assert site.wait_until(lambda: wire.discover(*firmware(0), timeout=0.5)).type == OFFER
    take_down_and_up(site, f"{SERVER}/24")
    assert site.wait_until(lambda: wire.discover(*firmware(0), timeout=0.5)).type == OFFER


@pytest.mark.parametrize("mode", ["server", "proxy"])
def test_an_interface_that_is_made_anew_is_served_again(site, lab, mode):
    """As VLANs are at each change of a network's configuration."""
    far = lab.segment("far")
    site.server.attach(far, ["10.88.0.1/24"])
    far_client = lab.host("farclient", segment=far)
    wait = f"event=serving interface={CABLE}" if mode == "server" else "event=snapshot_loaded"
    site.start("--interface", f"eth0 {CABLE}", "--mode", mode, wait=wait, serving=False)
    wire = site.wire("02:00:00:00:07:31", host=far_client)
    assert site.wait_until(lambda: wire.discover(*firmware(0), timeout=0.5)).type == OFFER
    said = len(site.daemon.output)
    site.server.run(f"ip link del {CABLE}")
    site.daemon.wait_for(f"event=interface_gone interface={CABLE}", after=said)
    assert site.wire("02:00:00:00:07:32").discover(*firmware(0)).type == OFFER  # the other one is served
    far.plug(site.server, CABLE)
    site.server.run(f"ip addr add 10.88.0.1/24 dev {CABLE} && ip link set {CABLE} up")
    site.server.no_offload(CABLE)
    site.daemon.wait_for(f"event=interface_back interface={CABLE}", after=said)
    offer = site.wait_until(lambda: wire.discover(*firmware(0), timeout=0.5))
    assert offer.options[54] == packed("10.88.0.1")


def test_the_server_is_meant_by_each_of_its_addresses(site, lab):
    """RFC 2131 section 4.1; and none of them is given away."""
    far = lab.segment("far")
    site.server.attach(far, ["10.88.0.1/24", "10.88.0.33/24"])
    site.start()
    wire = site.wire("02:00:00:00:07:41")
    offer = wire.discover()
    for server in ("10.88.0.1", "10.88.0.33"):
        assert wire.ask(REQUEST, option(54, packed(server)), option(50, packed(offer.yiaddr))).type == ACK
    site.server.run("ip addr add 10.77.0.40/24 dev eth0")
    other = site.wire("02:00:00:00:07:42")
    site.wait_until(lambda: other.discover(option(50, packed("10.77.0.40"))).yiaddr != "10.77.0.40")
