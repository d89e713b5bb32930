"""tftpd with real clients: atftp, tftp-hpa, curl, busybox, and a client of our own that can misbehave."""

import hashlib
import os
import random
import socket
import struct
import time

import pytest

SERVER = "10.99.69.1"
SECOND = "10.99.69.9"  # the server's other address
CLIENT = "10.99.69.2"
RRQ, WRQ, DATA, ACK, ERROR, OACK = 1, 2, 3, 4, 5, 6
MEGABYTE = 1 << 20
PATIENCE = 5.0  # for one datagram
SIZES = {"empty": 0, "one_short": 511, "exact": 512, "one_more": 513, "mebi": MEGABYTE}


# ---------------------------------------------------------------- the laboratory

class Net:
    """A server's and a client's namespace, and the folder that is served."""

    def __init__(self, lab, build, folder):
        lab.segment("lan")
        self.server = lab.host("server", addresses=[f"{SERVER}/24", f"{SECOND}/24"])
        self.client = lab.host("client", addresses=[f"10.99.69.{n}/24" for n in range(2, 7)])
        self.program = build / "tftpd" / "tftpd"
        self.root = folder / "root"
        self.root.mkdir()
        self.work = folder / "work"
        self.work.mkdir()
        self.mac = self.client.mac()

    def start(self, *flags, ready="event=started"):
        """Without --drain-seconds its end waits for no transfer that a test has left."""
        drain = [] if "--drain-seconds" in flags else ["--drain-seconds", "0"]
        daemon = self.server.spawn([self.program, "--root", self.root, "--state-dir", "", *drain, *flags])
        daemon.wait_for(ready)
        return daemon

    def file(self, name, size):
        path = self.root / name
        if not path.exists():
            path.write_bytes(random.Random(name).randbytes(size))
        return path.read_bytes()

    def socket(self, address=CLIENT, port=0):
        with self.client.entered():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
        made.settimeout(PATIENCE)
        return made


@pytest.fixture(name="net", scope="module")
def make_net(module_lab, build, tmp_path_factory):
    return Net(module_lab, build, tmp_path_factory.mktemp("tftpd"))


@pytest.fixture(name="daemon", scope="module")
def start_daemon(net):
    """The one that most tests share: it must outlive all of them, and end cleanly."""
    daemon = net.start()
    yield daemon
    assert daemon.is_running(), daemon.output
    assert daemon.stop() == 0, daemon.output


@pytest.fixture(name="own")
def start_own(net):
    """Starts daemons on other ports, for tests that kill or fill them."""
    started = []

    def start(*flags, **more):
        started.append(net.start("--port", "6969", *flags, **more))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.is_running():
            assert daemon.stop() == 0, daemon.output


# ---------------------------------------------------------------- a client that does as it is told

def request(name, opcode=RRQ, mode="octet", **options):
    words = [name, mode] + [text for pair in options.items() for text in map(str, pair)]
    return struct.pack("!H", opcode) + b"".join(w.encode("latin-1") + b"\0" for w in words)


def ack(block):
    return struct.pack("!HH", ACK, block & 0xffff)


def receive(sock):
    """(opcode, number or options, payload, sender)"""
    packet, sender = sock.recvfrom(70000)
    (opcode,) = struct.unpack("!H", packet[:2])
    if opcode == OACK:
        words = packet[2:].decode().split("\0")[:-1]
        return OACK, dict(zip(words[::2], words[1::2])), b"", sender
    return opcode, struct.unpack("!H", packet[2:4])[0], packet[4:], sender


def expect_error(sock, code):
    opcode, number, text, _ = receive(sock)
    assert (opcode, number) == (ERROR, code), text
    assert text.endswith(b"\0") and len(text) > 5
    return text[:-1].decode()


def fetch_rest(sock, sender, blksize, received=b"", block=1):
    """Lock-step from the DATA that is due to the end, past what was repeated while this machine was slow."""
    while True:
        opcode, number, payload, where = receive(sock)
        if opcode == OACK or (opcode, number) == (DATA, (block - 1) & 0xffff):
            continue
        assert (opcode, number, where) == (DATA, block & 0xffff, sender)
        received += payload
        sock.sendto(ack(block), sender)
        if len(payload) < blksize:
            return received
        block += 1


