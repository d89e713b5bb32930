"""Parts of an image that is being captured come into menud: by curl, and by sockets that behave as no client should."""

import hashlib
import os
import secrets
import socket
import subprocess
import time

import pytest

from menud_server import MAC, Server, add_host

IMAGE = "room"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server(module_lab, postgres, build, tmp_path_factory):
    add_host(postgres, "lab-01", MAC)
    return Server(module_lab, postgres, build, tmp_path_factory.mktemp("upload"))


class Capture:
    """A claimed capture job with one disk and `parts` parts, as the client system would have it."""

    def __init__(self, server, parts=1):
        self.server, self.token = server, secrets.token_hex(32)
        self.job = server.postgres.value("select rouse.capture('lab-01', %s)", IMAGE)
        ticket = server.boot_until("rouse_ticket=([0-9a-f]{32})", seconds=20).group(1)
        answer = server.fos("checkin", ticket=ticket, token=self.token, mac0=MAC)
        assert (answer["answer"], answer["kind"], answer["image_type"]) == ("run", "capture", "resizable")
        self.version = int(answer["image_version"])
        self.folder = server.workdir / "srv" / "images" / IMAGE / f"captured-{self.version}"
        assert server.fos("disk", token=self.token, number=1, size=10**9, floor=10**8, sector_size=512,
                          label="dos") == {"answer": "ok"}
        self.urls = []
        for number in range(1, parts + 1):
            said = server.fos("part", token=self.token, number=number, disk=1, partition=number, kind="raw", place=10**8)
            self.urls.append(said["part_url"])

    def put(self, offset, data, part=1, sha256=None, token=None):
        """Status and body of one request."""
        file = self.server.workdir / "data"
        file.write_bytes(data)
        url = f"{self.urls[part - 1]}?offset={offset}" + (f"&sha256={sha256}" if sha256 else "")
        return self.server.curl(url, "-T", str(file), "-H", f"Authorization: Bearer {token or self.token}")

    def begin(self, offset, length, part=1):
        """A socket that has sent the head of a request."""
        with self.server.client.entered():
            connection = socket.create_connection(("10.77.0.3", 8080), timeout=20)
        connection.sendall(f"PUT {self.urls[part - 1]}?offset={offset} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
                           f"Authorization: Bearer {self.token}\r\n\r\n".encode())
        return connection

    def finish(self, outcome="succeeded", **more):
        return self.server.fos("finish", token=self.token, outcome=outcome, **more)

    def hidden(self, part=1):
        return self.folder / f".{part}.zst.part"

    def stored(self, part=1):
        """How much menud says is stored: an empty request that stands nowhere."""
        status, body = self.put(999_999_999, b"", part)
        assert status == 409, body
        return int(body.removeprefix("stored="))


@pytest.fixture
def capture(server):
    made = Capture(server)
    yield made
    if server.postgres.value("select ended_at from rouse.jobs where id = %s", made.job) is None:
        server.postgres.sql("select rouse.cancel(%s)", made.job)
        made.finish("cancelled")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def test_a_part_comes_in_pieces_and_is_published(server, capture):
    data = os.urandom(5 * MEGABYTE + 17)
    assert capture.put(0, data[:3 * MEGABYTE]) == (200, f"stored={3 * MEGABYTE}\n")
    assert capture.hidden().stat().st_size == 3 * MEGABYTE
    # menud knows the hash of what came before also when it is another process
    server.daemon.stop()
    server.start()
    assert capture.stored() == 3 * MEGABYTE
    assert capture.put(3 * MEGABYTE, data[3 * MEGABYTE:], sha256=digest(data)) == (200, f"stored={len(data)}\n")
    assert (capture.folder / "1.zst").read_bytes() == data and not capture.hidden().exists()
    # an answer that was lost: the same again
    assert capture.put(len(data), b"", sha256=digest(data)) == (200, f"stored={len(data)}\n")
    assert capture.put(0, data[:10])[0] == 409
    assert capture.finish()["state"] == "succeeded"
    (row,) = server.postgres.sql("select size, sha256, path from rouse.image_parts where path = %s",
                                 f"images/{IMAGE}/{capture.folder.name}/1.zst")
    assert (row.size, row.sha256) == (len(data), digest(data))
    assert server.postgres.value("select version from rouse.images where name = %s", IMAGE) == capture.version
    assert capture.put(len(data), b"", sha256=digest(data))[0] == 403


def test_a_wrong_offset_is_told_where_to_go_on(capture):
    assert capture.put(0, b"x" * 1000) == (200, "stored=1000\n")
    for offset in (0, 999, 1001):
        assert capture.put(offset, b"y" * 100) == (409, "stored=1000\n")


def test_another_hash_stores_nothing(server, capture):
    status, body = capture.put(0, b"x" * 1000, sha256="0" * 64)
    assert status == 422 and "another SHA-256" in body
    assert not capture.hidden().exists() and not (capture.folder / "1.zst").exists()
    assert capture.finish()["state"] == "failed"
    assert server.postgres.value("select reason from rouse.jobs where id = %s", capture.job) == "image_incomplete"


