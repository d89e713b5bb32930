"""The menu over HTTP: what is taken by itself, hidden menus, and the ways to the local disk; and what an
operator who has logged in at a machine can have done there."""

import re

import pytest

from test_menud import FACTS, MAC, Server, add_host

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
