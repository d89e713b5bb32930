"""Loaders that speak TFTP only: U-Boot on an arm64 board, and PXELINUX behind a BIOS ROM. What they look
for in pxelinux.cfg/ is made by tftpd, and kernels come from it, too."""

import re
import shutil
import struct
import zlib
from pathlib import Path

import pytest

BOARD, MENU_BOARD = "52:54:00:00:00:51", "52:54:00:00:00:54"
UBOOT_MAC = "52:52:52:52:52:52"  # from Debian's environment, whatever card the board has
ROM_MAC, MENU_MAC = "52:54:00:00:00:52", "52:54:00:00:00:53"
PXELINUX = Path("/usr/lib/PXELINUX/pxelinux.0")
LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")

# as in test_bios.py: ipxe.lkrn plays a vendor's ROM
ROM = """#!ipxe
set user-class VendorROM
dhcp
chain tftp://${next-server}/raw/${filename}
"""


def arm64_kernel(words):
    """The least that U-Boot takes for Linux (Documentation/arm64/booting.rst): a header, and code that
    writes the words to the board's serial port and switches it off."""
    code = [0xd2a12001,  # mov  x1, #0x09000000    the PL011
            0x10000122,  # adr  x2, words
            0x38401443,  # ldrb w3, [x2], #1
            0x34000063,  # cbz  w3, +12
            0xb9000023,  # str  w3, [x1]
            0x17fffffd,  # b    -12
            0x52b08000,  # mov  w0, #0x84000000
            0x72800100,  # movk w0, #8             PSCI's SYSTEM_OFF
            0xd4000002,  # hvc  #0
            0x14000000]  # b    .
    body = struct.pack("<10I", *code) + words.encode() + b"\0"
    runs_anywhere = 8  # else it is moved to the memory's begin, over the device tree
    header = struct.pack("<IIQQQQQQ4sI", 0x14000010, 0, 0, 64 + len(body), runs_anywhere, 0, 0, 0,
                         b"ARM\x64", 0)
    return header + body


@pytest.fixture(name="arm64_fos")
def name_arm64_kernel(chain):
    """FOS's kernel is for this board meanwhile."""
    (chain.workdir / "srv" / "fos" / "Image").write_bytes(arm64_kernel("\r\nthe job's kernel runs\r\n"))
    chain.sql("update rouse.settings set value = 'fos/Image' where name = 'fos_kernel'")
    yield
    chain.sql("update rouse.settings set value = 'fos/bzImage' where name = 'fos_kernel'")


def drawn(words):
    """SeaBIOS's serial console moves its cursor where it likes, also between two letters."""
    return r"(?:\x1b\[[0-9;]*[A-Za-z])*".join(map(re.escape, words))


def begin_uboot(machine):
    machine.wait_serial("Hit any key", timeout=60)
    machine.type_serial("\n")
    # the card's own; Debian's environment brings one that all boards share
    machine.uboot(f"setenv autoload no; env set -f ethaddr {machine.mac}", timeout=60)
    assert "bound to address 10.77.0.1" in machine.uboot("dhcp")


@pytest.mark.patience(150)
@pytest.mark.usefixtures("arm64_fos")
def test_uboot(chain):
    """By hand at its prompt, as a board's own script does it: a file whole, then the job's kernel with its
    ticket."""
    chain.add_host("board", BOARD)
    chain.sql("select rouse.inventory('board')")
    initrd = (chain.workdir / "srv" / "fos" / "init.xz").read_bytes()
    with chain.machine(BOARD, boot="uboot") as machine:
        begin_uboot(machine)
        for blksize, windowsize in ((1468, 1), (1468, 16), (512, 1)):
            machine.uboot(f"setenv tftpblocksize {blksize}; setenv tftpwindowsize {windowsize}")
            assert f"{len(initrd)} (" in machine.uboot("tftpboot 0x42000000 fos/init.xz", timeout=60)
            said = machine.uboot("crc32 0x42000000 $filesize")
            assert f"==> {zlib.crc32(initrd):08x}" in said, said
        said = machine.uboot("tftpboot 0x42000000 absent")
        assert "'no such file in any root' (1)" in said, said
        said = machine.uboot("pxe get")
        assert re.search("Config file .*found", said), said
        machine.type_serial("pxe boot\n", pause=0)
        machine.wait_serial("rouse_ticket=[0-9a-f]{32}", timeout=30)
        machine.wait_serial("the job's kernel runs", timeout=60)
        assert machine.wait_exit(timeout=30) == "guest-shutdown"
    config = chain.wait_event(BOARD, "script", kind="sent")
    assert config.name.startswith("pxelinux.cfg/") and config.host == "board", chain.story()
    sent = chain.wait_event(BOARD, "initrd", kind="sent", name="fos/init.xz")
    assert sent.detail["client"] == "uboot" and sent.detail["bytes"] == len(initrd)
    assert chain.wait_event(BOARD, "kernel", kind="sent", name="fos/Image"), chain.story()


