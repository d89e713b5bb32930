"""Secure Boot, with Microsoft's keys in the firmware: it fetches shim, shim fetches GRUB, and Debian's signed GRUB
speaks TFTP only: its configuration, FOS's kernel (Debian's, signed) and the initial disk all come from tftpd, and the
job is done."""

import shutil
from pathlib import Path

import pytest

MAC, MENU_MAC, STRANGER = "52:54:00:00:00:41", "52:54:00:00:00:42", "52:54:00:00:00:43"
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed")


@pytest.fixture(autouse=True, scope="module")
def signed_grub(chain):
    tftp = chain.workdir / "srv" / "tftp"
    shutil.copy(SHIM, tftp / "shimx64.efi")
    shutil.copy(GRUB, tftp / "grubx64.efi")
    name_first_stage(chain, "shimx64.efi")


def name_first_stage(chain, file):
    chain.sql("update rouse.boot_files set file = %s where arch in (7, 9)", file)


@pytest.mark.patience(120)
def test_what_nobody_signed_is_refused(chain):
    """This firmware means it: iPXE arrives whole, and is not started."""
    name_first_stage(chain, "ipxe.efi")
    try:
        with chain.machine(STRANGER, boot="secure") as machine:
            machine.wait_serial("Access Denied", timeout=100)
        assert chain.wait_event(STRANGER, "tftp_nbp", kind="sent", name="ipxe.efi"), chain.story()
    finally:
        name_first_stage(chain, "shimx64.efi")
    assert not chain.sql("select from rouse.events where mac = %s and stage in ('ipxe_dhcp', 'script')", STRANGER)


@pytest.mark.patience(330)
def test_a_job_is_done_by_tftp_alone(chain):
    chain.add_host("lab-grub", MAC)
    job = chain.value("select rouse.inventory('lab-grub')")
    with chain.machine(MAC, boot="secure", serial_number="SN-0041") as machine:
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
    assert chain.value("select data ->> 'secure_boot' from rouse.inventories where host = 'lab-grub'") == "enabled"


def press_until(machine, key, pattern, times=60):
    """Nobody sees when a hidden menu begins to listen."""
    for _ in range(times):
        machine.type_serial(key)
        try:
            return machine.wait_serial(pattern, timeout=2)
        except TimeoutError:
            pass
    return machine.wait_serial(pattern, timeout=2)


@pytest.mark.patience(200)
def test_a_sub_menu_behind_a_hidden_menu(chain):
    chain.add_host("lab-menu", MENU_MAC)
    chain.sql("insert into rouse.profiles (name, title, kind, kernel, initrd) "
              "values ('own', 'Start', 'linux', 'fos/bzImage', 'fos/init.xz')")
    chain.sql("insert into rouse.menu (key, title, position, action, hotkey) "
              "values ('ours', '{ What''s $ours; }', 90, 'menu', 'o')")
    chain.sql("insert into rouse.menu (key, parent, title, position, action, profile, hotkey) "
              "values ('own', 'ours', 'Start \\ it', 91, 'profile', 'own', 'w')")
    chain.sql("insert into rouse.boot_defaults (host, menu_key, menu_timeout_seconds) "
              "values ('lab-menu', 'esc', 150)")
    with chain.machine(MENU_MAC) as machine:
        chain.wait_event(MENU_MAC, "script", kind="sent", timeout=120)
        press_until(machine, "\x1b", r"What's \$ours; }")
        machine.type_serial("o")
        machine.wait_serial(r"Start \\ it", timeout=60)
        machine.type_serial("w")
        chain.wait_event(MENU_MAC, "kernel", kind="sent", name="fos/bzImage", timeout=90)
