"""A machine with a BIOS and a PXE ROM. Debian's ipxe.lkrn plays the ROM: it says a user class of its
own, so that it is not taken for iPXE, and starts what DHCP names, as a ROM does."""

import shutil

import pytest

MAC = "52:54:00:00:00:11"

# below raw/ tftpd gives the first stages as they are: it would take this ROM for iPXE, as it is
ROM = """#!ipxe
set user-class VendorROM
dhcp
chain tftp://${next-server}/raw/${filename}
"""


@pytest.fixture(scope="module")
def rom(chain):
    script = chain.workdir / "rom.ipxe"
    script.write_text(ROM, encoding="ascii")
    return script


def insert_profile(chain, key, title, kernel, position):
    chain.sql("insert into rouse.profiles (name, title, kind, kernel, initrd, arguments) values "
              "(%s, %s, 'linux', %s, 'fos/init.xz', 'console=ttyS0,115200')", key, title, kernel)
    chain.sql("insert into rouse.menu (key, title, position, action, profile, hotkey) values "
              "(%s, %s, %s, 'profile', %s, %s)", key, title, position, key, key[0])


@pytest.mark.patience(200)
def test_the_menu_is_shown_and_an_entry_is_chosen_by_a_key(chain, rom):
    """The entries were inserted while the daemons ran. The first that is chosen has no kernel: the
    screen and the timeline say so, and the menu comes back."""
    insert_profile(chain, "rescue", "Start the rescue system", "fos/bzImage", 90)
    insert_profile(chain, "gone", "Start what is gone", "gone/bzImage", 91)
    with chain.machine(MAC, boot="lkrn", script=rom, machine="pc,graphics=off") as machine:
        # the clock of the menu runs: from now on it takes keys
        machine.wait_serial(r"(?s)Start what is gone.*\(\d+\)", timeout=90)
        assert chain.wait_event(MAC, "fw_dhcp", kind="ack")
        assert chain.wait_event(MAC, "tftp_nbp", kind="sent").name == "raw/undionly.kpxe"
        assert chain.wait_event(MAC, "script", kind="menu")
        machine.type_serial("g")
        machine.wait_serial(r"this did not start: error \S*2d0c61", timeout=30)
        failed = chain.wait_event(MAC, "script", kind="failed", timeout=30)
        assert failed.name.startswith("2d0c61"), failed  # HTTP 404, in iPXE's numbers
        machine.wait_serial(r"(?s)this did not start.*Start what is gone.*\(\d+\)", timeout=30)
        machine.type_serial("r")
        chain.wait_event(MAC, "script", kind="profile", name="rescue")
        chain.wait_event(MAC, "initrd", kind="sent", timeout=90)
        # the kernel runs, and FOS finds that nobody gave it a ticket
        machine.wait_serial("rouse", timeout=60)


@pytest.mark.patience(200)
def test_the_memory_test_of_the_shipped_menu(chain, rom):
    """Debian's memtest86+ at the place that docs/reference/schema.md names."""
    folder = chain.workdir / "srv" / "memtest"
    folder.mkdir()
    shutil.copy("/boot/memtest86+x64.bin", folder)
    # the shipped profile shows itself on the screen only; this machine has a serial line
    chain.sql("update rouse.profiles set arguments = 'console=ttyS0,115200' where name = 'memtest'")
    with chain.machine("52:54:00:00:00:12", boot="lkrn", script=rom,
                       machine="pc,graphics=off") as machine:
        machine.wait_serial(r"(?s)Test the memory.*\(\d+\)", timeout=90)
        machine.type_serial("m")
        machine.wait_serial("Memtest86", timeout=90)
