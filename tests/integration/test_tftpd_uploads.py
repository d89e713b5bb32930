"""Uploads to tftpd: real clients, a client of our own that misbehaves, loss, a full disk, and what is left."""

import fcntl
import os
import random
import struct
import sys
import time

import pytest

from lossy import Lossy

import test_tftpd as plain
from test_tftpd import (ACK, DATA, ERROR, MEGABYTE, OACK, SERVER, WRQ, Net, ack, expect_error, fetch,
                        receive, request)
from test_tftpd_site import wait_for_event

RELAY = "10.99.69.5"  # one of the client's addresses
SIZES = {"empty": 0, "one_short": 511, "exact": 512, "one_more": 513, "large": 300_001}


@pytest.fixture(name="net", scope="module")
def make_net(module_lab, build, tmp_path_factory):
    net = Net(module_lab, build, tmp_path_factory.mktemp("tftpd"))
    net.inbox = net.work / "inbox"
    net.inbox.mkdir()
    return net


@pytest.fixture(name="inbox")
def empty_inbox(net):
    """The writable folder, empty, and nothing left in it afterwards but whole files."""
    for path in net.inbox.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    yield net.inbox
    assert not [p for p in net.inbox.iterdir() if p.name.startswith(".")]


@pytest.fixture(name="start")
def make_start(net):
    started = []

    def start(*flags, **more):
        started.append(net.start("--upload-root", net.inbox, *flags, **more))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.is_running():
            assert daemon.stop() == 0, daemon.output


@pytest.fixture(name="daemon")
def start_daemon(start):
    return start()


def content(name, size):
    return random.Random(name).randbytes(size)


def refused(net, name, code, **options):
    with net.socket() as sock:
        sock.sendto(request(name, WRQ, **options), (SERVER, 69))
        return expect_error(sock, code)


def data(block, payload):
    return struct.pack("!HH", DATA, block & 0xffff) + payload


# ---------------------------------------------------------------- programs that people use

def with_hpa(net, path, name, mode="octet"):
    done = net.client.run(["tftp", "-m", mode, SERVER, "-c", "put", path, name])
    return "rror" not in done.stdout, done.stdout


def with_atftp(net, path, name, *options):
    done = net.client.run(["atftp", *options, "-p", "-l", path, "-r", name, SERVER], check=False)
    return done.returncode == 0, done.stdout


def with_curl(net, path, name, blksize=512):
    done = net.client.run(["curl", "-sS", "--tftp-blksize", str(blksize), "-T", path,
                           f"tftp://{SERVER}/{name}"], check=False)
    return done.returncode == 0, done.stdout


def with_busybox(net, path, name, blksize=512):
    done = net.client.run(["busybox", "tftp", "-b", str(blksize), "-p", "-l", path, "-r", name, SERVER],
                          check=False)
    return done.returncode == 0, done.stdout


def with_large_atftp(net, path, name):
    return with_atftp(net, path, name, "--option", "blksize 1400", "--option", "tsize 0",
                      "--option", "windowsize 16")


def with_large_curl(net, path, name):
    return with_curl(net, path, name, 1400)


def with_large_busybox(net, path, name):
    return with_busybox(net, path, name, 1400)


ROBUST = [with_hpa, with_atftp]
CLIENTS = [with_hpa, with_atftp, with_curl, with_busybox, with_large_atftp, with_large_curl,
           with_large_busybox]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("size", SIZES)
def test_real_clients(net, inbox, daemon, client, size):
    sent = net.work / "sent"
    sent.write_bytes(content(size, SIZES[size]))
    is_good, said = client(net, sent, "stored.bin")
    assert is_good, said
    assert (inbox / "stored.bin").read_bytes() == sent.read_bytes()
    assert (inbox / "stored.bin").stat().st_mode & 0o777 == 0o644
    daemon.wait_for(f"outcome=received client={plain.CLIENT} mac={net.mac} file=stored.bin "
                    f"bytes={SIZES[size]}")


