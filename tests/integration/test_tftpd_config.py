"""Configurations that tftpd makes for GRUB and PXELINUX: the menu, a live job, and a database that is
slow or away."""

import random
import re
import subprocess

import pytest

import test_tftpd as plain
from test_tftpd import OACK, Net, ack, expect_error, fetch, fetch_rest, receive, request
from test_tftpd_site import change

SERVER = plain.SERVER
TICKET = re.compile(r"rouse_ticket=([0-9a-f]{32})")


@pytest.fixture(name="net", scope="module")
def make_net(module_lab, build, tmp_path_factory):
    net = Net(module_lab, build, tmp_path_factory.mktemp("tftpd"))
    net.dashes = net.mac.replace(":", "-")
    net.boot = net.work / "boot"
    (net.boot / "fos").mkdir(parents=True)
    (net.boot / "images").mkdir()
    for name in ("fos/bzImage", "fos/init.xz", "images/disk.raw"):
        (net.boot / name).write_text(name)
    return net


@pytest.fixture(name="site")
def start_with_database(net, postgres):
    """The daemon over a database that knows the client as lab-01, active."""
    postgres.fresh()
    postgres.sql("insert into rouse.hosts (name, state) values ('lab-01', 'active')")
    postgres.sql("insert into rouse.nics (mac, host) values (%s, 'lab-01')", net.mac)
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    daemon = net.start("--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                       "--boot-root", net.boot, ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    yield daemon
    if daemon.is_running():
        assert daemon.stop() == 0, daemon.output


def config(net, name):
    return fetch(net, name).decode()


def refused(net, name, code):
    with net.socket() as sock:
        sock.sendto(request(name), (SERVER, 69))
        return expect_error(sock, code)


def enqueue(daemon, postgres):
    change(daemon, postgres, "select rouse.inventory('lab-01')")


class Offers:
    """Counts from here on how often the database is asked for an offer."""

    def __init__(self, postgres):
        self.postgres = postgres
        postgres.admin("""
            create schema uncounted;
            alter function rouse_daemon.offer set schema uncounted;
            create sequence rouse_daemon.asked;
            create function rouse_daemon.offer(facts jsonb, address inet)
                returns table (answer text, reason text, host text, job bigint, kind text, ticket text, kernel text,
                    initrd text, arguments text, retry_seconds int, profile text)
                language sql security definer as $$
                select nextval('rouse_daemon.asked'); select * from uncounted.offer($1, $2) $$;
            grant execute on function rouse_daemon.offer to rouse_tftpd""")

    def count(self):
        return self.postgres.admin("select last_value * is_called::int as n from rouse_daemon.asked")[0].n


# ---------------------------------------------------------------- the menu

def test_each_loader_gets_the_menu_in_its_own_words(net, postgres, site):
    for name in ("grub/grub.cfg", "/grub/grub.cfg", "EFI/debian/grub.cfg",
                 f"grub/grub.cfg-01-{net.dashes}", "grub/grub.cfg-0A634502"):
        text = config(net, name)
        assert "menuentry 'Boot from the local disk'" in text and "set default='local'" in text
        assert "Register" not in text  # needs a boot service
        assert "linux '/memtest/memtest86+x64.efi'" in text and "x64.bin" not in text
    for name in ("pxelinux.cfg/default", f"pxelinux.cfg/01-{net.dashes}", "a/pxelinux.cfg/0A634502"):
        text = config(net, name)
        assert "DEFAULT local\n" in text and "LOCALBOOT 0\n" in text
        assert "LINUX /memtest/memtest86+x64.bin\n" in text and "x64.efi" not in text


def test_the_menu_follows_the_database(net, postgres, site):
    change(site, postgres, "insert into rouse.profiles (name, title, kind, kernel, initrd, arguments) "
                           "values ('rescue', 'It''s a rescue', 'linux', 'fos/bzImage', 'fos/init.xz', 'quiet')")
    change(site, postgres, "insert into rouse.menu (key, title, position, action, profile) "
                           "values ('rescue', 'It''s a rescue', 90, 'profile', 'rescue')")
    assert "menuentry 'It'\\''s a rescue' --id 'rescue' {\nlinux '/fos/bzImage' 'quiet'\n" \
           "initrd '/fos/init.xz'\n}" in config(net, "grub/grub.cfg")


def test_sub_menus_hidden_menus_and_exits(net, postgres, site):
    change(site, postgres, "insert into rouse.menu (key, title, position, action) "
                           "values ('more', 'More', 90, 'menu'), ('none', 'Nothing for it', 91, 'menu')")
    change(site, postgres, "insert into rouse.menu (key, parent, title, position, action) values "
                           "('disk', 'more', 'The disk', 92, 'local'), ('ask', 'none', 'Log in', 93, 'login')")
    change(site, postgres, "insert into rouse.boot_defaults (host, menu_key, menu_timeout_seconds, exit_efi) "
                           "values ('lab-01', 'any', 4, 'refind/refind_x64.efi exit')")
    text = config(net, "grub/grub.cfg")
    assert "set timeout_style=hidden\nset timeout=4\nset default='local'\n" in text
    assert "submenu 'More' --id 'more' {\nmenuentry 'The disk' --id 'disk' {\n" \
           "if chainloader '/refind/refind_x64.efi'; then\nboot\nfi\nexit 1\n}\n}\n" in text
    assert "Nothing for it" not in text
    # GRUB's own reader takes it, whatever an operator calls things
    change(site, postgres, "update rouse.menu set title = '{ It''s \\ \"$more\" ; } # &' where key in ('more', 'disk')")
    text = config(net, "grub/grub.cfg-0A634502")
    assert "submenu '{ It'\\''s \\ \"$more\" ; } # &'" in text
    subprocess.run(["grub-script-check"], input=text, text=True, check=True)
    text = config(net, "pxelinux.cfg/default")
    assert "PROMPT 1\nTIMEOUT 40\nMENU HIDDEN\n" in text and "SAY" not in text
    assert re.search("MENU BEGIN more\nMENU TITLE { It's.*\nLABEL disk\nMENU LABEL { It's.*\nLOCALBOOT 0\nMENU END\n", text)


def test_rules_decide_here_too(net, postgres, site):
    change(site, postgres, "insert into rouse.boot_rules (position, name, loader, answer, reason) "
                           "values (50, 'no grub', '{grub}', 'refuse', 'GRUB is not wanted')")
    text = config(net, "grub/grub.cfg")
    assert "GRUB is not wanted" in text and "menuentry" not in text
    assert "GRUB" not in config(net, "pxelinux.cfg/default")


def test_names_of_other_machines_are_refused(net, postgres, site):
    assert "another machine" in refused(net, "grub/grub.cfg-01-52-54-00-00-00-99", 2)
    assert "another machine" in refused(net, "pxelinux.cfg/0A634503", 2)
    # the rest of a search is missed quickly
    for name in ("pxelinux.cfg/0A63450", "pxelinux.cfg/default-arm", "grub/grub.cfg-0A6345",
                 "pxelinux.cfg/b8945908-d6a6-41a9-611d-74a6ab80b83d"):
        refused(net, name, 1)


def test_a_file_of_the_site_comes_first(net, postgres, site):
    folder = net.root / "pxelinux.cfg"
    folder.mkdir()
    (folder / "default").write_text("mine")
    refused(net, f"pxelinux.cfg/01-{net.dashes}", 1)  # so that the search goes on
    assert config(net, "pxelinux.cfg/default") == "mine"
    (folder / f"01-{net.dashes}").write_text("hers")
    assert config(net, f"pxelinux.cfg/01-{net.dashes}") == "hers"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def test_alone_there_is_nothing_to_make(net):
    daemon = net.start()
    assert "no such file" in refused(net, "grub/grub.cfg", 1)
    assert daemon.stop() == 0


# ---------------------------------------------------------------- a live job

def test_a_job_is_offered_once_however_often_it_is_asked(net, postgres, site):
    offers = Offers(postgres)
    enqueue(site, postgres)
    text = config(net, "grub/grub.cfg")
    assert "linux '/fos/bzImage' 'rouse_url=http://10.99.69.1:8080'" in text
    assert f"'BOOTIF=01-{net.dashes}'" in text and TICKET.search(text)
    assert config(net, "grub/grub.cfg") == text  # a size probe, and the fetch
    assert offers.count() == 1
    # each name is an answer of its own, and of the same boot: with the same ticket
    named = config(net, f"pxelinux.cfg/01-{net.dashes}")
    assert "LINUX /fos/bzImage\nINITRD /fos/init.xz\n" in named
    assert TICKET.search(named).group() == TICKET.search(text).group()
    assert offers.count() == 2
    (job,) = postgres.sql("select * from rouse.jobs")
    assert (job.state, job.attempts, job.offers) == ("queued", 0, 1)  # serving a script is not progress


def test_only_what_the_site_names_is_served_from_its_folders(net, postgres, site):
    assert config(net, "fos/bzImage") == "fos/bzImage"
    assert config(net, "/fos/init.xz") == "fos/init.xz"
    refused(net, "images/disk.raw", 1)
    change(site, postgres, "update rouse.settings set value = 'fos/none' where name = 'fos_initrd'")
    refused(net, "fos/init.xz", 1)


class Held:
    """The host's job is locked by somebody: the first offer of a boot waits."""

    def __init__(self, postgres):
        self.connection = postgres.connect("postgres")

    def __enter__(self):
        self.connection.autocommit = False
        self.connection.cursor().execute("select * from rouse_data.job for update")
        return self

    def __exit__(self, *_):
        self.connection.rollback()
        self.connection.close()


def test_a_request_that_comes_again_joins_the_parked_one(net, postgres, site):
    offers = Offers(postgres)
    enqueue(site, postgres)
    with net.socket() as sock:
        with Held(postgres):
            for _ in range(5):
                sock.sendto(request("grub/grub.cfg", blksize=1024, tsize=0), (SERVER, 69))
            # the server works in order: those five have been read when this is answered
            refused(net, "absent", 1)
        opcode, options, _, sender = receive(sock)
        assert opcode == OACK
        sock.sendto(ack(0), sender)
        text = fetch_rest(sock, sender, 1024).decode()
    assert TICKET.search(text) and len(text) == int(options["tsize"])
    assert offers.count() == 1


def test_nobody_waits_longer_than_a_second(net, postgres, site):
    enqueue(site, postgres)
    with Held(postgres):
        text = config(net, "grub/grub.cfg")
        assert "sleep 5\nconfigfile '/grub/grub.cfg'\n" in text and "linux" not in text
        assert "LOCALBOOT 0" in config(net, "pxelinux.cfg/default")


def test_a_database_that_is_away(net, postgres, site):
    enqueue(site, postgres)
    said = len(site.output)
    postgres.stop()
    try:
        site.wait_for("event=database_down", after=said)
        assert "configfile '/grub/grub.cfg'\n" in config(net, "grub/grub.cfg")
    finally:
        postgres.start()
    site.wait_for("event=database_up", timeout=20, after=said)


def test_stopping_with_a_parked_request(net, postgres, site):
    enqueue(site, postgres)
    with net.socket() as sock, Held(postgres):
        sock.sendto(request("grub/grub.cfg"), (SERVER, 69))
        refused(net, "absent", 1)
        assert site.stop() == 0, site.output
