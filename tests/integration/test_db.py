"""What common/db promises, shown on menud: configuration that is wrong or changes in bursts, locks,
hosts that are slow, standby or away, and a saved configuration."""

import json
import random
import re
import signal
import threading
import time
from pathlib import Path

import psycopg2
import pytest

from menud_server import FACTS, MAC, Server, add_host

FAKE_SERVERS = Path(__file__).with_name("fake_servers.py")
CLIENT = "10.77.0.9"
OTHER = ["52:54:00:00:00:02", "52:54:00:00:00:03"]


@pytest.fixture(scope="module")
def server(module_lab, postgres, build, tmp_path_factory):
    running = Server(module_lab, postgres, build, tmp_path_factory.mktemp("db"))
    add_host(postgres, "lab-01", MAC)
    for number, mac in enumerate(OTHER, 2):
        add_host(postgres, f"lab-0{number}", mac)
    running.boot_until("menu rouse: lab-03", of(OTHER[1]))
    return running


@pytest.fixture(name="names")
def make_names(server):
    """Writes what the server's namespace knows of names: /etc/hosts and /etc/resolv.conf."""
    folder = Path("/etc/netns") / server.host.netns
    folder.mkdir(parents=True)

    def write(**files):
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text, encoding="ascii")

    yield write
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def of(mac):
    return FACTS.replace(MAC, mac)


def restart(server, **more):
    if server.daemon.is_running():
        assert server.daemon.stop() == 0, server.daemon.output
    return server.start(**more)


def fake(server, kind, *arguments):
    process = server.client.spawn(["/usr/bin/python3", FAKE_SERVERS, kind, *arguments], name=kind)
    process.wait_for("listening")
    return process


def notify(server, times=1):
    connection = server.postgres.connect("postgres")
    with connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute("notify rouse_changed, 'test'")
    connection.close()


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, what
    return value


def problem(server):
    rows = server.postgres.sql("select problem from rouse.daemons where daemon = 'menud' "
                               "order by seen_at desc limit 1")
    return rows[0].problem if rows else None


def behind_the_views(server, text, *values):
    """A change that no constraint and no trigger sees; the daemons are told of it."""
    server.postgres.admin("set session_replication_role = replica; "
                          f"{text}; insert into rouse_data.change values (pg_current_xact_id(), 'nic', now()); "
                          "notify rouse_changed, 'test'", *values)


def test_an_invalid_row_is_refused_and_told(server):
    said = len(server.daemon.output)
    macs = [f"02:00:00:00:00:{number:02x}" for number in range(8)]
    behind_the_views(server, "insert into rouse_data.nic (mac, host, kind) "
                     "select m::macaddr, 'lab-01', 'extra' from unnest(%s) m", macs)
    try:
        line = server.daemon.wait_for("event=snapshot_refused.*", after=said).group()
        assert "hosts_now" in line and "lab-01" in line and "macs" in line and "remedy=" in line
        # the ninth card of lab-01 makes nobody else's change take effect, and nobody's menu go away
        add_host(server.postgres, "lab-04", "52:54:00:00:00:04")
        assert "menu rouse: lab-01" in server.boot()
        assert "(unknown)" in server.boot(of("52:54:00:00:00:04"))
        until(lambda: "lab-01" in (problem(server) or ""), 12, "rouse.daemons does not say why")
        # also now NOTIFY in bursts leads to few attempts
        said = len(server.daemon.output)
        notify(server, 50)
        server.daemon.wait_for("event=snapshot_refused", after=said)
        time.sleep(0.5)  # an attempt too many would show within it
        assert server.daemon.output.count("event=snapshot_refused", said) <= 3
    finally:
        said = len(server.daemon.output)
        behind_the_views(server, "delete from rouse_data.nic where mac = any (%s::macaddr[])", macs)
    server.daemon.wait_for("event=snapshot_loaded", after=said)
    assert "menu rouse: lab-04" in server.boot(of("52:54:00:00:00:04"))
    until(lambda: problem(server) is None, 12, "the problem stays in rouse.daemons")


