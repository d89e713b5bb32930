"""Operators by menud: login, sessions, limits, and that no password is written anywhere."""

import json
import re
import subprocess
import time

import pytest

from postgres import ROUSE_DB
from menud_server import Server, add_host

PASSWORDS = {"anna": "Correct horse: battery", "carl": "staple-\u00fcber", "dora": "only reads"}
TYPED_WRONG = "Wr0ng-and-not-to-be-seen"


@pytest.fixture(scope="module", name="server")
def make_server(module_lab, postgres, build, tmp_path_factory):
    """menud, three operators with passwords, and PostgreSQL that logs every statement."""
    postgres.admin("alter system set log_statement = 'all'")
    postgres.admin("select pg_reload_conf()")
    running = Server(module_lab, postgres, build, tmp_path_factory.mktemp("login"))
    restart(running)
    postgres.sql("insert into rouse.groups (name) values ('kiosks'), ('labs')")
    for name, group, mac in (("kiosk-1", "kiosks", "52:54:00:00:00:01"), ("lab-01", "labs", "52:54:00:00:00:11")):
        add_host(postgres, name, mac)
        postgres.sql("update rouse.hosts set group_name = %s where name = %s", group, name)
    postgres.sql("insert into rouse.operators (name, role, groups) values ('anna', 'operator', null), "
                 "('carl', 'operator', '{labs}'), ('dora', 'viewer', null), ('eve', 'operator', null)")
    for name, password in PASSWORDS.items():
        passwd(postgres, name, password)
    yield running
    postgres.admin("alter system reset log_statement")
    postgres.admin("select pg_reload_conf()")


def restart(server, **more):
    """A menud that has forgotten who tried how often."""
    server.said = getattr(server, "said", "")
    if server.daemon:
        assert server.daemon.stop() == 0
        server.said += server.daemon.output
    return server.start(more='log_level = "debug"\n', **more)


