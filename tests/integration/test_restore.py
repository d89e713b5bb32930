"""A filled database is backed up and restored on another server, and all three daemons work on it."""

import subprocess
import time

import pytest

from postgres import ROUSE_DB, Postgres

MAC = "52:54:00:00:00:0b"  # lab-09 of the demonstration, which has a queued job
MORE = {"dhcpd": 'interface = "eth0"\n', "tftpd": 'root = "{0}"\n', "menud": 'root = "{0}"\nimage_store = "{0}"\n'}


def rouse_db(*words):
    done = subprocess.run([ROUSE_DB, *words], text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module", name="restored")
def make_restored(tmp_path_factory):
    """The demonstration's database, restored into a cluster of its own; the first one is gone."""
    folder = tmp_path_factory.mktemp("restore")
    with Postgres() as first:
        rouse_db("demo", "--private", first.directory)
        rouse_db("backup", "--private", first.directory, folder / "rouse.dump")
        other = Postgres(first.directory.parent / "other")
        said = rouse_db("restore", "--private", other.directory, folder / "rouse.dump")
        assert "all is well" in said
        first.stop()
        yield other
        other.stop()


def start(host, folder, daemon, restored, build):
    file = folder / f"{daemon}.conf"
    (folder / daemon).mkdir()
    file.write_text(f'database = "{restored.conninfo(f"rouse_{daemon}")}"\nstate_dir = "{folder / daemon}"\n'
                    + MORE[daemon].format(folder), encoding="utf-8")
    running = host.spawn([build / daemon / daemon, "--config", file], name=daemon)
    running.wait_for("event=snapshot_loaded")
    return running


def test_the_daemons_work_on_a_restored_database(lab, restored, build, tmp_path):
    lab.segment("lan")
    host = lab.host("server", ["10.77.0.1/24"])
    client = lab.host("client", ["10.77.0.9/24"])
    (tmp_path / "fos").mkdir()
    (tmp_path / "ipxe.efi").write_bytes(b"a first stage")
    daemons = [start(host, tmp_path, daemon, restored, build) for daemon in MORE]

    # menud offers the job that was queued when the backup was made, and its ticket lets the machine in
    deadline = time.monotonic() + 30
    while "rouse_ticket=" not in (script := client.run(
            ["curl", "-sS", f"http://10.77.0.1:8080/boot?mac0={MAC}&arch=x86_64&platform=efi"]).stdout):
        # a database that was never asked may need longer at first; the machine asks again, too
        assert "the job database is away" in script and time.monotonic() < deadline, script
    ticket = script.split("rouse_ticket=")[1][:32]
    answer = client.run(["curl", "-sS", "http://10.77.0.1:8080/fos/checkin", "-d",
                         f"ticket={ticket}&token={'e' * 64}&mac0={MAC}"]).stdout
    assert "answer=wait" in answer, answer  # the slots are taken by the jobs that were running

    # what is configured anew comes through, though this server counts its transactions anew
    restored.sql("update rouse.menu set title = 'After the restore' where key = 'local'")
    deadline = time.monotonic() + 30
    while "After the restore" not in client.run(
            ["curl", "-sS", "http://10.77.0.1:8080/boot?mac0=52:54:00:00:00:99"]).stdout:
        assert time.monotonic() < deadline, "the change was not seen"
        time.sleep(0.1)
    assert [(row.daemon, row.problem) for row in restored.sql(
        "select daemon, problem from rouse.daemons where instance <> 'demo' order by daemon")] == [
            ("dhcpd", None), ("menud", None), ("tftpd", None)]
    for daemon in daemons:
        assert daemon.stop() == 0, daemon.output
