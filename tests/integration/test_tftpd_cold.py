"""A disk that does not answer holds up nobody but those who wait for it."""

import random
import subprocess
from contextlib import contextmanager

import pytest

# the fixtures are used by their names: pylint: disable=unused-import
from slowfs import SlowFiles
from test_tftpd import (DATA, OACK, SERVER, ack, fetch, make_net,  # noqa: F401
                        receive, request, start_own)

PORT = 6969
CLIENTS = 6  # more than libuv's pool has threads
SIZE = 3 << 20  # more than is read ahead at a time
BLKSIZE = 1400

TEXT = b"a line\n" * 100
COLD = {f"cold-{number}": random.Random(number).randbytes(SIZE) for number in range(CLIENTS)}


@contextmanager
def bare(folder):
    """The files lie on a file system that cannot even say whether a read would have to wait."""
    with SlowFiles(folder / "mount", {**COLD, "text": TEXT}) as files:
        yield files, folder / "mount"


@contextmanager
def disk(folder):
    """The files lie on ext4, and its disk is slow."""
    tree, image, mount = folder / "tree", folder / "image", folder / "ext4"
    tree.mkdir()
    mount.mkdir()
    for name, octets in {**COLD, "text": TEXT}.items():
        (tree / name).write_bytes(octets)
    image.touch()
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, image, "32m"], check=True,
                   stderr=subprocess.DEVNULL)
    with SlowFiles(folder / "mount", {"image": image.read_bytes()}) as files:
        device = subprocess.run(["losetup", "--find", "--show", "--read-only", folder / "mount" / "image"],
                                check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        try:
            subprocess.run(["mount", "-o", "ro,noload", device, mount], check=True)
            try:
                for name in [*COLD, "text"]:
                    (mount / name).stat()  # names and places are known: the octets are not
                yield files, mount
            finally:
                files.release()
                subprocess.run(["umount", "-l", mount], check=True)
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)


def fetch_cold(sock):
    """To the end. The first block may have come again while others were waited for."""
    received, block = b"", 1
    while len(received) == (block - 1) * BLKSIZE:
        opcode, number, payload, sender = receive(sock)
        assert opcode == DATA
        if number == block:
            received += payload
            sock.sendto(ack(block), sender)
            block += 1
    return received


@pytest.mark.parametrize("place", [bare, disk])
def test_a_disk_that_does_not_answer(net, own, place, tmp_path):
    net.file("mebi", 1 << 20)
    with place(tmp_path) as (files, mount):
        daemon = own("--root", f"{net.root} {mount}")
        assert fetch(net, "mebi", port=PORT) == net.file("mebi", 1 << 20)
        files.stall()
        waiting = []
        for name in COLD:
            waiting.append(net.socket())
            waiting[-1].sendto(request(name, blksize=BLKSIZE), (SERVER, PORT))
            opcode, _, _, sender = receive(waiting[-1])
            assert opcode == OACK
            waiting[-1].sendto(ack(0), sender)
        files.wait_for_reads(1)
        # whole transfers go by: a loop that stood still would not serve one block
        for _ in range(3):
            assert fetch(net, "mebi", port=PORT) == net.file("mebi", 1 << 20)
        for sock in waiting:
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(100)
            sock.settimeout(20)
        files.release()
        for name, sock in zip(COLD, waiting):
            assert fetch_cold(sock) == COLD[name]
            sock.close()
        assert daemon.stop() == 0, daemon.output


@pytest.mark.parametrize("place", [bare, disk])
def test_text_that_must_be_read_whole(net, own, place, tmp_path):
    """Mode netascii: how long a text becomes shows by reading it. Nobody waits for that but who asked."""
    net.file("mebi", 1 << 20)
    with place(tmp_path) as (files, mount):
        daemon = own("--root", f"{net.root} {mount}")
        files.stall()
        waiting = [net.socket(), net.socket()]
        for sock in (*waiting, waiting[0]):  # the last repeats itself
            sock.sendto(request("text", mode="netascii", blksize=BLKSIZE), (SERVER, PORT))
        files.wait_for_reads(1)
        assert fetch(net, "mebi", port=PORT) == net.file("mebi", 1 << 20)
        for sock in waiting:
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(100)
            sock.settimeout(20)
        files.release()
        for sock in waiting:  # without asking again
            opcode, _, _, sender = receive(sock)
            assert opcode == OACK
            sock.sendto(ack(0), sender)
            assert fetch_cold(sock) == TEXT.replace(b"\n", b"\r\n")
            sock.close()
        assert daemon.stop() == 0, daemon.output


def test_stopping_while_text_is_read(net, own, tmp_path):
    with bare(tmp_path) as (files, mount):
        daemon = own("--root", mount)
        files.stall()
        with net.socket() as sock:
            sock.sendto(request("text", mode="netascii"), (SERVER, PORT))
            files.wait_for_reads(1)
            daemon.signal(15)
            files.release()
            assert daemon.wait(60) == 0, daemon.output