def test_the_first_failure_of_a_load_is_told(server):
    said = len(server.daemon.output)
    server.postgres.admin("revoke select on rouse_daemon.boot_rules_now from rouse_menud")
    server.daemon.signal(signal.SIGHUP)  # all is read anew
    try:
        line = server.daemon.wait_for("event=snapshot_failed.*", after=said).group()
        assert "view=boot_rules_now" in line and "permission denied" in line
        until(lambda: "permission denied" in (problem(server) or ""), 12, problem(server))
        # what follows in the same transaction is no news
        assert "transaction is aborted" not in server.daemon.output[said:]
        assert "menu rouse: lab-01" in server.boot()
    finally:
        said = len(server.daemon.output)
        server.postgres.admin("grant select on rouse_daemon.boot_rules_now to rouse_menud")
    server.daemon.wait_for("event=snapshot_loaded", after=said)  # it tries again by itself


def test_a_burst_of_changes_leads_to_few_loads(server):
    said = len(server.daemon.output)
    begun = time.monotonic()
    notify(server, 50)
    seconds = time.monotonic() - begun
    server.daemon.wait_for("event=snapshot_loaded", after=said)
    time.sleep(0.5)  # a load too many would show within it
    # at most every 100 ms, however long a busy machine takes to say it 50 times
    assert 1 <= server.daemon.output.count("event=snapshot_loaded", said) <= 3 + seconds / 0.1


def test_a_lock_holds_up_its_own_machine_only(server):
    for name in ("lab-02", "lab-03"):
        server.postgres.sql("select rouse.inventory(%s)", name)
    for mac in OTHER:
        server.boot_until("rouse_ticket=", of(mac))
    # its next boot: who has no ticket yet asks for the lock
    server.postgres.admin("insert into rouse_data.event (at, daemon, instance, stage, kind, mac) "
                          "values (clock_timestamp(), 'dhcpd', 'test', 'fw_dhcp', 'discover', %s)", OTHER[0])
    holder = server.postgres.connect("postgres")
    holder.autocommit = False
    try:
        with holder.cursor() as cursor:
            cursor.execute("select 1 from rouse_data.job j join rouse_data.host h on h.id = j.host_id "
                           "where h.name = 'lab-02' for update of j")
        begun = time.monotonic()
        answers = {}
        first = threading.Thread(target=lambda: answers.update(locked=server.boot(of(OTHER[0]))))
        first.start()
        until(lambda: server.postgres.admin(
            "select 1 from pg_stat_activity where usename = 'rouse_menud' "
            "and wait_event_type = 'Lock'"), 30, "nobody waits for the lock")
        assert "rouse_ticket=" in server.boot(of(OTHER[1]))
        first.join()
        assert "the job database is away; try 1" in answers["locked"]
        assert time.monotonic() - begun < 7
    finally:
        holder.rollback()
        holder.close()
    assert "rouse_ticket=" in server.boot(of(OTHER[0]))


@pytest.mark.patience(180)
def test_200_at_once_while_the_database_comes_and_goes(server):
    """Every request is answered, with a ticket or a word to wait; and then all is as before."""
    add_host(server.postgres, "lab-05", "52:54:00:00:00:05")
    server.postgres.sql("select rouse.inventory('lab-05')")
    facts = of("52:54:00:00:00:05")
    server.boot_until("rouse_ticket=", facts)
    enough = server.workdir / "enough"
    script = (f"while [ ! -e {enough} ]; do for n in $(seq 200); do "
              f"echo 'url = \"http://10.77.0.3:8080/boot?{facts}\"'; "
              "echo 'output = /dev/null'; done | curl -sS --no-progress-meter -K - -Z "
              "--parallel-max 200 --max-time 30 -w '%{http_code}\\n' || exit 1; done")
    load = server.client.spawn(script, name="curl")
    for _ in range(3):
        load.wait_for("^200$", after=len(load.output))
        server.postgres.stop()
        load.wait_for("^200$", after=len(load.output))
        server.postgres.start()
        server.boot_until("rouse_ticket=", facts, seconds=5)
    enough.touch()
    assert load.wait(60) == 0, load.output[-2000:]
    answers = load.output.split()
    assert len(answers) >= 400 and set(answers) == {"200"}, set(answers)
    server.boot_until("rouse_ticket=", facts, seconds=5)
    assert server.daemon.is_running()


