"""What `cmake --install` puts where, and the daemons with no more rights than their units give them."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from postgres import Postgres
from test_dhcpd_kit import LOADED, Site

ROOT = Path(__file__).resolve().parents[2]
EXPOSURE = {"tftpd": 1.3, "menud": 1.3, "dhcpd": 1.8}


@pytest.fixture(scope="module", name="installed")
def make_installed(build, tmp_path_factory):
    place = tmp_path_factory.mktemp("install")
    (command,) = re.findall(r"```sh\n(.*)\n```", (ROOT / "docs/how-to/install.md").read_text(encoding="utf-8"))
    subprocess.run(command.replace("build/release", str(build)).split(), check=True, capture_output=True,
                   env={**os.environ, "DESTDIR": str(place)})
    return place


def unit(installed, name):
    return (installed / "usr/lib/systemd/system" / name).read_text(encoding="ascii")


def test_nothing_is_outside_usr(installed):
    assert [entry.name for entry in installed.iterdir()] == ["usr"]
    programs = {entry.name for entry in (installed / "usr/sbin").iterdir()}
    assert programs == {"rouse-dhcpd", "rouse-tftpd", "rouse-menud", "rouse-db"}
    assert not list(installed.rglob("__pycache__"))


@pytest.mark.parametrize("daemon, most", EXPOSURE.items())
def test_units_expose_little(installed, daemon, most):
    said = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--root={installed}",
                           f"rouse-{daemon}.service"], check=True, capture_output=True, text=True).stdout
    level = float(re.search(r"Overall exposure level for .*: ([\d.]+)", said)[1])
    assert level <= most, said


@pytest.mark.parametrize("name", ["rouse-dhcpd.service", "rouse-tftpd.service", "rouse-menud.service",
                                  "rouse-tftpd.socket", "rouse-menud.socket"])
def test_units_are_understood(installed, name):
    """The root has no sysinit.target and no manual pages' reader, which is no fault of a unit."""
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={installed}", name], check=False,
                          capture_output=True, text=True)
    faults = [line for line in (said.stdout + said.stderr).splitlines()
              if not re.search(r"Unit sysinit.target not found|/bin/kill is not executable", line)]
    assert not faults


def test_what_a_unit_starts_is_installed(installed):
    for daemon in EXPOSURE:
        program, *flags = re.search(r"^ExecStart=(.*)$", unit(installed, f"rouse-{daemon}.service"), re.M)[1].split()
        done = subprocess.run([installed / program[1:], *flags, "--print-config"], check=True, capture_output=True,
                              text=True)
        assert f"/var/lib/rouse/{daemon}" in done.stdout


def test_sysusers_and_tmpfiles_are_understood(installed, tmp_path):
    (tmp_path / "etc").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", installed / "usr/lib/sysusers.d/rouse.conf"], check=True)
    assert re.search(r"^rouse:", (tmp_path / "etc/passwd").read_text(encoding="ascii"), re.M)
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}", installed / "usr/lib/tmpfiles.d/rouse.conf"],
                   check=True)
    assert (tmp_path / "srv/rouse").is_dir()


def test_the_installed_rouse_db_finds_its_parts(installed):
    """And the schema, below its own prefix."""
    with Postgres() as postgres:
        done = subprocess.run([installed / "usr/sbin/rouse-db", "verify", "--private", postgres.directory], check=False,
                              capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------- with the rights of the unit, and no more

@pytest.fixture(scope="module", name="programs")
def make_programs(build):
    """Where users without rights may walk, wherever the build is."""
    place = Path(tempfile.mkdtemp(prefix="rouse-install-", dir="/tmp"))
    place.chmod(0o755)
    for daemon in EXPOSURE:
        shutil.copy(build / daemon / daemon, place)
    (place / "root").mkdir()
    (place / "root" / "file").write_bytes(b"over a port that was given")
    yield place
    shutil.rmtree(place)


def as_unit(text, user):
    """The command before a daemon that leaves it what its unit would."""
    capabilities = re.search(r"^AmbientCapabilities=(.*)$", text, re.M)[1].lower().replace("cap_", "").split()
    wanted = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs",
            f"--inh-caps={wanted}", f"--ambient-caps={wanted}", f"--bounding-set={wanted}"]


