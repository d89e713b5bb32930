"""The menu, navigated by keys in Debian's iPXE: shown by its key, into a sub-menu, a wrong word, the right one,
and the item is booted; an operator logs in and deploys an image from the list. Under SeaBIOS ipxe.lkrn
plays the ROM (test_bios.py); under UEFI it is ipxe.efi."""

import subprocess

import pytest

from postgres import ROUSE_DB
from test_bios import ROM


@pytest.fixture(scope="module")
def own_menu(chain):
    # time enough for a slow machine's keys
    before = chain.value("select rouse.setting('menu_timeout_seconds')")
    chain.sql("select rouse.setting('menu_timeout_seconds', '120')")
    chain.sql("select rouse.setting('menu_key', 'esc')")
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
    chain.sql("select rouse.setting('menu_key', 'none')")
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
        # it is hidden until its key is pressed
        machine.wait_serial("press esc within 120 s for the menu", timeout=120)
        assert "What is ours" not in machine.serial()
        machine.type_serial("\x1b")
        # the clock of a menu runs: from then on it takes keys
        machine.wait_serial(r"(?s)What is ours.*\(\d+\)", timeout=30)
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
    chain.sql("insert into rouse.operators (name) values ('anna')")
    subprocess.run([ROUSE_DB, "operator", "passwd", "anna", "--private", chain.postgres.directory],
                   input=password + "\n", text=True, capture_output=True, check=True)
    # an image's first bytes are all that is asked of it here
    chain.sql("select rouse.publish_image('tiny', 1, 'images/tiny/1/disk.raw.zst', 10, %s, 4096, %s)",
              "a" * 64, "b" * 64)
    yield password
    chain.sql("delete from rouse.operators where name = 'anna'")


def log_in(machine, password):
    # each goes on behind its own Enter
    machine.type_serial("anna\r")
    machine.type_serial(password + "\r")


def set_menu(chain, key, timeout, default):
    chain.sql("update rouse.settings set value = case name when 'menu_key' then %s "
              "when 'menu_timeout_seconds' then %s else %s end "
              "where name in ('menu_key', 'menu_timeout_seconds', 'menu_default')", key, timeout, default)


@pytest.fixture
def shown_menu(chain):
    """At first a hidden menu, whose default comes by itself: the login. When called, it is shown, with
    time enough for a slow machine's keys."""
    def show():
        said = len(chain.daemons["menud"].output)
        set_menu(chain, "none", "120", "local")
        chain.daemons["menud"].wait_for("event=snapshot_loaded", after=said)

    set_menu(chain, "esc", "2", "login")
    yield show
    set_menu(chain, "none", "10", "local")


@pytest.mark.patience(200)
@pytest.mark.parametrize("boot", ["lkrn", "uefi"])
def test_an_operator_logs_in_and_deploys(chain, boot, operator, shown_menu):
    with machine_of(chain, boot) as machine:
        chain.add_host(f"of-{boot}", machine.mac)
        # nobody presses the key: the default straight on, no menu
        machine.wait_serial("(?s)press esc within 2 s for the menu.*Username:", timeout=120)
        assert "rouse: of-" not in machine.serial()
        shown_menu()
        log_in(machine, "not this")
        machine.wait_serial("wrong name or password", timeout=60)
        machine.wait_serial(r"(?s)wrong name or password.*Log in.*\(\d+\)", timeout=30)
        machine.type_serial("g")
        machine.wait_serial("(?s)wrong name or password.*Username:", timeout=30)
        log_in(machine, operator)
        # the menu has what only operators see
        machine.wait_serial(r"(?s)wrong name or password.*Tools.*\(\d+\)", timeout=60)
        machine.type_serial("t")
        machine.wait_serial(r"(?s)Tools.*Command line of the boot loader.*Back.*\(\d+\)", timeout=30)
        # a sub-menu leads back by itself; then an image from the list
        machine.type_serial("\r")
        machine.wait_serial(r"(?s)Back.*Write an image.*\(\d+\)", timeout=30)
        machine.type_serial("d")
        machine.wait_serial(r"(?s)Back.*tiny \(version 1.*Back.*\(\d+\)", timeout=30)
        machine.type_serial("1")
        machine.wait_serial(rf"deploy on of-{boot}", timeout=60)
        chain.wait_event(machine.mac, "script", kind="job", name="deploy")
    assert chain.value("select created_by || ' ' || image from rouse.jobs where host = %s",
                       f"of-{boot}") == "anna tiny"
    assert operator not in chain.daemons["menud"].output
