"""What tftpd refuses to take: places, names, sizes, and what the disk refuses."""

import os
import time

# the fixtures are used by their names: pylint: disable=unused-import
from test_tftpd import ACK, ERROR, MEGABYTE, OACK, SERVER, WRQ, expect_error, receive, request
from test_tftpd_uploads import (Upload, data, empty_inbox, make_net, make_start, refused,
                                start_daemon, with_atftp, with_busybox, with_curl, with_hpa)  # noqa: F401


def test_nothing_is_taken_without_a_folder(net):
    daemon = net.start()
    assert "takes no files" in refused(net, "f", 2)
    daemon.wait_for("event=request_refused .*file=f code=2")
    assert daemon.stop() == 0


def test_new_files_only(net, inbox, daemon):
    (inbox / "there").write_text("old")
    assert "none is replaced" in refused(net, "there", 6)
    for client in with_hpa, with_atftp, with_curl, with_busybox:
        sent = net.work / "sent"
        sent.write_text("new")
        assert not client(net, sent, "there")[0]
    assert (inbox / "there").read_text() == "old"
    # made by somebody else while we received it
    upload = Upload(net, "race")
    (inbox / "race").write_text("first")
    upload.send(1, b"second")
    assert "meanwhile" in expect_error(upload.sock, 6)
    assert (inbox / "race").read_text() == "first"
    assert daemon.is_running()


def test_files_are_replaced_where_that_is_allowed(net, inbox, start):
    start("--upload-replace")
    (inbox / "there").write_text("old")
    upload = Upload(net, "there")
    upload.send(1, b"n" * 512)
    upload.expect_ack(1)
    assert (inbox / "there").read_text() == "old"
    upload.send(2, b"ew")
    upload.expect_ack(2)
    assert (inbox / "there").read_text() == "n" * 512 + "ew"
    # a folder, or a link that may lead anywhere, is none
    (inbox / "folder").mkdir()
    (inbox / "link").symlink_to(net.work / "outside")
    assert "folder or a link" in refused(net, "folder", 2)
    assert "folder or a link" in refused(net, "link", 2)
    assert not (net.work / "outside").exists()


def test_places(net, inbox, daemon):
    (inbox / "sub").mkdir()
    upload = Upload(net, "/sub\\f")
    upload.send(1, b"deep")
    upload.expect_ack(1)
    assert (inbox / "sub" / "f").read_text() == "deep"
    assert "must be made first" in refused(net, "absent/f", 1)
    assert "leads out" in refused(net, "../f", 2)
    (inbox / "out").symlink_to(net.work)
    assert "leads out" in refused(net, "out/f", 2)
    assert "nobody's" in refused(net, ".rouse-upload-0", 2)
    assert not (net.work / "f").exists()
    (inbox / "sub" / "f").unlink()
    assert daemon.is_running()


def test_size_limit(net, inbox, start):
    daemon = start("--upload-max-mib", "1")
    assert "larger than uploads may be" in refused(net, "f", 3, tsize=MEGABYTE + 1)
    assert Upload(net, "g", tsize=MEGABYTE).granted == {"tsize": str(MEGABYTE)}
    upload = Upload(net, "h", blksize=1024, windowsize=64)
    for block in range(1, 1025):
        upload.send(block, b"x" * 1024)
        if block % 64 == 0:
            upload.expect_ack(block)
    upload.send(1025, b"x")
    assert "larger than uploads may be" in expect_error(upload.sock, 3)
    daemon.wait_for("outcome=aborted .*file=h .*larger than uploads")
    assert not list(inbox.iterdir())


def test_wrong_blocks(net, inbox, daemon):
    upload = Upload(net, "f")
    upload.send(1, b"x" * 513)
    assert "longer than was agreed" in expect_error(upload.sock, 4)
    other = Upload(net, "g")
    with net.socket() as stranger:
        stranger.sendto(data(1, b"evil"), other.where)
        expect_error(stranger, 5)
    other.send(1, b"good")
    other.expect_ack(1)
    assert (inbox / "g").read_text() == "good"
    with net.socket() as sock:
        sock.sendto(request("f", WRQ, "mail"), (SERVER, 69))
        expect_error(sock, 4)
    assert daemon.is_running()


def test_full_disk(net, start):
    """A disk of 256 KiB: the client is told so, and the disk is as free as before."""
    small = net.work / "small"
    small.mkdir()
    net.server.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "rouse-test", str(small)])
    # ip netns exec has a mount namespace of its own for each command: the daemon needs one with both
    daemon = net.server.spawn(["sh", "-c", f"mount -t tmpfs -o size=256k rouse-test {small} && "
                               f"exec {net.program} --root {net.root} --state-dir '' --port 6971 "
                               f"--upload-root {small}"])
    daemon.wait_for("event=started")
    free = lambda: os.statvfs(f"/proc/{daemon.pid}/root{small}").f_bavail  # noqa: E731
    before = free()
    with net.socket() as sock:
        sock.sendto(request("large", WRQ, blksize=1400), (SERVER, 6971))
        opcode, _, _, where = receive(sock)
        assert opcode == OACK
        for block in range(1, 400):
            sock.sendto(data(block, b"x" * 1400), where)
            opcode, number, text, _ = receive(sock)
            if opcode == ERROR:
                break
            assert (opcode, number) == (ACK, block)
        assert (opcode, number) == (ERROR, 3) and b"full" in text
    daemon.wait_for("event=upload_failed file=large .*No space left")
    deadline = time.monotonic() + 5
    while free() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert free() == before
    assert daemon.stop() == 0, daemon.output


def test_not_writable(net, inbox, start):
    """As a user that may not write there."""
    inbox.chmod(0o755)
    daemon = start("--user", "nobody")
    daemon.wait_for("event=uploads_impossible .*Permission denied")
    assert "may not write" in refused(net, "f", 2)
    daemon.wait_for("event=upload_failed file=f .*remedy=.*upload_root")


def test_folder_is_looked_at_when_it_starts(net):
    daemon = net.start("--upload-root", net.work / "absent")
    daemon.wait_for("event=uploads_impossible upload_root=.*remedy=")
    assert "must be made first" in refused(net, "f", 1)
    assert daemon.stop() == 0