def activated(installed, daemon, listen):
    """systemd's own stand-in for a socket unit."""
    fdname = re.search(r"^FileDescriptorName=(.*)$", unit(installed, f"rouse-{daemon}.socket"), re.M)[1]
    return ["systemd-socket-activate", *listen, f"--fdname={fdname}",
            *as_unit(unit(installed, f"rouse-{daemon}.service"), "daemon" if daemon == "tftpd" else "postgres")]


def test_tftpd_needs_no_capability(lab, programs, installed):
    lab.segment("lan")
    server, client = lab.host("server", ["10.77.0.2/24"]), lab.host("client", ["10.77.0.9/24"])
    server.spawn([*activated(installed, "tftpd", ["-d", "-l", "69"]), programs / "tftpd", "--root", programs / "root",
                  "--state-dir", ""], name="tftpd").wait_for("Listening")
    # the first request starts it
    assert client.run(["curl", "-sS", "--max-time", "30", "tftp://10.77.0.2/file"]).stdout == "over a port that was given"


def test_menud_needs_no_capability(lab, programs, installed, postgres):
    lab.segment("lan")
    server, client = lab.host("server", ["10.77.0.3/24"]), lab.host("client", ["10.77.0.9/24"])
    server.spawn([*activated(installed, "menud", ["-l", "10.77.0.3:80"]), programs / "menud", "--database",
                  postgres.conninfo("rouse_menud"), "--state-dir", "", "--root", "/srv"], name="menud")
    done = client.run(["curl", "-sS", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "--fail",
                       "http://10.77.0.3/readyz"], timeout=60)
    assert "database connected" in done.stdout


def test_dhcpd_needs_two_capabilities(lab, build, programs, installed, postgres, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path)
    text = unit(installed, "rouse-dhcpd.service")
    site.daemon = site.server.spawn([
        *as_unit(text, "postgres"), programs / "dhcpd", "--interface", "eth0", "--database", postgres.conninfo("rouse_dhcpd"),
        "--state-dir", "", "--log-level", "debug"], name="dhcpd")
    site.daemon.wait_for(LOADED, timeout=20)
    site.daemon.wait_for("event=serving")
    site.wait_until(lambda: site.wire("02:00:00:00:ff:fe").discover(timeout=0.5))
    # from the offer by a frame to a client without an address to the recorded lease
    assert site.wire("02:00:00:00:01:01").lease().yiaddr.startswith("10.77.0.")
    site.close()


# ---------------------------------------------------------------- what a daemon gives up by itself

def confined(process):
    """Of each thread of it: has it a filter, and can it gain no rights?"""
    told = [status.read_text(encoding="ascii") for status in Path(f"/proc/{process.pid}/task").glob("*/status")]
    return [("\nSeccomp:\t2" in text, "\nNoNewPrivs:\t1" in text) for text in told]


def test_every_thread_of_tftpd_is_confined(lab, build, tmp_path):
    """Also those of the pool, made later, which write what is uploaded. With `confine = false` there is nothing of it."""
    lab.segment("lan")
    server, client = lab.host("server", ["10.77.0.2/24"]), lab.host("client", ["10.77.0.9/24"])
    (tmp_path / "file").write_bytes(b"x" * 1000)
    for name, flags, expected in (("one", [], (True, True)), ("two", ["--confine=false"], (False, False))):
        process = server.spawn([build / "tftpd" / "tftpd", "--root", tmp_path, "--upload-root", tmp_path, "--state-dir", "",
                                *flags], name="tftpd")
        process.wait_for("event=started")
        client.run(["curl", "-sS", "--max-time", "30", "-T", tmp_path / "file", f"tftp://10.77.0.2/{name}"])
        assert (tmp_path / name).stat().st_size == 1000
        states = confined(process)
        assert len(states) > 1 and set(states) == {expected}
        process.stop()


def test_dhcpd_and_menud_are_confined(lab, postgres, build, tmp_path):
    """With their connections to the database, whose names are looked up by threads."""
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path)
    site.start()
    menud = site.server.spawn([build / "menud" / "menud", "--database", postgres.conninfo("rouse_menud"),
                               "--state-dir", "", "--root", tmp_path], name="menud")
    menud.wait_for("event=snapshot_loaded")
    assert set(confined(menud)) == set(confined(site.daemon)) == {(True, True)}
    site.close()
