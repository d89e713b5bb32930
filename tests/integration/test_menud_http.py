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
    (["-d", "ticket=abc", "/fos/checkin"], 400), (["-d", "ticket=a", "-d", "ticket=b", "/fos/checkin"], 400),
    (["-d", f"token={'0' * 64}", "-d", f"json={'[' * 60_000}", "/fos/inventory"], 400)])
def test_bad_requests_are_told_so(server, arguments, status):
    *options, path = arguments
    assert server.curl(path, *options)[0] == status


def hear(line):
    """All that comes until the daemon ends the connection, be it with octets of ours unread (a reset)."""
    heard = b""
    try:
        while octets := line.recv(65536):
            heard += octets
    except ConnectionError:
        pass
    return heard


def dial(server):
    with server.client.entered():
        return socket.create_connection(("10.77.0.3", 8080), timeout=60)


def raw(server, *pieces):
    """What is answered to these octets."""
    with dial(server) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except ConnectionError:
            pass  # it has heard enough
        return hear(line)


CLOSE = b"Host: x\r\nConnection: close\r\n\r\n"
FORM = b"Host: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize("request_, status", [
    (b"GET http://elsewhere/healthz HTTP/1.1\r\n" + CLOSE, 200),  # RFC 9112 section 3.2.2
    (b"GET http://elsewhere HTTP/1.1\r\n" + CLOSE, 404),
    (b"GET //healthz HTTP/1.1\r\n" + CLOSE, 404),
    (b"OPTIONS /files/fos/init.xz HTTP/1.1\r\n" + CLOSE, 405),
    (b"BREW /boot HTTP/1.1\r\n" + CLOSE, 405),
    (b"GET /healthz HTTP/2.0\r\n" + CLOSE, 505),
    (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: y\r\n" + CLOSE, 400),
    (b"GET /healthz HTTP/1.1\r\nX : y\r\n" + CLOSE, 400),
    (b"GET /healthz?" + b"a" * 17000 + b" HTTP/1.1\r\n" + CLOSE, 414),
    (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 17000 + b"\r\n" + CLOSE, 431),
    (b"GET /files/fos%2finit.xz HTTP/1.1\r\n" + CLOSE, 200),
    (b"GET /files/fos/init.xz%00 HTTP/1.1\r\n" + CLOSE, 400),
    (b"GET /files/%2e%2e/secret HTTP/1.1\r\n" + CLOSE, 403),
    (b"POST /fos/checkin HTTP/1.1\r\nExpect: fly\r\nContent-Length: 4\r\n" + FORM + b"\r\na=bc", 417),
    (b"POST /fos/checkin HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + FORM + b"\r\n", 501),
    (b"POST /fos/checkin HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n" + FORM + b"\r\n0\r\n\r\n", 400),
    (b"POST /fos/checkin HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n" + FORM + b"\r\n", 413),
    (b"POST /fos/checkin HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + FORM + b"\r\nFFFFFFFFFFFFFFFFF\r\na", 413),
    (b"POST /fos/checkin HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + FORM + b"\r\n-4\r\na=bc\r\n", 400)])
def test_what_only_a_socket_can_say(server, request_, status):
    heard = raw(server, request_)
    assert heard.startswith(b"HTTP/1.1 %d " % status), heard
    assert (b"\r\nAllow: " in heard) == (status == 405)


def test_several_requests_at_once_are_answered_in_order(server):
    """RFC 9112 section 9.3.2, with one among them that waits for the database."""
    ask = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
    heard = raw(server, ask % b"healthz" + ask % b"boot?mac0=52:54:00:00:00:41&item=register_quick"
                + ask % b"files/%zz" + ask % b"readyz" + b"GET /files/fos/init.xz HTTP/1.1\r\n" + CLOSE)
    places = [heard.index(word) for word in (b"alive\n", b"rouse_ticket=", b"malformed", b"ready; database", b"initial disk")]
    assert places == sorted(places) and heard.count(b"HTTP/1.1 ") == 5


def test_an_old_client_and_one_that_says_no_more(server):
    assert raw(server, b"GET /healthz HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nalive\n")
    kept = raw(server, b"GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"GET /healthz HTTP/1.0\r\n\r\n")
    assert kept.count(b"alive\n") == 2
    with dial(server) as line:
        line.sendall(b"GET /boot?mac0=52:54:00:00:00:42&item=register_quick HTTP/1.1\r\n" + CLOSE)
        line.shutdown(socket.SHUT_WR)
        assert b"rouse_ticket=" in hear(line)


def test_the_body_is_asked_for(server):
    """Expect: 100-continue, as curl sends it with a large form."""
    with dial(server) as line:
        line.sendall(b"POST /boot HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 22\r\n" + FORM + b"\r\n")
        assert line.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"mac0=52:54:00:00:00:41")
        assert line.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    # what would be refused is not asked for
    heard = raw(server, b"POST /boot HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 220000000\r\n" + FORM + b"\r\n")
    assert heard.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/boot?" + FACTS, "/login", "/api/v1/hosts", "/api/v1/openapi.json", "/healthz", "/metrics",
                                  "/files/fos/init.xz", "/files/absent", "/grub/grub.cfg", "/nothing"])
def test_head_is_get_without_its_body(server, path):
    def ask(method):
        head, _, body = raw(server, f"{method} {path} HTTP/1.1\r\n".encode() + CLOSE).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
        return lines, body

    (asked, body), (lines, nothing) = ask("GET"), ask("HEAD")
    assert body and nothing == b""
    if path != "/metrics":  # its figures move on
        assert lines == asked


def test_a_large_body_is_refused(server):
    body = server.workdir / "body"
    body.write_bytes(b"json=" + b"x" * 900_000)
    assert server.curl("/fos/inventory", "--data-binary", f"@{body}")[0] == 413