def fetch(net, name, port=69, server=SERVER):
    with net.socket() as sock:
        sock.sendto(request(name, blksize=1400), (server, port))
        opcode, options, _, sender = receive(sock)
        assert opcode == OACK and options == {"blksize": "1400"}
        sock.sendto(ack(0), sender)
        return fetch_rest(sock, sender, 1400)


# ---------------------------------------------------------------- programs that people use

def with_atftp(net, name, out, blksize=512, windowsize=None):
    options = ["--option", f"blksize {blksize}"] if blksize != 512 else []
    options += ["--option", f"windowsize {windowsize}"] if windowsize else []
    net.client.run(["atftp", *options, "-g", "-r", name, "-l", out, SERVER])


def with_hpa(net, name, out):
    done = net.client.run(["tftp", "-m", "octet", SERVER, "-c", "get", name, out])
    assert "rror" not in done.stdout, done.stdout


def with_curl(net, name, out, blksize=512):
    net.client.run(["curl", "-sS", "--tftp-blksize", str(blksize), "-o", out,
                    f"tftp://{SERVER}/{name}"])


def with_curl_plain(net, name, out):
    net.client.run(["curl", "-sS", "--tftp-no-options", "-o", out, f"tftp://{SERVER}/{name}"])


def with_busybox(net, name, out, blksize=512):
    net.client.run(["busybox", "tftp", "-g", "-b", str(blksize), "-r", name, "-l", out, SERVER])


CLIENTS = [with_atftp, with_hpa, with_curl, with_curl_plain, with_busybox]


# curl takes tsize=0 in an OACK for an error: it gets the empty file without options only
EACH = [(client, name) for name in SIZES for client in CLIENTS
        if (client, name) != (with_curl, "empty")]


@pytest.mark.parametrize("client, name", EACH)
def test_every_client_and_size(net, daemon, client, name):
    expected = net.file(name, SIZES[name])
    out = net.work / f"{client.__name__}-{name}"
    out.touch()  # a client may make no file of nothing
    client(net, name, out)
    assert out.read_bytes() == expected


@pytest.mark.parametrize("blksize", [8, 1024, 1468, 65464])
def test_block_sizes(net, daemon, blksize):
    name, size = ("small", 5000) if blksize == 8 else ("mebi", MEGABYTE)
    expected = net.file(name, size)
    out = net.work / f"blksize-{blksize}"
    with_curl(net, name, out, blksize)
    assert out.read_bytes() == expected


def test_block_numbers_wrap(net, daemon):
    """40 MB of 512 octets are 81,920 blocks: more than 16 bits."""
    expected = hashlib.sha256(net.file("large", 40_000_000)).digest()
    out = net.work / "wrapped"
    with_hpa(net, "large", out)
    assert hashlib.sha256(out.read_bytes()).digest() == expected


def test_window(net, daemon):
    expected = hashlib.sha256(net.file("large", 40_000_000)).digest()
    out = net.work / "window"
    with_atftp(net, "large", out, windowsize=16)
    assert hashlib.sha256(out.read_bytes()).digest() == expected
    daemon.wait_for(r"file=large .*windowsize=16")


def test_refusals_are_seen_by_clients(net, daemon):
    assert "no such file" in net.client.run(
        ["busybox", "tftp", "-g", "-r", "absent", "-l", net.work / "x", SERVER], check=False).stdout
    done = net.client.run(["curl", "-sS", f"tftp://{SERVER}/absent"], check=False)
    assert done.returncode == 68  # CURLE_TFTP_NOTFOUND
    daemon.wait_for(r"event=file_missing client=10\.99\.69\.2 mac=[0-9a-f:]{17} file=absent code=1")


# ---------------------------------------------------------------- the protocol, octet by octet

