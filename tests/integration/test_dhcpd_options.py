"""DHCP options as data: a row in rouse.dhcp_options is in the next reply, and real clients read it."""

import pytest
from test_dhcpd_kit import Site, mac_octets, option, packed

# pylint: disable=redefined-outer-name


@pytest.fixture
def site(lab, postgres, build, tmp_path):
    postgres.fresh()
    made = Site(lab, postgres, build, tmp_path / "state")
    made.start()
    yield made
    made.close()


def set_option(site, name, value, **scope):
    columns = ["option", "value", *scope]
    site.postgres.sql(f"insert into rouse.dhcp_options ({', '.join(columns)}) values "
                      f"({', '.join(['%s'] * len(columns))})", name, value, *scope.values())


def offered(site, wire, wanted, code, value):
    """Until the daemon has read the change: then the options of an offer."""
    site.wait_until(lambda: wire.discover(option(55, bytes(wanted))).options.get(code) == value)


def test_a_row_is_in_the_next_offer_scope_by_scope(site):
    site.postgres.sql("insert into rouse.hosts (name) values ('lab-01')")
    site.postgres.sql("insert into rouse.nics (mac, host) values ('02:00:00:00:01:01', 'lab-01')")
    known, other = site.wire("02:00:00:00:01:01"), site.wire("02:00:00:00:01:02")
    wanted = [1, 42, 119, 121, 224]
    set_option(site, "ntp-servers", "10.77.0.8")
    offered(site, other, wanted, 42, packed("10.77.0.8"))
    set_option(site, "ntp-servers", "10.77.0.9", subnet="10.77.0.0/24")
    offered(site, other, wanted, 42, packed("10.77.0.9"))
    site.postgres.sql("insert into rouse.groups (name) values ('kiosks')")
    set_option(site, "ntp-servers", "10.77.0.7", group_name="kiosks")
    site.postgres.sql("update rouse.hosts set group_name = 'kiosks'")
    offered(site, known, wanted, 42, packed("10.77.0.7"))
    set_option(site, "ntp-servers", "10.77.0.10, 10.77.0.11", host="lab-01")
    offered(site, known, wanted, 42, packed("10.77.0.10") + packed("10.77.0.11"))
    offered(site, other, wanted, 42, packed("10.77.0.9"))
    set_option(site, "domain-search", "lab.example")
    set_option(site, "121", "10.0.0.0/8 10.77.0.1, 0.0.0.0/0 10.77.0.1")
    set_option(site, "224", '"raw"', **{"class": "thing"})
    offered(site, other, wanted, 121, b"\x08\x0a" + packed("10.77.0.1") + b"\0" + packed("10.77.0.1"))
    offer = site.wait_until(lambda: (reply := other.discover(
        option(55, bytes(wanted)), option(60, b"thing-2"))).options.get(224) and reply)
    assert offer.options[119] == b"\x03lab\x07example\0"
    assert offer.options[224] == b"raw"
    # in the order of the list, the mask first
    assert [code for code in offer.options if code in wanted] == wanted
    assert 3 not in offer.options  # who gets classless routes gets no others (RFC 3442)
    assert other.discover(option(55, b"\x01")).options.get(224) is None


def test_a_long_offer_is_told_as_such(site):
    """More than 576 octets with the headers of IP and UDP: some ROMs do not take it."""
    def firmware(*wanted):
        return (option(60, b"PXEClient:Arch:00007:UNDI:003000"), option(93, b"\0\7"),
                option(57, (1472).to_bytes(2, "big")), option(55, bytes(wanted)))

    for code in ("230", "231"):
        set_option(site, code, '"' + "x" * 250 + '"')
    offered(site, site.wire("02:00:00:00:01:07"), [1, 231], 231, b"x" * 250)
    # a card each: what is alike within a moment is one event
    short, long = site.wire("02:00:00:00:01:08"), site.wire("02:00:00:00:01:09")
    short.discover(*firmware(1))
    assert long.discover(*firmware(1, 230, 231)).options[230] == b"x" * 250
    rows = site.wait_until(lambda: (found := site.postgres.sql(
        "select mac::text as mac, detail -> 'is_long' as is_long from rouse.events where kind = 'offer' "
        "and mac in (%s::macaddr, %s::macaddr) order by mac", short.mac, long.mac)) and len(found) == 2 and found)
    assert [row.is_long for row in rows] == [None, True]


def test_a_full_reply_uses_file_and_sname(site):
    wire = site.wire("02:00:00:00:01:03")
    for code, length in ((230, 220), (231, 100), (232, 50)):
        set_option(site, str(code), '"' + "x" * length + '"')
    wanted = option(55, bytes([230, 231, 232]))
    # until all three are in force; one alone needs `file` only
    offer = site.wait_until(lambda: (reply := wire.discover(wanted)).options.get(52) == b"\x03" and reply)
    assert len(offer.octets) <= 548
    # the whole is there for who takes more
    offer = wire.discover(wanted, option(57, b"\x05\xc0"))
    assert 52 not in offer.options and len(offer.options[230]) == 220


def test_the_server_says_that_it_updates_no_dns(site):
    wire = site.wire("02:00:00:00:01:04")
    ack = wire.lease(option(81, b"\x05\x00\x00\x05pc-81\x03lab\x00"),
                     option(61, b"\x01" + mac_octets(wire.mac)))
    assert ack.options[81] == b"\x0e\xff\xff\x05pc-81\x03lab\x00"
    assert site.lease_of(wire.mac).host_name == "pc-81.lab"


def test_udhcpc_reads_them(site, tmp_path):
    set_option(site, "ntp-servers", "10.77.0.8")
    set_option(site, "classless-static-routes", "10.0.0.0/8 10.77.0.1")
    set_option(site, "domain-search", "lab.example, example.org")
    set_option(site, "root-path", "nfs:/srv")
    wire = site.wire("02:00:00:00:01:05")
    offered(site, wire, [17], 17, b"nfs:/srv")
    said = tmp_path / "udhcpc"
    said.write_text("#!/bin/sh\nenv | grep -E '^(ntpsrv|staticroutes|search|rootpath)='\n",
                    encoding="utf-8")
    said.chmod(0o755)
    client = site.client.spawn(["busybox", "udhcpc", "-f", "-q", "-i", "eth0", "-s", said, "-O", "ntpsrv",
                                "-O", "staticroutes", "-O", "search", "-O", "rootpath"])
    client.wait_for(r"staticroutes=10.0.0.0/8 10.77.0.1")
    for expected in ("ntpsrv=10.77.0.8", "search=lab.example example.org", "rootpath=nfs:/srv"):
        client.wait_for(expected)
