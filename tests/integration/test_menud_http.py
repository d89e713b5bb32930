"""What menud owes any HTTP client: types that firmware judges by, readiness, patience with slow ones."""

import http.client
import socket

import pytest

from menud_server import FACTS, Server


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    return Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))


@pytest.mark.parametrize("name, kind", [
    ("shim.efi", "application/efi"), ("boot.iso", "application/vnd.efi-iso"), ("boot.img", "application/vnd.efi-img"),
    ("own.ipxe", "text/plain; charset=utf-8"), ("kernel", "application/octet-stream"), ("a.b/kernel", "application/octet-stream")])
def test_uefi_is_told_what_an_image_is(server, name, kind):
    """UEFI 2.10 section 24.7.3.1: by its type; and firmware asks by HEAD how long it is."""
    file = server.workdir / "srv" / "types" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * 1234)
    for options in (["-I"], ["-o", "/dev/null", "-D", "-"]):
        head = server.client.run(["curl", "-sS", *options, f"http://10.77.0.3:8080/files/types/{name}"]).stdout
        assert f"Content-Type: {kind}\n" in head and "Content-Length: 1234\n" in head and "Accept-Ranges: bytes\n" in head


def test_ready_is_more_than_alive(server):
    """Without database and saved configuration it lives, serves files, and is not ready for machines."""
    daemon = server.host.spawn([server.build / "menud" / "menud", "--database", "host=/nowhere dbname=rouse", "--port",
                                "18080", "--state-dir", "", "--root", server.workdir / "srv"], name="menud without")
    daemon.wait_for("event=started")

    def ask(path):
        done = server.client.run(["curl", "-sS", "-w", "\n%{http_code}", f"http://10.77.0.3:18080{path}"])
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    assert ask("/healthz") == (200, "alive\n")
    assert ask("/readyz") == (503, "no configuration yet; database away\n")
    assert ask("/files/fos/init.xz") == (200, "initial disk")
    status, script = ask(f"/boot?{FACTS}")
    assert status == 200 and "is away; try 1" in script
    assert "rouse_menud_configuration_loaded 0" in ask("/metrics")[1]
    assert daemon.stop() == 0
    assert server.curl("/readyz") == (200, "ready; database connected\n")


def test_slow_clients_hold_up_nobody(server):
    """Some send their request an octet at a time, some never end it, some do not read what they asked for."""
    (server.workdir / "srv" / "large").write_bytes(bytes(8_000_000))
    lines = []
    with server.client.entered():
        for _ in range(90):
            lines.append(socket.create_connection(("10.77.0.3", 8080), timeout=30))
    drips, halves, deaf = lines[:30], lines[30:60], lines[60:]
    for line in halves:
        line.sendall(b"POST /fos/checkin HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                     b"Content-Length: 1000\r\n\r\nticket=")
    for line in deaf:
        line.sendall(b"GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n")
    for octet in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
        for line in drips:
            line.sendall(bytes([octet]))
    assert "menu rouse" in server.boot()
    for line in drips:
        assert line.recv(4096).startswith(b"HTTP/1.1 200 OK")
    # who begins to read late still gets all of it
    answer = http.client.HTTPResponse(deaf[0])
    answer.begin()
    assert len(answer.read()) == 8_000_000
    for line in lines:
        line.close()
    assert server.curl("/files/fos/init.xz") == (200, "initial disk")


@pytest.mark.parametrize("arguments, status", [
    (["-X", "PUT", "/boot"], 405), (["/nothing"], 404), (["-d", "x=1", "/fos/fly"], 404),
    (["-d", "Bad-Name=1", "/fos/checkin"], 400), (["-d", "ticket=%zz", "/fos/checkin"], 400),
    (["-d", "ticket=abc", "/fos/checkin"], 400)])
def test_bad_requests_are_told_so(server, arguments, status):
    *options, path = arguments
    assert server.curl(path, *options)[0] == status


def test_a_large_body_is_refused(server):
    body = server.workdir / "body"
    body.write_bytes(b"json=" + b"x" * 900_000)
    assert server.curl("/fos/inventory", "--data-binary", f"@{body}")[0] == 413