def test_what_is_not_allowed(server, capture):
    assert capture.put(0, b"x", token="0" * 64)[0] == 403
    assert server.curl(capture.urls[0] + "?offset=0", "-X", "PUT")[0] == 400
    bearer = ["-H", f"Authorization: Bearer {capture.token}", "-X", "PUT"]
    for url in ("/fos/image/x/1?offset=0", "/fos/image/1?offset=0", capture.urls[0], capture.urls[0] + "?offset=-1",
                capture.urls[0] + "?offset=1x", capture.urls[0] + "?offset=0&sha256=ABC"):
        assert server.curl(url, *bearer)[0] == 400, url
    assert server.curl(capture.urls[0] + "9?offset=0", *bearer)[0] == 403
    assert server.curl("/files/x?offset=0", *bearer)[0] == 405
    # larger than one request may be: refused by its head
    status, body = server.curl(capture.urls[0] + "?offset=0", *bearer, "-H", "Content-Length: 99999999999")
    assert status == 413, body
    assert not capture.folder.exists()


def test_an_image_may_become_too_large(server, capture):
    server.postgres.admin("update rouse_data.setting set minimum = 0, value = '0' where name = 'image_gib_max'")
    try:
        status, body = capture.put(0, b"x" * 100_000)
    finally:
        server.postgres.admin("update rouse_data.setting set minimum = 1, value = '2048' where name = 'image_gib_max'")
    assert status == 413 and "image_gib_max" in body


def test_a_full_store_is_said_so(server, capture):
    """A small file system in the place of the image's folder."""
    folder = capture.folder.parent
    folder.mkdir(exist_ok=True)
    # a daemon of a network namespace has mounts of its own
    inside = ["nsenter", "-t", str(server.daemon.pid), "-m"]
    subprocess.run([*inside, "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    try:
        status, body = capture.put(0, os.urandom(8 * MEGABYTE))
        assert status == 507 and "full" in body
        server.daemon.wait_for("event=store_full")
    finally:
        subprocess.run([*inside, "umount", "-l", folder], check=True)


def wait_until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_client_that_is_gone_leaves_what_it_sent(capture):
    """What was written counts; the rest of a buffer may be lost with the connection."""
    data = os.urandom(3 * MEGABYTE)
    with capture.begin(0, 5 * MEGABYTE) as connection:
        connection.sendall(data)
        wait_until(lambda: capture.hidden().exists() and capture.hidden().stat().st_size >= 2 * MEGABYTE, "nothing is stored")
    size = capture.stored()
    assert 2 * MEGABYTE <= size <= 3 * MEGABYTE
    assert capture.put(size, data[size:], sha256=digest(data))[0] == 200


def test_one_that_hangs_makes_way_for_the_next(capture):
    """A cable was pulled: the old connection stands, and the client comes by a new one."""
    data = os.urandom(2 * MEGABYTE)
    with capture.begin(0, 5 * MEGABYTE) as hanging:
        hanging.sendall(data)
        wait_until(lambda: capture.hidden().exists() and capture.hidden().stat().st_size == 2 * MEGABYTE, "nothing is stored")
        status, body = capture.put(2 * MEGABYTE, b"end", sha256=digest(data + b"end"))
        assert status == 503 and "another upload" in body
        assert capture.put(2 * MEGABYTE, b"end", sha256=digest(data + b"end"))[0] == 200
        # and the old one can do no harm any more
        hanging.sendall(b"x" * 1000)
        assert hanging.recv(1000) == b""
    assert (capture.folder / "1.zst").read_bytes() == data + b"end"


def test_menud_stops_in_mid_upload(server, capture):
    with capture.begin(0, 5 * MEGABYTE) as connection:
        connection.sendall(b"x" * MEGABYTE)
        wait_until(lambda: capture.hidden().exists() and capture.hidden().stat().st_size == MEGABYTE, "nothing is stored")
        server.daemon.stop()
    server.start()
    assert capture.stored() == MEGABYTE


def test_the_database_goes_away_at_the_end(server, capture):
    """The part is stored, but not recorded: the client says so again."""
    data = b"z" * 1000
    assert capture.put(0, data)[0] == 200
    server.postgres.stop()
    try:
        assert capture.put(1000, b"", sha256=digest(data))[0] == 503
    finally:
        server.postgres.start()
    wait_until(lambda: capture.put(1000, b"", sha256=digest(data))[0] == 200, "the database is back")
    assert capture.finish()["state"] == "succeeded"


def test_what_nobody_will_publish_is_collected(server):
    """A cancelled capture's files go at menud's next look, a published version's stay, a retired one's go."""
    kept = Capture(server)
    assert kept.put(0, b"whole", sha256=digest(b"whole"))[0] == 200
    assert kept.finish()["state"] == "succeeded"
    lost = Capture(server)
    assert lost.put(0, b"half")[0] == 200
    server.postgres.sql("select rouse.cancel(%s)", lost.job)
    assert lost.put(4, b"more")[0] == 403
    assert lost.finish("cancelled")["state"] == "cancelled"
    newer = Capture(server)
    assert newer.put(0, b"newer", sha256=digest(b"newer"))[0] == 200
    assert newer.finish()["state"] == "succeeded"
    server.postgres.sql("select rouse.image_retire(%s, %s)", IMAGE, kept.version)
    server.daemon.stop()
    server.start()
    wait_until(lambda: not lost.folder.exists() and not kept.folder.exists(), "garbage is there")
    assert (newer.folder / "1.zst").read_bytes() == b"newer"
    wait_until(lambda: server.postgres.value("select count(*) from rouse.image_versions where image = %s and number in (%s, %s) "
                                             "and collected_at is not null", IMAGE, lost.version, kept.version) == 2,
               "the database does not know")
