"""A systemd of its own, as the first process of namespaces of its own, over a copy of this system that is forgotten.

    with InitSystem(folder, installed) as system:
        system.run("systemctl start rouse-tftpd.socket")
        with system.entered():
            ...sockets made here are in its network, which has a loopback and nothing else...

`folder` must be on no overlay (a tmpfs is mounted there); what is below `installed` is laid over the copy. Of this
system's own units none is started but the journal. Needs root, and systemd installed; what it starts is in a
control group of its own.
"""

import os
import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import net

BOOT_SECONDS = 60
DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
# What only hardware needs, and what would look at this machine's own, stays out.
KEPT = {"systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"}

PREPARE = """
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/,upperdir=$0/changed,workdir=$0/work $0/root
cp -a $1/usr/. $0/root/usr/
cd $0/root
rm -rf etc/systemd/system/*.wants
printf '[Unit]\\nDescription=tests\\n' >etc/systemd/system/tests.target
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for name in %(devices)s; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mount -t tmpfs tmpfs tmp
ip link set lo up
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec env -i container=rouse PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
	/lib/systemd/systemd --system --unit=tests.target --show-status=0 --log-target=journal
""" % {"devices": " ".join(DEVICES)}

NAMESPACES = ["--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--uts", "--ipc", "--net"]


def run(*command):
    """A command of the test's own, that has to succeed; what it said."""
    done = subprocess.run([str(word) for word in command], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


class InitSystem:
    """See the module's text."""

    def __init__(self, folder, installed):
        self.folder = folder
        self.installed = installed
        self.group = folder / "groups" / f"rouse-{os.getpid()}"
        self.pid = None
        self._starter = None

    def __enter__(self):
        run("mount", "-t", "tmpfs", "-o", "size=512m", "none", self.folder)
        for name in ("changed", "work", "root", "groups"):
            (self.folder / name).mkdir()
        run("mount", "-t", "cgroup2", "cgroup2", self.folder / "groups")
        self.group.mkdir()
        self._forget_units()
        try:
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _forget_units(self):
        """What this system's targets would pull in, but for the journal: whiteouts of the overlay."""
        for wanted in Path("/lib/systemd/system").glob("*.target.wants/*"):
            if wanted.name in KEPT:
                continue
            hidden = self.folder / "changed" / "usr/lib/systemd/system" / wanted.parent.name / wanted.name
            hidden.parent.mkdir(parents=True, exist_ok=True)
            os.mknod(hidden, 0o20000, 0)

    def _boot(self):
        log = open(self.folder / "log", "wb")  # pylint: disable=consider-using-with
        with log:
            self._starter = subprocess.Popen(  # pylint: disable=consider-using-with
                ["sh", "-ec", 'echo $$ >"$0/cgroup.procs"; exec "$@"', self.group, "unshare", *NAMESPACES,
                 "sh", "-ec", PREPARE, self.folder, self.installed],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._is_up():
            assert self._starter.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def _is_up(self):
        found = subprocess.run(["pgrep", "-P", str(self._starter.pid), "-x", "systemd"], check=False, text=True,
                               stdout=subprocess.PIPE).stdout.split()
        if not found:
            return False
        self.pid = int(found[0])
        return self.try_run("systemctl is-active tests.target").returncode == 0

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8")

    def try_run(self, command):
        """In there, by a shell; a CompletedProcess with both streams in stdout, as text."""
        return subprocess.run(["nsenter", f"--target={self.pid}", "--all", "sh", "-c", command], check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command):
        done = self.try_run(command)
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{self.journal()}"
        return done.stdout

    def journal(self):
        return self.try_run("journalctl --no-pager --output=short-monotonic").stdout

    def wait_for_journal(self, pattern, seconds=30):
        """Until it holds the regular expression: what a unit says gets there a moment later."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.journal()):
            assert time.monotonic() < deadline, self.journal()
            time.sleep(0.1)

    def write(self, path, text, mode=0o644):
        target = Path(f"/proc/{self.pid}/root") / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)

    @contextmanager
    def entered(self):
        """The calling thread is in its network meanwhile: sockets made now stay there for good."""
        with net.entered_network(f"/proc/{self.pid}/ns/net"):
            yield self

    def __exit__(self, *_):
        if self._starter:
            self._starter.kill()  # and with it, by --kill-child, the first process and all others
            self._starter.wait()
        deadline = time.monotonic() + BOOT_SECONDS
        while self.group.exists():
            try:
                for group in sorted(self.group.glob("**/"), reverse=True):
                    group.rmdir()
            except OSError:  # they have not all ended yet
                assert time.monotonic() < deadline
                time.sleep(0.1)
        run("umount", self.folder / "groups")
        run("umount", self.folder)
