"""tftpd over IPv6: real clients, link-local addresses, a host of several addresses, both kinds at once."""

import random
import shutil
import socket
import struct
import tempfile
from pathlib import Path

import pytest

# the fixtures are used by their names: pylint: disable=unused-import
import test_tftpd as plain
from test_tftpd import (ACK, DATA, ERROR, MEGABYTE, OACK, Net, ack, expect_error, fetch, fetch_rest,
                        receive, request, start_daemon, start_own, WRQ)  # noqa: F401
from test_tftpd_site import wait_for_event

SERVER, SECOND = "fd00:69::1", "fd00:69::9"
CLIENTS = [f"fd00:69::{n}" for n in range(0x20, 0x24)]


class Net6(Net):
    """Both kinds of address on one segment."""

    def __init__(self, lab, build, folder):
        lab.segment("lan", ipv6=True)
        self.server = lab.host("server", addresses=[f"{SERVER}/64", f"{SECOND}/64",
                                                    f"{plain.SERVER}/24"])
        self.client = lab.host("client", addresses=[f"{a}/64" for a in CLIENTS] +
                               [f"{plain.CLIENT}/24"])
        self.program = build / "tftpd" / "tftpd"
        self.root = folder / "root"
        self.work = folder / "work"
        self.root.mkdir()
        self.work.mkdir()
        self.mac = self.client.mac()

    def link_local(self, host):
        """The host's fe80:: address, without its zone."""
        shown = host.run("ip -6 -o addr show dev eth0 scope link").stdout
        return shown.split()[3].split("/")[0]

    def socket6(self, address=CLIENTS[0], port=0):
        with self.client.entered():
            made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            zone = socket.if_nametoindex("eth0") if address.startswith("fe80") else 0
        made.bind((address, port, 0, zone))
        made.settimeout(plain.PATIENCE)
        self.zone = zone
        return made


@pytest.fixture(name="net", scope="module")
def make_net(module_lab, build, tmp_path_factory):
    return Net6(module_lab, build, tmp_path_factory.mktemp("tftpd"))


def fetch6(net, name, server=SERVER, port=69, client=CLIENTS[0]):
    with net.socket6(client) as sock:
        sock.sendto(request(name, blksize=1400), (server, port, 0, net.zone))
        opcode, options, _, sender = receive(sock)
        assert opcode == OACK and options == {"blksize": "1400"}
        assert sender[0].split("%")[0] == server
        sock.sendto(ack(0), sender)
        return fetch_rest(sock, sender, 1400)


# ---------------------------------------------------------------- programs that people use

def with_curl(net, name, out, server, blksize):
    net.client.run(["curl", "-g", "-sS", "--tftp-blksize", str(blksize), "-o", out,
                    f"tftp://[{server.replace('%', '%25')}]/{name}"])


def with_atftp(net, name, out, server, blksize):
    options = ["--option", f"blksize {blksize}"] if blksize != 512 else []
    net.client.run(["atftp", *options, "-g", "-r", name, "-l", out, server])


def with_hpa(net, name, out, server, _):
    done = net.client.run(["tftp", "-6", "-m", "octet", server, "-c", "get", name, out])
    assert "rror" not in done.stdout, done.stdout


@pytest.mark.parametrize("client", [with_curl, with_atftp, with_hpa])
@pytest.mark.parametrize("blksize", [512, 1448])
@pytest.mark.parametrize("place", ["global", "second", "link"])
def test_real_clients(net, daemon, client, blksize, place):
    expected = net.file("ip6.bin", 300_001)
    out = net.work / "out"
    out.unlink(missing_ok=True)
    server = {"global": SERVER, "second": SECOND,
              "link": f"{net.link_local(net.server)}%eth0"}[place]
    client(net, "ip6.bin", out, server, blksize)
    assert out.read_bytes() == expected
    assert daemon.is_running()


# ---------------------------------------------------------------- addresses

def test_answers_come_from_the_address_that_was_asked(net, daemon):
    expected = net.file("small", 5000)
    link = net.link_local(net.server)
    for server in SERVER, SECOND, link:
        client = net.link_local(net.client) if server == link else CLIENTS[1]
        assert fetch6(net, "small", server, client=client) == expected
    # and so do errors
    with net.socket6(net.link_local(net.client)) as sock:
        sock.sendto(request("absent"), (link, 69, 0, net.zone))
        opcode, number, _, sender = receive(sock)
        assert (opcode, number) == (ERROR, 1) and sender[0].split("%")[0] == link
    # a global client of a link-local server, and the other way round
    with net.socket6(CLIENTS[0]) as sock:
        sock.sendto(request("small"), (link, 69, 0, socket_zone(net)))
        assert receive(sock)[3][0].split("%")[0] == link
    assert daemon.is_running()


