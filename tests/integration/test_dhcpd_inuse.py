"""Addresses that somebody uses without a lease: found by ARP and by ICMP before they are offered."""

import pytest
from test_dhcpd_kit import DISCOVER, LOADED, OFFER, Site, option, packed
from test_dhcpd_relay import routed  # pylint: disable=unused-import

# pylint: disable=redefined-outer-name

STATIC = ["10.77.0.20", "10.77.0.21", "10.77.0.22", "10.77.0.23"]
FREE = "10.77.0.24"


@pytest.fixture
def site(lab, postgres, build, tmp_path):
    """A pool of five addresses, four of which a machine on the wire has taken for itself."""
    postgres.fresh()
    made = Site(lab, postgres, build, tmp_path / "state", pool=(STATIC[0], FREE))
    postgres.sql("update rouse.subnets set probe = 'auto'")
    made.squatter = lab.host("squatter", addresses=[f"{address}/24" for address in STATIC])
    made.start(wait="event=snapshot_loaded")
    made.daemon.wait_for(LOADED, timeout=20)
    yield made
    made.close()


def quarantined(site):
    return site.postgres.sql("select host(address) as address from rouse.leases "
                             "where state = 'declined' and expires_at > now() order by address")


def test_what_a_machine_took_for_itself_is_quarantined_and_not_offered(site):
    first = site.wire("02:00:00:00:05:01")
    assert first.lease().yiaddr == FREE
    # nobody else gets one, and looking for it finds all four
    second = site.wire("02:00:00:00:05:02")
    assert second.discover() is None
    site.wait_until(lambda: [row.address for row in quarantined(site)] == STATIC)
    assert site.postgres.value("select declined from rouse.pools") == 4
    by = site.squatter.mac()
    assert site.postgres.value("select count(*) from rouse.leases where mac = %s::macaddr", by) == 4
    for address in STATIC:
        site.daemon.wait_for(f"event=address_in_use interface=eth0 address={address} way=arp by={by}")
    told = site.wait_until(lambda: (rows := site.postgres.sql(
        "select host(address) as address, reason from rouse.events where kind = 'conflict'")) and
        len(rows) == 4 and rows)
    assert {row.address for row in told} == set(STATIC)
    assert all(f"the answer is from {by}" in row.reason for row in told)
    # once recorded, it is not asked for again
    assert second.discover(timeout=0.7) is None
    assert site.daemon.output.count("event=address_in_use") == 4


def test_who_answers_with_its_own_card_is_the_client(site):
    mac = site.client.mac()
    site.client.run(["ip", "addr", "add", f"{FREE}/24", "dev", "eth0"])
    offer = site.wire(mac).discover(option(50, packed(FREE)))
    assert offer.type == OFFER and offer.yiaddr == FREE
    assert "event=address_in_use" not in site.daemon.output


def test_a_retransmission_takes_the_place_of_what_waits_and_others_do_not_wait(site):
    known = site.wire("02:00:00:00:05:03")
    known.lease()
    site.postgres.sql("update rouse.pools set last = '10.77.0.30'")
    site.postgres.sql("select rouse.setting('dhcp_probe_ms', '2000')")
    site.wait_until(lambda: site.daemon.output.count("event=snapshot_loaded") >= 3)
    waiting = site.wire("02:00:00:00:05:04")
    wish = option(50, packed("10.77.0.29"))
    first = waiting.message(DISCOVER, wish)
    waiting.send(first)
    waiting.send(first)
    second = waiting.message(DISCOVER, wish)
    waiting.send(second)
    assert known.discover(timeout=10).yiaddr == FREE
    offer = waiting.receive(timeout=10)
    assert offer.yiaddr == "10.77.0.29"
    # all three were one question, and its answer is for the last
    assert waiting.receive(timeout=0.3, xid=waiting.xid - 1) is None
    assert waiting.receive(timeout=0.3) is None


def test_behind_a_relay_it_is_found_by_icmp(routed, tmp_path):
    squatter = routed.server.lab.host("squatter", addresses=["10.88.0.20/24", "10.88.0.21/24"],
                                      segment="far")
    squatter.run("ip route add default via 10.88.0.1")
    loaded = routed.daemon.output.count("event=snapshot_loaded")
    routed.postgres.sql("with pool as (update rouse.pools set last = '10.88.0.22' "
                        "where subnet = '10.88.0.0/24') "
                        "update rouse.subnets set probe = 'auto' where subnet = '10.88.0.0/24'")
    routed.wait_until(lambda: routed.daemon.output.count("event=snapshot_loaded") > loaded)
    script = tmp_path / "udhcpc"
    script.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    script.chmod(0o755)
    command = ["busybox", "udhcpc", "-f", "-i", "eth0", "-s", script]
    routed.far_client.spawn(command).wait_for(r"lease of 10\.88\.0\.22 obtained", timeout=30)
    # the next one finds out about the two others
    routed.server.lab.host("last", segment="far").spawn(command)
    routed.wait_until(lambda: [row.address for row in quarantined(routed)] ==
                      ["10.88.0.20", "10.88.0.21"], timeout=30)
    routed.daemon.wait_for("event=address_in_use interface=eth0 address=10.88.0.2[01] way=icmp by=-")
