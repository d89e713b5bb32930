"""A machine with a BIOS and a PXE ROM. Debian's ipxe.lkrn plays the ROM: it says a user class of its
own, so that it is not taken for iPXE, and starts what DHCP names, as a ROM does."""

import shutil

import pytest

MAC = "52:54:00:00:00:11"

# raw/ holds the first stages as they are, out of reach of whatever tftpd does for iPXE
ROM = """#!ipxe
set user-class VendorROM
dhcp
chain tftp://${next-server}/raw/${filename}
"""


@pytest.fixture(scope="module")
def rom(chain):
    raw = chain.workdir / "srv" / "tftp" / "raw"
    raw.mkdir()
    shutil.copy(chain.workdir / "srv" / "tftp" / "undionly.kpxe", raw)
    script = chain.workdir / "rom.ipxe"
    script.write_text(ROM, encoding="ascii")
    return script


@pytest.mark.patience(200)
def test_the_menu_is_shown_and_an_entry_is_chosen_by_a_key(chain, rom):
    """The entry was inserted while the daemons ran."""
    chain.sql("insert into rouse.profiles (name, title, kind, kernel, initrd, arguments) values "
              "('rescue', 'A rescue system', 'linux', 'fos/bzImage', 'fos/init.xz', "
              "'console=ttyS0,115200')")
    chain.sql("insert into rouse.menu (key, title, position, action, profile, hotkey) values "
              "('rescue', 'Start the rescue system', 90, 'profile', 'rescue', 'r')")
    with chain.machine(MAC, boot="lkrn", script=rom, machine="pc,graphics=off") as machine:
        machine.wait_serial("Start the rescue system", timeout=90)
        assert chain.wait_event(MAC, "fw_dhcp", kind="ack")
        assert chain.wait_event(MAC, "tftp_nbp", kind="sent").name == "raw/undionly.kpxe"
        assert chain.wait_event(MAC, "script", kind="menu")
        machine.type_serial("r")
        assert chain.wait_event(MAC, "script", kind="profile").name == "rescue"
        chain.wait_event(MAC, "initrd", kind="sent", timeout=90)
        # the kernel runs, and FOS finds that nobody gave it a ticket
        machine.wait_serial("rouse", timeout=60)