def test_options_are_granted_as_asked(net, daemon):
    net.file("mebi", MEGABYTE)
    with net.socket() as sock:
        sock.sendto(request("mebi", tsize=0, BLKSIZE=1468, windowsize=4, timeout=3, multicast=""),
                    (SERVER, 69))
        opcode, options, _, sender = receive(sock)
        assert opcode == OACK
        assert options == {"tsize": str(MEGABYTE), "BLKSIZE": "1468", "windowsize": "4", "timeout": "3"}
        assert sender[1] != 69
        sock.sendto(ack(0), sender)
        got = [receive(sock) for _ in range(4)]
        assert [(packet[0], packet[1], len(packet[2])) for packet in got] == \
            [(DATA, block, 1468) for block in range(1, 5)]
        sock.sendto(struct.pack("!HH", ERROR, 0) + b"enough\0", sender)


def test_nothing_granted_is_plain_data(net, daemon):
    """Out of range is left out, and with nothing left there is no OACK."""
    expected = net.file("one_more", 513)
    with net.socket() as sock:
        sock.sendto(request("one_more", blksize=7, windowsize=0, timeout=256, tsize="x"), (SERVER, 69))
        opcode, block, payload, sender = receive(sock)
        assert (opcode, block, payload) == (DATA, 1, expected[:512])
        sock.sendto(ack(1), sender)
        assert receive(sock)[:3] == (DATA, 2, expected[512:])
        sock.sendto(ack(2), sender)


def test_block_fits_the_interface(net, daemon):
    with net.socket() as sock:
        sock.sendto(request("mebi", blksize=65464), (SERVER, 69))
        opcode, options, _, sender = receive(sock)
        assert (opcode, options) == (OACK, {"blksize": str(1500 - 32)})
        sock.sendto(struct.pack("!HH", ERROR, 0) + b"\0", sender)


def test_size_probe_is_no_failure(net, daemon):
    """EDK2 asks for the size, aborts with ERROR 8, and asks again, maybe from the same port."""
    net.file("mebi", MEGABYTE)
    said = len(daemon.output)
    with net.socket() as sock:
        port = sock.getsockname()[1]
        sock.sendto(request("mebi", tsize=0, blksize=1468, windowsize=4), (SERVER, 69))
        first = receive(sock)
        sock.sendto(struct.pack("!HH", ERROR, 8) + b"User aborted the transfer\0", first[3])
        sock.sendto(request("mebi", blksize=1468, windowsize=4), (SERVER, 69))
        second = receive(sock)
        assert second[:2] == (OACK, {"blksize": "1468", "windowsize": "4"})
        assert second[3] != first[3] and sock.getsockname()[1] == port
        sock.sendto(ack(0), second[3])
        assert receive(sock)[:2] == (DATA, 1)
        sock.sendto(struct.pack("!HH", ERROR, 0) + b"closed\0", second[3])
    # the second request may be read before the ERROR, for they come to different sockets
    daemon.wait_for(r'level=info event=transfer_ended outcome=probe .*'
                    r'reason="(User aborted|the client asked for the size only)', after=said)
    daemon.wait_for(r"outcome=sent .*reason=closed", after=said)