def test_netascii(net, inbox, daemon):
    """As switches send their configuration."""
    sent = net.work / "sent"
    sent.write_bytes(b"hostname lab\ninterface 1\r mtu 9000\n" + b"x" * 700 + b"\nend\n")
    is_good, said = with_hpa(net, sent, "lab-confg", mode="netascii")
    assert is_good, said
    assert (inbox / "lab-confg").read_bytes() == sent.read_bytes()
    assert daemon.is_running()


@pytest.mark.parametrize("client", CLIENTS)
def test_real_clients_under_loss(net, inbox, daemon, monkeypatch, client):
    """What a client believes is so, and what is stored was sent; the robust ones get through."""
    sent = net.work / "sent"
    sent.write_bytes(content("loss", 25_000))
    monkeypatch.setattr(sys.modules[__name__], "SERVER", RELAY)
    with Lossy(net.client, RELAY, plain.SERVER, seed=1, loss=3, doubling=3) as relay:
        is_good, said = client(net, sent, "stored.bin")
        daemon.wait_for("event=transfer_ended .*file=stored.bin", timeout=90)
    assert relay.lost > 0
    is_stored = "outcome=received" in daemon.output
    assert is_stored or not is_good
    assert (inbox / "stored.bin").exists() == is_stored
    if is_stored:
        assert (inbox / "stored.bin").read_bytes() == sent.read_bytes()
    assert is_good or client not in ROBUST, said


def test_what_was_stored_can_be_fetched(net, inbox, start):
    start("--root", f"{net.root} {inbox}")
    sent = net.work / "sent"
    sent.write_bytes(content("again", 5000))
    assert with_hpa(net, sent, "again")[0]
    assert fetch(net, "again") == sent.read_bytes()


# ---------------------------------------------------------------- a client of our own

class Upload:
    """One transfer, step by step."""

    def __init__(self, net, name, mode="octet", **options):
        self.sock = net.socket()
        self.sock.sendto(request(name, WRQ, mode, **options), (SERVER, 69))
        opcode, self.granted, _, self.where = receive(self.sock)
        assert opcode == (OACK if options else ACK), self.granted

    def send(self, block, payload):
        self.sock.sendto(data(block, payload), self.where)

    def expect_ack(self, block):
        opcode, number, _, where = receive(self.sock)
        while opcode == OACK and number == self.granted:  # said again before our first block was there
            opcode, number, _, where = receive(self.sock)
        assert (opcode, number, where) == (ACK, block & 0xffff, self.where)

    def expect_silence(self, seconds=0.3):
        self.sock.settimeout(seconds)
        with pytest.raises(TimeoutError):
            receive(self.sock)
        self.sock.settimeout(plain.PATIENCE)

    def give_up(self):
        self.sock.sendto(struct.pack("!HH", ERROR, 0) + b"enough\0", self.where)


