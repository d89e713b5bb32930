"""menud's TLS beside plain HTTP, and both by IPv6: curl with a certificate authority of the test's own, and the
refusals that an operator meets."""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from menud_server import FACTS, Server, add_host

OUR_IP6 = "fd00:77::3"
MAC = "52:54:00:00:00:01"


class TlsServer(Server):
    """A menud with a certificate for its name and both of its addresses."""

    IPV6 = True

    def start(self, wait="event=snapshot_loaded", **more):
        self.host.run(["ip", "addr", "add", f"{OUR_IP6}/64", "dev", "eth0"], check=False)
        self.client.run(["ip", "addr", "add", "fd00:77::9/64", "dev", "eth0"], check=False)
        if not (self.workdir / "ca.crt").exists():
            make_certificates(self.workdir)
        tls = f'tls_certificate = "{self.workdir}/tls.crt"\ntls_key = "{self.workdir}/tls.key"\n'
        return super().start(wait, **{"more": tls, **more})

    def get(self, url, *arguments):
        done = self.client.run(["curl", "-sS", "--cacert", self.workdir / "ca.crt", "--max-time", "20",
                                "-w", "\n%{http_code}", *arguments, url], check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN=the lab's authority {name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")


def make_certificates(folder):
    """A certificate authority, and what it signed for menud."""
    make_authority(folder, "ca")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=boot.lab",
            "-keyout", folder / "tls.key", "-out", folder / "tls.csr")
    (folder / "names").write_text(f"subjectAltName=DNS:boot.lab,IP:10.77.0.3,IP:{OUR_IP6}\n")
    sign(folder)
    os.chmod(folder / "tls.key", 0o600)


def sign(folder):
    """A certificate for the key, with a serial number that no other has."""
    openssl("x509", "-req", "-in", folder / "tls.csr", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", folder / "names", "-out", folder / "tls.crt")


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    server = TlsServer(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))
    add_host(postgres, "lab-01", MAC)
    server.boot_until("menu rouse: lab-01")
    return server


