"""GRUB's and PXELINUX's configurations over HTTP: the same menus, jobs and tickets as tftpd makes of them. The
loaders themselves are in tests/e2e/test_http_loaders.py; here curl asks as they do."""

import re
import secrets

import pytest

from menud_server import Server, add_host

MAC = "52:54:00:00:01:01"
NAME = "01-52-54-00-00-01-01"


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    server = Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))
    add_host(postgres, "lab-01", MAC)
    server.boot_until("menu rouse: lab-01", f"mac0={MAC}")
    return server


def ask(server, path, status=200):
    found, body = server.curl(path)
    assert found == status, body
    return body


def ask_until(server, path, pattern):
    """Until a change of the database has come through."""
    for _ in range(200):
        if found := re.search(pattern, ask(server, path)):
            return found
    raise AssertionError(f"no {pattern!r} in\n{ask(server, path)}")


def test_grub_is_asked_who_it_is_and_answered(server):
    for path in ("/grub/grub.cfg", "/boot/grub.cfg", "/boot/grub/grub.cfg", "/files/tftp/grub/grub.cfg"):
        assert "configfile '/boot/grub.cfg'\"?mac0=$net_default_mac&" in ask(server, path)
    by_field = ask(server, f"/boot/grub.cfg?mac0={MAC}&arch=x86_64&platform=efi")
    by_name = ask(server, f"/grub/grub.cfg-{NAME}")
    assert by_field == by_name and "menuentry 'Boot from the local disk' --id 'local'" in by_name
    # what it says of itself decides what is in its menu
    assert "memtest86%2Bx64.efi" in by_name
    assert "memtest86%2Bx64.efi" not in ask(server, f"/boot/grub.cfg?mac0={MAC}&arch=i386&platform=pc")


def test_pxelinux_is_answered_by_its_names(server):
    menu = ask(server, f"/pxelinux.cfg/{NAME}")
    assert menu.startswith("# made by rouse for this machine\n") and "MENU TITLE rouse: lab-01\n" in menu
    assert menu == ask(server, f"/files/tftp/pxelinux.cfg/{NAME}")
    assert "MENU TITLE rouse: this machine\n" in ask(server, "/pxelinux.cfg/default")
    # on the way from its UUID to its MAC it must not be given another machine's
    for name in ("0A4D0009", "0A4D", "00112233-4455-6677-8899-aabbccddeeff"):
        ask(server, f"/pxelinux.cfg/{name}", status=404)


@pytest.mark.parametrize("path, kernel", [
    (f"/grub/grub.cfg-{NAME}", "'/files/fos/bzImage?as=kernel&mac=52-54-00-00-01-01' "),
    (f"/boot/grub.cfg?mac0={MAC}&arch=x86_64&platform=efi", "'/files/fos/bzImage?as=kernel&mac=52-54-00-00-01-01' "),
    (f"/pxelinux.cfg/{NAME}", "LINUX http://10.77.0.3:8080/files/fos/bzImage?as=kernel&mac=52-54-00-00-01-01\n")])
def test_a_job_with_its_ticket(server, path, kernel):
    job = server.postgres.value("select rouse.inventory('lab-01')")
    ticket = ask_until(server, path, "rouse_ticket=([0-9a-f]{32})").group(1)
    script = ask(server, path)
    assert kernel in script and "rouse_url=http://10.77.0.3:8080" in script
    status, _ = server.curl("/files/fos/bzImage?as=kernel&mac=52-54-00-00-01-01", "-o", "/dev/null")
    assert status == 200
    token = secrets.token_hex(32)
    assert server.fos("checkin", ticket=ticket, token=token, mac0=MAC)["job"] == str(job)
    assert "another client is doing this job" in ask(server, path)
    server.fos("finish", token=token, outcome="succeeded")
    # nobody is offered the job without saying which machine it is
    assert "rouse_ticket" not in ask(server, "/pxelinux.cfg/default?uuid=00112233-4455-6677-8899-aabbccddeeff")


def test_a_file_of_the_root_comes_first(server):
    folder = server.workdir / "srv" / "grub"
    folder.mkdir()
    (folder / "grub.cfg").write_text("the site's own\n")
    (folder / "fs.lst").write_text("a module's list\n")
    assert ask(server, "/grub/grub.cfg") == "the site's own\n"
    assert ask(server, "/grub/fs.lst") == "a module's list\n"
    (folder / "grub.cfg").unlink()
    assert "made by rouse" in ask(server, "/grub/grub.cfg")
    ask(server, "/grub/absent.mod", status=404)


def test_what_is_malformed_is_told(server):
    assert "mac0" in ask(server, "/boot/grub.cfg?mac0=none", status=400)
    assert server.curl("/boot/%2e%2e/grub.cfg", "--path-as-is")[0] == 403
    assert server.curl("/grub/grub.cfg", "-d", "mac0=1")[0] == 405
    # HEAD is answered as GET is
    done = server.client.run(f"curl -sS -I http://10.77.0.3:8080/grub/grub.cfg-{NAME}")
    assert "200 OK" in done.stdout and "Content-Type: text/plain" in done.stdout


def test_without_the_database(server):
    server.postgres.sql("select rouse.inventory('lab-01')")
    path = f"/boot/grub.cfg?mac0={MAC}&arch=x86_64&platform=efi"
    ask_until(server, path, "rouse_ticket=")
    server.postgres.stop()
    try:
        script = ask(server, path)
        assert "the job database is away" in script and "sleep 5\nconfigfile '/boot/grub.cfg?mac0=" in script
        # PXELINUX cannot come back: its own disk
        assert "DEFAULT local\n" in ask(server, f"/pxelinux.cfg/{NAME}")
    finally:
        server.postgres.start()
    ask_until(server, path, "rouse_ticket=")
