"""What /boot answers: the menu by its rules and conditions, for the machine that the fields describe."""

import re

import pytest

from menud_server import FACTS, MAC, Server


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    return Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))


def test_an_unknown_machine_gets_the_menu(server):
    script = server.boot("mac0=52:54:00:00:00:99&platform=pcbios&arch=i386")
    assert "menu rouse: this machine (unknown)" in script
    for key in ("local", "register_quick", "register_full", "memtest"):
        assert re.search(rf"^item (--key . )?{key} ", script, re.M), script
    assert "choose --default local --timeout 10000 item" in script
    assert "sanboot --no-describe --drive 0x80" in script  # a BIOS's way to its disk


def test_fogs_names_by_post(server):
    status, script = server.curl("/boot", "-d", f"mac={MAC}|52:54:00:00:00:02|&platform=efi",
                                 "-d", "sysuuid=00112233-4455-6677-8899-aabbccddeeff")
    assert status == 200
    assert "mac0=52%3A54%3A00%3A00%3A00%3A01&mac1=52%3A54%3A00%3A00%3A00%3A02" \
           "&uuid=00112233-4455-6677-8899-aabbccddeeff" in script


def test_the_scripts_name_the_server_as_the_client_does(server):
    _, script = server.curl(f"/boot?{FACTS}", "-H", "Host: boot.example:80")
    assert "http://boot.example:80/boot?" in script
    # a host that would break out of the line is not repeated
    _, script = server.curl(f"/boot?{FACTS}", "-H", "Host: x || shell")
    assert "shell" not in script and "http://10.77.0.3:8080/boot?" in script


@pytest.mark.parametrize("query, word", [
    ("mac0=nonsense", "mac0"), ("platform=efi", "mac0"), (f"mac0={MAC}&try=x", "try")])
def test_a_wrong_field_is_named(server, query, word):
    status, body = server.curl(f"/boot?{query}")
    assert status == 400 and word in body


def test_facts_of_any_length_come_back_whole(server):
    """What the next request says again must be what was said first, or a rule would not hold."""
    texts = ["product", "manufacturer", "serial", "ipxever", "filename"]
    facts = "&".join([f"mac{n}=52:54:00:00:09:0{n}" for n in range(8)]
                     + [f"{name}={'%FC%80' * 63}" for name in texts])
    script = server.boot(facts)
    again = re.search(r"/boot\?(.*)&try=", script).group(1)
    assert again.count("mac") >= 8 and "mac7=" in again
    for name in texts:
        assert f"{name}={'%FC%80' * 63}" in again
    # and so they go to the database
    script = server.boot(re.sub("%FC%80", "%01%02", facts), item="register_quick")
    assert "rouse_ticket=" in script


def test_a_menu_item_inserted_is_in_the_next_menu(server):
    server.postgres.sql("insert into rouse.profiles (name, title, kind, kernel, initrd, arguments) "
                        "values ('deb', 'Install Debian', 'linux', 'deb/linux', 'deb/initrd.gz', "
                        "'priority=low netcfg/choose_interface=${net0/mac}')")
    server.postgres.sql("insert into rouse.menu (key, title, position, action, profile) "
                        "values ('deb', 'Install || Debian', 35, 'profile', 'deb')")
    server.boot_until(r"item deb Install '\|\| Debian\n")
    script = server.boot(item="deb")
    assert "kernel http://10.77.0.3:8080/files/deb/linux?as=kernel&mac=52-54-00-00-00-01" \
           " initrd=initrd.gz priority=low netcfg/choose_interface=${net0/mac} || goto" in script
    assert "rouse_ticket" not in script


@pytest.fixture
def own_item(server):
    """An item of a sub-menu of the site's own; both go again."""
    sql = server.postgres.sql
    sql("insert into rouse.menu (key, title, position, action) values ('own', 'Own', 70, 'menu')")
    sql("insert into rouse.menu (key, title, position, action, parent) "
        "values ('ask', 'Ask || shell', 71, 'identify', 'own')")
    server.boot_until("model:", item="ask")
    yield "ask"
    sql("delete from rouse.menu where key = 'ask'")
    sql("delete from rouse.menu where key = 'own'")
    # both are gone for the daemon, too: the next test waits for its own
    server.boot_until('has no entry "own" for', item="own")
    server.boot_until('has no entry "ask" for', item="ask")


def test_a_sub_menu_is_entered_and_left(server, own_item):
    assert "item ask" not in server.boot()
    script = server.boot(item="own")
    assert "item ask Ask '|| shell\n" in script and "item .. Back\n" in script
    assert "choose --default .. " in script  # left alone, it goes back
    assert "echo model: Lab\n" in server.boot(item=own_item)
    assert "item own Own\n" in server.boot(item="..")


@pytest.mark.parametrize("condition", [
    "host_state = '{retired}'", "firmware = '{bios}'", "arch = '{arm64}'", "group_name = 'others'",
    "role = 'viewer'"])
@pytest.mark.parametrize("hidden", ["ask", "own"])
def test_what_a_machine_may_not_see_is_left_out_and_refused(server, own_item, condition, hidden):
    """An item by each condition, and everything in a sub-menu with it."""
    server.postgres.sql("insert into rouse.groups (name) values ('others') on conflict do nothing")
    server.postgres.sql(f"update rouse.menu set {condition} where key = '{hidden}'")
    server.boot_until('has no entry "ask" for this machine', item=own_item)
    shown = server.boot() if hidden == "own" else server.boot(item="own")
    assert f"item {hidden} " not in shown
    # nor does what the client says of itself open it
    assert "model:" not in server.boot(item=own_item, role="operator")


def test_a_word_is_typed_before_an_item_is_carried_out(server, own_item):
    server.postgres.sql("update rouse.menu set confirm = 'really' where key = 'ask'")
    script = server.boot_until(r"(?s).*iseq .*", item=own_item).group()
    assert "iseq ${typed:hexraw} 7265616c6c79 || goto back\n" in script
    assert "&item=ask&confirm=really || goto failed\n" in script and "model:" not in script
    assert "echo rouse: that was another word" in server.boot(item=own_item, confirm="no")
    assert "model:" in server.boot(item=own_item, confirm="really")


def test_a_boot_rule_inserted_decides_the_next_boot(server):
    server.postgres.sql("insert into rouse.boot_rules (position, name, stage, product, answer, "
                        "reason) values (50, 'kiosks', '{menu}', '{Kiosk}', 'refuse', "
                        "'kiosks boot their own disk')")
    kiosk = FACTS.replace("Lab", "Kiosk")
    server.boot_until("echo rouse: kiosks boot their own disk", kiosk)
    assert "menu rouse" in server.boot()