def test_a_request_to_all_nodes_is_passed_over(net, daemon):
    """RFC 1123 section 4.2.3.5, as far as IPv6 knows broadcasts."""
    expected = net.file("small", 5000)
    with net.socket6(net.link_local(net.client)) as sock:
        sock.sendto(request("small", blksize=600), ("ff02::1", 69, 0, net.zone))
        # the server works in order
        assert fetch6(net, "small") == expected
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(100)


def socket_zone(net):
    with net.client.entered():
        return socket.if_nametoindex("eth0")


def test_log_names_client_and_mac(net, daemon):
    net.file("small", 5000)
    said = len(daemon.output)
    fetch6(net, "small", client=CLIENTS[2])
    daemon.wait_for(f"event=transfer_ended outcome=sent client={CLIENTS[2]} mac={net.mac} file=small",
                    after=said)
    link = net.link_local(net.client)
    fetch6(net, "small", server=net.link_local(net.server), client=link)
    daemon.wait_for(f"event=transfer_ended outcome=sent client={link}%eth0 mac={net.mac}", after=said)


def test_both_kinds_on_one_daemon(net, daemon):
    expected = net.file("small", 5000)
    said = len(daemon.output)
    assert fetch(net, "small") == expected
    daemon.wait_for(f"outcome=sent client={plain.CLIENT} mac={net.mac}", after=said)
    assert fetch6(net, "small") == expected


def granted(sock, where, **options):
    sock.sendto(request("large", **options), where)
    opcode, given, _, sender = receive(sock)
    assert opcode == OACK
    sock.sendto(struct.pack("!HH", ERROR, 0) + b"enough\0", sender)
    return given


def test_blocks_fit_the_interface(net, daemon):
    """IPv6's header is 20 octets longer."""
    net.file("large", MEGABYTE)
    with net.socket6() as sock:
        assert granted(sock, (SERVER, 69), blksize=65464)["blksize"] == "1448"
    with net.socket() as sock:
        assert granted(sock, (plain.SERVER, 69), blksize=65464)["blksize"] == "1468"
    assert daemon.is_running()


def test_window_of_segments(net, daemon):
    expected = net.file("large", MEGABYTE)
    with net.socket6() as sock:
        # nothing is repeated because this machine is slow
        sock.sendto(request("large", blksize=1448, windowsize=64, timeout=30), (SERVER, 69))
        opcode, given, _, sender = receive(sock)
        assert (opcode, given) == (OACK, {"blksize": "1448", "windowsize": "64", "timeout": "30"})
        sock.sendto(ack(0), sender)
        got, block = b"", 0
        while True:
            opcode, number, payload, where = receive(sock)
            assert (opcode, number, where) == (DATA, block + 1, sender)
            got, block = got + payload, block + 1
            if len(payload) < 1448 or block % 64 == 0:
                sock.sendto(ack(block), sender)
            if len(payload) < 1448:
                break
    assert got == expected
    assert "retransmits=0" in daemon.wait_for("event=transfer_ended .*file=large .*size=1048576 .*"
                                              "windowsize=64.*").group(0)


def test_closed_port_ends_the_transfer(net, own):
    daemon = own()
    net.file("large", MEGABYTE)
    sock = net.socket6()
    sock.sendto(request("large"), (SERVER, 6969))
    _, _, _, sender = receive(sock)
    sock.sendto(ack(1), sender)
    receive(sock)
    sock.sendto(ack(2), sender)
    sock.close()
    daemon.wait_for('outcome=aborted .*reason="nobody listens', timeout=3)


# ---------------------------------------------------------------- whom it listens to

def silent(net, where, family=socket.AF_INET6):
    sock = net.socket6() if family == socket.AF_INET6 else net.socket()
    with sock:
        sock.settimeout(1)
        sock.sendto(request("small"), where)
        with pytest.raises((TimeoutError, ConnectionRefusedError)):
            receive(sock)


def test_listens_on_one_address(net, own):
    expected = net.file("small", 5000)
    own("--listen", SECOND)
    assert fetch6(net, "small", SECOND, 6969) == expected
    silent(net, (SERVER, 6969))
    silent(net, (plain.SERVER, 6969), socket.AF_INET)


def test_listens_on_ipv4_alone(net, own):
    expected = net.file("small", 5000)
    own("--listen", "0.0.0.0")
    assert fetch(net, "small", 6969) == expected
    silent(net, (SERVER, 6969))


def test_listens_on_a_link_local_address(net, own):
    expected = net.file("small", 5000)
    link = net.link_local(net.server)
    own("--listen", f"{link}%eth0")
    assert fetch6(net, "small", link, 6969, net.link_local(net.client)) == expected


