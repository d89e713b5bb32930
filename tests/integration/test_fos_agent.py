"""FOS as it is shipped (kernel and initial disk of packaging/fos/build), booted in virtual machines
against a menud that is scripted here: what the agent says and does, seen from outside.

The artefacts lie in $ROUSE_FOS_DIR (default build/fos) and are built when packaging/fos is newer.
"""

import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lab"))
from vm import VM, Segment, make_disk  # noqa: E402

MAC = "52:54:00:00:00:01"
TICKET = "4f0c" * 8
DISK_SIZE = 64 << 20
ETAG = '"7-1"'

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and taps need root")


class DhcpServer:
    """Gives 10.77.0.20 to whoever asks: as much DHCP as one udhcpc needs."""

    def __init__(self, segment):
        with segment.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"br0")
            self.socket.bind(("", 67))
        self.vendor_classes = set()
        self.deaf_to = 0  # so many of the next DISCOVERs are not heard, as behind a port that learns
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            request = self.socket.recv(2048)
            options = self.parse(request[240:])
            self.vendor_classes.add(options.get(60))
            reply_type = {1: 2, 3: 5}.get(options[53][0])
            if self.deaf_to > 0 and reply_type == 2:
                self.deaf_to -= 1
                continue
            if reply_type:
                self.socket.sendto(self.reply(request, reply_type), ("255.255.255.255", 68))

    @staticmethod
    def parse(data):
        options = {}
        while data and data[0] != 255:
            if data[0] == 0:
                data = data[1:]
                continue
            options[data[0]] = data[2:2 + data[1]]
            data = data[2 + data[1]:]
        return options

    @staticmethod
    def reply(request, reply_type):
        server, client = socket.inet_aton("10.77.0.1"), socket.inet_aton("10.77.0.20")
        header = (bytes([2]) + request[1:4] + request[4:8] + bytes(4) + bytes(4) + client + server
                  + bytes(4) + request[28:44] + bytes(192) + request[236:240])
        return (header + bytes([53, 1, reply_type, 54, 4]) + server + bytes([51, 4, 0, 0, 14, 16])
                + bytes([1, 4, 255, 255, 255, 0, 255]))


