"""FOS without a virtual machine: its initial disk as a root folder, its jobs as they are, this machine's kernel, and loop
devices as its disks. What takes a minute in an emulated machine takes a second here.

    root = FosRoot(fos, folder)
    with root.machine(client, "http://10.77.0.3:8080", MAC, vda=file) as machine:
        print(machine.run_job(ticket))      # the log, as the person in the room sees it

`client` is a host of the laboratory (tests/lab/net.py): the jobs speak from its network. What is not FOS's own: this kernel reads
no partition tables, so that `partx` tells it what FOS wrote, and programs of the `metal` kernel's list are this machine's. Needs root.
"""

import re
import shutil
import subprocess
from pathlib import Path

# What the agent does for one job, between the network and the reboot.
DRIVER = """#!/bin/sh
export PATH=/usr/bin:/usr/sbin LC_ALL=C FOS_SYS=/fake.sys
run=/run/rouse
mkdir -p "$run"
for part in cmdline log screen answer client identity network json disk work image job hooks; do
	. "/rouse/lib/$part.sh"
done
modules_load() { :; }
# a function, for busybox's shell prefers its applets to programs of the same name
blockdev() {
	if [ "$1" != --rereadpt ]; then
		command blockdev "$@"
		return
	fi
	partx -d "$2" 2>/dev/null
	partx -a "$2" 2>/dev/null
	return 0
}
url=$1 ticket=$2 screen_consoles=
token=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \\n')
log_begin
client_call checkin ticket "$ticket" token "$token" mac0 "$3" firmware "$4" || echo "no check-in: $client_error"
job_load
hooks_run before_job
job_run
hooks_run after_job
job_finish
cat "$run/log"
"""

IN_THE_ROOT = """mount --make-rprivate / && cd {root} && mount -t proc proc proc && mount -t sysfs sys sys &&
mount --rbind /dev dev.host && mount -t tmpfs run run && exec chroot . /drive "$@" 2>&1"""

FOREIGN = ("/usr/bin/partx", "/usr/sbin/xfs_growfs", "/usr/bin/btrfs")


class FosRoot:
    """The root folder: `fos` is the folder of init.xz, `folder` where it is unpacked."""

    def __init__(self, fos, folder):
        self.root = Path(folder) / "root"
        self.root.mkdir()
        subprocess.run(["sh", "-c", f"xz -dc '{fos}/init.xz' | cpio -i --quiet"], cwd=self.root, check=True)
        (self.root / "dev.host").mkdir()
        for name in ("null", "zero", "random", "urandom"):
            (self.root / "dev" / name).symlink_to(f"/dev.host/{name}")
        for program in FOREIGN:
            self._add_program(program)
        self._write("drive", DRIVER)

    def _write(self, name, text):
        path = self.root / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)

    def add_hook(self, stage, name, text):
        folder = self.root / "rouse" / "hooks" / f"{stage}.d"
        folder.mkdir(exist_ok=True)
        self._write(folder / name, text)

    def _add_program(self, program):
        """A program of this machine, with libraries that FOS does not have."""
        shutil.copy(program, self.root / "usr" / "bin" / Path(program).name)
        said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"=> (/\S+)", said):
            place = self.root / "usr" / "lib" / Path(library).name
            if not place.exists():
                shutil.copy(library, place)

    def machine(self, client, url, mac, firmware="bios", sector_size=512, **disks):
        return Machine(self, client, (url, mac, firmware), sector_size, disks)


class Machine:
    """One machine of that root, with `disks`: the name of each and its file. Use it as a context manager."""

    def __init__(self, root, client, words, sector_size, disks):
        self.root, self.client, self.words = root.root, client, words
        self.sector_size, self.disks = sector_size, disks
        self.loops = {}

    def __enter__(self):
        shutil.rmtree(self.root / "fake.sys", ignore_errors=True)
        for node in (self.root / "dev").glob("vd*"):
            node.unlink()
        try:
            for name, file in self.disks.items():
                self._attach(name, Path(file))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for loop in self.loops.values():
            subprocess.run(["partx", "-d", loop], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["losetup", "--detach", loop], check=True)

    def _attach(self, name, file):
        loop = subprocess.run(["losetup", "--find", "--show", "--sector-size", str(self.sector_size), file], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()
        self.loops[name] = loop
        subprocess.run(["partx", "-a", loop], check=False, stderr=subprocess.DEVNULL)
        facts = self.root / "fake.sys" / "block" / name
        (facts / "queue").mkdir(parents=True)
        for fact, value in (("size", file.stat().st_size // 512), ("removable", 0), ("ro", 0),
                            ("queue/logical_block_size", self.sector_size)):
            (facts / fact).write_text(f"{value}\n", encoding="ascii")
        for number in ["", *range(1, 17)]:
            node = Path(loop).name + (f"p{number}" if number else "")
            (self.root / "dev" / f"{name}{number}").symlink_to(f"/dev.host/{node}")

    def start_job(self, ticket):
        """A Process; its output is the log."""
        url, mac, firmware = self.words
        return self.client.spawn(["unshare", "-m", "sh", "-c", IN_THE_ROOT.format(root=self.root), "fos", url, ticket, mac,
                                  firmware], name="fos")

    def run_job(self, ticket, seconds=100):
        process = self.start_job(ticket)
        status = process.wait(seconds)
        assert status == 0, process.output
        return process.output
