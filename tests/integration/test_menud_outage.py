"""menud while its database is killed, paused, terminated or held up in mid-request: each call has an answer of its
own, and what was answered is on the disk."""

import hashlib
import http.client
import os
import re
import secrets
import signal
import threading
import time

import pytest

from menud_server import Server, add_host

HOSTS = 200
BUSY, IDLE = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    running = Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))
    add_host(postgres, "busy", BUSY)
    add_host(postgres, "idle", IDLE)
    postgres.sql("select rouse.inventory('busy')")
    running.boot_until("rouse_ticket=", facts(BUSY))
    running.boot_until("menu rouse: idle", facts(IDLE))
    return running


def facts(mac):
    return f"mac0={mac}&arch=x86_64&platform=efi&product=Lab"


class Caller(threading.Thread):
    """One machine after the other on one connection, made in the client's namespace."""

    def __init__(self, server, calls):
        super().__init__()
        self.calls, self.answers = calls, []
        with server.client.entered():
            self.line = http.client.HTTPConnection("10.77.0.3", 8080, timeout=30)
            self.line.connect()
        self.line.auto_open = 0

    def run(self):
        for path, body in self.calls:
            head = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
            self.line.request("POST" if body else "GET", path, body, head)
            answer = self.line.getresponse()
            self.answers.append((answer.status, answer.read().decode(), path, body))
        self.line.close()


def call_all(server, calls, connections):
    callers = [Caller(server, calls[n::connections]) for n in range(connections)]
    for caller in callers:
        caller.start()
    return callers


def gather(callers):
    for caller in callers:
        caller.join()
    return [answer for caller in callers for answer in caller.answers]


class Lock:
    """Holds up whoever asks for a host's job for the first time in a boot, which has just begun."""

    def __init__(self, server, host):
        self.server, self.host = server, host
        self.connection = server.postgres.connect("postgres")
        self.connection.autocommit = False

    def __enter__(self):
        self.server.postgres.admin("insert into rouse_data.event (at, daemon, instance, stage, kind, mac) select clock_timestamp(), "
                                   "'dhcpd', 'test', 'fw_dhcp', 'discover', mac from rouse.nics where host = %s", self.host)
        with self.connection.cursor() as cursor:
            cursor.execute("select from rouse_data.job j join rouse_data.host h on h.id = j.host_id "
                           "where h.name = %s for update of j", (self.host,))
        return self

    def wait_for_victim(self):
        until(lambda: self.server.postgres.admin("select 1 from pg_stat_activity where usename = 'rouse_menud' "
                                                 "and wait_event_type = 'Lock'"))

    def __exit__(self, *_):
        self.connection.rollback()
        self.connection.close()


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def backend(server):
    return server.postgres.admin("select pid from pg_stat_activity where application_name = 'rouse-menud'")[0].pid


def test_calls_of_one_group_have_an_answer_each(server):
    """While the first is held up the others gather behind it: good ones and bad ones."""
    calls = []
    for n in range(60):
        calls.append((f"/boot?{facts(BUSY)}&n={n}", None) if n % 3 == 0 else
                     ("/fos/checkin", f"ticket={'0' * 32}&token={secrets.token_hex(32)}&mac0={IDLE}") if n % 3 == 1 else
                     ("/fos/checkin", f"ticket=abc&token={n}&mac0=nonsense"))
    with Lock(server, "busy") as lock:
        first = call_all(server, [(f"/boot?{facts(BUSY)}", None)], 1)
        lock.wait_for_victim()
        rest = call_all(server, calls, 60)
        time.sleep(0.2)  # the more of them have arrived, the better
    answers = gather(first + rest)
    assert len(answers) == 61
    for status, said, path, body in answers:
        if path.startswith("/boot"):
            # a machine so slow that the lock lasted two seconds is told to come again
            assert status == 200 and ("rouse_ticket=" in said or "is away; try 1" in said), said
        elif "ticket=abc" in body:
            assert status == 400, said
        else:
            assert status == 200 and "reason=ticket_unknown" in said, said
    tickets = {ticket for _, said, *_ in answers for ticket in re.findall("rouse_ticket=([0-9a-f]{32})", said)}
    assert server.postgres.admin("select count(*) as n from rouse_data.ticket where hash = any(%s)",
                                 [hashlib.sha256(ticket.encode()).digest() for ticket in tickets])[0].n == len(tickets)


def test_terminated_in_mid_request(server):
    with Lock(server, "busy") as lock:
        callers = call_all(server, [(f"/boot?{facts(BUSY)}", None)], 1)
        lock.wait_for_victim()
        server.postgres.admin("select pg_terminate_backend(%s)", backend(server))
        ((status, said, *_),) = gather(callers)
    assert status == 200 and "the job database is away; try 1" in said
    server.boot_until("rouse_ticket=", facts(BUSY), seconds=10)


def test_paused_in_mid_request(server):
    """A database that says nothing costs who needs it their patience, and nobody else anything."""
    paused = backend(server)
    os.kill(paused, signal.SIGSTOP)
    try:
        callers = call_all(server, [(f"/boot?{facts(BUSY)}", None),
                                    ("/fos/progress", f"token={'0' * 64}&step=scan")], 2)
        assert "menu rouse: idle" in server.boot(facts(IDLE))
        assert server.curl("/files/fos/init.xz") == (200, "initial disk")
        assert server.curl("/healthz") == (200, "alive\n")
        answers = {path.split("?")[0]: (status, said) for status, said, path, _ in gather(callers)}
    finally:
        os.kill(paused, signal.SIGCONT)
    assert answers["/boot"][0] == 200 and "the job database is away; try 1" in answers["/boot"][1]
    assert answers["/fos/progress"][0] == 503
    server.boot_until("rouse_ticket=", facts(BUSY), seconds=10)


def test_what_was_answered_outlives_a_crash(server):
    """Check-ins share flushes of the log, but none is answered before its own: the database is killed among them."""
    macs = [f"52:54:00:01:{n // 256:02x}:{n % 256:02x}" for n in range(HOSTS)]
    for n, mac in enumerate(macs):
        add_host(server.postgres, f"crowd-{n}", mac)
    server.postgres.sql("select count(rouse.inventory(name)) from rouse.hosts where name like 'crowd-%%'")
    server.boot_until("rouse_ticket=", facts(macs[-1]), seconds=20)
    calls = []
    for _, said, path, _ in gather(call_all(server, [(f"/boot?{facts(mac)}", None) for mac in macs], 8)):
        ticket = re.search("rouse_ticket=([0-9a-f]{32})", said).group(1)
        mac = re.search("mac0=([0-9a-f:]+)", path).group(1)
        calls.append(("/fos/checkin", f"ticket={ticket}&token={secrets.token_hex(32)}&mac0={mac}"))
    callers = call_all(server, calls, 16)
    until(lambda: sum(len(caller.answers) for caller in callers) > HOSTS // 4)
    server.postgres.crash()
    try:
        answers = gather(callers)
    finally:
        server.postgres.start()
    claimed = [re.search("token=([0-9a-f]+)", body).group(1) for status, said, _, body in answers
               if status == 200 and said.startswith("answer=run")]
    assert len(claimed) > HOSTS // 4 and {status for status, *_ in answers} <= {200, 503}
    known = server.postgres.admin("select count(*) as n from rouse_data.attempt where token_hash = any(%s)",
                                  [hashlib.sha256(token.encode()).digest() for token in claimed])[0].n
    assert known == len(claimed)
    server.boot_until("menu rouse: idle", facts(IDLE), seconds=10)