def passwd(postgres, name, password, *more):
    done = subprocess.run([ROUSE_DB, "operator", "passwd", name, "--private", postgres.directory, *more],
                          input=password + "\n", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert password not in done.stdout + done.stderr or not password


def login(server, name, password, path="/login"):
    """Status and body; the password goes to curl by standard input, as it should."""
    done = server.client.run(["curl", "-sS", "-w", "\n%{http_code}", "--max-time", "30", "-u", f"{name}:{password}",
                              f"http://10.77.0.3:8080{path}"])
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def until_answered(server, name, password, path="/login"):
    """As a client should: asks again when it is told that others are being checked, or that keys are not there."""
    deadline = time.monotonic() + 60
    while (answer := login(server, name, password, path))[0] == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def session_of(server, name):
    status, body = until_answered(server, name, PASSWORDS[name])
    assert status == 200, body
    return json.loads(body)


def api(server, session, name, *arguments):
    status, body = server.curl(f"/api/v1/{name}", "-H", f"Authorization: Bearer {session}", *arguments)
    return status, json.loads(body)


def test_the_right_password(server):
    said = session_of(server, "anna")
    assert (said["operator"], said["role"], said["seconds"]) == ("anna", "operator", 900)
    status, hosts = api(server, said["session"], "hosts")
    assert status == 200 and [host["name"] for host in hosts] == ["kiosk-1", "lab-01"]
    # a link of the menu brings it along as a field
    assert server.curl(f"/api/v1/groups?session={said['session']}")[0] == 200
    # iPXE gets it as a script, that sets nothing else
    status, script = until_answered(server, "anna", PASSWORDS["anna"], "/login/ipxe")
    assert status == 200 and re.fullmatch(r"#!ipxe\nset session [0-9a-f]+\n", script), script


def test_a_name_and_a_password_beyond_ascii(server):
    assert session_of(server, "carl")["role"] == "operator"


@pytest.mark.parametrize("name", ["anna", "eve", "nobody", "' or true --"])
def test_wrong_ones_get_one_and_the_same_answer(server, name):
    """A wrong password, an operator without one, names that are not there."""
    restart(server)
    status, body = until_answered(server, name, TYPED_WRONG)
    assert (status, body) == (401, "name or password is wrong\n")


def test_who_says_nothing_is_asked(server):
    for arguments in ([], ["-H", "Authorization: Bearer 00"]):
        status, headers = server.curl("/login", "-D", "-", "-o", "/dev/null", *arguments)
        assert status == 401 and 'www-authenticate: basic realm="rouse"' in headers.lower()
    assert server.curl("/login", "-H", "Authorization: Basic !!")[0] == 401
    assert server.curl("/login/other")[0] == 404


def test_too_many_attempts_are_refused_by_address(server):
    """Also with the right password: else the refusal would tell that it is right. Asking does not count."""
    restart(server)
    for number in range(20):
        assert server.curl("/login")[0] == 401, number
    began, wrong = time.monotonic(), 0
    assert [until_answered(server, f"name-{number}", TYPED_WRONG)[0] for number in range(5)] == [401] * 5
    # one comes back in 12 s, and whoever is slow meets it: until both tries fall between two of these
    while True:
        while until_answered(server, "name-x", TYPED_WRONG)[0] != 429:
            wrong += 1
            assert wrong <= (time.monotonic() - began) / 12, "more attempts were taken than come back"
        status, headers = server.curl("/login", "-D", "-", "-o", "/dev/null", "-u", f"anna:{PASSWORDS['anna']}")
        if status == 429:
            break
    assert re.search(r"(?m)^retry-after: \d+$", headers.lower()), headers


def test_too_many_attempts_are_refused_by_name(server):
    """From many addresses: none of them is refused for itself."""
    restart(server)
    server.client.run("for i in 1 2 3 4 5 6 7 8; do ip address add 10.77.0.10$i/24 dev eth0; done")

    def status_from(number, password):
        return server.client.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--interface",
                                  f"10.77.0.10{number}", "-u", f"anna:{password}",
                                  "http://10.77.0.3:8080/login"]).stdout

    answered = []
    # one comes back in 6 s, and whoever is slow meets it: until both tries fall between two of these
    while not answered or answered[-1] != "429":
        restart(server)
        answered = [status_from(number, TYPED_WRONG) for number in (1, 2, 3, 4, 5, 6, 7) * 2]
        answered.append(status_from(8, PASSWORDS["anna"]))
    assert set(answered) <= {"401", "429", "503"}, answered
    assert answered[0] != "429" and until_answered(server, "carl", PASSWORDS["carl"])[0] == 200


def test_a_good_login_costs_no_attempt(server):
    restart(server)
    for _ in range(15):
        session_of(server, "dora")


def test_a_session_ends_and_belongs_to_an_address(server):
    session = session_of(server, "anna")["session"]
    assert api(server, session, "me")[0] == 404  # a verb, not a view: but who asks is known
    done = server.host.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                            f"Authorization: Bearer {session}", "http://10.77.0.3:8080/api/v1/hosts"])
    assert done.stdout == "401", "another address has it"
    forged = session[:8] + "01" + session[10:]
    assert api(server, forged, "hosts")[0] == 401
    # what was signed by keys that are gone
    server.postgres.admin("delete from rouse_data.session_key")
    restart(server)
    status, said = api(server, session, "hosts")
    assert status == 401 and said["error"] == "this session is over, or is not one of yours", said
    assert api(server, "", "hosts")[0] == 401


def test_another_menud_knows_the_session(server):
    """The keys are the database's: nothing is kept by the one that was asked."""
    session = session_of(server, "anna")["session"]
    daemon = restart(server)
    deadline = time.monotonic() + 30
    while (answer := api(server, session, "hosts"))[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)  # its keys come right after its start
    assert answer[0] == 200, (answer, daemon.output)


