"""tftpd's life: many clients at once and too many, its start, its orderly stop and its violent end."""

import pwd
import re
import select
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

import pytest

# the fixtures are used by their names: pylint: disable=unused-import
import socket_unit
from test_tftpd import (ACK, DATA, ERROR, MEGABYTE, OACK, PATIENCE, SERVER, WRQ, ack, expect_error, fetch,
                        fetch_rest, make_net, receive, request, start_daemon, start_own)  # noqa: F401


# ---------------------------------------------------------------- many, and too many

@pytest.mark.parametrize("turn", [1, 2])
def test_two_hundred_at_once(net, daemon, turn):
    expected = net.file("sixty-four", 65536)
    got = {}
    with_poll = select.epoll()
    sockets = {}
    for _ in range(200):
        sock = net.socket()
        sockets[sock.fileno()] = sock
        got[sock] = b""
        with_poll.register(sock, select.EPOLLIN)
    for sock in got:
        sock.sendto(request("sixty-four"), (SERVER, 69))
    open_ones = set(got)
    while open_ones:
        events = with_poll.poll(PATIENCE)
        assert events, f"{len(open_ones)} transfers stand still"
        for number, _ in events:
            sock = sockets[number]
            opcode, block, payload, sender = receive(sock)
            assert opcode == DATA
            if block == len(got[sock]) // 512 + 1:
                got[sock] += payload
                if len(payload) < 512:
                    open_ones.discard(sock)
            sock.sendto(ack(block), sender)
    assert all(data == expected for data in got.values())
    for sock in got:
        sock.close()


def test_one_address_does_not_take_all(net, own):
    net.file("exact", 512)
    own("--transfers-max", "8")
    with net.socket() as first, net.socket() as second, net.socket() as third, \
            net.socket("10.99.69.3") as other:
        for sock in (first, second):
            sock.sendto(request("exact"), (SERVER, 6969))
            assert receive(sock)[0] == DATA
        third.sendto(request("exact"), (SERVER, 6969))
        assert "too many" in expect_error(third, 0)
        other.sendto(request("exact"), (SERVER, 6969))
        assert receive(other)[0] == DATA


def test_full_table_asks_for_patience(net, own):
    """No ERROR, which would end a boot: the request that is repeated finds room."""
    net.file("exact", 512)
    daemon = own("--transfers-max", "4")
    sockets = [net.socket(f"10.99.69.{n}") for n in range(2, 7)]
    senders = []
    for sock in sockets[:4]:
        sock.sendto(request("exact"), (SERVER, 6969))
        senders.append(receive(sock)[3])
        # whoever has acknowledged something keeps his place
        sock.sendto(ack(1), senders[-1])
        assert receive(sock)[:2] == (DATA, 2)
    sockets[4].sendto(request("exact"), (SERVER, 6969))
    daemon.wait_for("event=transfers_full .*transfers_max=4")
    sockets[0].sendto(ack(2), senders[0])
    daemon.wait_for("outcome=sent")
    sockets[4].sendto(request("exact"), (SERVER, 6969))
    assert receive(sockets[4])[:2] == (DATA, 1)
    for sock in sockets:
        sock.close()


# ---------------------------------------------------------------- starting, stopping, dying

def test_occupied_port(net, daemon):
    second = net.server.spawn([net.program, "--root", net.root, "--state-dir", ""])
    assert second.wait() == 69
    assert re.search(r"event=port_unusable .*port=69 reason=.*in use.* remedy=.*another TFTP server",
                     second.output)


def test_configuration_is_judged(net):
    file = net.work / "bad.conf"
    file.write_text('listen = "0.0.0.0"\nrot = "/srv"\n')
    done = net.server.run([net.program, "--config", file], check=False)
    assert done.returncode == 78 and "bad.conf:2" in done.stdout and '"root"' in done.stdout
    for flags in (["--listen", "nowhere"], ["--log-level", "loud"], ["--root", " "],
                  ["--port", "70000"], ["--transfers-max", "0"]):
        done = net.server.run([net.program, "--port", "6969", *flags], check=False)
        assert done.returncode in (64, 78), done.stdout
        assert flags[0][2:].replace("-", "_") in done.stdout


def test_a_root_that_is_not_there_is_told_and_served_once_it_is(net, own):
    late = net.work / "late"
    daemon = own("--root", f"{net.root} {late}")
    daemon.wait_for(f"event=root_unusable root={late} reason=.* remedy=")
    assert f"root={net.root} reason" not in daemon.output
    late.mkdir()
    (late / "file").write_bytes(b"come yet")
    assert fetch(net, "file", port=6969) == b"come yet"


