"""The laboratory itself: what other tests rely on without looking."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from net import Lab, NETNS_DIRECTORY

HERE = Path(__file__).resolve().parent


def namespaces_of(name):
    return [path for path in NETNS_DIRECTORY.glob("*") if path.name.startswith(name + "-")]


def udp_socket(host):
    with host.entered():
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def test_hosts_meet_on_their_segment(lab):
    lab.segment("lan")
    lab.segment("other")
    server = lab.host("server", addresses=["10.77.0.1/24"], segment="lan")
    client = lab.host("client", addresses=["10.77.0.2/24"], segment="lan", mac="52:54:00:00:00:01")
    stranger = lab.host("stranger", addresses=["10.77.0.3/24"], segment="other")
    inbox = udp_socket(server)
    inbox.bind(("10.77.0.1", 4000))
    inbox.settimeout(5)
    for host in (stranger, client):
        with udp_socket(host) as sender:
            sender.sendto(host.name.encode(), ("10.77.0.1", 4000))
    assert inbox.recv(100) == b"client"
    inbox.close()
    assert client.mac() == "52:54:00:00:00:01"


def test_there_is_no_way_out(lab):
    lab.segment("lan")
    host = lab.host("host", addresses=["10.77.0.1/24"])
    assert "default" not in host.run(["ip", "route"]).stdout
    with udp_socket(host) as probe, pytest.raises(OSError):
        probe.connect(("192.0.2.1", 9))


def test_a_tap_is_a_port_of_the_segment(lab):
    segment = lab.segment("lan")
    assert segment.tap("pc") == "pc"
    assert "master br0" in segment.run(["ip", "link", "show", "pc"]).stdout
    assert segment.run(["cat", "/sys/class/net/br0/bridge/forward_delay"]).stdout == "0\n"


def test_a_process_is_awaited_by_what_it_says(lab):
    lab.segment("lan")
    host = lab.host("host")
    process = host.spawn("echo begin; exec sleep 300", name="story")
    assert process.wait_for("^beg(in)$").group(1) == "in"
    with pytest.raises(AssertionError, match="(?s)did not say 'more'.*begin"):
        host.spawn("echo begin", name="short").wait_for("more")
    talker = host.spawn("trap 'echo bye; exit 3' TERM; echo hello; while :; do sleep 0.1; done")
    talker.wait_for("hello")
    assert talker.stop() == 3
    assert talker.output == "hello\nbye\n"


def test_a_failing_command_is_told(lab):
    lab.segment("lan")
    host = lab.host("host")
    with pytest.raises(AssertionError, match="ended with 3:\noh no"):
        host.run("echo oh no; exit 3")
    assert host.run("exit 3", check=False).returncode == 3


def test_everything_is_gone_afterwards():
    with pytest.raises(ZeroDivisionError):
        with Lab() as lab:
            lab.segment("lan")
            stubborn = lab.host("host").spawn("trap '' TERM; echo ready; sleep 300 & wait")
            stubborn.wait_for("ready")
            assert len(namespaces_of(lab.name)) == 2
            stubborn.stop(timeout=0.1)
            raise ZeroDivisionError
    assert not namespaces_of(lab.name)
    assert not stubborn.is_running()


def test_two_laboratories_at_once(lab):
    with Lab() as second:
        for each in (lab, second):
            each.segment("lan")
            each.host("server", addresses=["10.77.0.1/24"])
    assert len(namespaces_of(lab.name)) == 2


def test_a_laboratory_ends_with_sigterm():
    story = ("from net import Lab\nimport signal\n"
             "with Lab('ended') as lab:\n"
             "    lab.segment('lan')\n"
             "    print(lab.name, flush=True)\n"
             "    signal.pause()\n")
    with subprocess.Popen([sys.executable, "-c", story], cwd=HERE, text=True,
                          stdout=subprocess.PIPE) as process:
        name = process.stdout.readline().strip()
        assert len(namespaces_of(name)) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143
    assert not namespaces_of(name)


def test_postgres_is_as_shipped(postgres):
    postgres.sql("insert into rouse.hosts (name) values (%s)", "lab-01")
    assert postgres.value("select count(*) from rouse.hosts") == 1
    postgres.fresh()
    assert postgres.value("select count(*) from rouse.hosts") == 0
    assert postgres.value("select current_user", role="rouse_tftpd") == "rouse_tftpd"


def test_postgres_goes_away_and_returns(postgres):
    postgres.stop()
    with pytest.raises(psycopg2.OperationalError):
        postgres.sql("select 1")
    postgres.start()
    assert postgres.value("select 1") == 1


def test_postgres_is_reached_from_a_namespace(lab, postgres):
    lab.segment("lan")
    host = lab.host("host")
    said = host.run(["psql", "-X", "-A", "-t", "-d", postgres.conninfo("rouse_dhcpd"),
                     "-c", "select current_user"]).stdout
    assert said == "rouse_dhcpd\n"
