"""Loaders that fetch over HTTP: GRUB, started by UEFI HTTP Boot, and lpxelinux behind a BIOS ROM. Their
configurations, kernels and initial disks come from menud, and no TFTP server is asked."""

import shutil
import subprocess
from pathlib import Path

import pytest

from chain import ONLY_HTTP

GRUB_MAC = "52:54:00:00:00:42"
ROM_MAC = "52:54:00:00:00:53"
GRUB_MODULES = "efinet http net normal configfile test echo sleep linux boot reboot serial terminal"
LPXELINUX = Path("/usr/lib/PXELINUX/lpxelinux.0")
LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")

# Debian's GRUB of 2.06 knows no other port than 80, and firmware that boots by HTTP tells it no address.
GRUB_BEGINS = """serial
terminal_output serial
net_bootp
set prefix=(http,10.77.0.3)/grub
set root=(http,10.77.0.3)
configfile /grub/grub.cfg
"""

# As in test_bios.py ipxe.lkrn plays a vendor's ROM; the prefix is what a DHCP server sends as option 210.
ROM = """#!ipxe
set user-class VendorROM
dhcp
set 210:string http://10.77.0.3:8080/files/tftp/
chain http://10.77.0.3:8080/files/tftp/lpxelinux.0
"""


@pytest.fixture(name="grub")
def name_grub(chain):
    """HTTP Boot gives a GRUB that knows HTTP, and menud has port 80, too."""
    begins = chain.workdir / "grub-begins"
    begins.write_text(GRUB_BEGINS, encoding="ascii")
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-c", begins, "-p", "/grub", "-o",
                    chain.workdir / "srv" / "tftp" / "grubhttp.efi", *GRUB_MODULES.split()], check=True)
    chain.sql("update rouse.boot_files set file = 'grubhttp.efi' where http and arch = 16")
    second = chain.hosts["menud"].spawn(
        [chain.build / "menud" / "menud", "--config", chain.workdir / "menud.conf", "--port", "80",
         "--state-dir", ""], name="menud on port 80")
    second.wait_for("event=snapshot_loaded")
    yield
    second.stop()


@pytest.mark.patience(240)
def test_grub_by_http_alone(chain, grub):  # pylint: disable=unused-argument
    """From the first byte to a finished job without TFTP."""
    chain.add_host("lab-grub-http", GRUB_MAC)
    job = chain.value("select rouse.inventory('lab-grub-http')")
    with chain.machine(GRUB_MAC, extra=ONLY_HTTP, serial_number="SN-0042") as machine:
        chain.wait_job(job, "succeeded", timeout=200)
        machine.wait_exit(timeout=60)
    assert chain.value("select serial from rouse.hosts where name = 'lab-grub-http'") == "SN-0042"
    seen = {(row.daemon, row.stage, row.kind, row.name) for row in chain.sql(
        "select daemon, stage, kind, name from rouse.events where mac = %s", GRUB_MAC)}
    assert {("menud", "kernel", "sent", "fos/bzImage"), ("menud", "initrd", "sent", "fos/init.xz")} <= seen, chain.story()
    assert any(daemon == "menud" and (stage, kind) == ("script", "job") for daemon, stage, kind, _ in seen), chain.story()
    assert not any(daemon == "tftpd" for daemon, *_ in seen), chain.story()


@pytest.mark.patience(200)
def test_lpxelinux(chain):
    tftp = chain.workdir / "srv" / "tftp"
    shutil.copy(LPXELINUX, tftp)
    shutil.copy(LDLINUX, tftp)
    script = chain.workdir / "rom.ipxe"
    script.write_text(ROM, encoding="ascii")
    chain.add_host("lab-lpxelinux", ROM_MAC)
    job = chain.value("select rouse.inventory('lab-lpxelinux')")
    with chain.machine(ROM_MAC, boot="lkrn", script=script, machine="pc,graphics=off",
                       serial_number="SN-0053") as machine:
        machine.wait_serial("PXELINUX", timeout=60)
        chain.wait_job(job, "succeeded", timeout=150)
        machine.wait_exit(timeout=60)
    assert chain.value("select serial from rouse.hosts where name = 'lab-lpxelinux'") == "SN-0053"
    assert chain.wait_event(ROM_MAC, "kernel", kind="sent", daemon="menud", name="fos/bzImage"), chain.story()
    assert chain.wait_event(ROM_MAC, "initrd", kind="sent", daemon="menud", name="fos/init.xz"), chain.story()
