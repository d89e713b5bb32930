"""Somebody else's DHCP server that names one file for everybody: iPXE is sent for iPXE again, and our
tftpd alone makes the machine reach the menu."""

from contextlib import contextmanager

import pytest

from chain import ADDRESSES, Chain
from test_bios import ROM

ONE_FILE = """
interface=eth0
bind-interfaces
port=0
no-ping
leasefile-ro
dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0
dhcp-boot={file},,{tftpd}
# routers are not the matter here: without an answer iPXE waits 15 s for one
enable-ra
dhcp-range=::,constructor:eth0,ra-only,64
"""


@pytest.fixture(name="chain", scope="module")
def make_chain(module_lab, postgres, build, fos, tmp_path_factory):
    with Chain(module_lab, postgres, build, tmp_path_factory.mktemp("loop"), fos,
               names=("tftpd", "menud")) as whole:
        whole.hosts["dhcpd"].run("ip addr add fd77::1/64 dev eth0 nodad")
        yield whole


@contextmanager
def foreign_dhcp(chain, file):
    configuration = chain.workdir / "dnsmasq.conf"
    configuration.write_text(ONE_FILE.format(file=file, tftpd=ADDRESSES["tftpd"]), encoding="ascii")
    server = chain.hosts["dhcpd"].spawn(["dnsmasq", "--no-daemon", "--user=root", "--log-dhcp",
                                         f"--conf-file={configuration}"], name="dnsmasq")
    server.wait_for("DHCP, IP range")
    try:
        yield server
    finally:
        server.stop()


def assert_loop_was_broken(chain, mac, file):
    broken = chain.wait_event(mac, "script", kind="loop_broken")
    assert broken.name == file and broken.count == 1
    assert chain.wait_event(mac, "script", kind="menu")
    # the binary itself was fetched once, by the firmware
    (row,) = chain.sql("select sum(count) as times from rouse.events where mac = %s "
                       "and stage = 'tftp_nbp' and kind = 'sent'", mac)
    assert row.times == 1, chain.story()


@pytest.mark.patience(150)
def test_uefi(chain):
    mac = "52:54:00:00:00:31"
    with foreign_dhcp(chain, "ipxe.efi"), chain.machine(mac) as machine:
        machine.wait_serial("Register this machine", timeout=120)
    assert_loop_was_broken(chain, mac, "ipxe.efi")


@pytest.mark.patience(150)
def test_bios(chain):
    mac = "52:54:00:00:00:32"
    rom = chain.workdir / "rom.ipxe"
    rom.write_text(ROM, encoding="ascii")
    with foreign_dhcp(chain, "undionly.kpxe"), \
            chain.machine(mac, boot="lkrn", script=rom, machine="pc,graphics=off") as machine:
        machine.wait_serial("Register this machine", timeout=120)
    assert_loop_was_broken(chain, mac, "undionly.kpxe")
