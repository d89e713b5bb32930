"""FOS's own programs fos-http, fos-hash, fos-get and fos-put, against sockets and pipes of this machine."""

import hashlib
import random
import socket
import subprocess
import threading
from pathlib import Path

import pytest

FOS = Path(__file__).resolve().parents[2] / "packaging/fos"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    out = tmp_path_factory.mktemp("fos")
    shared = [FOS / "transfer" / "stall.c", *(FOS / "http" / f"{name}.c" for name in ("head", "url", "wire")), "-lnettle"]
    for name, more in (("http", []), ("hash", ["-lnettle"]), ("get", shared), ("put", shared)):
        subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Wconversion",
                        "-Wshadow", "-Werror", "-fsanitize=address,undefined",
                        "-fno-sanitize-recover", *sorted((FOS / name).glob("*.c")),
                        "-o", out / f"fos-{name}", *more], check=True)
    return out


class Scripted:
    """A server that handles one connection after the other, each by the next of its deeds; the last one repeats."""

    def __init__(self, *deeds):
        self.deeds, self.heads = list(deeds), []
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                self.handle(connection, self.deeds.pop(0) if len(self.deeds) > 1 else self.deeds[0])


# -- fos-hash -----------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (5 << 20) + 3])
def test_hash_copies_and_hashes(programs, tmp_path, size):
    data = random.Random(size).randbytes(size)
    out = subprocess.run([programs / "fos-hash", tmp_path / "report"], input=data,
                         stdout=subprocess.PIPE, check=True).stdout
    assert out == data
    digest = hashlib.sha256(data).hexdigest()
    assert (tmp_path / "report").read_text() == f"bytes={size}\nsha256={digest}\n"


def test_hash_may_only_copy(programs, tmp_path):
    out = subprocess.run([programs / "fos-hash", tmp_path / "report", "plain"], input=b"x" * 3000, stdout=subprocess.PIPE, check=True)
    assert out.stdout == b"x" * 3000 and (tmp_path / "report").read_text() == "bytes=3000\n"


