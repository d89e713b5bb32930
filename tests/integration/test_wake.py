"""Wake-on-LAN, octet by octet: who sends, and where to."""

import socket
import time

import pytest

from menud_server import Server, add_host

NEAR, FAR = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture(scope="module", name="server")
def make_server(module_lab, postgres, build, tmp_path_factory):
    """menud at 10.77.0.3, and a client in the same network, and with a foot in another one."""
    running = Server(module_lab, postgres, build, tmp_path_factory.mktemp("wake"))
    running.client.attach(module_lab.segment("far"), ["10.78.0.9/24"])
    add_host(postgres, "near", NEAR)
    add_host(postgres, "far", FAR)
    postgres.sql("insert into rouse.subnets (subnet) values ('10.77.0.0/24'), ('10.78.0.0/24')")
    postgres.sql("insert into rouse.reservations (address, mac) values ('10.77.0.50', %s), ('10.78.0.50', %s)",
                 NEAR, FAR)
    return running


@pytest.fixture(name="ear")
def make_ear(server):
    """Hears what comes to port 9 at the client."""
    with server.client.entered():
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with listening:
        listening.bind(("", 9))
        listening.settimeout(60)
        yield listening


def magic(mac):
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def becomes(server, host, wanted):
    """Waits for the state of a host's newest order: a daemon writes its log first, and then tells the database."""
    deadline = time.monotonic() + 60
    while (found := state(server, host)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def state(server, host):
    return server.postgres.value("select state || ': ' || coalesce(problem, '') from rouse.wakes where host = %s "
                                 "order by id desc limit 1", host)


def test_a_machine_in_the_daemons_network_is_woken(server, ear):
    assert server.postgres.value("select rouse.wake('near')") == 1
    packets = [ear.recvfrom(2000) for _ in range(3)]
    assert {data for data, _ in packets} == {magic(NEAR)}
    assert {peer[0] for _, peer in packets} == {"10.77.0.3"}
    server.daemon.wait_for(f"event=wake_sent mac={NEAR} target=10.77.0.255")
    becomes(server, "near", "sent: ")


def test_two_daemons_send_an_order_once(server, ear):
    other = server.host.spawn([server.build / "tftpd" / "tftpd", "--root", server.workdir, "--state-dir", "",
                               "--port", "6969", "--database", server.postgres.conninfo("rouse_tftpd")], name="tftpd")
    try:
        other.wait_for("event=snapshot_loaded")
        for _ in range(4):
            server.postgres.sql("select rouse.wake('near')")
        packets = [ear.recv(2000) for _ in range(12)]
        assert set(packets) == {magic(NEAR)}
        ear.settimeout(5)  # both have asked again by then
        with pytest.raises(socket.timeout):
            ear.recv(2000)
        becomes(server, "near", "sent: ")
    finally:
        assert other.stop() == 0


def test_each_network_is_woken_by_the_daemon_in_it(server, ear, module_lab):
    """Neither has a way to the other's: whoever took the wrong order gives it back by failing."""
    host = module_lab.host("second", ["10.78.0.3/24"], segment="far")
    second = host.spawn([server.build / "tftpd" / "tftpd", "--root", server.workdir, "--state-dir", "",
                         "--database", server.postgres.conninfo("rouse_tftpd")], name="second")
    try:
        second.wait_for("event=snapshot_loaded")
        server.postgres.sql("select rouse.wake(name) from unnest('{near,far}'::text[]) name")
        packets = {ear.recvfrom(2000) for _ in range(6)}
        assert {(data, peer[0]) for data, peer in packets} == {(magic(NEAR), "10.77.0.3"), (magic(FAR), "10.78.0.3")}
        second.wait_for(f"event=wake_sent mac={FAR} target=10.78.0.255")
        sent_by = dict(server.postgres.sql("select host::text, split_part(sent_by, '/', 2) from rouse.wakes "
                                           "order by id desc limit 2"))
        assert sent_by == {"near": str(server.daemon.pid), "far": str(second.pid)}
    finally:
        assert second.stop() == 0


def test_where_no_daemon_stands_it_is_a_directed_broadcast(server, ear):
    """Through a router, if there is one: first there is none, and the order says so."""
    server.postgres.sql("select rouse.wake('far')")
    server.daemon.wait_for(f"event=wake_not_sent mac={FAR} target=10.78.0.255", timeout=60)
    server.daemon.wait_for("Network is unreachable")
    becomes(server, "far", "failed, is tried again: 10.78.0.255: Network is unreachable")
    # the client becomes the router
    server.host.run(["ip", "route", "add", "10.78.0.0/24", "via", "10.77.0.9"])
    try:
        assert ear.recv(2000) == magic(FAR)
        server.daemon.wait_for(f"event=wake_sent mac={FAR} target=10.78.0.255", timeout=60)
        becomes(server, "far", "sent: ")
    finally:
        server.host.run(["ip", "route", "del", "10.78.0.0/24"])
