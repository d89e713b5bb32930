"""The menu over HTTP: what is taken by itself, hidden menus, and the ways to the local disk; and what an
operator who has logged in at a machine can have done there."""

import re

import pytest

from menud_server import FACTS, MAC, Server, add_host
from test_menud_login import passwd, until_answered

KIOSK = FACTS.replace("Lab", "Kiosk")
BIOS = FACTS.replace("efi", "pcbios")


@pytest.fixture(scope="module")
def server(module_lab, postgres, build, tmp_path_factory):
    server = Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))
    add_host(postgres, "lab-01", MAC)
    postgres.sql("insert into rouse.groups (name) values ('labs')")
    return server


@pytest.fixture(name="defaults")
def no_defaults_afterwards(server):
    yield lambda text: server.postgres.sql(f"insert into rouse.boot_defaults {text}")
    server.postgres.sql("delete from rouse.boot_defaults")
    server.boot_until(r"choose --default local --timeout 10000 item", KIOSK)


def test_a_default_by_group_model_and_host(server, defaults):
    assert "choose --default local --timeout 10000 item" in server.boot()
    server.postgres.sql("update rouse.hosts set group_name = 'labs' where name = 'lab-01'")
    defaults("(group_name, menu_default, menu_timeout_seconds) values ('labs', 'identify', 30)")
    server.boot_until("choose --default identify --timeout 30000 item")
    defaults("(product, menu_timeout_seconds) values ('Kiosk', 3)")
    server.boot_until("choose --default identify --timeout 3000 item", KIOSK)
    assert "choose --default identify --timeout 30000 item" in server.boot()
    defaults("(host, menu_default) values ('lab-01', 'memtest_efi')")
    server.boot_until("choose --default memtest_efi --timeout 3000 item", KIOSK)
    # of another group, model and host
    assert "choose --default local --timeout 10000 item" in server.boot("mac0=52:54:00:00:00:98")


def test_a_hidden_menu(server, defaults):
    defaults("(host, menu_key, menu_timeout_seconds) values ('lab-01', 'esc', 4)")
    server.boot_until(r"#!ipxe\nprompt --key 0x1b --timeout 4000 rouse: press esc within 4 s for the "
                      r"menu \|\| goto unseen\nmenu ")
    # who has pressed it comes back to a menu that is shown
    assert "prompt" not in server.boot(item="..")
    server.postgres.sql("update rouse.boot_defaults set menu_timeout_seconds = 0")
    server.boot_until(r"#!ipxe\ngoto unseen\n")


def test_ways_to_the_local_disk(server, defaults):
    assert server.boot(BIOS, item="local").endswith(
        "sanboot --no-describe --drive 0x80 ||\nexit\n")
    assert "sanboot" not in server.boot(item="local")
    defaults("(product, exit_efi, exit_bios) values ('Lab', 'refind/refind_x64.efi sanboot exit', 'exit')")
    server.boot_until(
        r"\nchain --autofree http://10.77.0.3:8080/files/refind/refind_x64.efi\?as=kernel&mac=52-.* \|\|\n"
        r"sanboot --no-describe --drive 0x80 \|\|\nexit\n$", item="local")
    assert "sanboot" not in server.boot(BIOS, item="local")
    # what fails ends in the same way, and so does a job that the loop guard has stopped
    script = server.boot(item="memtest_efi")
    assert re.search(r":local\nchain --autofree \S+/refind_x64.efi\S+ \|\|\nsanboot .*\nexit\n$", script)


def test_a_model_may_hold_anything(server, defaults):
    defaults("(product, exit_efi) values ('It''s || \"a\" ${x}', 'a.efi')")
    facts = FACTS.replace("Lab", "It's%20%7C%7C%20%22a%22%20%24%7Bx%7D")
    server.boot_until("files/a.efi", facts, item="local")


# ---------------------------------------------------------------- what an operator has done at the machine

@pytest.fixture(scope="module")
def session(server):
    """anna's, as the menu's login gets it."""
    server.postgres.sql("insert into rouse.operators (name) values ('anna')")
    passwd(server.postgres, "anna", "secret")
    server.postgres.sql("select rouse.publish_image('tiny', 1, 'images/tiny/1/disk.raw.zst', 10, %s, 4096, %s, "
                        "title => 'Tiny || shell')", "a" * 64, "b" * 64)
    status, script = until_answered(server, "anna", "secret", "/login/ipxe")
    assert status == 200
    server.boot_until("item --key d deploy ", session=(word := session_of_script(script)))
    return word


def session_of_script(script):
    return re.search(r"set session ([0-9a-f]+)\n", script).group(1)


def cancel_all(server):
    server.postgres.sql("select rouse.cancel(id) from rouse.queue")
    server.boot_until(r"menu rouse: lab-01")


