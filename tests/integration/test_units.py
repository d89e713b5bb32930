"""The daemons under a real systemd, by the units and the configuration that are installed: what these forbid and what
they promise is only true there. No database is in reach, which each of them has to live with."""

import os
import random
import socket
import struct
from pathlib import Path

import pytest

# the fixtures are used by their names: pylint: disable=unused-import
from init_system import InitSystem
from test_install import make_installed  # noqa: F401
from test_tftpd import DATA, OACK, PATIENCE, ack, fetch_rest, receive, request

ROOT = Path(__file__).resolve().parents[2]
OCTETS = random.Random(69).randbytes(300_000)
# The leak checker traces its own process, which the units forbid.
FOR_TESTS = "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0:exitcode=99\n"


@pytest.fixture(scope="module", name="system")
def boot_system(installed):
    folder = Path("/run") / f"rouse-systemd-{os.getpid()}"
    folder.mkdir()
    try:
        with InitSystem(folder, installed) as system:
            for daemon in ("dhcpd", "tftpd", "menud"):
                system.write(f"etc/rouse/{daemon}.conf", (ROOT / f"packaging/etc/{daemon}.conf").read_text("utf-8"))
                system.write(f"etc/systemd/system/rouse-{daemon}.service.d/tests.conf", FOR_TESTS)
            system.run("systemctl daemon-reload && systemd-sysusers && systemd-tmpfiles --create rouse.conf")
            system.run("mkdir -p /srv/rouse/tftp")
            for place in ("srv/rouse/tftp/file", "srv/rouse/file"):
                Path(f"/proc/{system.pid}/root/{place}").write_bytes(OCTETS)
            yield system
    finally:
        folder.rmdir()


def fetched(system, url):
    system.run(f"curl -sS --max-time 30 --retry 5 --retry-connrefused -o /tmp/got {url}")
    return Path(f"/proc/{system.pid}/root/tmp/got").read_bytes()


def lives_well(system, daemon):
    """It runs, nothing that it needs is forbidden to it, and it has confined itself."""
    assert system.run(f"systemctl is-active rouse-{daemon}.service").strip() == "active"
    system.wait_for_journal(rf"rouse-{daemon}\[\d+\]: .*event=(started|serving)")
    said = system.run(f"journalctl --no-pager --unit=rouse-{daemon}.service --output=cat")
    for words in ("forbidden_call", "cannot_confine", "files_not_confined", "not implemented", "not permitted"):
        assert words not in said, said


def main_process(system):
    return int(system.run("systemctl show --property=MainPID --value rouse-tftpd.service"))


def test_tftpd_is_started_by_its_first_request(system):
    system.run("systemctl start rouse-tftpd.socket")
    assert system.try_run("systemctl is-active rouse-tftpd.service").stdout.strip() == "inactive"
    assert fetched(system, "tftp://127.0.0.1/file") == OCTETS
    lives_well(system, "tftpd")


def test_menud_serves_files_and_knows_of_no_database(system):
    system.run("systemctl start rouse-menud.socket")
    assert fetched(system, "http://127.0.0.1:8080/files/file") == OCTETS
    lives_well(system, "menud")


def test_dhcpd_opens_its_sockets(system):
    """With the two capabilities of its unit; without a database it gives nothing, and says so."""
    system.run("ip link add eth0 type veth peer name eth1 && ip addr add 10.77.0.1/24 dev eth0 && ip link set eth0 up")
    system.run("echo 'interface = \"eth0\"' >>/etc/rouse/dhcpd.conf && systemctl start rouse-dhcpd.service")
    lives_well(system, "dhcpd")


def test_a_restart_of_tftpd_breaks_off_no_transfer(system):
    """The next one serves while the last one's child still gives its client the rest."""
    system.run("systemctl start rouse-tftpd.socket rouse-tftpd.service")
    with system.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(PATIENCE)
        sock.sendto(request("file", blksize=1400), ("127.0.0.1", 69))
        opcode, _, _, sender = receive(sock)
        assert opcode == OACK
        sock.sendto(ack(0), sender)
        assert receive(sock)[:3] == (DATA, 1, OCTETS[:1400])
        before = main_process(system)
        system.run("systemctl restart rouse-tftpd.service")
        assert main_process(system) != before
        assert fetched(system, "tftp://127.0.0.1/file") == OCTETS
        sock.sendto(ack(1), sender)
        assert fetch_rest(sock, sender, 1400, block=2) == OCTETS[1400:]
    system.wait_for_journal("outcome=sent client=127.0.0.1 mac=unknown file=file bytes=300000 size=300000 blksize=1400")
    lives_well(system, "tftpd")


def test_a_credential_is_the_connection_string(system):
    """Which the daemon's user can read and nobody else; it is in no message."""
    system.write("etc/credstore/rouse-tftpd.database", "host=/nowhere dbname=rouse password=hunter2\n", 0o600)
    system.run("systemctl restart rouse-tftpd.service")
    system.wait_for_journal(r"rouse-tftpd.*/nowhere/\.s\.PGSQL")
    assert "hunter2" not in system.journal()
    lives_well(system, "tftpd")


def test_tftpd_takes_uploads_where_a_drop_in_allows_it(system):
    system.write("etc/systemd/system/rouse-tftpd.service.d/uploads.conf", "[Service]\nReadWritePaths=/srv/inbox\n")
    system.run("mkdir /srv/inbox && chown rouse /srv/inbox")
    system.run("echo 'upload_root = \"/srv/inbox\"' >>/etc/rouse/tftpd.conf")
    system.run("systemctl daemon-reload && systemctl restart rouse-tftpd.service")
    system.run("curl -sS --max-time 30 -T /srv/rouse/file tftp://127.0.0.1/put")
    assert Path(f"/proc/{system.pid}/root/srv/inbox/put").read_bytes() == OCTETS
    lives_well(system, "tftpd")


def test_a_stop_of_tftpd_is_no_failure(system):
    system.run("systemctl start rouse-tftpd.service && systemctl stop rouse-tftpd.socket rouse-tftpd.service")
    assert system.run("systemctl show --property=Result --value rouse-tftpd.service").strip() == "success"