def test_one_group_is_seen_and_run(server):
    """carl has the labs, by menud as in psql."""
    session = session_of(server, "carl")["session"]
    assert [host["name"] for host in api(server, session, "hosts")[1]] == ["lab-01"]
    assert api(server, session, "hosts?name=kiosk-1")[1] == []
    status, said = api(server, session, "inventory", "-d", "target=kiosk-1")
    assert status == 404 and 'there is no host "kiosk-1"' in said["error"], said
    assert api(server, session, "setting", "-d", "name=deploy_slots", "-d", "value=1")[0] == 403
    status, said = api(server, session, "inventory", "-d", "target=lab-01")
    assert status == 200, said
    assert server.postgres.value("select created_by from rouse.jobs where id = %s", said[0]) == "carl"
    assert [job["host"] for job in api(server, session, "jobs?state=queued&limit=5")[1]] == ["lab-01"]
    assert api(server, session, "cancel", "-d", f"job={said[0]}") == (200, ["cancelled"])
    assert api(server, session, "cancel", "-d", f"job={said[0]}")[0] == 409
    server.daemon.wait_for(r"event=acted operator=carl verb=cancel status=200")


def test_a_viewer_reads(server):
    session = session_of(server, "dora")["session"]
    assert len(api(server, session, "hosts")[1]) == 2
    status, said = api(server, session, "inventory", "-d", "target=lab-01")
    assert status == 404 and "no verb" in said["error"]