def test_options(net, inbox, daemon):
    upload = Upload(net, "f", blksize=65464, timeout=2, tsize=1000, windowsize=100)
    assert upload.granted == {"blksize": "1468", "timeout": "2", "tsize": "1000", "windowsize": "64"}
    upload.send(1, content("f", 1000))
    upload.expect_ack(1)
    assert (inbox / "f").read_bytes() == content("f", 1000)
    # a window lies in memory, and is no larger than it may be
    net.server.run("ip link set eth0 mtu 9000")
    try:
        time.sleep(1.1)  # an MTU is looked up once a second
        large = Upload(net, "g", blksize=65464, windowsize=64)
        assert large.granted == {"blksize": "8968", "windowsize": str(256 * 1024 // 8968)}
        large.give_up()
    finally:
        net.server.run("ip link set eth0 mtu 1500")
    assert daemon.is_running()


def test_window_with_a_gap(net, inbox, daemon):
    blocks = [content(str(n), 512) for n in range(8)]
    upload = Upload(net, "gap", windowsize=4)
    for block in 1, 2, 4:
        upload.send(block, blocks[block - 1])
    upload.expect_ack(2)
    upload.expect_silence()  # told once
    for block in 3, 4, 5, 6:
        upload.send(block, blocks[block - 1])
    upload.expect_ack(6)
    for block in 7, 8, 9:
        upload.send(block, blocks[block - 1] if block < 9 else b"end")
    upload.expect_ack(9)
    assert (inbox / "gap").read_bytes() == b"".join(blocks) + b"end"
    assert daemon.is_running()


def test_repeated_blocks_are_acknowledged_and_not_doubled(net, inbox, daemon):
    upload = Upload(net, "twice")
    upload.send(1, b"a" * 512)
    upload.expect_ack(1)
    time.sleep(0.1)
    upload.send(1, b"a" * 512)
    upload.expect_ack(1)
    upload.send(2, b"end")
    upload.expect_ack(2)
    assert (inbox / "twice").read_bytes() == b"a" * 512 + b"end"
    # the last ACK was lost: the file is there, and the client is told again (dallying)
    for _ in range(3):
        time.sleep(1.2)
        upload.send(2, b"end")
        upload.expect_ack(2)
    upload.send(1, b"a" * 512)
    upload.expect_silence()
    assert (inbox / "twice").read_bytes() == b"a" * 512 + b"end"
    assert daemon.output.count("outcome=received") == 1


def test_ack_is_said_again(net, inbox, daemon):
    """The server asks for what it misses; a client need not have a timer."""
    upload = Upload(net, "timer", utimeout=500000)
    upload.expect_silence(0.05)
    assert receive(upload.sock)[0] == OACK
    upload.send(1, b"a" * 512)
    upload.expect_ack(1)
    upload.expect_ack(1)
    upload.send(2, b"")
    upload.expect_ack(2)
    assert (inbox / "timer").read_bytes() == b"a" * 512
    assert daemon.is_running()


def test_file_appears_whole(net, inbox, daemon):
    upload = Upload(net, "whole")
    upload.send(1, b"a" * 512)
    upload.expect_ack(1)
    assert not list(inbox.iterdir())
    upload.send(2, b"end")
    upload.expect_ack(2)
    assert [p.name for p in inbox.iterdir()] == ["whole"]
    assert daemon.is_running()


def test_wrap_of_the_block_number(net, inbox, daemon):
    size = 66_000 * 8
    expected = content("wrap", size)
    upload = Upload(net, "wrap", blksize=8, windowsize=64)
    for block in range(1, size // 8 + 2):
        upload.send(block, expected[(block - 1) * 8:block * 8])
        if block % 64 == 0:
            upload.expect_ack(block)
    upload.expect_ack(size // 8 + 1)
    assert (inbox / "wrap").read_bytes() == expected
    assert daemon.is_running()


# ---------------------------------------------------------------- what is left

def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def test_abandoned_uploads_leave_nothing(net, inbox, daemon):
    first = Upload(net, "warm-up")
    first.send(1, b"x")
    first.expect_ack(1)
    (inbox / "warm-up").unlink()
    time.sleep(0.5)  # its descriptors are closed in another thread
    before = descriptors(daemon)
    abandoned = []
    for number in range(100):
        upload = Upload(net, f"f{number}", utimeout=100000)
        upload.send(1, b"x" * 512)
        upload.expect_ack(1)
        abandoned.append(upload)
    assert descriptors(daemon) >= before + 100
    for upload in abandoned[:50]:
        upload.give_up()
    for upload in abandoned[50:]:
        upload.sock.close()
    deadline = time.monotonic() + 20
    while descriptors(daemon) > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert descriptors(daemon) <= before
    assert not list(inbox.iterdir())


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_end_of_the_daemon_leaves_nothing(net, inbox, start, end):
    daemon = start()
    upload = Upload(net, "f")
    upload.send(1, b"x" * 512)
    upload.expect_ack(1)
    assert getattr(daemon, end)() == (0 if end == "stop" else -9)
    if end == "stop":
        assert "stopping" in expect_error(upload.sock, 0)
    assert not list(inbox.iterdir())


def test_what_a_killed_daemon_left_goes_at_the_start(net, inbox, start):
    """Killed between the two steps by which a file takes another one's place, it leaves a name of its own."""
    folder = net.work / "left"
    (folder / "sub").mkdir(parents=True)
    dead = [folder / ".rouse-upload-0123456789abcdef", folder / "sub" / ".rouse-upload-00000000000000ff"]
    others = [folder / ".rouse-upload-notes", folder / "sub" / "0123456789abcdef"]
    alive = folder / ".rouse-upload-aaaaaaaaaaaaaaaa"
    for path in [*dead, *others, alive]:
        path.write_bytes(b"half")
    (folder / "out").symlink_to(inbox)
    beside = inbox / "rouse-upload-0123456789abcdef"
    beside.write_bytes(b"not beneath the folder")
    beside = beside.rename(inbox / f".{beside.name}")
    with open(alive, "rb") as held:  # as the process does that is at work on it
        fcntl.flock(held, fcntl.LOCK_EX)
        daemon = start("--upload-root", folder)
        daemon.wait_for("event=leftovers_removed .*count=2 ")
        assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted([*others, alive])
        assert daemon.stop() == 0
    start("--upload-root", folder).wait_for("event=leftovers_removed .*count=1 first=.rouse-upload-aaaaaaaaaaaaaaaa ")
    assert beside.read_bytes() == b"not beneath the folder"
    beside.unlink()


def test_the_same_request_again(net, inbox, daemon):
    with net.socket() as sock:
        for _ in range(2):
            sock.sendto(request("f", WRQ, blksize=1000), (SERVER, 69))
        answers = [receive(sock) for _ in range(2)]
        assert [a[0] for a in answers] == [OACK, OACK] and answers[0][3] == answers[1][3]
        sock.sendto(data(1, b"once"), answers[0][3])
        assert receive(sock)[:2] == (ACK, 1)
    assert (inbox / "f").read_text() == "once"
    # another name from the same port takes the first one's place
    with net.socket() as sock:
        sock.sendto(request("g", WRQ), (SERVER, 69))
        receive(sock)
        sock.sendto(request("h", WRQ), (SERVER, 69))
        where = receive(sock)[3]
        sock.sendto(data(1, b"h"), where)
        assert receive(sock)[:2] == (ACK, 1)
    assert sorted(p.name for p in inbox.iterdir()) == ["f", "h"]
    assert daemon.is_running()


def test_transfers_on_the_request_port(net, inbox, start):
    start("--transfer-ports", "same")
    upload = Upload(net, "f")
    assert upload.where == (SERVER, 69)
    upload.send(1, b"x" * 512)
    upload.expect_ack(1)
    upload.send(2, b"")
    upload.expect_ack(2)
    assert (inbox / "f").read_text() == "x" * 512


def test_many_at_once(net, inbox, daemon):
    uploads = [Upload(net, f"f{number}", blksize=1000) for number in range(60)]
    for block in range(1, 6):
        for number, upload in enumerate(uploads):
            upload.send(block, content(f"{number}-{block}", 1000 if block < 5 else 7))
        for upload in uploads:
            upload.expect_ack(block)
    for number in range(60):
        parts = [content(f"{number}-{block}", 1000 if block < 5 else 7) for block in range(1, 6)]
        assert (inbox / f"f{number}").read_bytes() == b"".join(parts)
    assert daemon.is_running()


def test_map_rules_of_writes(net, inbox, start):
    rules = net.work / "map"
    rules.write_text("Pr ^cfg/\nPa ^secret\nGr ^stored$ absent\n")
    start("--map-file", rules)
    upload = Upload(net, "cfg/stored")
    upload.send(1, b"x")
    upload.expect_ack(1)
    assert (inbox / "stored").exists()
    assert "rule of the map file" in refused(net, "secret", 2)


def test_events(net, inbox, postgres, start):
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    postgres.fresh()
    daemon = start("--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                   ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    upload = Upload(net, "f", tsize=3)
    upload.send(1, b"abc")
    upload.expect_ack(1)
    row = wait_for_event(postgres, kind="received", name="f")
    assert (row.stage, str(row.address), row.mac, row.detail["bytes"]) == \
        ("upload", plain.CLIENT, net.mac, 3)
    refused(net, "f", 6)
    row = wait_for_event(postgres, kind="refused", name="f")
    assert row.stage == "upload" and row.detail["code"] == 6
    assert (inbox / "f").exists()