@pytest.mark.parametrize("listen, said", [
    ("fe80::1", "event=bad_setting key=listen .*fe80::1%eth0"),
    ("fd00::1%eth0", "event=bad_setting key=listen"),
    ("fd00::x", "event=bad_setting key=listen"),
    ("fe80::1%absent", "event=port_unusable .*zone"),
    ("fd00:70::1", "event=port_unusable .*must be an address of this machine"),
])
def test_wrong_addresses_are_told(net, listen, said):
    daemon = net.server.spawn([net.program, "--root", net.root, "--state-dir", "", "--listen", listen])
    daemon.wait_for(said)
    assert daemon.wait() in (69, 78)


def test_transfers_on_the_request_port(net, own):
    expected = net.file("small", 5000)
    own("--transfer-ports", "same")
    assert fetch6(net, "small", SECOND, 6969) == expected
    assert fetch(net, "small", 6969) == expected


# ---------------------------------------------------------------- limits

def test_an_address_has_its_share(net, own):
    """One address, not one network: a whole classroom is one /64."""
    own("--transfers-max", "8")
    net.file("large", MEGABYTE)
    held = []
    for _ in range(2):
        held.append(net.socket6(CLIENTS[0]))
        held[-1].sendto(request("large"), (SERVER, 6969))
        assert receive(held[-1])[0] == DATA
    with net.socket6(CLIENTS[0]) as sock:
        sock.sendto(request("large"), (SERVER, 6969))
        assert "too many transfers at once from this address" in expect_error(sock, 0)
    assert len(fetch6(net, "large", SERVER, 6969, CLIENTS[1])) == MEGABYTE
    for sock in held:
        sock.sendto(struct.pack("!HH", ERROR, 0) + b"enough\0", (SERVER, 6969))
        sock.close()


def test_same_port_of_two_machines(net, own):
    """Two clients with the same port number are two."""
    own()
    one, two = net.file("one", 3000), net.file("two", 3000)
    with net.socket6(CLIENTS[0], 2070) as a, net.socket6(CLIENTS[1], 2070) as b:
        a.sendto(request("one", blksize=1400), (SERVER, 6969))
        b.sendto(request("two", blksize=1400), (SERVER, 6969))
        senders = [receive(sock)[3] for sock in (a, b)]
        for sock, sender in zip((a, b), senders):
            sock.sendto(struct.pack("!HH", ACK, 0), sender)
        assert fetch_rest(a, senders[0], 1400) == one
        assert fetch_rest(b, senders[1], 1400) == two


# ---------------------------------------------------------------- with the database

def test_events_hold_the_address(net, postgres):
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    postgres.fresh()
    daemon = net.start("--port", "6970", "--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                       ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    net.file("small", 5000)
    fetch6(net, "small", port=6970, client=CLIENTS[3])
    row = wait_for_event(postgres, kind="sent", name="small")
    assert (str(row.address), row.mac) == (CLIENTS[3], net.mac)
    # a script for who has no IPv4 address, by the site's rules
    assert fetch6(net, "default.ipxe", port=6970).startswith(b"#!ipxe\n")
    assert daemon.stop() == 0, daemon.output


CONFINE = """
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
mount -t proc -o hidepid=invisible,subset=pid proc /proc
shift
exec setpriv --no-new-privs --bounding-set=-all,+net_bind_service,+setuid,+setgid "$@"
"""


def test_an_upload_to_a_confined_daemon(net):
    """
    What a systemd unit does: ProtectSystem=strict, ReadWritePaths=, ProtectProc=invisible,
    ProcSubset=pid, NoNewPrivileges=, CapabilityBoundingSet=; and it is nobody once it serves.
    """
    inbox = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        shutil.chown(inbox, "nobody")
        daemon = net.server.spawn(["unshare", "--mount", "sh", "-ec", CONFINE, "sh", inbox,
                                   net.program, "--root", net.root, "--state-dir", "", "--user",
                                   "nobody", "--port", "6970", "--upload-root", inbox])
        daemon.wait_for("event=started")
        with net.socket6() as sock:
            sock.sendto(request("f", WRQ, blksize=1400), (SERVER, 6970, 0, 0))
            opcode, _, _, sender = receive(sock)
            assert opcode == OACK
            sock.sendto(struct.pack("!HH", DATA, 1) + b"whole", sender)
            assert receive(sock)[:2] == (ACK, 1)
        assert (inbox / "f").read_bytes() == b"whole" and (inbox / "f").owner() == "nobody"
        assert daemon.stop() == 0 and "uploads_impossible" not in daemon.output
    finally:
        shutil.rmtree(inbox)
