"""The menu, navigated by keys in Debian's iPXE: into a sub-menu, a wrong word, the right one, and the
item is booted. Under SeaBIOS ipxe.lkrn plays the ROM (test_bios.py); under UEFI it is ipxe.efi."""

import subprocess

import pytest

from postgres import ROUSE_DB
from test_bios import ROM


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


@pytest.fixture(scope="module")
def operator(chain):
    """With a password that no URL could hold as it is."""
    password = "it's 100% s3cret/&?"
    before = chain.value("select rouse.setting('menu_timeout_seconds')")
    chain.sql("select rouse.setting('menu_timeout_seconds', '120')")
    chain.sql("insert into rouse.operators (name) values ('anna')")
    subprocess.run([ROUSE_DB, "operator", "passwd", "anna", "--private", chain.postgres.directory],
                   input=password + "\n", text=True, capture_output=True, check=True)
    yield password
    chain.sql("delete from rouse.operators where name = 'anna'")
    chain.sql("select rouse.setting('menu_timeout_seconds', %s)", before)


def log_in(machine, password):
    machine.type_serial("g")
    machine.wait_serial("Username:", timeout=30)
    # each goes on behind its own Enter
    machine.type_serial("anna\r")
    machine.type_serial(password + "\r")


@pytest.mark.patience(200)
@pytest.mark.parametrize("boot", ["lkrn", "uefi"])
def test_an_operator_logs_in_at_the_machine(chain, boot, operator):
    with machine_of(chain, boot) as machine:
        machine.wait_serial(r"(?s)Log in.*\(\d+\)", timeout=120)
        log_in(machine, "not this")
        machine.wait_serial("wrong name or password", timeout=60)
        machine.wait_serial(r"(?s)wrong name or password.*Log in.*\(\d+\)", timeout=30)
        log_in(machine, operator)
        # the menu has what only operators see
        machine.wait_serial(r"(?s)wrong name or password.*Tools.*\(\d+\)", timeout=60)
        machine.type_serial("t")
        machine.wait_serial(r"(?s)Tools.*Command line of the boot loader.*\(\d+\)", timeout=30)
    assert operator not in chain.daemons["menud"].output
