"""The menu, navigated by keys in Debian's iPXE: into a sub-menu, a wrong word, the right one, and the
item is booted. Under SeaBIOS ipxe.lkrn plays the ROM (test_bios.py); under UEFI it is ipxe.efi."""

import pytest

ROM = """#!ipxe
set user-class VendorROM
dhcp
chain tftp://${next-server}/raw/${filename}
"""


@pytest.fixture(scope="module")
def own_menu(chain):
    # time enough for a slow machine's keys
    before = chain.value("select rouse.setting('menu_timeout_seconds')")
    chain.sql("select rouse.setting('menu_timeout_seconds', '120')")
    chain.sql("insert into rouse.profiles (name, title, kind, kernel, initrd, arguments) values "
              "('own', 'Start what is ours', 'linux', 'fos/bzImage', 'fos/init.xz', "
              "'console=ttyS0,115200')")
    chain.sql("insert into rouse.menu (key, title, position, action, hotkey) "
              "values ('ours', 'What is ours', 90, 'menu', 'o')")
    chain.sql("insert into rouse.menu (key, parent, title, position, action, profile, hotkey, confirm) "
              "values ('own', 'ours', 'Start what is ours', 91, 'profile', 'own', 'w', 'really')")
    yield
    chain.sql("delete from rouse.menu where key = 'own'")
    chain.sql("delete from rouse.menu where key = 'ours'")
    chain.sql("select rouse.setting('menu_timeout_seconds', %s)", before)


def machine_of(chain, boot):
    if boot == "uefi":
        return chain.machine("52:54:00:00:00:31", boot="uefi")
    script = chain.workdir / "menu-rom.ipxe"
    script.write_text(ROM, encoding="ascii")
    return chain.machine("52:54:00:00:00:32", boot="lkrn", script=script,
                         machine="pc,graphics=off")


@pytest.mark.patience(200)
@pytest.mark.parametrize("boot", ["lkrn", "uefi"])
@pytest.mark.usefixtures("own_menu")
def test_a_sub_menu_a_word_and_an_item_of_our_own(chain, boot):
    with machine_of(chain, boot) as machine:
        # the clock of a menu runs: from then on it takes keys
        machine.wait_serial(r"(?s)What is ours.*\(\d+\)", timeout=120)
        machine.type_serial("o")
        machine.wait_serial(r"(?s)Start what is ours.*Back.*\(\d+\)", timeout=30)
        machine.type_serial("w")
        machine.wait_serial("type really and press Enter", timeout=30)
        # were it not encoded, the loader would leave for its command line here
        machine.type_serial("no || shell\r")
        # it leads back to the first menu
        machine.wait_serial(r"(?s)press Enter.*What is ours.*\(\d+\)", timeout=30)
        machine.type_serial("o")
        machine.wait_serial(r"(?s)press Enter.*Start what is ours.*Back.*\(\d+\)", timeout=30)
        machine.type_serial("w")
        machine.wait_serial(r"(?s)press Enter.*type really and press Enter", timeout=30)
        machine.type_serial("really\r")
        chain.wait_event(machine.mac, "script", kind="profile", name="own")
        chain.wait_event(machine.mac, "initrd", kind="sent", timeout=90)