def test_hash_reports_a_full_disk(programs, tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([programs / "fos-hash", tmp_path / "report"], input=b"x", stdout=full)
    assert done.returncode == 4
    report = (tmp_path / "report").read_text()
    assert "No space left" in report and "sha256" not in report


# -- fos-http -----------------------------------------------------------------------------------

def exchange(programs, tmp_path, answer_bytes, *words, fields=b""):
    """One request against a server that says `answer_bytes`: (status, output, report, request)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = []

        def serve():
            connection, _ = server.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536)
                if b"Content-Length: " in request:
                    length = int(request.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                    while len(request.split(b"\r\n\r\n", 1)[1]) < length:
                        request += connection.recv(65536)
                asked.append(request)
                connection.sendall(answer_bytes)

        thread = threading.Thread(target=serve)
        thread.start()
        verb, path, *rest = words
        url = f"http://127.0.0.1:{server.getsockname()[1]}{path}"
        done = subprocess.run([programs / "fos-http", tmp_path / "report", verb, url, *rest],
                              input=fields, stdout=subprocess.PIPE)
        thread.join()
    report = dict(line.split("=", 1) for line in (tmp_path / "report").read_text().splitlines())
    return done.returncode, done.stdout, report, asked[0]


def test_http_post_encodes_fields(programs, tmp_path):
    fields = b"a=x y&z=%+\0json={\"k\":\"\n\"}\0empty=\0"
    status, out, report, request = exchange(
        programs, tmp_path, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nanswer=ok\nrest",
        "post", "/fos/checkin", fields=fields)
    assert (status, out, report) == (0, b"answer=ok\n", {"status": "200", "bytes": "10"})
    assert request.startswith(b"POST /fos/checkin HTTP/1.0\r\n")
    assert request.endswith(b"\r\n\r\na=x%20y%26z%3D%25%2B&json=%7B%22k%22%3A%22%0A%22%7D&empty=")


@pytest.mark.parametrize("date, seconds", [
    ("Sun, 06 Nov 1994 08:49:37 GMT", "784111777"), ("Thu, 29 Feb 2024 23:59:59 GMT", "1709251199"),
    ("Thu, 01 Jan 1970 00:00:00 GMT", "0"), ("Sun, 06 Nov 1994 08:49:37 CET", None), ("Sun, 06 Nov 1994 25:00:00 GMT", None),
    ("Sunday, 06-Nov-94 08:49:37 GMT", None), ("", None), ("x" * 29, None), ("Sun, 06 Nov 1994 08:49:37 GMT ", None)])
def test_http_reports_the_servers_time(programs, tmp_path, date, seconds):
    head = f"HTTP/1.1 503 X\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    assert exchange(programs, tmp_path, head, "post", "/fos/x")[2].get("date") == seconds


def test_http_get_goes_on_behind_the_offset(programs, tmp_path):
    head = b'HTTP/1.1 206 P\r\nContent-Range: bytes 5-9/10\r\nETag: "e"\r\nContent-Length: 5\r\n\r\n'
    status, out, report, request = exchange(programs, tmp_path, head + b"56789", "get", "/i", "5",
                                            fields=b'token=t0\0etag="e"\0')
    assert (status, out, report["bytes"], report["etag"]) == (0, b"56789", "5", '"e"')
    for line in (b"Range: bytes=5-", b'If-Range: "e"', b"Authorization: Bearer t0"):
        assert b"\r\n" + line + b"\r\n" in request


def test_http_counts_what_arrived_before_a_cut(programs, tmp_path):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    status, out, report, _ = exchange(programs, tmp_path, head + b"abc", "get", "/i", "0")
    assert (status, out, report["bytes"]) == (2, b"abc", "3")
    assert "broke off after 3 of 100 bytes" in report["error"]


@pytest.mark.parametrize("answer_bytes, status, code, retry", [
    (b"HTTP/1.1 503 X\r\nRetry-After: 7\r\n\r\n", 3, "503", "7"),
    (b"HTTP/1.1 503 X\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", 3, "503", None),
    (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 3, "200", None),
    (b"HTTP/1.1 200 X\r\nContent-Length: -4\r\n\r\nabcd", 2, "0", None),
    (b"HTTP/1.1 200 X\r\nContent-Length: 99999999999999999999\r\n\r\nab", 2, "0", None),
    (b"SSH-2.0-OpenSSH\r\n\r\n", 2, "0", None),
    (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40000, 2, "0", None),
    (b"", 2, "0", None)])
def test_http_answers_that_are_not_wanted(programs, tmp_path, answer_bytes, status, code, retry):
    got, out, report, _ = exchange(programs, tmp_path, answer_bytes, "post", "/fos/x")
    assert (got, out, report["status"], report.get("retry_after")) == (status, b"", code, retry)
    assert report["error"].startswith("127.0.0.1 port ")


def test_http_does_not_take_a_whole_body_for_a_part(programs, tmp_path):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    status, out, report, _ = exchange(programs, tmp_path, head + b"0123456789", "get", "/i", "5")
    assert (status, out, report["status"]) == (3, b"", "200")


@pytest.mark.parametrize("url", ["https://a/", "ftp://a", "http:///x", "http://u@h/", "http://h:x/",
                                 "http://h/a b", "http://h/\r\nX: y", "http://" + "h" * 300])
def test_http_refuses_what_is_no_url(programs, tmp_path, url):
    done = subprocess.run([programs / "fos-http", tmp_path / "report", "get", url, "0"], input=b"")
    assert done.returncode == 1
    assert "is no http URL" in (tmp_path / "report").read_text()


# -- fos-get --------------------------------------------------------------------------------------

class Giver(Scripted):
    """Gives out `data`, by a script of deeds: one for each request, the last one repeats."""

    def __init__(self, data, *deeds):
        self.data = data
        super().__init__(*deeds)

    def handle(self, connection, deed_of):
        deed, number = (*deed_of, 0)[:2]
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        self.heads.append(head.decode())
        start = int(head.split(b"Range: bytes=")[1].split(b"-")[0]) if b"Range: bytes=" in head else 0
        body, etag = self.data[start:], '"v1"'
        if deed == "status":
            connection.sendall(f"HTTP/1.1 {number} X\r\nContent-Length: 5\r\nRetry-After: 1\r\n\r\nwhy?\n".encode())
            return
        if deed == "changed":
            start, body, etag = 0, bytes(len(self.data)), '"v2"'
        if deed == "other range":
            start += 1
        if deed == "longer":
            body += b"x"
        status = f"206 P\r\nContent-Range: bytes {start}-{start + len(body) - 1}/{start + len(body)}" if start else "200 OK"
        length = "" if deed == "no length" else f"Content-Length: {len(body)}\r\n"
        try:
            connection.sendall(f"HTTP/1.1 {status}\r\nETag: {etag}\r\n{length}\r\n".encode() + (
                body[:number] if deed == "cut" else body))
        except OSError:
            pass  # it has seen enough

    def get(self, programs, folder, size=None, stdout=subprocess.PIPE):
        """fos-get's status, what it wrote, and its report."""
        (folder / "token").write_text("t" * 64)
        with self.server:
            done = subprocess.run([programs / "fos-get", folder, f"http://127.0.0.1:{self.server.getsockname()[1]}/fos/image/1/2",
                                   str(len(self.data) if size is None else size)], stdout=stdout, check=False, timeout=60)
        report = (folder / "fetch.report").read_text().splitlines()
        return done.returncode, done.stdout, dict(line.split("=", 1) for line in report)


@pytest.mark.parametrize("deeds", [[], [("cut", 0)], [("cut", 1)], [("cut", 70_000), ("cut", 1 << 20)], [("status", 503)],
                                   [("cut", 100_000), ("status", 503)]])
def test_get_goes_on_where_the_stream_stopped(programs, tmp_path, deeds):
    """Whole at once; cut before the first octet, behind it, twice, and a server that is busy at first or in between. The hash is that
    of all of it."""
    data = random.Random(5).randbytes((3 << 20) + 5)
    giver = Giver(data, *deeds, ("all",))
    code, out, report = giver.get(programs, tmp_path)
    assert (code, report) == (0, {"bytes": str(len(data)), "sha256": hashlib.sha256(data).hexdigest()})
    assert out == data and len(giver.heads) == len(deeds) + 1
    assert all("Authorization: Bearer " + "t" * 64 in head for head in giver.heads)
    assert all('If-Range: "v1"' in head for head in giver.heads if "Range: bytes=" in head)
    assert not (tmp_path / "note").exists()


@pytest.mark.parametrize("deeds, reason, words", [
    ([("cut", 1000), ("changed",)], "hash_mismatch", "the image changed"),
    ([("cut", 1000), ("other range",)], "hash_mismatch", "the image changed"),
    ([("cut", 1000), ("status", 416)], "hash_mismatch", "the image changed"),
    ([("longer",)], "hash_mismatch", "the part has 5001 bytes, not 5000"),
    ([("no length",)], "client_error", "without a length"),
    ([("status", 404)], "image_missing", "status 404, why?"),
    ([("status", 403)], "client_error", "status 403, why?")])
def test_get_takes_nothing_else_for_the_part(programs, tmp_path, deeds, reason, words):
    code, out, report = Giver(bytes(5000), *deeds).get(programs, tmp_path)
    assert code == 3 and report["reason"] == reason and words in report["error"] and "sha256" not in report
    assert out == bytes(1000 if len(deeds) > 1 else 0)


def test_get_has_no_opinion_when_nobody_reads_on(programs, tmp_path):
    with open("/dev/full", "wb") as full:
        code, _, report = Giver(bytes(5000), ("all",)).get(programs, tmp_path, stdout=full)
    assert code == 4 and "No space left" in report["error"] and "reason" not in report and "sha256" not in report


# -- fos-put --------------------------------------------------------------------------------------

class Store(Scripted):
    """Takes PUT requests, by a script of deeds: one for each connection, the last one repeats."""

    def __init__(self, *deeds):
        self.stored = b""
        super().__init__(*deeds)

    def handle(self, connection, deed):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        self.heads.append(head.decode())
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        offset = int(head.split(b"offset=")[1].split(b" ")[0].split(b"&")[0])
        body = b""
        most = length if deed[0] != "cut" else deed[1]
        while len(body) < min(most, length) and (piece := connection.recv(1 << 20)):
            body += piece
        if deed[0] == "status":
            connection.sendall(f"HTTP/1.1 {deed[1]} X\r\nContent-Length: 5\r\nRetry-After: 1\r\n\r\nwhy?\n".encode())
            return
        is_next = offset == len(self.stored) and deed[0] != "stuck"
        if is_next:
            self.stored += body
        if deed[0] == "take" or not is_next:
            connection.sendall(f"HTTP/1.1 {200 if is_next else 409} X\r\nUpload-Offset: {len(self.stored)}\r\n"
                               "Content-Length: 0\r\n\r\n".encode())

    def put(self, programs, folder, data):
        """fos-put's status, and its report."""
        (folder / "token").write_text("t" * 64)
        with self.server:
            done = subprocess.run([programs / "fos-put", folder, f"http://127.0.0.1:{self.server.getsockname()[1]}/fos/image/1/2"],
                                  input=data, timeout=60)
        report = (folder / "put.report").read_text().splitlines()
        return done.returncode, dict(line.split("=", 1) for line in report)


@pytest.mark.parametrize("size", [0, 5, 16 << 20, (16 << 20) + 7])
def test_put_sends_all_in_pieces(programs, tmp_path, size):
    data = random.Random(size).randbytes(size)
    store = Store(("take",))
    assert store.put(programs, tmp_path, data) == (0, {"bytes": str(size), "status": "200",
                                                       "sha256": hashlib.sha256(data).hexdigest()})
    assert store.stored == data and f"sha256={hashlib.sha256(data).hexdigest()} HTTP" in store.heads[-1]
    assert all("Authorization: Bearer " + "t" * 64 in head for head in store.heads)
    assert ["sha256" in head for head in store.heads] == [False] * (len(store.heads) - 1) + [True]


@pytest.mark.parametrize("deed", [("cut", 0), ("cut", 100_000), ("cut", 1 << 30), ("status", 503), ("stuck",)])
def test_put_goes_on_where_the_stored_octets_end(programs, tmp_path, deed):
    """Cut before anything came, in the middle, before the answer; a server that is busy, and one that takes nothing for a while."""
    data = random.Random(3).randbytes((16 << 20) + 5000)
    store = Store(deed, ("take",))
    assert store.put(programs, tmp_path, data)[0] == 0
    assert store.stored == data


@pytest.mark.parametrize("status", [400, 403, 413, 422, 507])
def test_put_gives_up_where_it_is_refused(programs, tmp_path, status):
    code, report = Store(("status", status)).put(programs, tmp_path, b"x" * 100)
    assert code == 3 and report["status"] == str(status) and "why?" in report["error"] and "sha256" not in report


# -- a step of a script -----------------------------------------------------------------------------

def step(programs, tmp_path, *arguments, body=b"#!/bin/sh\necho ran $1; exit 5\n", status=b"200 OK"):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=serve)
        thread.start()
        done = subprocess.run(["busybox", "sh", FOS / "agent/tools/step", "folder/x", *arguments], check=False,
                              capture_output=True, text=True, env={"PATH": f"{programs}:/usr/bin:/bin", "rouse_url":
                              f"http://127.0.0.1:{server.getsockname()[1]}"})
        thread.join()
    return done.returncode, done.stdout + done.stderr


def test_a_step_runs_only_with_its_hash(programs, tmp_path):
    digest = hashlib.sha256(b"#!/bin/sh\necho ran $1; exit 5\n").hexdigest()
    status, said = step(programs, tmp_path, digest, "well")
    assert status == 5 and "ran well" in said and "status 5" in said
    status, said = step(programs, tmp_path, "0" * 64)
    assert status == 98 and "ran" not in said
    status, said = step(programs, tmp_path, digest, status=b"404 Not Found")
    assert status == 97 and "404" in said