def test_a_flood_leaves_room_for_others(server):
    """While the database is away, one card asks for 3,000 files: half of the queue is its, and the log says what is lost."""
    other = of("52:54:00:00:00:57")
    listing = server.workdir / "flood"
    listing.write_text("".join(f'url = "http://10.77.0.3:8080/files/flood-{number}?mac=52:54:00:00:00:58"\noutput = /dev/null\n'
                               for number in range(3000)), encoding="ascii")
    server.postgres.sql("select rouse.setting('events_per_minute', '1000000')")
    said = len(server.daemon.output)
    server.postgres.stop()
    try:
        server.client.run(["curl", "-sS", "--no-progress-meter", "-K", listing, "-Z"])
        line = server.daemon.wait_for("event=events_dropped.*", after=said).group()
        assert "the database is away" in line and "remedy=" in line
        server.boot(other)
    finally:
        server.postgres.start()
    until(lambda: server.postgres.sql("select 1 from rouse.events where mac = '52:54:00:00:00:57'"), 60, "no event")
    kept = server.postgres.value("select count(*) from rouse.events where name like 'flood-%'")
    assert 1000 < kept <= 2048 + 200


def test_what_was_seen_last_is_recorded_at_the_stop(server):
    # once this is there, what the tests before have left in the queue is, too
    server.boot(of("52:54:00:00:00:56"))
    until(lambda: server.postgres.sql("select 1 from rouse.events where mac = '52:54:00:00:00:56'"), 30, "no event")
    server.boot(of("52:54:00:00:00:55"))
    assert server.daemon.stop() == 0
    assert server.postgres.sql("select 1 from rouse.events where mac = '52:54:00:00:00:55' "
                               "and stage = 'script'")
    server.start()


def test_a_saved_configuration_with_a_hole_is_ignored(server):
    assert server.daemon.stop() == 0
    file = server.workdir / "state" / "menud.snapshot"
    saved = json.loads(file.read_text())
    del saved["views"]["menu_now"]
    file.write_text(json.dumps(saved))
    daemon = server.start(wait=None)
    line = daemon.wait_for("event=saved_snapshot_ignored.*").group()
    assert "menu_now" in line
    daemon.wait_for("event=snapshot_loaded")
    assert "menu rouse: lab-01" in server.boot()


def test_why_it_cannot_be_saved(server):
    daemon = restart(server, more=f'state_dir = "{server.workdir}/nowhere"\n')
    line = daemon.wait_for("event=snapshot_not_saved.*").group()
    assert "No such file or directory" in line and "state_dir" in line
    restart(server)


def test_every_address_of_a_name_is_tried(server, names):
    second = "10.77.0.10"
    server.client.run(["ip", "addr", "add", f"{second}/24", "dev", "eth0"])
    fake(server, "proxy", second, "5432", f"{server.postgres.directory}/run/.s.PGSQL.5432")
    names(hosts=f"{CLIENT} db.rouse\n{second} db.rouse\n")
    daemon = restart(server, database="host=db.rouse dbname=rouse user=rouse_menud", wait=None)
    daemon.wait_for("event=snapshot_loaded", timeout=8)
    restart(server)


def test_a_slow_resolver_and_a_silent_host_do_not_hold_it(server, names):
    """A name that takes longer than the attempt's own time, and leads to one that says nothing."""
    fake(server, "silent", CLIENT, "5432")
    fake(server, "resolver", CLIENT, "53", CLIENT, "3.5")
    names(resolv_conf=f"nameserver {CLIENT}\noptions timeout:9 attempts:1\n", hosts="")
    database = server.postgres.conninfo("rouse_menud").replace("host=", "host=slow.rouse,")
    daemon = restart(server, database=database, wait=None)
    daemon.wait_for("event=snapshot_loaded", timeout=12)
    restart(server)