def uboot_script(text):
    """boot.scr.uimg: commands in U-Boot's image format (include/image.h), as mkimage makes it."""
    data = struct.pack(">II", len(text), 0) + text.encode()
    linux, arm64, script = 5, 22, 6

    def head(checksum):
        return struct.pack(">IIIIIIIBBBB32s", 0x27051956, checksum, 0, len(data), 0, 0, zlib.crc32(data),
                           linux, arm64, script, 0, b"rouse")

    return head(zlib.crc32(head(0))) + data


@pytest.mark.patience(150)
def test_uboot_by_its_own_boot_order(chain):
    """Nobody types: the board is switched on, finds its way to the database, and its job ends there."""
    (chain.workdir / "srv" / "tftp" / "boot.scr.uimg").write_bytes(uboot_script("pxe get && pxe boot\n"))
    chain.add_host("board-2", UBOOT_MAC)
    job = chain.value("select rouse.enqueue('board-2', 'local')")
    with chain.machine(UBOOT_MAC, boot="uboot") as machine:
        chain.wait_job(job, "succeeded", timeout=120)
        machine.wait_serial(r"Config file .*found[\s\S]*1:\s+local", timeout=30)
    assert chain.wait_event(UBOOT_MAC, "script", kind="sent", host="board-2", name="pxelinux.cfg/01-52-52-52-52-52-52")


@pytest.fixture(name="sub_menu", scope="module")
def make_sub_menu(chain):
    """With an item whose kernel is not there: a loader that finds it says so, and goes no further."""
    chain.sql("insert into rouse.profiles (name, title, kind, kernel) "
              "values ('absent', 'Absent', 'linux', 'absent/kernel')")
    chain.sql("insert into rouse.menu (key, title, position, action) values ('ours', 'What is ours', 90, 'menu')")
    chain.sql("insert into rouse.menu (key, parent, title, position, action, profile) "
              "values ('absent', 'ours', 'Not ^there', 91, 'profile', 'absent')")


@pytest.mark.usefixtures("sub_menu")
def test_uboot_reads_a_sub_menu(chain):
    """What lies in it stands in U-Boot's one list."""
    chain.add_host("board-menu", MENU_BOARD)
    chain.sql("insert into rouse.boot_defaults (host, menu_timeout_seconds) values ('board-menu', 120)")
    with chain.machine(MENU_BOARD, boot="uboot") as machine:
        begin_uboot(machine)
        machine.uboot("pxe get")
        machine.type_serial("pxe boot\n", pause=0)
        choice = machine.wait_serial(r"(?s)(\d+):\s+Not +there.*Enter choice: ", timeout=30).group(1)
        machine.type_serial(choice + "\n")
        machine.wait_serial("Skipping absent for failure retrieving kernel", timeout=30)


@pytest.fixture(name="rom", scope="module")
def make_rom(chain):
    tftp = chain.workdir / "srv" / "tftp"
    shutil.copy(PXELINUX, tftp)
    shutil.copy(LDLINUX, tftp)
    script = chain.workdir / "rom.ipxe"
    script.write_text(ROM, encoding="ascii")
    chain.sql("update rouse.boot_files set file = 'pxelinux.0' where arch = 0")
    return {"boot": "lkrn", "script": script, "machine": "pc,graphics=off"}


@pytest.mark.usefixtures("sub_menu")
def test_pxelinux_reads_a_sub_menu(chain, rom):
    chain.add_host("lab-menu", MENU_MAC)
    chain.sql("insert into rouse.boot_defaults (host, menu_key, menu_timeout_seconds) "
              "values ('lab-menu', 'any', 150)")
    with chain.machine(MENU_MAC, **rom) as machine:
        # hidden: the prompt lists nothing; a key stops its clock
        machine.wait_serial(drawn("boot:"), timeout=60)
        assert "Not" not in machine.serial()
        machine.type_serial("absent\r")
        chain.wait_event(MENU_MAC, "kernel", kind="missing", name="absent/kernel")


@pytest.mark.patience(200)
def test_pxelinux(chain, rom):
    chain.add_host("lab-bios", ROM_MAC)
    job = chain.value("select rouse.inventory('lab-bios')")
    with chain.machine(ROM_MAC, serial_number="SN-0052", **rom) as machine:
        machine.wait_serial(drawn("PXELINUX"), timeout=60)
        chain.wait_job(job, "succeeded", timeout=120)
        machine.wait_exit(timeout=60)
    assert chain.value("select serial from rouse.hosts where name = 'lab-bios'") == "SN-0052"
    seen = {(row.stage, row.kind, row.name) for row in chain.sql(
        "select stage, kind, name from rouse.events where mac = %s and daemon = 'tftpd'", ROM_MAC)}
    assert {("kernel", "sent", "fos/bzImage"), ("initrd", "sent", "fos/init.xz")} <= seen, chain.story()
    assert any(stage == "script" and kind == "sent" and name.startswith("pxelinux.cfg/01-")
               for stage, kind, name in seen), chain.story()
    assert chain.wait_event(ROM_MAC, "kernel", kind="sent").detail["client"] == "pxelinux"