def test_deploy_from_the_list_of_images(server, session):
    script = server.boot(session=session, item="deploy")
    assert "item --key 1 tiny Tiny '|| shell (version 1, for disks from 4096 bytes)\nitem .. Back\n" in script
    assert f"&session={session}&try=0&item=deploy&image=${{item}} || goto failed\n" in script
    assert "choose --default .. " in script
    assert "menu rouse: lab-01" in server.boot(session=session, item="deploy", image="..")
    script = server.boot(session=session, item="deploy", image="tiny")
    assert "deploy on lab-01" in script and "rouse_ticket=" in script
    assert server.postgres.value("select created_by || ' ' || image from rouse.jobs order by id desc limit 1") \
        == "anna tiny"
    cancel_all(server)


def test_a_word_behind_the_image(server, session):
    script = server.boot(session=session, item="capture", image="tiny")
    assert "echo rouse: image tiny\n" in script
    assert "&item=capture&image=tiny&confirm=capture || goto failed\n" in script
    script = server.boot(session=session, item="capture", image="tiny", confirm="capture")
    assert "capture on lab-01" in script and "rouse_ticket=" in script
    cancel_all(server)


def test_capture_to_a_new_image(server, session):
    """Its name is typed at the machine, and judged as in SQL; who mistypes it is told, and may try again."""
    script = server.boot(session=session, item="capture")
    assert "item --key n .new A new image, whose name is typed next\nitem --key 1 tiny " in script
    script = server.boot(session=session, item="capture", image=".new")
    assert "read typed ||\nisset ${typed:hexraw} || goto back\n" in script
    assert "&item=capture&image=${typed:uristring} || goto failed\n" in script
    script = server.boot(session=session, item="capture", image="fresh")
    assert "echo rouse: image fresh\n" in script and "&image=fresh&confirm=capture || goto failed\n" in script
    for name in ("Fresh%20%7C%7C%20shell", "x" * 65, "..%2Fx"):
        script = server.boot(session=session, item="capture", image=name, confirm="capture")
        assert "rouse_ticket=" not in script and "echo rouse: an image cannot be called" in script, script
        assert "\nsleep 3\n:back\n" in script
    script = server.boot(session=session, item="capture", image="fresh", confirm="capture")
    assert "capture on lab-01" in script and "rouse_ticket=" in script
    assert server.postgres.value("select image from rouse.jobs order by id desc limit 1") == "fresh"
    cancel_all(server)


def test_wipe_wants_its_word(server, session):
    script = server.boot(session=session, item="wipe")
    assert "&item=wipe&confirm=wipe || goto failed\n" in script and "rouse_ticket=" not in script
    script = server.boot(session=session, item="wipe", confirm="wipe")
    assert "wipe on lab-01" in script and "rouse_ticket=" in script
    cancel_all(server)


@pytest.mark.parametrize("item", ["deploy", "capture", "wipe", "debug", "approve", "delete"])
def test_nobody_else_sees_or_does_it(server, session, item):
    """What a client says of itself opens nothing, nor does a forged session."""
    for claim in ({}, {"role": "operator", "operator": "anna"}, {"session": session[:-2] + "00"}):
        script = server.boot(item=item, image="tiny", confirm=item, **claim)
        assert f'has no entry "{item}" for this machine' in script, script
    assert not server.postgres.sql("select from rouse.queue")
    assert server.postgres.value("select count(*) from rouse.hosts where name = 'lab-01'") == 1


def test_approve_and_delete(server, session):
    mac = "52:54:00:00:00:55"
    facts = FACTS.replace(MAC, mac)
    server.postgres.sql("insert into rouse.hosts (name, state) values ('lab-55', 'pending'), ('lab-56', 'active')")
    server.postgres.sql("insert into rouse.nics (mac, host) values (%s, 'lab-55'), ('52:54:00:00:00:56', 'lab-56')", mac)
    server.boot_until("item --key a approve ", facts, session=session)
    assert "inventory on lab-55" in server.boot(facts, session=session, item="approve")
    assert server.postgres.value("select state from rouse.hosts where name = 'lab-55'") == "active"
    facts = FACTS.replace(MAC, "52:54:00:00:00:56")
    server.boot_until("item --key x delete ", facts, session=session, item="tools")
    script = server.boot(facts, session=session, item="delete", confirm="delete")
    assert "echo rouse: host lab-56 is deleted\nsleep 3\n:back\nchain " in script
    assert not server.postgres.sql("select from rouse.hosts where name = 'lab-56'")


def test_an_operator_whose_rights_are_gone(server, session):
    """The session holds, and what it may do is what the database says now."""
    server.postgres.sql("update rouse.operators set role = 'viewer' where name = 'anna'")
    try:
        script = server.boot(session=session, item="wipe", confirm="wipe")
        assert "is for who has logged in as operator" in script and "rouse_ticket=" not in script
        server.postgres.sql("update rouse.operators set role = 'operator', groups = '{labs}' where name = 'anna'")
        server.postgres.sql("update rouse.hosts set group_name = null where name = 'lab-01'")
        assert "this machine is not among those of anna" in server.boot(session=session, item="debug")
    finally:
        server.postgres.sql("update rouse.operators set role = 'operator', groups = null where name = 'anna'")
