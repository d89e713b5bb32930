"""docs/how-to/high-availability.md: two of each daemon, a primary that is killed and a standby that is promoted."""

import re
from pathlib import Path

import pytest

from postgres import Postgres
from test_dhcpd_kit import Wire
from test_dhcpd_shared import make_standby  # noqa: F401  pylint: disable=unused-import

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/high-availability.md"
MORE = {"dhcpd": ["--interface", "eth0"], "tftpd": [], "menud": []}
MAC = "52:54:00:00:00:01"


def conninfo(postgres, standby, daemon):
    """The page's, with the sockets of two servers in place of two hosts."""
    (line,) = re.findall(r"^(host=db1,db2 .*)$", PAGE.read_text(encoding="utf-8"), re.M)
    return line.replace("db1", str(postgres.directory / "run")).replace("db2", str(standby.run)) \
        .replace("rouse_dhcpd", f"rouse_{daemon}")


@pytest.fixture(name="daemons")
def make_daemons(lab, postgres, standby, build, tmp_path):
    """{(daemon, host): process}: all three on each of two hosts."""
    postgres.fresh()
    standby.copy()
    standby.follow()
    lab.segment("lan")
    hosts = [lab.host(name, [f"10.77.0.{number}/24"]) for name, number in (("one", 1), ("two", 2))]
    postgres.sql("insert into rouse.subnets (subnet) values ('10.77.0.0/24')")
    postgres.sql("insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.100', '10.77.0.199')")
    running = {}
    for host in hosts:
        for daemon, more in MORE.items():
            state = tmp_path / f"{host.name}-{daemon}"
            state.mkdir()
            running[daemon, host] = host.spawn([build / daemon / daemon, *more, *(["--root", tmp_path] if daemon != "dhcpd" else []),
                                                "--state-dir", state, "--database", conninfo(postgres, standby, daemon)], name=daemon)
    for (daemon, _), process in running.items():
        process.wait_for("event=leases_loaded" if daemon == "dhcpd" else "event=snapshot_loaded", timeout=30)
    for (daemon, _), process in running.items():
        if daemon == "dhcpd":
            process.wait_for("event=serving", timeout=30)
    return running


def lease(client):
    wire = Wire(client, MAC)
    try:
        for _ in range(30):
            offer = wire.discover(timeout=1)
            ack = offer and wire.request(offer, timeout=4)
            if ack and ack.type == 5:
                return ack.yiaddr
    finally:
        wire.close()
    raise AssertionError("no lease")


@pytest.mark.patience(180)
def test_two_of_each_and_a_failover(lab, daemons, postgres, standby):
    client = lab.host("client", ["10.77.0.9/24"])
    address = lease(client)
    said = {key: len(process.output) for key, process in daemons.items()}
    postgres.crash()
    # nobody's boot stops meanwhile
    for number in (1, 2):
        assert "#!ipxe" in client.run(["curl", "-sS", "--max-time", "20", f"tftp://10.77.0.{number}/default.ipxe"]).stdout
        assert "choose" in client.run(["curl", "-sS", "--max-time", "20", f"http://10.77.0.{number}:8080/boot?mac0={MAC}"]).stdout
    assert lease(client) == address
    standby.promote()
    for (daemon, _), process in daemons.items():
        process.wait_for(f"event=database_connected .*server={standby.run}", timeout=60, after=said[daemon, _])
    there = Postgres(standby.directory)
    for (daemon, _), process in daemons.items():
        if daemon == "dhcpd":
            process.wait_for("event=leases_loaded", timeout=60, after=said[daemon, _])
    # what was acknowledged is there, and another one is served
    assert [str(row.address) for row in there.sql("select address from rouse.leases where mac = %s", MAC)] == [address]
    assert lease(client) == address
    assert {(row.daemon, row.count) for row in there.sql(
        "select daemon, count(*) from rouse.daemons group by daemon")} == {(daemon, 2) for daemon in MORE}
