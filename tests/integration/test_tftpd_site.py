"""tftpd's scripts, its boot policy and its events: alone, with the database, and while that is away."""

import os
import random
import signal
import sys
import time

import pytest

# the fixture is used by its name: pylint: disable=unused-import
import socket_unit
import test_tftpd as plain
from test_tftpd import ack, expect_error, fetch, make_net, receive, request  # noqa: F401
from test_tftpd_life import begin

SERVER = plain.SERVER
PATIENCE = 10.0


@pytest.fixture(name="alone")
def start_alone(net):
    daemon = net.start("--menud-urls", "http://10.0.0.1:8080 http://10.0.0.2")
    yield daemon
    assert daemon.stop() == 0, daemon.output


@pytest.fixture(name="site")
def start_with_database(net, postgres):
    """The daemon over a database that knows the client as lab-01, active."""
    postgres.fresh()
    postgres.sql("insert into rouse.hosts (name, state) values ('lab-01', 'active')")
    postgres.sql("insert into rouse.nics (mac, host) values (%s, 'lab-01')", net.mac)
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    net.flags = ("--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                 "--menud-urls", "http://own:8080")
    daemon = net.start(*net.flags, ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    yield daemon
    if daemon.is_running():
        assert daemon.stop() == 0, daemon.output


def change(daemon, postgres, text, *values):
    """An operator's statement, and the daemon's word that it has read the result."""
    said = len(daemon.output)
    postgres.sql(text, *values)
    daemon.wait_for("event=snapshot_loaded", after=said)


def refusal(net, name):
    with net.socket() as sock:
        sock.sendto(request(name), (SERVER, 69))
        return expect_error(sock, 2)


def script(net, name="default.ipxe"):
    text = fetch(net, name).decode()
    assert text.startswith("#!ipxe\n")
    return text


def wait_for_event(postgres, **wanted):
    """Events are written in batches: the row that will come."""
    conditions = " and ".join(f"{column} = %s" for column in wanted)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        rows = postgres.sql(f"select * from rouse.events where daemon = 'tftpd' and {conditions} "
                            "order by at desc limit 1", *wanted.values())
        if rows:
            return rows[0]
        time.sleep(0.05)
    raise AssertionError(f"no event {wanted}; there are: "
                         f"{postgres.sql('select stage, kind, name, mac from rouse.events')}")


# ---------------------------------------------------------------- its end

@pytest.mark.parametrize("apart", [False, True])
def test_what_is_drained_is_recorded(net, postgres, apart):
    """In place, or by a child while the next one says to the database that it is the daemon."""
    postgres.fresh()
    flags = ["--drain-seconds", "30", "--database", postgres.conninfo("rouse_tftpd"), "--port", "6969"]
    if apart:
        daemon = net.server.spawn([sys.executable, socket_unit.__file__, "tftp", "6969", net.program,
                                   "--root", net.root, "--state-dir", "", "--drain-apart", *flags])
    else:
        daemon = net.start(*flags)
    daemon.wait_for("event=database_up")
    daemon.wait_for("event=snapshot_loaded")
    _, finish = begin(net, 100_001)
    said = len(daemon.output)
    daemon.signal(signal.SIGHUP if apart else signal.SIGTERM)
    daemon.wait_for("event=draining", after=said)
    if apart:
        daemon.wait_for("event=started", after=said)
    finish()
    daemon.wait_for("event=stopped", after=said)
    assert wait_for_event(postgres, kind="sent", name="under-way-100001")
    assert (daemon.stop() if apart else daemon.wait()) == 0, daemon.output


# ---------------------------------------------------------------- alone

@pytest.mark.parametrize("name", ["default.ipxe", "/default.ipxe", "autoexec.ipxe"])
def test_script_without_a_database(net, alone, name):
    text = script(net, name)
    assert text.index("http://10.0.0.1:8080") < text.index("http://10.0.0.2")
    assert "chain " in text


def test_a_real_file_wins(net, alone):
    assert "chain " in script(net)
    (net.root / "default.ipxe").write_text("#!ipxe\necho mine\n")
    assert script(net) == "#!ipxe\necho mine\n"
    assert "chain " in script(net, "autoexec.ipxe")
    (net.root / "default.ipxe").unlink()
    assert "chain " in script(net)


def test_script_has_no_urls_to_ask(net):
    daemon = net.start("--menud-urls", " ")
    with net.socket() as sock:
        sock.sendto(request("default.ipxe"), (SERVER, 69))
        assert "could not be made" in expect_error(sock, 0)
    daemon.wait_for("event=script_failed .*menud_urls")
    assert daemon.stop() == 0


# ---------------------------------------------------------------- with the database

def test_settings_are_seen_without_restart(net, postgres, site):
    assert "http://own:8080" in script(net)
    change(site, postgres, "update rouse.settings set value = 'http://site:1' where name = 'menud_urls'")
    assert "http://site:1" in script(net) and "own" not in script(net)
    change(site, postgres, "insert into rouse.subnets (subnet, menud_urls) "
                           "values ('10.99.69.0/24', 'http://near:2')")
    assert "http://near:2" in script(net) and "site" not in script(net)


def test_policy_decides_by_the_machine(net, postgres, site):
    assert "chain " in script(net)
    change(site, postgres, "update rouse.hosts set state = 'disabled' where name = 'lab-01'")
    assert refusal(net, "default.ipxe") == "the host is disabled or retired"
    (net.root / "autoexec.ipxe").write_text("#!ipxe\nshell\n")  # a file is no way around it
    assert refusal(net, "autoexec.ipxe") == "the host is disabled or retired"
    (net.root / "autoexec.ipxe").unlink()
    change(site, postgres, "update rouse.hosts set state = 'active' where name = 'lab-01'")
    assert "chain " in script(net)
    row = wait_for_event(postgres, kind="refused", name="default.ipxe")
    assert (row.stage, row.mac, row.reason) == ("script", net.mac, "the host is disabled or retired")


def test_own_rule_sends_to_the_local_disk(net, postgres, site):
    change(site, postgres, "insert into rouse.boot_rules (position, name, stage, host, answer, reason) "
                           "values (50, 'not at night', '{script}', '{lab-01}', 'local', 'closed at night')")
    text = script(net)
    assert "closed at night" in text and "chain " not in text
    assert "sanboot" in text or "exit" in text


def test_every_fetch_is_an_event(net, postgres, site):
    net.file("ipxe.efi", 5000)
    net.file("bzImage", 5000)
    for name in ("ipxe.efi", "bzImage", "default.ipxe"):
        fetch(net, name)
    with net.socket() as sock:
        sock.sendto(request("ipxe.efi", tsize=0, blksize=1468, windowsize=4), (SERVER, 69))
        sender = receive(sock)[3]
        sock.sendto(b"\0\5\0\x08User aborted the transfer\0", sender)
        sock.sendto(request("grub/absent.lst"), (SERVER, 69))
        expect_error(sock, 1)
    row = wait_for_event(postgres, kind="sent", name="ipxe.efi")
    assert (row.stage, row.mac, row.host, str(row.address)) == \
        ("tftp_nbp", net.mac, "lab-01", plain.CLIENT)
    assert row.detail["bytes"] == row.detail["size"] == 5000 and row.detail["blksize"] == 1400
    assert row.detail["windowsize"] == 1 and row.detail["retransmits"] == 0
    assert row.detail["milliseconds"] >= 0 and row.detail["client"] == "other"
    # what a first stage is, for whoever asks why it did not run
    assert row.detail["type"] == "other" and "mode" not in row.detail
    kernel = wait_for_event(postgres, kind="sent", name="bzImage")
    assert kernel.stage == "kernel" and "type" not in kernel.detail
    assert wait_for_event(postgres, kind="sent", name="default.ipxe").stage == "script"
    assert wait_for_event(postgres, kind="probe", name="ipxe.efi").stage == "tftp_nbp"
    assert wait_for_event(postgres, kind="missing", name="grub/absent.lst").detail["code"] == 1
    alive = postgres.sql("select * from rouse.daemons where daemon = 'tftpd' and alive")
    assert alive and "transfers open" in alive[-1].status and alive[-1].problem is None


def test_what_a_first_stage_is_and_text_mode_are_told(net, postgres, site):
    program = bytearray(2000)
    program[0:2], program[0x3c], program[0x80:0x86] = b"MZ", 0x80, b"PE\0\0\x64\xaa"
    (net.root / "arm.efi").write_bytes(program)
    (net.root / "as-text.efi").write_text("#!ipxe\n", encoding="ascii")
    fetch(net, "arm.efi")
    with net.socket() as sock:
        sock.sendto(request("as-text.efi", mode="netascii"), (SERVER, 69))
        sock.sendto(ack(1), receive(sock)[3])
    assert wait_for_event(postgres, kind="sent", name="arm.efi").detail["type"] == "efi-arm64"
    detail = wait_for_event(postgres, kind="sent", name="as-text.efi").detail
    assert (detail["type"], detail["mode"]) == ("script", "netascii")


def test_foreign_bytes_lose_no_event(net, postgres, site):
    """Names and error texts that are no UTF-8, or look like JSON or SQL, take nothing with them."""
    net.file("ipxe.efi", 5000)
    with net.socket() as sock:
        for name in ("caf\xe9\xff\xc0.efi", '"},{"kind":"x', "';drop table x;--"):
            sock.sendto(request(name), (SERVER, 69))
            expect_error(sock, 1)
        sock.sendto(request("ipxe.efi", tsize=0), (SERVER, 69))
        sock.sendto(b"\0\5\0\3\xff\xfe\"}", receive(sock)[3])
    wait_for_event(postgres, kind="missing", name='"},{"kind":"x')
    wait_for_event(postgres, kind="missing", name="';drop table x;--")
    wait_for_event(postgres, kind="aborted", name="ipxe.efi")
    assert postgres.sql("select name from rouse.events where kind = 'missing' and name like 'caf%.efi'")


def test_database_goes_and_comes(net, postgres, site):
    expected = net.file("ipxe.efi", 5000)
    change(site, postgres, "update rouse.hosts set state = 'disabled' where name = 'lab-01'")
    said = len(site.output)
    postgres.stop()
    try:
        site.wait_for("event=database_down", after=said)
        assert fetch(net, "ipxe.efi") == expected
        assert refusal(net, "default.ipxe") == "the host is disabled or retired"
        # and a start while it is away knows the same, from the saved file
        assert site.stop() == 0
        daemon = net.start(*net.flags)
        assert fetch(net, "ipxe.efi") == expected
        assert refusal(net, "default.ipxe") == "the host is disabled or retired"
    finally:
        postgres.start()
    daemon.wait_for("event=database_up", timeout=20)
    fetch(net, "ipxe.efi")
    wait_for_event(postgres, kind="sent", name="ipxe.efi")
    assert daemon.stop() == 0


def test_time_goes_on_when_only_tftpd_is_alive(net, postgres, site):
    """Leases of attempts and deadlines are not menud's duty: whichever daemon lives drives the clock."""
    job = postgres.value("select rouse.inventory('lab-01', deadline => now() + interval '1 hour')")
    postgres.admin("update rouse_data.job set deadline = now() where id = %s", job)
    deadline = time.monotonic() + PATIENCE * 3
    while postgres.value("select state from rouse.jobs where id = %s", job) != "expired":
        assert time.monotonic() < deadline, site.output
        time.sleep(0.2)


def test_saved_configuration_is_private(net, site):
    state = net.flags[net.flags.index("--state-dir") + 1]
    assert site.stop() == 0
    (saved,) = state.iterdir()
    assert os.stat(saved).st_mode & 0o777 == 0o600
