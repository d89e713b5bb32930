"""Real firmware where somebody else's DHCP server gives the addresses, and our dhcpd is a proxy."""

import pytest

import dhcp_servers
from chain import Chain

# A ROM takes file and server from the proxy's offer; iPXE, which plays it, keeps that one apart.
ROM = """#!ipxe
set user-class VendorROM
dhcp
chain tftp://${proxydhcp/next-server}/raw/${proxydhcp/filename}
"""


@pytest.fixture(name="chain", scope="module")
def make_chain(module_lab, postgres, build, fos, tmp_path_factory):
    with Chain(module_lab, postgres, build, tmp_path_factory.mktemp("proxy"), fos,
               more={"dhcpd": 'mode = "proxy"\n'}) as whole:
        module_lab.host("other", ["10.77.0.9/24"])
        yield whole


def wait_steps(chain, mac, *steps):
    """Waits until dhcpd has told of all of these (stage, kind); events arrive in batches."""
    for stage, kind in steps:
        chain.wait_event(mac, stage, kind=kind, daemon="dhcpd")


def assert_the_other_gave_the_address(chain, mac, server):
    """The proxy heard the server's ACK, or inferred it; none of ours was given."""
    ack = chain.wait_event(mac, "fw_dhcp", kind="ack")
    assert ack.detail["server"] == server and ack.address.startswith("10.77.0.1"), chain.story()
    assert not chain.sql("select address from rouse.leases")


@pytest.mark.patience(150)
def test_uefi_beside_kea_on_another_host(chain):
    mac = "52:54:00:00:00:41"
    with dhcp_servers.running("kea", chain.lab.hosts["other"], chain.workdir), \
            chain.machine(mac) as machine:
        machine.wait_serial("Register this machine", timeout=120)
    # OVMF was promised its file, and asked for it on port 4011
    assert chain.wait_event(mac, "proxy", kind="ack").name == "ipxe.efi"
    wait_steps(chain, mac, ("fw_dhcp", "discover"), ("proxy", "offer"), ("proxy", "request"),
               ("proxy", "ack"), ("ipxe_dhcp", "discover"), ("ipxe_dhcp", "request"))
    assert chain.wait_event(mac, "script", kind="menu")
    assert_the_other_gave_the_address(chain, mac, "10.77.0.9")


@pytest.mark.patience(150)
def test_bios_beside_dnsmasq_on_the_same_host(chain):
    mac = "52:54:00:00:00:42"
    rom = chain.workdir / "rom.ipxe"
    rom.write_text(ROM, encoding="ascii")
    with dhcp_servers.running("dnsmasq", chain.hosts["dhcpd"], chain.workdir), \
            chain.machine(mac, boot="lkrn", script=rom, machine="pc,graphics=off") as machine:
        machine.wait_serial("Register this machine", timeout=120)
    # the offer itself named the file: nobody asked port 4011
    wait_steps(chain, mac, ("fw_dhcp", "request"), ("proxy", "offer"))
    assert not chain.sql("select * from rouse.events where mac = %s and stage = 'proxy' "
                         "and kind in ('request', 'ack')", mac)
    assert chain.wait_event(mac, "tftp_nbp", kind="sent").name == "raw/undionly.kpxe"
    assert chain.wait_event(mac, "script", kind="menu")
    assert_the_other_gave_the_address(chain, mac, "10.77.0.1")
    # on its own host a tap hears even what dnsmasq sends to one card
    chain.wait_for("select * from rouse.foreign_dhcp where address = '10.77.0.1' and kind = 'server'")