def test_a_standby_that_cannot_listen_is_left(server):
    standby = fake(server, "standby", CLIENT, "5433")
    database = re.sub("host=", f"host={CLIENT},", server.postgres.conninfo("rouse_menud"))
    daemon = restart(server, database=database + " port=5433,5432", wait=None)
    daemon.wait_for("event=snapshot_loaded", timeout=6)
    daemon.wait_for("event=database_connected program=rouse-menud server=/")
    assert "cannot execute LISTEN during recovery" in daemon.output
    assert f"server={CLIENT}" not in daemon.output
    # where there is no other, it keeps asking, ever less often
    daemon = restart(server, database=f"host={CLIENT} port=5433 dbname=rouse user=rouse_menud",
                     wait="event=database_away")
    said = len(standby.output)
    time.sleep(2)
    assert 2 <= standby.output.count("asked", said) <= 24
    restart(server)


# ---------------------------------------------------------------- prepared statements

def offer_definition(postgres):
    return postgres.admin("select pg_get_functiondef(oid) as text, oid::regprocedure::text as name from pg_proc "
                          "where pronamespace = 'rouse_daemon'::regnamespace and proname = 'offer'")[0]


def remake_offer(postgres, text):
    """As a migration does: the function goes and comes back, in one transaction."""
    name = offer_definition(postgres).name
    postgres.admin(f"begin; drop function {name}; {text}; "
                   f"grant execute on function {name} to rouse_menud; commit")


def ask_until_offered(server, mac):
    until(lambda: "rouse_ticket=" in server.boot(of(mac)), 10, "no job is offered")


def test_a_prepared_statement_outlives_a_migration(server):
    restart(server)
    server.postgres.sql("select rouse.enqueue('lab-03', 'inventory')")
    for _ in range(3):
        ask_until_offered(server, OTHER[1])
    definition = offer_definition(server.postgres).text
    # made anew with the same result nobody notices
    remake_offer(server.postgres, definition)
    assert "rouse_ticket=" in server.boot(of(OTHER[1]))
    # with another result the old plan is of no use: the connection is made anew
    said = len(server.daemon.output)
    remake_offer(server.postgres, re.sub(r"\bhost text", "host name", definition, count=1))
    server.boot(of(OTHER[1]))
    server.daemon.wait_for("event=database_connected", after=said)
    remake_offer(server.postgres, definition)
    ask_until_offered(server, OTHER[1])
    server.postgres.sql("select count(rouse.cancel(id)) from rouse.jobs where host = 'lab-03' and ended_at is null")


def test_behind_a_pooler_that_changes_servers(server):
    """PgBouncer in its transaction mode: the next server process knows nothing of what was prepared."""
    folder = server.postgres.directory.parent / "pooler"  # where the user postgres may walk
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    run = server.postgres.directory / "run"
    (folder / "ini").write_text(
        f"[databases]\nrouse = host={run} dbname=rouse user=rouse_menud\n[pgbouncer]\nlisten_addr =\n"
        f"unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\n"
        "min_pool_size = 3\nserver_round_robin = 1\nignore_startup_parameters = extra_float_digits\n",
        encoding="ascii")
    pooler = server.host.spawn(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "pgbouncer",
                                folder / "ini"], name="pgbouncer")
    until((folder / ".s.PGSQL.6432").exists, 10, "no pooler")
    try:
        # no NOTIFY comes through such a pooler: the job is there before the snapshot is loaded
        server.postgres.sql("select rouse.enqueue('lab-02', 'inventory')")
        restart(server, database=f"host={folder} port=6432 dbname=rouse user=rouse_menud")
        for _ in range(8):
            ask_until_offered(server, OTHER[0])
        server.daemon.wait_for("event=statements_not_kept")
        ask_until_offered(server, OTHER[0])
        assert server.daemon.output.count("event=statements_not_kept") == 1
    finally:
        server.postgres.sql(
            "select count(rouse.cancel(id)) from rouse.jobs where host = 'lab-02' and ended_at is null")
        restart(server)
        pooler.stop()


