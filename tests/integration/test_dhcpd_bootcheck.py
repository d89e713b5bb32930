"""dhcpd asks the boot servers that clients are sent to whether they answer: rouse.boot_servers."""

import socket
import struct
import time

import pytest

from net import Lab
from test_dhcpd_kit import (DISCOVER, OFFER, Site, firmware, mac_octets, option, packed)

HPA, OURS, SILENT, CLOSED, NOBODY, OTHER = (f"10.77.0.{n}" for n in (2, 3, 4, 5, 6, 9))
MACS = (f"02:00:00:00:01:{number:02x}" for number in range(1, 250))


@pytest.fixture(scope="module", name="site")
def make_site(postgres, build, tmp_path_factory):
    """dhcpd on its host; on another one somebody's TFTP server, ours, one that says nothing, and nothing."""
    with Lab() as laboratory:
        site = Site(laboratory, postgres, build, tmp_path_factory.mktemp("state"))
        site.files = tmp_path_factory.mktemp("files")
        site.files.chmod(0o755)
        (site.files / "ipxe.efi").write_bytes(b"x" * 5000)
        site.boots = laboratory.host("boots", [f"{address}/24" for address in (HPA, OURS, SILENT, CLOSED, OTHER)])
        site.hpa = site.boots.spawn(["in.tftpd", "-L", "-a", f"{HPA}:69", "-s", site.files])
        site.ours = site.boots.spawn([build / "tftpd" / "tftpd", "--listen", OURS, "--root", site.files, "--state-dir", "",
                                      "--database", postgres.conninfo("rouse_tftpd")], name="tftpd")
        site.ours.wait_for("event=snapshot_loaded")
        with site.boots.entered():
            site.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        site.silent.bind((SILENT, 69))
        site.silent.setblocking(False)
        yield site
        site.silent.close()
        site.hpa.stop()
        assert site.ours.stop() == 0
        site.close()


def boot_from(site, address):
    """A machine with UEFI firmware is told to boot from there."""
    site.postgres.sql("select rouse.setting('next_server', %s)", address)
    site.wait_until(lambda: site.wire(next(MACS)).lease(*firmware(7)).siaddr == address)


@pytest.fixture(scope="module", name="serving")
def serve(site):
    """dhcpd, which has sent machines to all of them."""
    daemon = site.start("--mode", "server")
    for address in (SILENT, NOBODY, HPA, OURS, CLOSED):
        boot_from(site, address)
    return daemon


def found(site, address, way="tftp"):
    """What dhcpd has found there."""
    return site.wait_until(lambda: site.postgres.sql(
        "select file, answer from rouse.boot_servers where address = %s and way = %s", address, way))[0]


def wait_found(site, address, file, answers):
    """dhcpd has found one of these. A busy machine may answer too late: then it is asked again, half a minute later."""
    def look():
        rows = site.postgres.sql("select answer from rouse.boot_servers where address = %s and file = %s", address, file)
        if rows and rows[0].answer not in answers:
            time.sleep(5)
            boot_from(site, address)
        return rows and rows[0].answer in answers and rows[0].answer
    return site.wait_until(look, timeout=100)


@pytest.mark.parametrize("address, answers", [
    (HPA, ("served",)), (OURS, ("served",)), (CLOSED, ("closed",)), (SILENT, ("silent",)),
    # the kernel gives up the search for its card at about the time when we give up
    (NOBODY, ("silent", "unreachable"))])
def test_what_is_there(site, serving, address, answers):
    answer = wait_found(site, address, "ipxe.efi", answers)
    if answers != ("served",):
        serving.wait_for(f"level=warning event=boot_server address={address} way=tftp answer={answer} file=ipxe.efi")


def test_a_file_that_is_not_there(site, serving):
    site.postgres.sql("update rouse.boot_files set file = 'gone.efi' where arch = 7")
    boot_from(site, HPA)
    site.wait_until(lambda: site.wire(next(MACS)).lease(*firmware(7)).file == "gone.efi")
    wait_found(site, HPA, "gone.efi", ("missing",))
    site.postgres.sql("update rouse.boot_files set file = 'ipxe.efi' where arch = 7")


def test_tftpd_takes_it_for_no_boot(site, serving):
    """Its log has the look; no machine fetched anything."""
    wait_found(site, OURS, "ipxe.efi", ("served",))
    site.ours.wait_for('event=transfer_ended outcome=\\w+ .*file=ipxe.efi .*reason="asked only whether it is served"')
    # what came before this in tftpd's queue is recorded when this is
    with site.boots.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((CLOSED, 0))
        asking.sendto(b"\0\1absent\0octet\0", (OURS, 69))
    site.wait_until(lambda: site.postgres.sql("select 1 as there from rouse.events where daemon = 'tftpd' and name = 'absent'"))
    assert not site.postgres.sql("select 1 as there from rouse.events where daemon = 'tftpd' and name = 'ipxe.efi'")


def hear_offer(site, wire):
    """Another server's broadcast, as it comes to a machine that boots: it sends it to CLOSED and says PXEClient."""
    wire.send(wire.message(DISCOVER, *firmware(7), broadcast=True))
    head = struct.pack("!BBBBIHH4s4s4s4s16s64s128s", 2, 1, 6, 0, wire.xid & 0xffffffff, 0, 0x8000, packed("0.0.0.0"),
                       packed("10.77.0.150"), packed(CLOSED), packed("0.0.0.0"), mac_octets(wire.mac), b"",
                       b"pxelinux.0")
    octets = head + b"\x63\x82\x53\x63" + option(53, bytes([OFFER])) + option(54, packed(OTHER)) + \
        option(51, b"\0\0\2\0") + option(60, b"PXEClient") + b"\xff"
    with site.boots.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        server.bind((OTHER, 67))
        server.sendto(octets, ("255.255.255.255", 68))


def test_where_another_server_sends_its_clients(site):
    """An observer asks there, and on the port 4011 that a left-over option 60 sends firmware to."""
    site.close()
    site.start("--mode", "observe", wait="event=snapshot_loaded", serving=False)
    wire = site.wire(next(MACS))
    hear_offer(site, wire)
    assert found(site, OTHER, "pxe") == (None, "closed")
    assert site.postgres.sql("select answer from rouse.boot_servers where file = 'pxelinux.0' and address = %s",
                             CLOSED) == [("closed",)]
    (heard,) = site.wait_until(lambda: site.postgres.sql(
        "select detail from rouse.events where mac = %s and kind = 'offer'", wire.mac))
    assert heard.detail["next_server"] == CLOSED and heard.detail["pxe"] is True


def test_it_may_be_switched_off(site):
    site.close()
    site.start("--mode", "server", "--check-boot-servers=false")
    while True:
        try:
            site.silent.recv(2048)
        except BlockingIOError:
            break
    boot_from(site, SILENT)
    site.silent.settimeout(1.5)
    with pytest.raises(TimeoutError):
        site.silent.recv(2048)