def test_the_description_is_what_is_there(server):
    """Each path of it answers as it says; and what psql has is in it."""
    status, body = server.curl("/api/v1/openapi.json")
    assert status == 200, "it is for anybody"
    said = json.loads(body)
    paths = {path.removeprefix("/api/v1/"): what for path, what in said["paths"].items() if path != "/login"}
    session = session_of(server, "dora")["session"]
    views = {row.name for row in server.postgres.sql("select relname::text as name from pg_class where relkind = 'v' "
                                                     "and relnamespace = 'rouse'::regnamespace")}
    assert {name for name in paths if "get" in paths[name]} == views
    for name in views:
        status, rows = api(server, session, f"{name}?limit=3")
        schema = paths[name]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert status == 200, (name, rows)
        assert all(set(row) == set(schema["items"]["properties"]) for row in rows), name
        assert all(what["description"] for what in schema["items"]["properties"].values()), name
    verbs = {name: paths[name]["post"] for name in paths if "post" in paths[name]}
    assert {"enqueue", "wake", "cancel", "trace", "me"} <= set(verbs)
    for name, verb in verbs.items():
        form = verb["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        assert set(form.get("required", [])) <= set(form["properties"]), name
        assert verb["summary"], name
        # a refusal lists the arguments of one function of this name, and those that it can do without
        status, refused = api(server, session, name, "-d", "no_such_argument=1")
        if verb["x-role"] == "operator":
            assert status == 404 and "no verb" in refused["error"], (name, refused)
            continue
        assert status == 400, (name, refused)
        taken = refused["hint"].removeprefix("It takes ").split(", ")
        assert {word.split(" ")[0] for word in taken} - {"none"} <= set(form["properties"]), name


@pytest.mark.parametrize("name, arguments, status, word", [
    ("hots", [], 404, "there is no view"), ("hosts?nam=x", [], 400, "no column"),
    ("hosts?limit=x", [], 400, "limit"), ("hosts;x", [], 404, "no such view"),
    ("cancel", ["-d", "number=1"], 400, "does not take"), ("cancel", ["-d", "job=x"], 400, "bigint"),
    ("cancel", ["-d", "job=1", "-d", "job=2"], 400, "told twice"), ("hosts?name=a&name=b", [], 400, "told twice"),
    ("publish_image", ["-d", "name=x&number=1&path=x&parts=[]&disks=" + "[" * 60_000], 400, "stack depth"),
    ("inventory", ["-d", "target=" + "x" * 70000], 413, "too long")])
def test_what_is_wrong_is_named(server, name, arguments, status, word):
    session = session_of(server, "anna")["session"]
    got, said = api(server, session, name, *arguments)
    assert got == status and word in said["error"], said


def test_who_is_no_operator_any_more_can_do_nothing(server):
    server.postgres.sql("insert into rouse.operators (name) values ('zoe')")
    passwd(server.postgres, "zoe", "for a short time")
    status, body = until_answered(server, "zoe", "for a short time")
    assert status == 200
    server.postgres.sql("delete from rouse.operators where name = 'zoe'")
    assert api(server, json.loads(body)["session"], "hosts")[0] == 403
    assert until_answered(server, "zoe", "for a short time")[0] == 401


def test_a_password_is_changed_and_taken_away(server):
    restart(server)
    passwd(server.postgres, "eve", "first word")
    assert until_answered(server, "eve", "first word")[0] == 200
    passwd(server.postgres, "eve", "second word")
    assert until_answered(server, "eve", "first word")[0] == 401
    assert until_answered(server, "eve", "second word")[0] == 200
    passwd(server.postgres, "eve", "", "--remove")
    assert until_answered(server, "eve", "second word")[0] == 401


def test_without_the_database(server):
    restart(server)
    session = session_of(server, "anna")["session"]
    server.postgres.stop()
    try:
        status, body = login(server, "anna", PASSWORDS["anna"])
        assert status == 503 and "database" in body
        assert api(server, session, "hosts")[0] == 503
    finally:
        server.postgres.start()
    deadline = time.monotonic() + 60
    while api(server, session, "hosts")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_nothing_secret_was_written(server):
    """Neither by menud, whose level is debug, nor by PostgreSQL, which logs each statement."""
    session = session_of(server, "anna")["session"]
    assert until_answered(server, TYPED_WRONG, TYPED_WRONG)[0] == 401  # the password in the name's field
    log = (server.postgres.directory / "log").read_text(encoding="utf-8", errors="replace")
    assert "rouse_daemon.act" in log, "this test looks into a log that has the statements"
    assert "copy given from stdin" in log
    said = server.said + server.daemon.output
    server.daemon.wait_for(r"event=login_refused operator=\"\(not known\)\"")
    for secret in (*PASSWORDS.values(), TYPED_WRONG, session):
        assert secret not in said, secret
    hashes = [row.hash for row in server.postgres.admin("select hash from rouse_data.operator_password")]
    assert len(hashes) == len(PASSWORDS)
    for secret in (*PASSWORDS.values(), session, *hashes):
        assert secret not in log, secret


# ---------------------------------------------------------------- at the machine

MACHINE = "mac0=52:54:00:00:00:01&platform=efi&arch=x86_64"


def test_the_menu_logs_in_and_carries_the_session_on(server):
    script = server.boot(MACHINE, item="login")
    assert "login || goto back" in script and "clear password" in script
    assert "http://${username:uristring}:${password:uristring}@10.77.0.3:8080/login/ipxe" in script
    session = session_of(server, "anna")["session"]
    plain, menu = server.boot(MACHINE), server.boot(MACHINE, session=session)
    assert "item --key t tools " in menu and " tools " not in plain
    # every way on carries it; nobody else's does
    assert f"session={session}&try=" in menu and "session=" not in plain
    shell = server.boot(MACHINE, session=session, item="shell")
    assert "\nshell ||\n" in shell and f"session={session}" in shell
    refused = server.boot(MACHINE, item="shell")
    assert "\nshell ||\n" not in refused


def test_a_session_that_is_no_good_is_not_carried_on(server):
    session = session_of(server, "anna")["session"]
    forged = session[:-1] + ("0" if session[-1] != "0" else "1")
    for word in (forged, "0" * 60, "x" * 3000):
        menu = server.boot(MACHINE, session=word)
        assert " tools " not in menu and "session=" not in menu


def test_a_viewer_is_no_operator(server):
    session = session_of(server, "dora")["session"]
    menu = server.boot(MACHINE, session=session)
    assert " tools " not in menu and f"session={session}" in menu
