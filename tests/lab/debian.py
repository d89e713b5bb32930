"""A Debian 12 of its own with systemd as process 1, in a virtual machine: where units, sockets and packages are real.

    base = make_base(ROOT / "build" / "debian")     # once: some minutes, from the Debian mirror
    with Guest(workdir, base, segment=segment, packages=folder_of_debs) as guest:
        guest.run("dpkg -i /packages/*.deb")        # its output; fails when the command does
        guest.run("systemctl is-active rouse-tftpd")

The guest's eth0 has 10.77.0.2/24. Its serial line is a root shell, nothing else is written there. PostgreSQL is installed with
Debian's own cluster; of rouse there is nothing.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from vm import VM

MIRROR = os.environ.get("ROUSE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
DISK_MIB = 2048
READY = "the shell is ready"

# the system, and what our packages depend on: the guest has no way to a mirror
PACKAGES = """systemd-sysv dbus udev kmod linux-image-cloud-amd64 initramfs-tools iproute2 curl procps
	postgresql postgresql-client python3 zstd libuv1 libpq5 libmicrohttpd12 libconfuse2 libjansson4 libseccomp2
	libnettle8 libcap2-bin""".split()

FILES = {
    "etc/hostname": "guest\n",
    "etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
    "etc/initramfs-tools/conf.d/rouse": "MODULES=list\nCOMPRESS=zstd\n",
    "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\next4\n",
    "etc/apt/apt.conf.d/rouse": 'APT::Install-Recommends "false";\n',
    "etc/systemd/network/lan.network": "[Match]\nName=eth0\n[Network]\nAddress=10.77.0.2/24\nLinkLocalAddressing=no\n",
    "etc/systemd/system/shell.service": """[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/sh -c "stty -echo; echo the shell is ready; exec sh"
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
Environment=PS1= PS2= TERM=dumb HOME=/root
TimeoutStopSec=2
[Install]
WantedBy=multi-user.target
""",
}
SET_UP = """set -e
update-initramfs -u -k all
systemctl enable systemd-networkd shell.service
systemctl mask serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer
rm -f /usr/sbin/policy-rc.d
apt-get clean
"""


def _run(command, **more):
    done = subprocess.run([str(word) for word in command], text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "DEBIAN_FRONTEND": "noninteractive"},
                          **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout[-3000:]}")


def make_base(place):
    """The folder of `vmlinuz`, `initrd` and `disk`; kept in `place` until what is above changes."""
    wanted = hashlib.sha256(repr((PACKAGES, FILES, SET_UP, DISK_MIB)).encode()).hexdigest()[:16]
    base = Path(place) / wanted
    if base.exists():
        return base
    tree = Path(place) / f"{wanted}.tree"
    part = Path(place) / f"{wanted}.part"
    for folder in (tree, part):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    _run(["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "bookworm", tree, MIRROR])
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="ascii")
    _run(["chroot", tree, "sh", "-c", SET_UP])
    for kind in ("vmlinuz", "initrd"):
        (file,) = (tree / "boot").glob(f"{kind}*-amd64")
        shutil.copy(file, part / kind)
    _run(["mke2fs", "-q", "-t", "ext4", "-d", tree, part / "disk", f"{DISK_MIB}M"])
    shutil.rmtree(tree)
    part.rename(base)
    return base


class Guest:
    """One such machine, switched on from __enter__ to __exit__. What it writes is lost then."""

    def __init__(self, workdir, base, segment, packages):
        self.workdir, self.base, self.segment = Path(workdir), base, segment
        self.disks = [self.workdir / "disk", self.workdir / "packages"]
        _run(["cp", "--sparse=always", base / "disk", self.disks[0]])
        _run(["mke2fs", "-q", "-t", "ext4", "-d", packages, self.disks[1], "64M"])
        self.tap = segment.add_tap()
        self.machine = None
        self._count = 0

    def __enter__(self):
        self.machine = VM(self.workdir, name="guest", kernel=self.base / "vmlinuz", initrd=self.base / "initrd",
                          append="root=/dev/vda rw console=ttyS0 quiet loglevel=1 net.ifnames=0 systemd.show_status=false",
                          segment=self.segment, tap=self.tap, mac="52:54:00:00:77:02", disks=self.disks, memory_mb=1024)
        self.machine.__enter__()  # pylint: disable=unnecessary-dunder-call
        try:
            self.machine.wait_serial(READY, timeout=600)
            self.run("mkdir -p /packages; mount -o ro /dev/vdb /packages")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.machine.__exit__()  # pylint: disable=unnecessary-dunder-call

    def restart(self):
        """After it has ended by itself: QEMU does not follow a reboot."""
        self.__exit__()
        self.__enter__()

    def run(self, command, check=True, timeout=240):
        """Runs it in the guest's shell; its output of both streams. With check=False its status is not looked at."""
        self._count += 1
        begin = len(self.machine.serial())
        # the mark as it is typed is not the mark as it is printed
        self.machine.send_line(f"( {command}\n) </dev/null 2>&1; echo \"@@{self._count} $?@@\"\n")
        found = self.machine.wait_serial(rf"@@{self._count} (\d+)@@", timeout)
        said = self.machine.serial()[begin:found.start()].replace("\r\n", "\n").strip()
        if check and found[1] != "0":
            raise AssertionError(f"guest: {command}\nended with {found[1]}:\n{said}")
        return said
