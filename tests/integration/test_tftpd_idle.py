"""What tftpd costs when nobody asks: nothing at all alone, and a few looks at the clock with a database.

The kernel counts how often it lets a thread of the daemon run (schedstat). Where that number stands still,
no system call was made, no timer fired and nothing was waited for awake. A slow machine changes nothing about
it.
"""

import random
import signal
import time
from pathlib import Path

import pytest

# the fixture is used by its name: pylint: disable=unused-import
import test_tftpd as plain
from test_tftpd import MEGABYTE, SERVER, WRQ, ack, fetch, make_net, receive, request  # noqa: F401

STILL_SECONDS = 4
LONG_SECONDS = 10
# Per second. A hello each ten seconds, a tick each five, a look for ordered wakes each two, and for each of them a
# statement sent, an answer read and a time-out disarmed: two. A timer that runs for nothing adds ten.
RUNS_WITH_A_DATABASE = 8.0


def times_run(pid):
    """How often its threads have been given a processor, in all."""
    return sum(int(path.read_text("ascii").split()[2]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def wait_until_still(pid, patience=60):
    """Until it has not run once for STILL_SECONDS."""
    deadline = time.monotonic() + patience
    while True:
        before = times_run(pid)
        time.sleep(STILL_SECONDS)
        if times_run(pid) == before:
            return
        assert time.monotonic() < deadline, "it never rests"


def exercise(net):
    """A transfer of each kind: one that ends well, windows, a miss, a script, an upload, one that is left open."""
    net.file("mebi", MEGABYTE)
    fetch(net, "mebi")
    fetch(net, "default.ipxe")
    net.client.run(["atftp", "--option", "blksize 1400", "--option", "windowsize 16", "-g", "-r", "mebi", "-l",
                    net.work / "got", SERVER])
    with net.socket() as sock:
        sock.sendto(request("absent"), (SERVER, 69))
        plain.expect_error(sock, 1)
        sock.sendto(request("put", WRQ), (SERVER, 69))
        _, _, _, sender = receive(sock)
        sock.sendto(b"\0\3\0\1octets", sender)
        assert receive(sock)[:2] == (plain.ACK, 1)
    with net.socket() as sock:
        sock.sendto(request("mebi", blksize=1400), (SERVER, 69))
        _, _, _, sender = receive(sock)
        sock.sendto(ack(0), sender)
        receive(sock)  # and goes away: told by ICMP or, at the latest, by the clock


@pytest.mark.patience(180)
def test_alone_it_does_nothing(net):
    inbox = net.work / "inbox"
    inbox.mkdir()
    daemon = net.start("--upload-root", inbox)
    exercise(net)
    # what has ended is remembered for ten seconds at most, for whoever repeats his last words
    wait_until_still(daemon.pid)
    before = times_run(daemon.pid)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for("event=nothing_reloaded .*remedy=")
    assert times_run(daemon.pid) > before  # the counter counts
    assert daemon.stop() == 0, daemon.output


def test_with_a_database_it_only_looks_at_the_clock(net, postgres):
    postgres.fresh()
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    daemon = net.start("--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                       ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    net.file("mebi", MEGABYTE)
    fetch(net, "mebi")
    time.sleep(STILL_SECONDS)  # its event is written, the transfer forgotten
    before, began = times_run(daemon.pid), time.monotonic()
    time.sleep(LONG_SECONDS)
    runs = (times_run(daemon.pid) - before) / (time.monotonic() - began)
    assert runs < RUNS_WITH_A_DATABASE, f"it runs {runs:.1f} times a second"
    assert daemon.stop() == 0, daemon.output