class FakeMenud:
    """Speaks docs/reference/fos-protocol.md. `answers` maps a verb to a list of answers, each
    (status, headers, dict of keys, or text); the last one repeats. `marks` maps an offset of the image to
    what happens when the stream has come that far; each happens once."""

    def __init__(self, segment):
        self.segment = segment
        self.answers = {}
        self.image, self.marks = b"", {}
        self.date = None
        self.calls, self.image_requests = [], []
        self.changed = threading.Condition()
        self.server = None

    def start(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                fake.handle_post(self)

            def do_GET(self):
                fake.handle_get(self)

        with self.segment.entered():
            self.server = ThreadingHTTPServer(("10.77.0.1", 8080), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def handle_post(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"])).decode("ascii")
        fields = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
        verb = request.path.removeprefix("/fos/")
        with self.changed:
            self.calls.append((verb, fields))
            planned = self.answers.get(verb, [ok(answer="ok")])
            status, headers, keys = planned.pop(0) if len(planned) > 1 else planned[0]
            self.changed.notify_all()
        text = (keys if isinstance(keys, str) else "".join(f"{key}={value}\n" for key, value in keys.items())).encode()
        request.send_response_only(status)
        for name, value in {"Date": self.date or formatdate(usegmt=True), "Content-Length": len(text), **headers}.items():
            request.send_header(name, str(value))
        request.end_headers()
        request.wfile.write(text)

    def handle_get(self, request):
        asked = request.headers.get("Range")
        self.image_requests.append(dict(request.headers))
        if not self.image:
            return request.send_error(404)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("ETag", ETAG)
        request.send_header("Date", formatdate(usegmt=True))
        request.send_header("Content-Length", str(len(self.image) - start))
        if asked:
            last = len(self.image) - 1
            request.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
        request.end_headers()
        for offset in range(start, len(self.image), 65536):
            request.wfile.write(self.image[offset:min(offset + 65536, len(self.image))])
            for mark in [mark for mark in self.marks if mark <= offset]:
                if self.marks.pop(mark)() == "cut":
                    request.wfile.flush()
                    request.connection.shutdown(socket.SHUT_RDWR)
                    return None
        return None

    def wait_call(self, verb, timeout=60):
        """The fields of the first call of that verb."""
        def found():
            return next((fields for name, fields in self.calls if name == verb), None)
        with self.changed:
            assert self.changed.wait_for(found, timeout), f"no {verb}; calls: {self.calls}"
            return found()

    def all_calls(self, verb):
        return [fields for name, fields in self.calls if name == verb]


def ok(**keys):
    return 200, {}, keys


def a_job(kind, **keys):
    return ok(answer="run", job=7, attempt=1, kind=kind, host="lab-01", after="reboot",
              report_seconds=1, **keys)


@pytest.fixture(scope="module")
def segment():
    with Segment("fos", "10.77.0.1/24") as made:
        made.dhcp = DhcpServer(made)
        yield made


@pytest.fixture
def menud(segment):
    fake = FakeMenud(segment)
    fake.answers["finish"] = [ok(answer="ok", state="succeeded", after="reboot")]
    fake.answers["progress"] = [ok(answer="continue")]
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def boot(fos, segment, tmp_path):
    def start(*arguments, **options):
        words = ["console=tty0 console=ttyS0 quiet rouse_url=http://10.77.0.1:8080",
                 f"BOOTIF=01-{MAC.replace(':', '-')}", *arguments]
        if not any(word.startswith("rouse_ticket") for word in arguments):
            words.append(f"rouse_ticket={TICKET}")
        return VM(tmp_path, segment=segment, mac=MAC, kernel=fos / "bzImage",
                  initrd=fos / "init.xz", append=" ".join(words), **options)
    return start


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A raw disk of 64 MiB, 6 of them incompressible, as (stream, facts for the job)."""
    raw = bytearray(DISK_SIZE)
    raw[:6 << 20] = random.Random(2).randbytes(6 << 20)
    for at in range(8 << 20, DISK_SIZE, 1 << 20):
        raw[at:at + 4096] = at.to_bytes(8, "big") * 512
    stream = subprocess.run(["zstd", "-q", "-c", "-3"], input=raw, stdout=subprocess.PIPE,
                            check=True).stdout
    facts = {"image_name": "tiny", "image_version": 1, "image_type": "raw", "image_url": "/fos/image/1",
             "image_size": len(stream), "disk_size": DISK_SIZE, "disk": "auto"}
    return stream, facts, hashlib.sha256(raw).hexdigest()


def manifest(stream, disk_sha256, sector_size="-"):
    """Of a whole disk in one part."""
    return 200, {}, (f"answer=ok\ndisk=1 {DISK_SIZE} {sector_size} {DISK_SIZE} none\npart=1 1 0 raw - {DISK_SIZE} {len(stream)} "
                     f"{hashlib.sha256(stream).hexdigest()} {DISK_SIZE} {disk_sha256} -\n")


def test_inventory_after_an_outage_and_a_queue(boot, menud, segment):
    menud.answers["checkin"] = [(503, {"Retry-After": 1}, {}),
                                ok(answer="wait", position=1, retry_seconds=1),
                                a_job("inventory")]
    menud.answers["finish"] = [(503, {"Retry-After": 1}, {}), ok(answer="ok", after="poweroff")]
    menud.stop()
    with boot(serial_number='S"1\\', uuid="2f6bdc50-9b4e-4a38-9a43-1d2e3f405162") as machine:
        machine.wait_serial("server is away", 40)
        menud.start()
        assert machine.wait_exit(60) == "guest-shutdown"
        serial = machine.serial()
    checkins = menud.all_calls("checkin")
    assert len(checkins) == 3 and checkins[0] == checkins[1] == checkins[2]
    first = checkins[0]
    assert first["ticket"] == TICKET and first["mac0"] == MAC and first["firmware"] == "bios"
    assert first["uuid"] == "2f6bdc50-9b4e-4a38-9a43-1d2e3f405162"
    assert first["manufacturer"] == "Rouse" and first["serial"] == 'S"1\\'
    assert len(first["token"]) == 64 and first["token"] not in serial and TICKET not in serial
    facts = json.loads(menud.wait_call("inventory")["json"])
    assert facts["serial"] == 'S"1\\' and facts["cpu_count"] == 2 and facts["firmware"] == "bios"
    assert 400 << 20 < facts["memory_bytes"] <= 512 << 20
    (nic,) = facts["nics"]
    assert nic.pop("device") == "0x0001"  # virtio's number of a card
    assert nic == {"name": "eth0", "mac": MAC, "driver": "virtio_net", "vendor": "0x1af4", "link": True}
    assert facts["disks"] == []
    finishes = menud.all_calls("finish")
    assert len(finishes) == 2 and finishes[0] == finishes[1]
    assert finishes[0]["outcome"] == "succeeded" and finishes[0]["token"] == first["token"]
    assert segment.dhcp.vendor_classes == {b"udhcp 1.35.0"}


def test_a_late_link_a_learning_port_and_a_wrong_clock(boot, menud, segment):
    """A cable that is put in late, a switch that lets nothing through at first, a board whose battery is
    empty: the screen tells each, and the job is done."""
    menud.date = "Sat, 28 Feb 2032 10:00:00 GMT"
    menud.answers["checkin"] = [a_job("script", script_url="/fos/script/7", script_sha256=hashlib.sha256(b"date -u").hexdigest())]
    menud.image = b"date -u"
    menud.answers["finish"] = [ok(answer="ok", after="poweroff")]
    segment.dhcp.deaf_to = 7
    with boot(extra=["-rtc", "base=2001-01-01T00:00:00"]) as machine:
        machine.set_link(False)
        machine.wait_serial("Waiting for a link on eth0", 60)
        machine.set_link(True)
        machine.wait_serial("No DHCP server has answered on eth0 for [0-9]+ s", 60)
        machine.wait_serial("Network: eth0, 10.77.0.20/24", 60)
        machine.wait_serial("The clock was 1138[0-9] days behind; it is 2032-02-28 10:00:00 UTC now", 60)
        assert machine.wait_exit(60) == "guest-shutdown"
        assert segment.dhcp.deaf_to == 0
    assert menud.wait_call("finish")["outcome"] == "succeeded"
    assert "2032" in "".join(fields["text"] for fields in menud.all_calls("log"))


def test_full_registration_asks_for_a_name(boot, menud, tmp_path):
    menud.answers["checkin"] = [a_job("register", mode="full")]
    menud.answers["register"] = [ok(answer="retry", message="The name oak is taken."),
                                 ok(answer="ok", host="elm", state="active")]
    disk = make_disk(tmp_path / "disk", 80 << 20)
    with boot(disks=[disk], disk_bus="nvme") as machine:
        machine.wait_serial("Name of this machine", 40)
        machine.type_serial("oak\n")
        machine.wait_serial("The name oak is taken.[^$]*Name of this machine", 20)
        machine.type_serial("elm\n")
        machine.wait_serial("Registered as elm", 20)
        assert machine.wait_exit(20) == "guest-reset"
    assert [fields["name"] for fields in menud.all_calls("register")] == ["oak", "elm"]
    (nvme,) = json.loads(menud.wait_call("inventory")["json"])["disks"]
    assert nvme.pop("wwn") and nvme.pop("firmware")
    assert nvme == {"name": "nvme0n1", "model": "QEMU NVMe Ctrl", "serial": "nvme0", "transport": "nvme",
                    "size_bytes": 80 << 20, "sector_size": 512, "physical_sector_size": 512,
                    "rotational": False, "removable": False}


def test_deploy_survives_cuts_a_restart_and_a_pulled_cable(boot, menud, segment, image, tmp_path):
    stream, facts, disk_sha256 = image
    disk = make_disk(tmp_path / "disk", DISK_SIZE + (8 << 20))
    menud.image = stream
    menud.answers["manifest"] = [manifest(stream, disk_sha256)]
    menud.answers["checkin"] = [a_job("deploy", **facts)]
    menud.answers["finish"] = [ok(answer="ok", after="poweroff")]

    with boot(disks=[disk]) as machine:
        def restart():
            menud.stop()
            threading.Timer(2.5, menud.start).start()
            return "cut"

        def pull_cable():
            segment.set_link(machine.tap, False)
            threading.Timer(2.5, segment.set_link, (machine.tap, True)).start()

        menud.marks = {1 << 20: lambda: "cut", 2 << 20: restart, 4 << 20: pull_cable}
        assert machine.wait_exit(90) == "guest-shutdown"
        assert "trying again" in machine.serial()

    finish = menud.wait_call("finish")
    assert (finish["outcome"], finish.get("reason")) == ("succeeded", None)
    assert int(finish["bytes"]) == DISK_SIZE
    written = disk.read_bytes()
    assert hashlib.sha256(written[:DISK_SIZE]).hexdigest() == disk_sha256
    assert not any(written[DISK_SIZE:])

    token = menud.wait_call("checkin")["token"]
    assert all(asked["Authorization"] == f"Bearer {token}" for asked in menud.image_requests)
    resumed = [asked for asked in menud.image_requests if "Range" in asked]
    assert len(resumed) >= 2 and all(asked["If-Range"] == ETAG for asked in resumed)
    offsets = [int(asked["Range"][6:-1]) for asked in resumed]
    assert offsets == sorted(set(offsets)) and offsets[0] > 0
    progress = [int(fields["bytes"]) for fields in menud.all_calls("progress")]
    assert progress == sorted(progress) and progress[-1] == DISK_SIZE
    assert {fields["step"] for fields in menud.all_calls("progress")} >= {"disk", "write", "verify"}


def test_cancel_stops_the_writing(boot, menud, image, tmp_path):
    stream, facts, disk_sha256 = image
    disk = make_disk(tmp_path / "disk", DISK_SIZE)
    menud.image = stream
    menud.answers["manifest"] = [manifest(stream, disk_sha256)]
    finished = threading.Event()
    menud.marks = {3 << 20: lambda: finished.wait(30) and "cut"}  # the stream stands still here
    menud.answers["checkin"] = [a_job("deploy", **facts)]
    menud.answers["progress"] = [ok(answer="continue"), ok(answer="continue"), ok(answer="cancel")]
    with boot(disks=[disk]) as machine:
        finish = menud.wait_call("finish")
        finished.set()
        assert machine.wait_exit(20) == "guest-reset"
    assert finish["outcome"] == "cancelled"
    assert not any(disk.read_bytes()[:1 << 20]), "a disk written by half must not boot"


def failing_deploy(boot, menud, image, disks, **changes):
    """Runs a deploy that fails; the fields of its finish."""
    stream, facts, disk_sha256 = image
    menud.image = changes.pop("stream", stream)
    menud.answers["manifest"] = [manifest(stream, changes.pop("disk_sha256", disk_sha256), changes.pop("sector_size", "-"))]
    menud.answers["checkin"] = [a_job("deploy", **{**facts, **changes})]
    menud.answers["finish"] = [ok(answer="ok", state="queued", after="reboot", hint="Turn it off and on.")]
    with boot(disks=disks) as machine:
        finish = menud.wait_call("finish")
        assert finish["outcome"] == "failed"
        machine.wait_serial(rf"Job 7 failed \({finish['reason']}\)[^$]*Turn it off and on.[^$]*It will be tried again", 30)
        assert machine.wait_exit(20) == "guest-reset"
    return finish


def test_a_wrong_hash_of_the_disk_is_a_failure(boot, menud, image, tmp_path):
    disk = make_disk(tmp_path / "disk", DISK_SIZE)
    finish = failing_deploy(boot, menud, image, [disk], disk_sha256="0" * 64, mode="verify")
    assert finish["reason"] == "hash_mismatch" and "the contents' SHA-256" in finish["text"]
    written = disk.read_bytes()
    assert any(written[1 << 20:2 << 20]) and not any(written[:1 << 20])


def test_a_damaged_stream_is_a_hash_mismatch(boot, menud, image, tmp_path):
    stream = bytearray(image[0])
    stream[len(stream) // 2] ^= 1
    disk = make_disk(tmp_path / "disk", DISK_SIZE)
    finish = failing_deploy(boot, menud, image, [disk], stream=bytes(stream))
    assert finish["reason"] == "hash_mismatch"


def test_a_disk_that_refuses_writes_is_a_write_error(boot, menud, image, tmp_path):
    make_disk(tmp_path / "disk", DISK_SIZE)
    rules = tmp_path / "blkdebug.conf"
    rules.write_text('[inject-error]\nevent = "write_aio"\nerrno = "5"\nsector = "40960"\n')
    finish = failing_deploy(boot, menud, image, [f"blkdebug:{rules}:{tmp_path / 'disk'}"])
    assert finish["reason"] == "write_error" and "vda" in finish["text"]


@pytest.mark.parametrize("reason, size, changes", [
    ("disk_too_small", DISK_SIZE - 512, {}),
    ("disk_missing", DISK_SIZE, {"disk": "/dev/sdz"}),
    ("image_missing", DISK_SIZE, {"stream": b""}),
    ("disk_mismatch", DISK_SIZE, {"sector_size": 4096}),
])
def test_what_is_missing_is_named(boot, menud, image, tmp_path, reason, size, changes):
    disk = make_disk(tmp_path / "disk", size)
    finish = failing_deploy(boot, menud, image, [disk], **changes)
    assert finish["reason"] == reason
    if reason == "disk_too_small":
        assert f"vda has {size} bytes" in finish["text"]


def test_a_refused_ticket_is_shown_and_nothing_is_written(boot, menud, tmp_path):
    disk = make_disk(tmp_path / "disk", 1 << 20)
    menud.answers["checkin"] = [ok(answer="refused", reason="ticket_expired",
                                   message="This ticket is over $(reboot).")]
    with boot(disks=[disk]) as machine:
        machine.wait_serial(r"Refused \(ticket_expired\): This ticket is over \$\(reboot\)\.", 40)
        machine.wait_serial("Rebooting in 30 seconds", 5)
    assert not any(disk.read_bytes())
    assert [verb for verb, _ in menud.calls] == ["checkin"]