def test_too_many_folders_are_named_by_their_key(net):
    for key in ("root", "boot_root"):
        flags = ["--root", net.root] if key == "boot_root" else []
        done = net.server.run([net.program, "--port", "6969", *flags, f"--{key.replace('_', '-')}",
                               " ".join(f"/{n}" for n in range(9))], check=False)
        assert done.returncode == 78 and f"event=bad_setting key={key} " in done.stdout


@pytest.mark.parametrize("database", ["host=/nonexistent dbname=rouse", "this is no connection string",
                                      "host=10.99.69.77 password=hunter2"])
def test_wrong_database_harms_no_file(net, own, database):
    expected = net.file("one_more", 513)
    daemon = own("--database", database)
    assert fetch(net, "one_more", port=6969) == expected
    assert b"#!ipxe" in fetch(net, "default.ipxe", port=6969)
    assert daemon.stop() == 0
    assert daemon.output.count("event=database_down") <= 1  # however often it is tried
    assert "hunter2" not in daemon.output


def test_root_is_given_up(net, own):
    """It binds port 69 as root, and serves as somebody else who may read the files."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        serve_as_nobody(net, own, Path(folder))


def serve_as_nobody(net, own, root):
    root.chmod(0o755)
    (root / "public").write_bytes(b"for all")
    (root / "private").write_bytes(b"for root only")
    (root / "private").chmod(0o600)
    daemon = own("--user", "nobody", "--root", root)
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as status:
        uids = re.search(r"^Uid:\s+(.*)$", status.read(), re.MULTILINE).group(1).split()
    assert set(uids) == {str(pwd.getpwnam("nobody").pw_uid)}
    assert fetch(net, "public", port=6969) == b"for all"
    with net.socket() as sock:
        sock.sendto(request("private"), (SERVER, 6969))
        assert "may not read" in expect_error(sock, 2)


def begin(net, size=100_000, port=6969, **options):
    """A transfer in its middle: its socket, and the rest of it to be fetched."""
    expected = net.file(f"under-way-{size}", size)
    sock = net.socket()
    sock.sendto(request(f"under-way-{size}", blksize=1400, **options), (SERVER, port))
    opcode, _, _, sender = receive(sock)
    assert opcode == OACK
    sock.sendto(ack(0), sender)
    assert receive(sock)[:2] == (DATA, 1)

    def finish():
        sock.sendto(ack(1), sender)
        with sock:
            assert expected[:1400] + fetch_rest(sock, sender, 1400, block=2) == expected

    return sock, finish


def data(block, octets):
    return struct.pack("!HH", DATA, block) + octets


@pytest.mark.parametrize("ports", ["any", "50000-50031", "same"])
def test_stop_lets_transfers_end(net, own, ports):
    """In place, when nobody is told that it may be done apart; no request is taken any more."""
    daemon = own("--transfer-ports", ports, "--drain-seconds", "30")
    _, finish = begin(net)
    daemon.signal(signal.SIGTERM)
    daemon.wait_for("event=draining transfers=1 seconds=30 apart=false")
    with net.socket() as late:
        late.sendto(request("absent"), (SERVER, 6969))
        finish()
        assert daemon.wait() == 0
        late.setblocking(False)
        with pytest.raises(BlockingIOError):
            late.recv(100)
    assert re.search("outcome=sent .*file=under-way-100000", daemon.output)


@pytest.fixture(name="unit")
def start_unit(net):
    """Starts a daemon whose port somebody else holds, who restarts it by SIGHUP."""
    started = []

    def start(ports, *flags):
        started.append(net.server.spawn([sys.executable, Path(socket_unit.__file__), "tftp", "6969", net.program,
                                         "--root", net.root, "--state-dir", "", "--drain-apart",
                                         "--transfer-ports", ports, *flags]))
        started[-1].wait_for("event=started")
        return started[-1]

    yield start
    for unit in started:
        assert unit.stop() == 0, unit.output


@pytest.mark.parametrize("apart", [False, True])
def test_stop_lets_uploads_end(net, own, unit, tmp_path, apart):
    """The pool's threads that write are those of the process: a child has its own."""
    flags = ["--upload-root", tmp_path, "--drain-seconds", "30"]
    daemon = unit("any", *flags) if apart else own(*flags)
    with net.socket() as sock:
        sock.sendto(request("put", WRQ), (SERVER, 6969))
        _, _, _, sender = receive(sock)
        sock.sendto(data(1, b"x" * 512), sender)
        assert receive(sock)[:2] == (ACK, 1)
        said = len(daemon.output)
        daemon.signal(signal.SIGHUP if apart else signal.SIGTERM)
        daemon.wait_for("event=draining transfers=1", after=said)
        if apart:
            daemon.wait_for("event=started", after=said)
        sock.sendto(data(2, b"the end"), sender)
        assert receive(sock)[:2] == (ACK, 2)
    daemon.wait_for("event=stopped", after=said)
    assert (tmp_path / "put").read_bytes() == b"x" * 512 + b"the end"
    assert apart or daemon.wait() == 0


