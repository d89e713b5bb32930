"""The Debian packages: built, judged by lintian, and installed, upgraded and purged by dpkg in a copy of this system
that is an overlay and forgotten afterwards."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAEMONS = ["dhcpd", "tftpd", "menud"]
# Says that systemd runs; what it is asked for is written down. One unit may run, and may be enabled.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/calls
case "$*" in
*is-enabled*) cat /enabled 2>/dev/null || echo disabled ;;
*is-active*) test -e /active ;;
esac
"""


class Copy:
    """This system, to be changed at will: what was changed lies in `changed`."""

    def __init__(self, place):
        self.place = place
        self.changed = place / "changed"
        self.run("true")

    def run(self, command):
        for name in ("changed", "work", "all"):
            (self.place / name).mkdir(exist_ok=True)
        script = (f"mount -t overlay overlay -o lowerdir=/,upperdir={self.changed},workdir={self.place}/work "
                  f"{self.place}/all && mount -t proc proc {self.place}/all/proc && "
                  f"exec chroot {self.place}/all sh -ec \"$0\"")
        done = subprocess.run(["unshare", "--mount", "sh", "-ec", script, command], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def write(self, path, text, mode=0o644):
        target = self.changed / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)

    def calls(self):
        """What systemd was asked for since the last look."""
        told = self.changed / "calls"
        text = told.read_text(encoding="utf-8") if told.exists() else ""
        told.unlink(missing_ok=True)
        return [line for line in text.splitlines() if "is-" not in line]

    def traces(self):
        """What there is of rouse, but for dpkg's own books."""
        return sorted(str(path.relative_to(self.changed)) for path in self.changed.rglob("*rouse*")
                      if path.is_file() and not str(path).startswith(str(self.changed / "var/lib/dpkg"))
                      and not str(path).startswith(str(self.changed / "debs")))


@pytest.fixture(scope="module", name="packages")
def make_packages(tmp_path_factory):
    place = tmp_path_factory.mktemp("debs")
    done = subprocess.run([ROOT / "packaging/deb", "--out", place], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym"})
    assert done.returncode == 0, done.stdout[-4000:]
    return place


@pytest.fixture(name="copy")
def make_copy(packages):
    """On a file system of its own, for an overlay lies on no other overlay."""
    place = Path("/run") / f"rouse-packages-{os.getpid()}"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "none", place], check=True)
    try:
        copy = Copy(place)
        (copy.changed / "debs").mkdir()
        for package in packages.glob("*.deb"):
            shutil.copy(package, copy.changed / "debs")
        # in the copy systemd seems to run, and nobody forbids services
        copy.write("usr/bin/systemctl", SYSTEMCTL, 0o755)
        copy.run("mkdir -p /run/systemd/system; rm -f /usr/sbin/policy-rc.d")
        yield copy
    finally:
        subprocess.run(["umount", place], check=True)
        place.rmdir()


def test_their_names(packages):
    names = {path.name.split("_")[0] for path in packages.glob("*.deb")}
    assert names == {"rouse-dhcpd", "rouse-tftpd", "rouse-menud", "rouse-db", "rouse-fos", "rouse-doc"}


def test_lintian_is_content(packages):
    (changes,) = packages.glob("*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--no-cfg", "--fail-on", "error,warning", changes], check=False,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout


@pytest.mark.patience(120)
def test_installed_upgraded_removed_and_purged(copy):
    copy.run("dpkg -i /debs/rouse-*.deb")
    # every daemon runs alone and reads its file; nothing was started
    for daemon in DAEMONS:
        assert copy.run(f"rouse-{daemon} --version").startswith(f"{daemon} ")
        assert "database = " in copy.run(f"rouse-{daemon} --config /etc/rouse/{daemon}.conf --print-config")
    assert "usage: rouse-db" in copy.run("rouse-db --help")
    assert "rouse:" in copy.run("getent passwd rouse")
    assert not [call for call in copy.calls() if "start" in call]
    assert not list(copy.changed.glob("etc/systemd/system/**/*rouse*"))

    # what the site wrote stays; what runs is restarted, at once with the new program
    copy.write("etc/rouse/tftpd.conf", 'root = "/srv"\n')
    copy.run("mkdir -p /var/lib/rouse/dhcpd; echo leases >/var/lib/rouse/dhcpd/leases")
    copy.write("active", "")
    copy.run("dpkg -i --force-confold /debs/rouse-dhcpd_*.deb /debs/rouse-tftpd_*.deb")
    calls = copy.calls()
    assert any("restart" in call and "rouse-dhcpd.service" in call for call in calls), calls
    assert not any("stop" in call.split() for call in calls), calls
    assert (copy.changed / "etc/rouse/tftpd.conf").read_text(encoding="utf-8") == 'root = "/srv"\n'
    assert (copy.changed / "var/lib/rouse/dhcpd/leases").exists()

    # removed, it is stopped and its state is kept; purged, nothing is left but what the site put into /srv/rouse
    copy.run("dpkg -r rouse-dhcpd")
    assert any("stop" in call.split() and "rouse-dhcpd.service" in call for call in copy.calls())
    assert (copy.changed / "var/lib/rouse/dhcpd/leases").exists()
    copy.run("dpkg -P rouse-dhcpd rouse-tftpd rouse-menud rouse-db rouse-fos rouse-doc")
    assert not copy.traces()
    for folder in ("etc/rouse", "var/lib/rouse", "srv/rouse"):
        assert not (copy.changed / folder).is_dir()