ORIGINS = ["http://10.77.0.3:8080", f"http://[{OUR_IP6}]:8080", "https://10.77.0.3:8443", f"https://[{OUR_IP6}]:8443"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_door_leads_to_the_same_house(server, origin):
    status, script = server.get(f"{origin}/boot?{FACTS}")
    assert status == 200 and "menu rouse: lab-01" in script
    assert f"{origin}/boot?" in script and script.count("http") == script.count(f"{origin}/"), script
    assert server.get(f"{origin}/files/fos/init.xz") == (200, "initial disk")
    assert server.get(f"{origin}/files/fos/init.xz", "-r", "0-6") == (206, "initial")
    assert server.get(f"{origin}/readyz") == (200, "ready; database connected\n")
    status, figures = server.get(f"{origin}/metrics")
    assert status == 200 and "rouse_menud_database_up 1" in figures
    status, described = server.get(f"{origin}/api/v1/openapi.json")
    assert status == 200 and '"openapi"' in described
    assert server.get(f"{origin}/api/v1/hosts")[0] == 401
    assert server.get(f"{origin}/fos/checkin", "-d", "ticket=" + "0" * 32, "-d", "token=" + "0" * 64,
                      "-d", f"mac0={MAC}")[1].startswith("answer=refused\n")


def test_no_boot_path_is_sent_elsewhere(server):
    """Firmware follows no redirect: plain HTTP goes on beside TLS, for all that machines ask."""
    for path in (f"/boot?{FACTS}", "/grub/grub.cfg", "/pxelinux.cfg/default", "/files/fos/init.xz"):
        done = server.client.run(["curl", "-sS", "-o", "/dev/null", "-D", "-", f"http://10.77.0.3:8080{path}"])
        assert " 200 OK" in done.stdout and "location:" not in done.stdout.lower(), done.stdout


def test_a_job_over_tls_names_plain_http_to_the_client_system(server):
    """FOS speaks no TLS: what is on its command line it must be able to reach."""
    server.postgres.sql("select rouse.inventory('lab-01')")
    server.boot_until("rouse_ticket=")
    for origin, plain in ((ORIGINS[2], ORIGINS[0]), (ORIGINS[3], ORIGINS[1])):
        _, script = server.get(f"{origin}/boot?{FACTS}")
        assert f" rouse_url={plain} " in script and f"kernel {origin}/files/" in script, script
    _, script = server.get(f"http://boot.lab/boot?{FACTS}", "--connect-to", "boot.lab:80:10.77.0.3:8080")
    assert " rouse_url=http://boot.lab " in script
    _, script = server.get(f"https://boot.lab/boot?{FACTS}", "--connect-to", "boot.lab:443:10.77.0.3:8443")
    assert " rouse_url=http://boot.lab:8080 " in script and "kernel https://boot.lab/files/" in script


def test_the_timeline_knows_an_address_of_ip6(server):
    server.get(f"http://[{OUR_IP6}]:8080/files/fos/init.xz?as=initrd&mac=52-54-00-00-00-66")
    for _ in range(100):
        rows = server.postgres.sql("select address from rouse.events where mac = '52:54:00:00:00:66'")
        if rows:
            break
        server.get(f"http://[{OUR_IP6}]:8080/healthz")
    assert [row.address for row in rows] == ["fd00:77::9"]


def test_old_protocols_and_strangers_are_refused(server):
    assert server.get("https://10.77.0.3:8443/healthz", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")[0] == 0
    assert server.get("https://10.77.0.3:8443/healthz", "--tls-max", "1.2") == (200, "alive\n")
    # who does not know the authority, or asks for another name, does not go on
    make_authority(server.workdir, "other")
    assert server.get("https://10.77.0.3:8443/healthz", "--cacert", server.workdir / "other.crt")[0] == 0
    assert server.get("https://other.lab/healthz", "--connect-to", "other.lab:443:10.77.0.3:8443")[0] == 0
    # plain words at the TLS port, and TLS at the plain one, disturb nobody
    assert server.get("http://10.77.0.3:8443/healthz")[0] != 200
    assert server.get("https://10.77.0.3:8080/healthz")[0] == 0
    assert server.get("https://10.77.0.3:8443/healthz") == (200, "alive\n")


def test_a_client_that_stops_in_mid_handshake_holds_up_nobody(server):
    with server.client.entered():
        silent = [socket.create_connection(("10.77.0.3", 8443)) for _ in range(8)]
        silent[0].sendall(b"\x16\x03\x01\x02")
    assert server.get("https://10.77.0.3:8443/healthz") == (200, "alive\n")
    for one in silent:
        one.close()


def test_many_at_once_and_parked_ones(server):
    """Suspended and resumed over TLS: each asks the database, all on a few connections."""
    urls = [f"https://10.77.0.3:8443/boot?{FACTS}&n={n}" for n in range(200)]
    config = server.workdir / "urls"
    config.write_text("".join(f'url = "{url}"\noutput = "{server.workdir}/out-{n}"\n' for n, url in enumerate(urls)))
    server.client.run(["curl", "-sS", "--cacert", server.workdir / "ca.crt", "-Z", "--parallel-max", "20", "-K", config])
    tickets = {re.search("rouse_ticket=([0-9a-f]{32})", (server.workdir / f"out-{n}").read_text()).group(1)
               for n in range(200)}
    assert len(tickets) == 1  # all are one boot's


def test_a_large_file_arrives_whole(server):
    content = os.urandom(20_000_000)
    (server.workdir / "srv" / "large").write_bytes(content)
    status, _ = server.get("https://10.77.0.3:8443/files/large", "-o", server.workdir / "got")
    assert status == 200 and (server.workdir / "got").read_bytes() == content


def serial_of(server):
    """Of the certificate that is shown, as openssl has it."""
    with server.client.entered(), socket.create_connection(("10.77.0.3", 8443)) as line, \
            ssl.create_default_context(cafile=server.workdir / "ca.crt").wrap_socket(line, server_hostname="boot.lab") as wrapped:
        return wrapped.getpeercert()["serialNumber"]


def reload(server, event):
    before = len(server.daemon.output)
    server.daemon.signal(signal.SIGHUP)
    server.daemon.wait_for(f"event={event}", after=before, timeout=60)
    server.daemon.wait_for("event=snapshot_loaded", after=before, timeout=60)


def pollers(server):
    """How many epoll descriptors the daemon has: each of its servers has one."""
    links = [os.readlink(entry) for entry in Path(f"/proc/{server.daemon.pid}/fd").iterdir() if entry.is_symlink()]
    return links.count("anon_inode:[eventpoll]")


def open_download(server):
    """A line on which a large file has begun to come, and waits for its reader."""
    context = ssl.create_default_context(cafile=server.workdir / "ca.crt")
    with server.client.entered():
        line = context.wrap_socket(socket.create_connection(("10.77.0.3", 8443)), server_hostname="boot.lab")
    line.sendall(b"GET /files/large HTTP/1.1\r\nHost: boot.lab\r\n\r\n")
    answer = http.client.HTTPResponse(line)
    answer.begin()
    return answer


def test_a_renewed_certificate_needs_no_restart(server):
    """Who connects sees the new one; what is open goes on, over two renewals, and then nothing is left of it."""
    content = os.urandom(20_000_000)
    (server.workdir / "srv" / "large").write_bytes(content)
    before = pollers(server)
    serials, downloads = [serial_of(server)], []
    for _ in range(2):
        downloads.append(open_download(server))
        sign(server.workdir)
        reload(server, "tls_renewed")
        serials.append(serial_of(server))
    assert len(set(serials)) == 3
    assert f"serial={serials[-1]}" in subprocess.run(
        ["openssl", "x509", "-noout", "-serial", "-in", server.workdir / "tls.crt"], check=True, text=True,
        capture_output=True).stdout
    for download in reversed(downloads):  # the one that began later ends first
        assert download.read() == content
    assert server.get("https://10.77.0.3:8443/healthz") == (200, "alive\n")
    deadline = time.monotonic() + 120
    while pollers(server) != before:
        assert time.monotonic() < deadline, (before, pollers(server))
        time.sleep(0.1)
    # what is not new is no renewal
    before = len(server.daemon.output)
    server.daemon.signal(signal.SIGHUP)
    server.daemon.wait_for("event=snapshot_loaded", after=before)
    assert "tls_renewed" not in server.daemon.output[before:]


def test_a_certificate_that_cannot_be_used_changes_nothing(server):
    serial = serial_of(server)
    certificate = (server.workdir / "tls.crt").read_bytes()
    try:
        (server.workdir / "tls.crt").write_bytes((server.workdir / "ca.crt").read_bytes())
        reload(server, "tls_not_renewed")  # of another key
        (server.workdir / "tls.crt").unlink()
        reload(server, "tls_not_renewed")
        assert serial_of(server) == serial
    finally:
        (server.workdir / "tls.crt").write_bytes(certificate)
    assert server.get("https://10.77.0.3:8443/healthz") == (200, "alive\n")


def refusal(server, more, environment=None):
    """What menud says that does not start with this; on ports of its own, that the other one may go on."""
    file = server.workdir / "refused.conf"
    file.write_text(f'database = "{server.postgres.conninfo("rouse_menud")}"\nroot = "{server.workdir}/srv"\n'
                    f'port = 18080\ntls_port = 18443\nstate_dir = ""\n{more}')
    done = server.host.run([*(environment or []), server.build / "menud" / "menud", "--config", file], check=False)
    assert done.returncode == 78, done.stdout
    return done.stdout


def test_what_cannot_be_is_told(server, tmp_path):
    certificate, key = server.workdir / "tls.crt", server.workdir / "tls.key"

    def pair(certificate, key):
        return f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'

    assert "key=tls_key" in refusal(server, f'tls_certificate = "{certificate}"\n')
    assert "key=tls_certificate" in refusal(server, f'tls_key = "{key}"\n')
    assert "No such file" in refusal(server, pair(tmp_path / "absent", key))
    open_key = tmp_path / "open.key"
    shutil.copy(key, open_key)
    os.chmod(open_key, 0o644)
    assert "others than its owner can read" in refusal(server, pair(certificate, open_key))
    assert "systemd has given none" in refusal(server, pair("tls.crt", "tls.key"))
    other = tmp_path / "other.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", other)
    os.chmod(other, 0o600)
    assert "whether tls_key is the key of tls_certificate" in refusal(server, pair(certificate, other))
    assert "key=listen" in refusal(server, 'listen = "boot.lab"\n')
    with server.host.entered():
        taken = socket.create_server(("10.77.0.3", 18443))
    said = refusal(server, pair(certificate, key) + 'listen = "10.77.0.3"\n')
    taken.close()
    assert "port=18443" in said and "tls_port" in said and "in use" in said


def test_a_library_without_tls_is_told(server, tmp_path):
    """As libmicrohttpd built with --disable-https answers."""
    (tmp_path / "without.c").write_text("int MHD_is_feature_supported(int feature) { (void)feature; return 0; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "without.so", tmp_path / "without.c"], check=True)
    said = refusal(server, f'tls_certificate = "{server.workdir}/tls.crt"\ntls_key = "{server.workdir}/tls.key"\n',
                   ["env", f"LD_PRELOAD={tmp_path}/without.so", "ASAN_OPTIONS=verify_asan_link_order=0"])
    assert "event=no_tls" in said and "was built without TLS" in said


def test_sockets_and_credentials_from_systemd(server):
    """Both ports are given, and the key is a credential."""
    server.daemon.stop()
    command = ["systemd-socket-activate", "-l", "[::]:8080", "-l", "[::]:8443", "--fdname=http:https",
               "-E", f"CREDENTIALS_DIRECTORY={server.workdir}", server.build / "menud" / "menud", "--config",
               server.write_configuration(more='tls_certificate = "tls.crt"\ntls_key = "tls.key"\n')]
    daemon = server.host.spawn(command, name="menud by systemd")
    daemon.wait_for("Listening on \\[::\\]:8443")
    assert server.get("https://10.77.0.3:8443/healthz") == (200, "alive\n")
    assert server.get(f"http://[{OUR_IP6}]:8080/healthz") == (200, "alive\n")
    assert daemon.stop() == 0
    server.start()
    context = ssl.create_default_context(cafile=server.workdir / "ca.crt")
    with server.client.entered(), socket.create_connection(("10.77.0.3", 8443)) as line, \
            context.wrap_socket(line, server_hostname="boot.lab") as wrapped:
        assert wrapped.version() == "TLSv1.3"