@pytest.mark.parametrize("seconds", [0, 1])
def test_stop_tells_the_client_when_its_time_is_over(net, own, seconds):
    daemon = own("--drain-seconds", seconds)
    sock, _ = begin(net)
    daemon.signal(signal.SIGHUP)
    daemon.signal(signal.SIGTERM)
    with sock:
        while (packet := receive(sock))[0] == DATA:  # it is repeated meanwhile
            pass
        assert packet[:2] == (ERROR, 0) and b"stopping" in packet[2]
    assert daemon.wait() == 0


def test_a_second_one_takes_over(net, own):
    """Without systemd: the new one is started, the old one stopped, and nobody notices."""
    flags = ["--reuse-port", "--drain-seconds", "30"]
    old = own(*flags)
    _, finish = begin(net)
    own(*flags)
    old.signal(signal.SIGTERM)
    old.wait_for("event=draining")
    expected = net.file("one_more", 513)
    for _ in range(4):  # whichever port it comes from
        assert fetch(net, "one_more", port=6969) == expected
    assert old.is_running()
    finish()
    assert old.wait() == 0


@pytest.mark.parametrize("ports", ["any", "50000-50031"])
def test_restart_by_who_holds_the_port(net, unit, ports):
    """The process ends at once, though a transfer is under way: its child finishes that while the next one serves."""
    service = unit(ports)
    _, finish = begin(net)
    said = len(service.output)
    service.signal(signal.SIGHUP)
    service.wait_for("event=draining .*apart=true", after=said)
    service.wait_for("ended with 0", after=said)
    service.wait_for("event=started", after=said)
    assert fetch(net, "under-way-100000", port=6969) == net.file("under-way-100000", 100_000)
    said = len(service.output)
    finish()
    service.wait_for("event=transfer_ended outcome=sent", after=said)
    service.wait_for("event=stopped", after=said)  # the child's


PROGRAMS = {
    "atftp": ["atftp", "-g", "-r", "{name}", "-l", "{out}", SERVER, "6969"],
    "tftp-hpa": ["tftp", "-m", "octet", SERVER, "6969", "-c", "get", "{name}", "{out}"],
    "curl": ["curl", "-sS", "-o", "{out}", f"tftp://{SERVER}:6969/{{name}}"],
    "busybox": ["busybox", "tftp", "-g", "-r", "{name}", "-l", "{out}", SERVER, "6969"],
}


def stopped_in_the_middle(net, program, name, size):
    """A program that has a part of the file and stands still; and where it writes to."""
    out = net.work / f"{program}-{name}"
    while True:
        out.write_bytes(b"")
        client = net.client.spawn([word.format(name=name, out=out) for word in PROGRAMS[program]])
        while client.is_running() and out.stat().st_size == 0:
            time.sleep(0.002)
        client.signal(signal.SIGSTOP)
        if 0 < out.stat().st_size < size - 65536:  # what it has and has not written yet is less
            return client, out
        client.kill()  # it was faster


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_restart_goes_unnoticed_by(net, unit, program):
    size = 5 * MEGABYTE
    expected = net.file("long", size)
    service = unit("any")
    client, out = stopped_in_the_middle(net, program, "long", size)
    said = len(service.output)
    service.signal(signal.SIGHUP)
    service.wait_for("event=draining .*apart=true", after=said)
    service.wait_for("event=started", after=said)
    client.signal(signal.SIGCONT)
    assert client.wait(60) == 0, client.output
    assert out.read_bytes() == expected


@pytest.mark.parametrize("ports", ["50000-50015", "same"])
def test_restart_waits_where_ports_are_few(net, unit, ports):
    """The next one would have no port for its transfers: it is started when they are free."""
    service = unit(ports)
    _, finish = begin(net)
    said = len(service.output)
    service.signal(signal.SIGHUP)
    service.wait_for("event=draining .*apart=false", after=said)
    finish()
    service.wait_for("event=started", after=said)
    assert fetch(net, "under-way-100000", port=6969) == net.file("under-way-100000", 100_000)


def test_killed_and_started_again(net, own):
    expected = net.file("one_more", 513)
    daemon = own()
    with net.socket() as sock:
        sock.sendto(request("one_more"), (SERVER, 6969))
        receive(sock)
        daemon.kill()
        own()
        # the same client, from the same port, simply asks anew
        sock.sendto(request("one_more", blksize=1400), (SERVER, 6969))
        opcode, _, _, sender = receive(sock)
        assert opcode == OACK
        sock.sendto(ack(0), sender)
        assert fetch_rest(sock, sender, 1400) == expected
