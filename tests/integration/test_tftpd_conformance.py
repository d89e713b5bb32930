"""tftpd by the letter of RFC 1350, 2347, 2348, 2349 and 7440: what a conformance suite would ask, octet by octet."""

import socket
import struct

import pytest

# the fixtures are used by their names: pylint: disable=unused-import
from test_tftpd import (ACK, DATA, ERROR, OACK, RRQ, SERVER, ack, expect_error,  # noqa: F401
                        fetch, fetch_rest, make_net, receive, request, start_daemon, start_own)

BYE = struct.pack("!HH", ERROR, 0) + b"enough\0"


def ask(sock, *words, end=b"\0"):
    """A read request of these words in this order; the last one's end may be left out."""
    sock.sendto(struct.pack("!H", RRQ) + b"\0".join(word.encode() for word in words) + end, (SERVER, 69))


def agreed(sock):
    """The OACK's words as they stand, and who sent it."""
    packet, sender = sock.recvfrom(70000)
    assert packet[:2] == struct.pack("!H", OACK), packet
    assert packet.endswith(b"\0")
    return packet[2:-1].decode().split("\0"), sender


def nothing_more(net, sock):
    """The server works in order: once a later request is answered, all before it is."""
    assert fetch(net, "exact") == net.file("exact", 512)
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(100)


# ---------------------------------------------------------------- options (RFC 2347)

@pytest.mark.parametrize("asked, granted", [
    (["blksize", "512"], ["blksize", "512"]),  # the default, said all the same
    (["blksize", "8"], ["blksize", "8"]),
    (["BLKSIZE", "1024", "TSize", "0"], ["BLKSIZE", "1024", "TSize", "512"]),
    (["tsize", "0"], ["tsize", "512"]),
    (["tsize", "77"], ["tsize", "512"]),  # RFC 2349 has it 0; U-Boot does not
    (["timeout", "255"], ["timeout", "255"]),
    (["timeout", "1"], ["timeout", "1"]),
    (["windowsize", "1"], ["windowsize", "1"]),
    (["unheard-of", "1", "blksize", "600"], ["blksize", "600"]),
    (["blksize", "600", "blksize", "700"], ["blksize", "600"]),  # RFC 2347: only once
    (["blksize", "7", "tsize", "0"], ["tsize", "512"]),
    (["blksize", "0600"], ["blksize", "600"]),
    (["windowsize", "0", "tsize", "0"], ["tsize", "512"]),
    (["windowsize", "65536", "tsize", "0"], ["tsize", "512"]),
    (["timeout", "0", "tsize", "0"], ["tsize", "512"]),
])
def test_the_oack_holds_what_was_asked(net, daemon, asked, granted):
    """No option that was not asked for, none twice, names as they were spelt. RFC 2347 leaves their order free."""
    net.file("exact", 512)
    with net.socket() as sock:
        ask(sock, "exact", "octet", *asked)
        words, sender = agreed(sock)
        assert sorted(zip(words[::2], words[1::2])) == sorted(zip(granted[::2], granted[1::2]))
        sock.sendto(BYE, sender)


def test_windowsize_is_never_raised(net, daemon):
    """RFC 7440: the server may answer with less, never with more."""
    net.file("exact", 512)
    with net.socket() as sock:
        ask(sock, "exact", "octet", "windowsize", "65535")
        words, sender = agreed(sock)
        assert words[0] == "windowsize" and 1 <= int(words[1]) <= 65535
        sock.sendto(BYE, sender)


def test_blksize_is_never_raised(net, daemon):
    net.file("exact", 512)
    with net.socket() as sock:
        ask(sock, "exact", "octet", "blksize", "65465", "tsize", "0")  # beyond the RFC: left out
        words, sender = agreed(sock)
        assert words == ["tsize", "512"]
        sock.sendto(BYE, sender)


@pytest.mark.parametrize("words, end", [
    (["exact", "octet", "blksize"], b"\0"),        # a name without a value
    (["exact", "octet", "blksize", "600"], b""),   # the value's end is missing
    (["exact", "octet", "", ""], b"\0"),           # padding
    (["exact", "OcTeT"], b"\0"),
])
def test_what_is_cut_off_is_left_out(net, daemon, words, end):
    """The file is served; with no whole option there is no OACK."""
    expected = net.file("exact", 512)
    with net.socket() as sock:
        ask(sock, *words, end=end)
        assert receive(sock)[:3] == (DATA, 1, expected)


# ---------------------------------------------------------------- whom it hears (RFC 1123)

TO_ALL = ["10.99.69.255", "255.255.255.255"]


def ask_at(sock, address, port):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.sendto(request("exact", blksize=600), (address, port))


def test_a_request_to_all_is_passed_over(net, daemon):
    """Section 4.2.3.5."""
    net.file("exact", 512)
    with net.socket() as sock:
        for address in TO_ALL:
            ask_at(sock, address, 69)
        nothing_more(net, sock)


def test_a_request_to_all_is_answered_where_that_is_wanted(net, own):
    """From the server's own address."""
    net.file("exact", 512)
    own("--broadcasts")
    with net.socket() as sock:
        for address in TO_ALL:
            ask_at(sock, address, 6969)
            _, sender = agreed(sock)
            assert sender[0] == SERVER
            sock.sendto(BYE, sender)


# ---------------------------------------------------------------- transfers (RFC 1350)

