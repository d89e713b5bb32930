"""Secure Boot's way: the firmware fetches shim, shim fetches GRUB, and Debian's signed GRUB speaks TFTP
only: its configuration, FOS's kernel and the initial disk all come from tftpd, and the job is done."""

import shutil
from pathlib import Path

import pytest

MAC = "52:54:00:00:00:41"
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed")


@pytest.mark.patience(330)
def test_a_job_is_done_by_tftp_alone(chain):
    tftp = chain.workdir / "srv" / "tftp"
    shutil.copy(SHIM, tftp / "shimx64.efi")
    shutil.copy(GRUB, tftp / "grubx64.efi")
    chain.sql("update rouse.boot_files set file = 'shimx64.efi' where arch in (7, 9)")
    chain.add_host("lab-grub", MAC)
    job = chain.value("select rouse.inventory('lab-grub')")
    with chain.machine(MAC, serial_number="SN-0041") as machine:
        chain.wait_job(job, "succeeded", timeout=280)
        machine.wait_exit(timeout=60)
    # the configuration was made for this machine, and everything came by TFTP
    seen = {(row.stage, row.kind, row.name) for row in chain.sql(
        "select stage, kind, name from rouse.events where mac = %s and daemon = 'tftpd'", MAC)}
    assert any(stage == "script" and kind == "sent" and "grub.cfg" in name
               for stage, kind, name in seen), chain.story()
    assert {("kernel", "sent", "fos/bzImage"), ("initrd", "sent", "fos/init.xz")} <= seen, chain.story()
    assert chain.job(job).attempts == 1, chain.story()
    assert chain.value("select serial from rouse.hosts where name = 'lab-grub'") == "SN-0041"