# ---------------------------------------------------------------- what changed, and nothing else

CHANGES = [
    "insert into rouse.hosts (name, product) values ('r' || {a}, 'model {b}') on conflict do nothing",
    "insert into rouse.nics (mac, host) select '52:54:00:01:00:0{c}', name from rouse.hosts where name = 'r' || {a} "
    "on conflict do nothing",
    "update rouse.nics set host = (select name from rouse.hosts where name ~ '^r[0-9]' order by random() limit 1) "
    "where mac = '52:54:00:01:00:0{c}'",
    "delete from rouse.nics where mac = '52:54:00:01:00:0{c}'",
    "update rouse.hosts set name = 'r' || {b} where name = 'r' || {a} "
    "and not exists (select from rouse.hosts where name = 'r' || {b})",
    "update rouse.hosts set state = 'disabled' where name = 'r' || {a}",
    "update rouse.hosts set state = 'active', product = 'other {c}' where name in ('r' || {a}, 'r' || {b})",
    "update rouse.hosts set group_name = 'g{c}' where name = 'r' || {a}",
    "delete from rouse.hosts where name = 'r' || {a} and not exists (select from rouse.jobs j where j.host = 'r' || {a})",
    "insert into rouse.hosts (name) select 'many' || {a} || '-' || n from generate_series(1, 50) n on conflict do nothing",
    "delete from rouse.hosts where name like 'many' || {b} || '-%'",
    "select rouse.inventory(n.host) from rouse.nics n where n.host = 'r' || {a} limit 1",
    "select rouse.cancel(id) from rouse.queue where host = 'r' || {a}",
    "update rouse.menu set title = 'title {c}' where key = 'memtest'",
    "update rouse.groups set name = 'g{c}' where name = 'g9'",
]


def change_at_random(postgres, seed, count):
    """Transactions of one to three statements, which overlap those of others and are sometimes taken back."""
    chance = random.Random(seed)
    connection = postgres.connect("postgres")
    cursor = connection.cursor()
    for _ in range(count):
        cursor.execute("begin")
        try:
            for _ in range(chance.randint(1, 3)):
                cursor.execute(chance.choice(CHANGES).format(a=chance.randint(1, 9), b=chance.randint(1, 9),
                                                             c=chance.randint(1, 9)))
            time.sleep(chance.choice([0, 0, 0.01, 0.05]))
            cursor.execute(chance.choice(["commit", "commit", "commit", "rollback"]))
        except psycopg2.Error:  # refused, or in the way of another
            cursor.execute("rollback")
    connection.close()


def saved_views(server):
    """What it knew when it was stopped."""
    assert server.daemon.stop() == 0, server.daemon.output
    file = server.workdir / "state" / "menud.snapshot"
    views = json.loads(file.read_text(encoding="utf-8"))["views"]
    file.unlink()
    return views


@pytest.fixture(scope="module", name="nine_groups")
def make_nine_groups(server):
    server.postgres.sql("insert into rouse.groups (name) select 'g' || n from generate_series(1, 9) n")


@pytest.mark.parametrize("seed", range(5))
def test_reading_what_changed_ends_where_reading_all_does(server, nine_groups, seed):
    restart(server)
    threads = [threading.Thread(target=change_at_random, args=(server.postgres, 10 * seed + n, 25)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = f"the last change {seed}"
    server.postgres.sql("update rouse.menu set title = %s where key = 'local'", last)
    until(lambda: last in server.boot("mac0=52:54:00:00:00:99&platform=efi"), 20, "no last change")
    assert "event=snapshot_refused" not in server.daemon.output
    caught_up = saved_views(server)
    server.start()
    whole = saved_views(server)
    assert len(whole["hosts_now"]["rows"]) > 5
    assert caught_up == whole
    server.start()