def test_an_empty_file_is_one_empty_block(net, daemon):
    net.file("empty", 0)
    with net.socket() as sock:
        ask(sock, "empty", "octet")
        opcode, number, payload, sender = receive(sock)
        assert (opcode, number, payload) == (DATA, 1, b"")
        sock.sendto(ack(1), sender)
    with net.socket() as sock:
        ask(sock, "empty", "octet", "tsize", "0")
        words, sender = agreed(sock)
        assert words == ["tsize", "0"]
        sock.sendto(ack(0), sender)
        opcode, number, payload, again = receive(sock)
        assert (opcode, number, payload, again) == (DATA, 1, b"", sender)
        sock.sendto(ack(1), sender)


def test_more_than_32_bits_of_octets(net, daemon):
    """RFC 2349 has no limit: the size of a file with a hole of 5 GiB."""
    with open(net.root / "huge", "wb") as huge:
        huge.truncate(5 << 30)
    with net.socket() as sock:
        ask(sock, "huge", "octet", "tsize", "0")
        words, sender = agreed(sock)
        assert words == ["tsize", "5368709120"]
        sock.sendto(BYE, sender)


@pytest.mark.parametrize("octets", [
    b"a" * 511 + b"\n" + b"the rest",  # CR ends a block and LF begins the next
    b"a" * 511 + b"\r",                # and so CR and NUL
    b"a" * 510 + b"\n",                # the two fill the block exactly
    b"\n" * 256,
    b"\r\n" * 200,
    b"",
])
def test_netascii_across_blocks(net, daemon, octets):
    """With the size that it has on the wire."""
    (net.root / "text").write_bytes(octets)
    expected = octets.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
    with net.socket() as sock:
        ask(sock, "text", "netascii", "tsize", "0")
        words, sender = agreed(sock)
        assert words == ["tsize", str(len(expected))]
        sock.sendto(ack(0), sender)
        assert fetch_rest(sock, sender, 512) == expected


def test_an_ack_of_what_was_never_sent_moves_nothing(net, daemon):
    """Of a future block, of half a number, of the wrong opcode: the right one goes on from there."""
    expected = net.file("one_more", 513)
    with net.socket() as sock:
        ask(sock, "one_more", "octet")
        opcode, number, payload, sender = receive(sock)
        assert (opcode, number, payload) == (DATA, 1, expected[:512])
        for packet in (ack(2), ack(0x8000), ack(0xffff), struct.pack("!HB", ACK, 0), b"", b"\0",
                       struct.pack("!HH", 9, 1)):
            sock.sendto(packet, sender)
        sock.sendto(ack(1), sender)
        opcode, number, payload, _ = receive(sock)
        while (opcode, number) == (DATA, 1):  # a repetition, where the machine is slow
            opcode, number, payload, _ = receive(sock)
        assert (opcode, number, payload) == (DATA, 2, expected[512:])
        sock.sendto(ack(2), sender)


@pytest.mark.parametrize("code", [0, 1, 8, 99])
def test_an_error_ends_it_and_is_not_answered(net, daemon, code):
    net.file("exact", 512)
    with net.socket() as sock:
        ask(sock, "exact", "octet", "blksize", "600")
        _, sender = agreed(sock)
        sock.sendto(struct.pack("!HH", ERROR, code) + b"no\0", sender)
        nothing_more(net, sock)


def test_a_transfer_leaves_port_69(net, daemon):
    """RFC 1350 section 4: both ends together name a transfer, and the server's is not the one it was asked at."""
    net.file("exact", 512)
    with net.socket() as first, net.socket() as second:
        for sock in (first, second):
            ask(sock, "exact", "octet", "blksize", "600")
        ends = [agreed(sock)[1] for sock in (first, second)]
        assert 69 not in (ends[0][1], ends[1][1])
        for sock, sender in zip((first, second), ends):
            sock.sendto(BYE, sender)


def test_a_refusal_comes_before_any_agreement(net, daemon):
    """With options or without: ERROR, never an OACK first."""
    with net.socket() as sock:
        sock.sendto(request("absent", blksize=1024, tsize=0), (SERVER, 69))
        expect_error(sock, 1)
        nothing_more(net, sock)


# ---------------------------------------------------------------- windows (RFC 7440)

def numbers(sock, count):
    return [receive(sock)[1] for _ in range(count)]


def test_an_ack_within_a_window_moves_its_begin(net, daemon):
    """Section 4: the next window begins behind what was acknowledged. An ACK of the future moves nothing."""
    net.file("windowed", 100 * 512)
    with net.socket() as sock:
        ask(sock, "windowed", "octet", "windowsize", "8", "timeout", "30")
        _, sender = agreed(sock)
        sock.sendto(ack(0), sender)
        assert numbers(sock, 8) == list(range(1, 9))
        sock.sendto(ack(9), sender)
        sock.sendto(ack(3), sender)
        assert numbers(sock, 8) == list(range(4, 12))
        sock.sendto(ack(11), sender)
        assert numbers(sock, 8) == list(range(12, 20))
        sock.sendto(BYE, sender)


@pytest.mark.parametrize("rollover, wrapped", [(None, 0), ("0", 0), ("1", 1)])
def test_the_number_wraps_within_a_window(net, daemon, rollover, wrapped):
    """Blocks of 8 octets: 65,540 of them are half a megabyte."""
    expected = net.file("wrapping", 8 * 65540 + 3)
    received, number = b"", 0
    with net.socket() as sock:
        ask(sock, "wrapping", "octet", "blksize", "8", "windowsize", "64", "timeout", "30",
            *(["rollover", rollover] if rollover else []))
        _, sender = agreed(sock)
        while len(received) < len(expected):
            sock.sendto(ack(number), sender)
            for _ in range(64):
                number = number + 1 if number < 65535 else wrapped
                packet = sock.recv(100)
                assert packet[:4] == struct.pack("!HH", DATA, number)
                received += packet[4:]
                if len(packet) < 12:
                    break
        sock.sendto(ack(number), sender)
    assert received == expected