def test_repeated_request_joins_the_first(net, daemon):
    """A client that is impatient before the OACK gets it again, not a second transfer."""
    expected = net.file("one_more", 513)
    with net.socket() as sock:
        for _ in range(3):
            sock.sendto(request("one_more", blksize=1024, tsize=0), (SERVER, 69))
        answers = [receive(sock) for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        sender = answers[0][3]
        for _ in range(3):
            sock.sendto(ack(0), sender)
        assert receive(sock)[:3] == (DATA, 1, expected)
        sock.sendto(ack(1), sender)
    daemon.wait_for(r"outcome=sent .*file=one_more bytes=513 size=513 blksize=1024")


def test_answers_come_from_the_address_asked(net, daemon):
    expected = net.file("one_short", 511)
    assert fetch(net, "one_short", server=SECOND) == expected
    with net.socket() as sock:
        sock.sendto(request("one_short"), (SECOND, 69))
        assert receive(sock)[3][0] == SECOND
        sock.sendto(request("absent"), (SECOND, 69))
        while (packet := receive(sock))[0] != ERROR:
            pass
        assert packet[3][0] == SECOND


def test_duplicate_acks_double_nothing(net, daemon):
    net.file("mebi", MEGABYTE)
    with net.socket() as sock:
        sock.sendto(request("mebi"), (SERVER, 69))
        sender = receive(sock)[3]
        for _ in range(20):
            sock.sendto(ack(1), sender)
        assert receive(sock)[1] == 2
        sock.sendto(ack(2), sender)
        # had any of the twenty been answered, another 2 would stand before this 3
        assert receive(sock)[1] == 3
        sock.sendto(struct.pack("!HH", ERROR, 0) + b"\0", sender)


def test_lost_data_comes_again(net, daemon):
    net.file("mebi", MEGABYTE)
    with net.socket() as sock:
        sock.sendto(request("mebi"), (SERVER, 69))
        begin = time.monotonic()
        assert receive(sock)[1] == 1
        _, block, _, sender = receive(sock)
        assert block == 1 and time.monotonic() - begin > 0.8
        sock.sendto(struct.pack("!HH", ERROR, 0) + b"\0", sender)


def test_client_that_went_away_is_noticed(net, daemon):
    net.file("mebi", MEGABYTE)
    said = len(daemon.output)
    with net.socket() as sock:
        sock.sendto(request("mebi", timeout=1), (SERVER, 69))
        receive(sock)
    daemon.wait_for(r'outcome=aborted .*file=mebi.*reason="nobody listens', after=said)


def test_strangers_are_told(net, daemon):
    """A TID that is not theirs: ERROR 5 to ACK, silence to ERROR, and the transfer goes on."""
    expected = net.file("exact", 512)
    with net.socket() as sock, net.socket() as stranger:
        sock.sendto(request("exact"), (SERVER, 69))
        _, _, payload, sender = receive(sock)
        stranger.sendto(struct.pack("!HH", ERROR, 0) + b"go away\0", sender)
        stranger.sendto(ack(1), sender)
        sock.sendto(ack(1), sender)
        assert receive(sock)[:3] == (DATA, 2, b"") and payload == expected
        sock.sendto(ack(2), sender)
        # both of the stranger's were judged before that: one answer, for the ACK
        assert receive(stranger)[:2] == (ERROR, 5)
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)


def test_only_requests_are_answered_at_port_69(net, daemon):
    with net.socket() as sock:
        for opcode in (0, DATA, ACK, ERROR, OACK, 7, 0xffff):
            sock.sendto(struct.pack("!HH", opcode, 1) + b"words\0octet\0", (SERVER, 69))
        sock.sendto(b"", (SERVER, 69))
        sock.sendto(b"\0", (SERVER, 69))
        sock.sendto(request("absent"), (SERVER, 69))
        # the server works in order: an answer to any of the others would come first
        assert "no such file" in expect_error(sock, 1)
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(100)


@pytest.mark.parametrize("port", [7, 17, 19, 53, 69, 123])
def test_reflecting_ports_get_no_answer(net, daemon, port):
    with net.socket(port=port) as sock, net.socket() as other:
        sock.sendto(request("absent"), (SERVER, 69))
        other.sendto(request("absent"), (SERVER, 69))
        expect_error(other, 1)
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(100)


def test_source_port_zero(net, daemon):
    with net.client.entered():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    with raw:
        packet = request("mebi")
        raw.sendto(struct.pack("!HHHH", 0, 69, 8 + len(packet), 0) + packet, (SERVER, 0))
    assert fetch(net, "one_short") == net.file("one_short", 511)


