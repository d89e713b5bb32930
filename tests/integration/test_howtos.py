"""Commands that how-tos show, run as they show them: only paths, hosts and users are the test's. Other pages' are run by
tests/e2e/test_one_daemon_alone.py, test_commands.py and test_systemd.py, and tests/integration/test_install.py."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs/how-to"


def blocks(page):
    return re.findall(r"^```sh\n(.*?)^```", (HOW_TO / page).read_text(encoding="utf-8"), re.M | re.S)


def run(script, changes, folder):
    for old, new in changes.items():
        script = script.replace(old, str(new))
    done = subprocess.run(["bash", "-euc", script], check=False, text=True, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, "PATH": f"{ROOT}/packaging:{os.environ['PATH']}"})
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


@pytest.fixture(name="place")
def make_place():
    """Where PostgreSQL's user can go, too."""
    place = Path(tempfile.mkdtemp(prefix="rouse-howto-", dir="/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def test_https(lab, postgres, build, place):
    postgres.fresh()
    authority, install, look = blocks("https.md")
    run(authority, {}, place)
    (place / "etc").mkdir()
    (place / "etc/menud.conf").write_text(
        f'database = "{postgres.conninfo("rouse_menud")}"\nroot = "{place}"\nstate_dir = ""\n', encoding="ascii")
    run(install, {"/etc/rouse/": f"{place}/etc/", "-g rouse": "-g root"}, place)
    lab.segment("lan")
    server, client = lab.host("server", ["10.77.0.3/24"]), lab.host("client", ["10.77.0.9/24"])
    menud = server.spawn([build / "menud" / "menud", "--config", place / "etc/menud.conf"], name="menud")
    menud.wait_for("event=snapshot_loaded")
    assert "database connected" in client.run(["sh", "-c", look], cwd=place).stdout


@pytest.mark.patience(180)
def test_backup_upgrade_and_restore(postgres, place):
    postgres.fresh()
    postgres.sql("insert into rouse.hosts (name) values ('lab-01')")
    (place / "images").mkdir()
    (place / "backup").mkdir()
    disk = place / "disk.raw"
    disk.write_bytes(os.urandom(1 << 20))
    store = {"/srv/rouse/images": place / "images", "/backup": place / "backup", "/var/tmp/trial": place / "trial",
             "host=db.example dbname=rouse": postgres.conninfo("postgres"), "host=new.example dbname=rouse": postgres.conninfo("postgres", "other")}
    run(f"rouse-db image add --conninfo '{postgres.conninfo()}' --store {place} tiny {disk}", {}, place)
    save, trial, earnest = blocks("backup.md")
    run(save, store, place)
    said = run(trial, store, place)
    assert "all is well" in said and not (place / "trial").exists()
    postgres.admin("drop database if exists other")
    postgres.admin("create database other")
    try:
        assert "all is well" in run(earnest, store, place)
    finally:
        postgres.admin("drop database other with (force)")
    (upgrade,) = blocks("upgrade.md")
    said = run(upgrade, store, place)
    assert "nothing to do" in said and "all is well" in said


def test_secure_boot(place):
    (page,) = blocks("secure-boot.md")
    install, *copies = page.splitlines()
    wanted = set(install.split()) - {"apt-get", "install", "--yes", "--no-install-recommends"}
    run(f"dpkg -s {' '.join(sorted(wanted))}", {}, place)
    run("\n".join(copies), {"/srv/rouse/tftp": place}, place)
    # the firmware is given just these by tests/e2e/test_grub.py
    for file in (place / "shimx64.efi", place / "grubx64.efi"):
        assert file.read_bytes().startswith(b"MZ")
