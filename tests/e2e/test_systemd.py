"""docs/how-to/services.md in a Debian of its own, where systemd is process 1: the packages, the units with their sandboxes, sockets,
credentials and the journal are real. Clients ask from outside."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from debian import Guest, make_base
from net import Lab

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/services.md"
DAEMONS = ["tftpd", "menud", "dhcpd"]
LISTENING = "ss -Hlnu '( sport = 67 or sport = 69 or sport = 4011 )'; ss -Hlnt '( sport = 8080 )'"
pytestmark = [pytest.mark.long, pytest.mark.patience(1200)]


def blocks(heading):
    """The page's commands below a heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)[1]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


@pytest.fixture(scope="module", name="packages")
def make_packages(tmp_path_factory):
    place = tmp_path_factory.mktemp("debs")
    done = subprocess.run([ROOT / "packaging/deb", "--out", place], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
    for unwanted in [*place.glob("*-dbgsym_*"), *place.glob("rouse-fos_*"), *place.glob("*.buildinfo")]:
        unwanted.unlink()
    for first_stage in ("ipxe.efi", "snponly.efi", "undionly.kpxe"):
        shutil.copy(f"/usr/lib/ipxe/{first_stage}", place)
    return place


class Site:
    """The guest with all of the page done, and a client outside."""

    def __init__(self, guest, client):
        self.guest, self.client = guest, client
        self.run = guest.run

    def show(self, unit, name):
        return self.run(f"systemctl show -P {name} {unit}")

    def journal(self, daemon):
        return self.run(f"journalctl --no-pager -o cat -u rouse-{daemon}")

    def wait_until(self, condition, what, timeout=240):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {timeout} s\n" + \
                self.run("systemctl --no-pager status 'rouse-*'; journalctl --no-pager -n 60 -o cat", check=False)
            time.sleep(0.5)

    def wait_active(self, daemon):
        self.wait_until(lambda: self.run(f"systemctl is-active rouse-{daemon}", check=False) == "active", f"{daemon} active")

    def wait_connected(self, daemon):
        """The process of now has read the database."""
        self.wait_until(lambda: "event=snapshot_loaded" in self.run(
            f"journalctl --no-pager -o cat _PID=$(systemctl show -P MainPID rouse-{daemon})"), f"{daemon} connected")

    def curl(self, url, **more):
        return self.client.run(["curl", "-sS", "--fail", "--max-time", "30", url], **more).stdout

    def lease(self):
        """The client's address by DHCP, as busybox is told; it is not put on."""
        said = self.client.run(["udhcpc", "-i", "eth0", "-q", "-n", "-f", "-t", "15", "-T", "2", "-s", "/bin/true"], check=False).stdout
        found = re.search(r"lease of (10\.77\.0\.1\d\d) obtained", said)
        assert found, said + self.journal("dhcpd")
        return found[1]


@pytest.fixture(scope="module", name="site")
def make_site(packages, tmp_path_factory):
    base = make_base(ROOT / "build/debian")
    with Lab() as lab:
        segment = lab.segment("lan")
        client = lab.host("client", ["10.77.0.9/24"])
        with Guest(tmp_path_factory.mktemp("guest"), base, segment, packages) as guest:
            site = Site(guest, client)
            install(site)
            yield site


def install(site):
    site.run("mkdir -p /usr/lib/ipxe && cp /packages/*.efi /packages/*.kpxe /usr/lib/ipxe")
    for block in blocks("Packages, and the database"):
        site.run(f"cd /packages\n{block}", timeout=480)
        # installed is not running: nothing has begun, nothing is enabled, nobody is answered
        for daemon in DAEMONS:
            assert site.run(f"systemctl is-active rouse-{daemon}", check=False) == "inactive"
            assert site.run(f"systemctl is-enabled rouse-{daemon}", check=False) == "disabled"
        assert site.run(LISTENING) == ""
    assert site.run("stat -c '%U %a' /srv/rouse/images /etc/rouse") == "rouse 755\nroot 755"
    for block in blocks("What they serve"):
        site.run(block)
    assert site.run(LISTENING) == ""
    for block in blocks("On"):
        for command in block.splitlines():
            site.run(command)


def test_they_are_active_and_say_how_they_are(site):
    """Type=notify, the status line, a user without rights, and the sandbox with what it forbids: nothing that is needed."""
    for daemon in DAEMONS:
        unit = f"rouse-{daemon}"
        site.wait_active(daemon)
        site.wait_connected(daemon)
        pid = site.show(unit, "MainPID")
        assert site.show(unit, "Type") == "notify" and site.show(unit, "NRestarts") == "0"
        site.wait_until(lambda: site.show(unit, "StatusText"), f"{daemon}'s status line")
        assert site.run(f"stat -c %U /proc/{pid}") == "rouse"
        status = site.run(f"cat /proc/{pid}/status")
        rights = re.search(r"^CapEff:\s+(\w+)", status, re.M)[1]
        assert int(rights, 16) == ((1 << 13 | 1 << 10) if daemon == "dhcpd" else 0)
        assert "\nSeccomp:\t2" in status and "\nNoNewPrivs:\t1" in status
        journal = site.journal(daemon)
        assert "event=started" in journal
        assert not re.search(r"forbidden_call|not permitted|ermission denied|files_not_confined", journal), journal
        # the journal knows how grave a line is, and whose
        assert f"rouse-{daemon}" in site.run(f"journalctl --no-pager -o short -p info -u {unit} -n 1")
        assert site.run(f"journalctl --no-pager -o cat -p err -u {unit}") in ("", "-- No entries --")


def test_each_serves(site):
    address = site.lease()
    assert address == site.lease()
    assert "#!ipxe" in site.curl("tftp://10.77.0.2/default.ipxe")
    of_ipxe = site.run("sha256sum </srv/rouse/tftp/ipxe.efi").split()[0]
    for url in ("tftp://10.77.0.2/raw/ipxe.efi", "http://10.77.0.2:8080/files/tftp/ipxe.efi"):
        assert of_ipxe in site.client.run(f"curl -sS {url} | sha256sum").stdout, url
    assert "choose" in site.curl("http://10.77.0.2:8080/boot?mac0=52:54:00:00:00:01")
    assert "database connected" in site.curl("http://10.77.0.2:8080/readyz")
    told = site.run("runuser -u postgres -- psql -XAtd rouse -c \"select daemon from rouse.daemons order by 1\"")
    assert told.split() == ["dhcpd", "menud", "tftpd"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_reloaded_it_goes_on(site, daemon):
    site.wait_active(daemon)
    pid = site.show(f"rouse-{daemon}", "MainPID")
    site.run(f"systemctl reload rouse-{daemon}")
    site.wait_active(daemon)
    assert site.show(f"rouse-{daemon}", "MainPID") == pid


@pytest.mark.parametrize("daemon", DAEMONS)
def test_stopped_it_saves_and_ends_well(site, daemon):
    """Its state is there for a start without the database; what comes meanwhile to a socket starts it again or waits."""
    unit = f"rouse-{daemon}"
    site.wait_connected(daemon)
    site.run(f"systemctl stop {unit}")
    assert site.show(unit, "Result") == "success" and site.show(unit, "ExecMainStatus") == "0"
    assert site.run(f"stat -c '%U %a' /var/lib/rouse/{daemon}") == "rouse 700"
    saved = site.run(f"stat -c '%U %a %s' /var/lib/rouse/{daemon}/*").splitlines()
    assert saved and all(re.fullmatch(r"rouse 600 [1-9]\d*", line) for line in saved), saved
    site.run(f"systemctl start {unit}")
    site.wait_connected(daemon)


def test_a_request_waits_while_tftpd_restarts(site):
    """The socket is systemd's: nobody is refused."""
    site.run("systemctl stop rouse-tftpd")
    client = site.client.spawn(["curl", "-sS", "--max-time", "60", "tftp://10.77.0.2/default.ipxe"])
    site.wait_active("tftpd")  # the request itself has started it
    client.wait_for("#!ipxe", timeout=120)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_what_stands_still_is_started_again(site, daemon):
    """The watchdog: after WatchdogSec=, here shorter, and only then."""
    unit = f"rouse-{daemon}"
    site.wait_active(daemon)
    site.run(f"mkdir -p /run/systemd/system/{unit}.service.d && printf '[Service]\\nWatchdogSec=20\\n' "
             f">/run/systemd/system/{unit}.service.d/short.conf && systemctl daemon-reload && systemctl restart {unit}")
    site.wait_connected(daemon)
    before = int(site.show(unit, "NRestarts"))
    pid = site.show(unit, "MainPID")
    time.sleep(30)
    assert site.show(unit, "MainPID") == pid, site.journal(daemon)
    site.run(f"kill -STOP {pid}")
    site.wait_until(lambda: int(site.show(unit, "NRestarts")) > before, f"{daemon} was started again")
    site.wait_connected(daemon)
    assert "watchdog" in site.run(f"journalctl --no-pager -u {unit}").lower()
    site.run(f"rm -r /run/systemd/system/{unit}.service.d; systemctl daemon-reload; systemctl restart {unit}")
    site.wait_connected(daemon)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_killed_it_is_started_again(site, daemon):
    site.wait_active(daemon)
    pid = site.show(f"rouse-{daemon}", "MainPID")
    site.run(f"kill -KILL {pid}")
    site.wait_until(lambda: site.show(f"rouse-{daemon}", "MainPID") not in (pid, "0"), f"{daemon} is another process")
    site.wait_connected(daemon)


def test_a_transfer_outlives_a_restart_of_tftpd(site, tmp_path):
    """It goes on in a child that systemd leaves alone, while the next process has the port."""
    site.wait_active("tftpd")
    site.run("dd if=/dev/urandom of=/srv/rouse/tftp/large bs=1M count=1 status=none; chmod 644 /srv/rouse/tftp/large")
    digest = site.run("sha256sum </srv/rouse/tftp/large").split()[0]
    pid = site.show("rouse-tftpd", "MainPID")
    file = tmp_path / "large"
    slow = site.client.spawn(["curl", "-sS", "--limit-rate", "100k", "-o", file, "tftp://10.77.0.2/large"])
    site.wait_until(lambda: file.exists() and file.stat().st_size > 0, "the transfer has begun")
    site.run("systemctl restart rouse-tftpd")
    assert site.show("rouse-tftpd", "MainPID") != pid and slow.is_running()
    assert "#!ipxe" in site.curl("tftp://10.77.0.2/default.ipxe")
    assert slow.wait(timeout=120) == 0, slow.output
    assert subprocess.run(["sha256sum", file], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[0] == digest


def test_dhcpd_waits_for_its_interface(site):
    site.run("sed -i 's/^interface = .*/interface = \"eth0 late0\"/' /etc/rouse/dhcpd.conf; systemctl restart rouse-dhcpd", check=False)
    try:
        site.wait_until(lambda: int(site.show("rouse-dhcpd", "NRestarts")) > 5, "it is tried again and again")
        assert site.run("systemctl is-active rouse-dhcpd", check=False) == "activating"
        site.run("ip link add late0 type veth peer name late1")
        site.wait_active("dhcpd")
    finally:
        site.run("sed -i 's/^interface = .*/interface = \"eth0\"/' /etc/rouse/dhcpd.conf; systemctl restart rouse-dhcpd; "
                 "ip link del late0", check=False)
    site.run("systemctl is-active rouse-dhcpd")
    site.run("echo 'interfce = eth0' >>/etc/rouse/dhcpd.conf; systemctl restart rouse-dhcpd", check=False)
    assert site.run("sleep 5; systemctl is-active rouse-dhcpd", check=False) == "failed"
    site.run("sed -i /interfce/d /etc/rouse/dhcpd.conf; systemctl restart rouse-dhcpd")
    site.wait_active("dhcpd")


def test_a_connection_string_by_credential(site):
    """With a password, over TCP: it is in no argument, no configuration and no log."""
    (block,) = blocks("A database elsewhere")
    site.run(block)
    site.wait_connected("menud")
    sessions = site.run("runuser -u postgres -- psql -XAtd rouse -c \"select distinct client_addr from pg_stat_activity "
                        "where usename = 'rouse_menud'\"")
    assert sessions == "127.0.0.1"
    assert "sesame" not in site.journal("menud")
    assert "sesame" not in site.run("tr '\\0' ' ' </proc/$(systemctl show -P MainPID rouse-menud)/cmdline")
    site.run("rm /etc/credstore/rouse-menud.database; systemctl restart rouse-menud")
    site.wait_connected("menud")
    assert "rouse_menud" in site.run("runuser -u postgres -- psql -XAtd rouse -c \"select usename from pg_stat_activity "
                                     "where usename = 'rouse_menud' and client_addr is null\"")


def test_upgraded_they_are_restarted_and_work(site):
    pids = {daemon: site.show(f"rouse-{daemon}", "MainPID") for daemon in DAEMONS}
    site.run("dpkg -i --force-confold /packages/rouse-dhcpd_*.deb /packages/rouse-tftpd_*.deb /packages/rouse-menud_*.deb", timeout=480)
    for daemon in DAEMONS:
        site.wait_connected(daemon)
        assert site.show(f"rouse-{daemon}", "MainPID") not in (pids[daemon], "0")
    assert site.lease()


def test_after_a_reboot_all_of_it_is_there(site):
    """Before the network and the database are: each waits for what it needs, and none gives up."""
    guest = site.guest
    guest.run("sync; systemctl --no-block reboot")
    assert guest.machine.wait_exit(timeout=240) == "guest-reset"
    guest.restart()
    for daemon in DAEMONS:
        site.wait_active(daemon)
        site.wait_connected(daemon)
        assert site.show(f"rouse-{daemon}", "NRestarts") == "0", site.journal(daemon)
    assert site.lease()
    assert "#!ipxe" in site.curl("tftp://10.77.0.2/default.ipxe")


def test_purged_there_is_nothing_left(site):
    site.run("dpkg -P rouse-dhcpd rouse-tftpd rouse-menud")
    assert site.run(LISTENING) == ""
    assert site.run("systemctl list-units --all --no-legend 'rouse-*'; ls -d /var/lib/rouse /etc/rouse 2>/dev/null || true") == ""