@pytest.mark.parametrize("packet, code", [
    (request("f", opcode=WRQ), 2),
    (request("f", mode="mail"), 4),
    (request(""), 4),
    (request("/"), 4),
    (request("a\nb"), 4),
    (b"\0\1no end", 4),
    (b"\0\1no mode\0", 4),
    (request("../../etc/passwd"), 2),
    (request("..\\..\\etc\\passwd"), 2),
    (request("a/../../etc/passwd"), 2),
    (request("/etc/passwd"), 1),
    (request("x" * 600), 1),
])
def test_bad_requests_are_refused_with_a_reason(net, daemon, packet, code):
    with net.socket() as sock:
        sock.sendto(packet, (SERVER, 69))
        expect_error(sock, code)


def test_noise_harms_nobody(net, daemon):
    """To port 69 and to the port of an open transfer, which then is finished."""
    noise = random.Random(69)
    expected = net.file("exact", 512)
    with net.socket() as sock, net.socket() as loud:
        sock.sendto(request("exact"), (SERVER, 69))
        _, _, payload, sender = receive(sock)
        for _ in range(1000):
            packet = struct.pack("!H", noise.randrange(8)) + noise.randbytes(noise.randrange(600))
            loud.sendto(packet, (SERVER, 69))
            loud.sendto(packet, sender)
        sock.sendto(ack(1), sender)
        assert receive(sock)[:3] == (DATA, 2, b"") and payload == expected
        sock.sendto(ack(2), sender)
    assert daemon.is_running()


# ---------------------------------------------------------------- files that are none, files that change

def test_what_is_not_served(net, daemon):
    outside = net.work / "secret"
    outside.write_text("secret")
    (net.root / "out").symlink_to(outside)
    (net.root / "up").symlink_to("../work/secret")
    (net.root / "circle").symlink_to("circle")
    (net.root / "self").symlink_to("/proc/self/exe")
    (net.root / "folder").mkdir()
    os.mkfifo(net.root / "fifo")
    os.mknod(net.root / "zero", 0o20666, os.makedev(1, 5))
    for name in ("out", "up", "circle", "self", "folder", "fifo", "zero"):
        with net.socket() as sock:
            sock.sendto(request(name), (SERVER, 69))
            assert len(expect_error(sock, 2)) > 10, name
    daemon.wait_for(r'file=fifo code=2 reason="it is not a regular file"')


def test_links_within_the_root_are_followed(net, daemon):
    expected = net.file("one_more", 513)
    (net.root / "within").symlink_to("one_more")
    assert fetch(net, "within") == expected
    assert fetch(net, "/within") == expected
    assert fetch(net, "\\within") == expected
    assert fetch(net, "within\xff") == expected


def test_replaced_file_keeps_its_version(net, daemon):
    old = net.file("versioned", 100_000)
    with net.socket() as sock:
        sock.sendto(request("versioned", tsize=0), (SERVER, 69))
        opcode, options, _, sender = receive(sock)
        assert (opcode, options) == (OACK, {"tsize": "100000"})
        (net.work / "new").write_bytes(b"new" * 50_000)
        os.replace(net.work / "new", net.root / "versioned")
        sock.sendto(ack(0), sender)
        assert fetch_rest(sock, sender, 512) == old
    assert fetch(net, "versioned") == b"new" * 50_000


def test_file_cut_while_it_is_sent(net, daemon):
    net.file("cut", 100_000)
    with net.socket() as sock:
        sock.sendto(request("cut"), (SERVER, 69))
        sender = receive(sock)[3]
        os.truncate(net.root / "cut", 600)
        sock.sendto(ack(1), sender)
        assert "could not be read" in expect_error(sock, 0)


def test_second_root_is_searched(net, own):
    (net.work / "site").mkdir()
    (net.work / "site" / "mine").write_bytes(b"of the site")
    (net.work / "site" / "one_short").write_bytes(b"of the site too")
    expected = net.file("one_short", 511)
    own("--root", f"{net.root} {net.work / 'absent'} {net.work / 'site'}")
    assert fetch(net, "mine", port=6969) == b"of the site"
    assert fetch(net, "one_short", port=6969) == expected
    (net.work / "absent").mkdir()  # mounted later
    (net.work / "absent" / "late").write_bytes(b"late")
    assert fetch(net, "late", port=6969) == b"late"
