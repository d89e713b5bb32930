"""menud's life: without its database, killed, and with a configuration that is wrong."""

import signal

import pytest

from menud_server import FACTS, MAC, Server, add_host


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    server = Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))
    add_host(postgres, "lab-01", MAC)
    server.boot_until("menu rouse: lab-01")
    return server


def test_without_its_database(server):
    """The menu goes on from the snapshot; what needs the database waits and says so."""
    add_host(server.postgres, "lab-03", "52:54:00:00:00:03")
    server.postgres.sql("select rouse.inventory('lab-03')")
    facts = FACTS.replace(MAC, "52:54:00:00:00:03")
    server.boot_until("rouse_ticket=", facts)
    server.postgres.stop()
    try:
        assert "menu rouse: lab-01" in server.boot()
        script = server.boot(facts)
        assert "the job database is away" in script and "try=1" in script and "sleep 5" in script
        script = server.boot(facts, **{"try": 11})
        assert script.endswith("exit\n") and "chain" not in script
        assert server.curl("/files/fos/init.xz") == (200, "initial disk")
        done = server.client.run(f"curl -sS -i -d token={'0' * 64} "
                                 "http://10.77.0.3:8080/fos/progress")
        assert "503" in done.stdout and "Retry-After: 5" in done.stdout
        # a restart without the database: the saved configuration
        server.daemon.stop()
        server.start(wait="event=saved_snapshot_loaded")
        assert "menu rouse: lab-01" in server.boot()
    finally:
        server.postgres.start()
    server.boot_until("rouse_ticket=", facts, seconds=5)


def test_it_comes_back_after_its_connections_were_ended(server):
    before = len(server.daemon.output)
    server.postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity "
                          "where usename = 'rouse_menud'")
    server.daemon.wait_for("event=database_away", after=before)
    server.daemon.wait_for("event=snapshot_loaded", after=before, timeout=5)
    assert "menu rouse: lab-01" in server.boot()


def test_a_silent_first_host_does_not_hide_the_second(server):
    server.daemon.stop()
    socket = server.postgres.conninfo("rouse_menud").replace("host=", "host=10.77.0.250,")
    daemon = server.start(database=socket, wait=None)
    daemon.wait_for("event=database_connected .*listen", timeout=8)


def test_kill_and_restart(server):
    server.daemon.kill()
    server.start()
    assert "menu rouse: lab-01" in server.boot()
    assert server.daemon.is_running()
    server.daemon.signal(signal.SIGHUP)
    server.daemon.wait_for("event=snapshot_loaded", after=len(server.daemon.output) - 1)
    assert server.daemon.stop() == 0


def test_the_configuration_is_checked(server):
    def run(*arguments, **more):
        file = server.write_configuration(**more)
        return server.host.run([server.build / "menud" / "menud", "--config", file, *arguments],
                               check=False)

    done = run("--check-config", more='prot = 80\n')
    assert done.returncode != 0 and "prot" in done.stdout and "port" in done.stdout
    done = run("--check-config", database="no such string")
    assert done.returncode == 0  # a parser's check; the string is the database's affair
    done = run(database="port=nonsense=5 'x")
    assert done.returncode != 0 and "database" in done.stdout
    blocker = server.host.spawn(["/usr/bin/python3", "-c",
                                 "import socket; s=socket.create_server(('', 8080)); "
                                 "print('taken', flush=True); import time; time.sleep(60)"])
    blocker.wait_for("taken")
    done = run()
    assert done.returncode != 0
    assert "port=8080" in done.stdout and "in use" in done.stdout and "remedy" in done.stdout
    blocker.stop()
