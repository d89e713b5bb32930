"""Jobs that need a boot of their own. Debian's installer, as Debian ships it, is started with what
/boot says, fetches the answers that were rendered for its machine, and tells menud that it is done."""

import re
import shutil
from pathlib import Path

import pytest

INSTALLER = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
MAC = "52:54:00:00:00:62"
URL = "http://10.77.0.3:8080"

# The early command runs as soon as the answers are there; a site says the last word in the late one.
PRESEED = """# for %host%
d-i debian-installer/locale string C
d-i preseed/early_command string echo answers-of-%host% >/dev/console; wget -q -O /dev/null %done%
"""


@pytest.fixture(scope="module")
def installer(chain):
    """The folder of the installer, and a profile that starts it with answers."""
    folder = chain.workdir / "srv" / "debian"
    folder.mkdir()
    for name in ("linux", "initrd.gz"):
        shutil.copy(INSTALLER / name, folder / name)
    # the installer asks a person when DHCP names no router, name server and domain
    chain.sql("update rouse.subnets set routers = '{10.77.0.1}', dns = '{10.77.0.1}', domain_name = 'lab.example'")
    chain.sql("insert into rouse.answer_files (name, text) values ('desk', %s)", PRESEED)
    chain.sql("insert into rouse.profiles (name, title, kind, kernel, initrd, arguments, answers) values "
              "('debian', 'Install Debian', 'linux', 'debian/linux', 'debian/initrd.gz', "
              "'auto=true priority=critical interface=auto url=%answers% hw-detect/load_firmware=false quiet console=ttyS0', 'desk')")
    return folder


@pytest.mark.patience(300)
def test_debians_installer_fetches_its_answers_and_says_that_it_is_done(chain, installer):
    chain.add_host("desk-07", MAC)
    job = chain.value("select rouse.enqueue('desk-07', 'install', profile => 'debian')")
    script = chain.script(MAC, "debian/linux")
    (arguments,) = re.findall(rf"^kernel {URL}/files/debian/linux\S* (.*) \|\| goto failed$", script, re.M)
    ticket = re.search(r"rouse_ticket=([0-9a-f]{32})", arguments).group(1)
    assert f"url={URL}/answers/{ticket} " in arguments
    assert chain.job(job).state == "queued"
    with chain.machine(MAC, boot="direct", kernel=installer / "linux", initrd=installer / "initrd.gz",
                       append=arguments) as machine:
        chain.wait_event(MAC, "fos", kind="answers", timeout=200)
        machine.wait_serial("answers-of-desk-07", timeout=60)
        row = chain.wait_job(job, "succeeded", timeout=60)
    assert row.attempts == 1 and row.text == "the installer says that it is done"


def test_a_boot_job_sends_a_machine_to_a_profile_once(chain):
    mac = "52:54:00:00:00:63"
    chain.add_host("desk-08", mac)
    job = chain.value("select rouse.enqueue('desk-08', 'boot', profile => 'memtest')")
    for _ in range(2):  # the same boot asks twice
        chain.script(mac, "files/memtest/memtest86%2Bx64.bin")
    assert chain.job(job).state == "succeeded"
    chain.postgres.admin("update rouse_data.local_boot set served_at = served_at - interval '1 hour'")
    chain.script(mac, "\nmenu rouse: desk-08")


def test_what_an_installer_may_ask(chain, installer):
    assert (installer / "linux").exists()
    mac = "52:54:00:00:00:64"
    chain.add_host("desk-09", mac)
    job = chain.value("select rouse.enqueue('desk-09', 'install', profile => 'debian')")
    ticket = re.search(r"/answers/([0-9a-f]{32})", chain.script(mac, "/answers/")).group(1)

    def ask(path, *options):
        return chain.hosts["dhcpd"].run(["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", *options, f"{URL}/answers/{path}"]
                                        ).stdout.rpartition("\n")

    assert ask(f"{ticket}/done")[2] == "403", "what has not begun has not ended"
    assert ask(ticket, "-I")[2] == "200" and chain.job(job).state == "queued", "to look claims nothing"
    for path, status in (("x" * 32, "404"), (ticket[:-1], "404"), (f"{ticket}/undone", "404"), ("0" * 32, "403")):
        assert ask(path)[2] == status, path
    body, _, status = ask(ticket, "-H", "Host: boot.example:80")
    assert status == "200" and body.startswith("# for desk-09\n")
    assert f"wget -q -O /dev/null http://boot.example:80/answers/{ticket}/done" in body
    assert chain.job(job).state == "running"
    assert ask(f"{ticket}/done")[0] == "ok\n" and chain.job(job).state == "succeeded"
    assert ask(ticket)[2] == "403"
