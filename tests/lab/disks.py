"""Disks made as plain files: a partition table, and a file system with one file in each partition that shall have one.

    disk = make(folder / "a.raw", 100, "label: gpt\\nsize=40MiB\\n", {1: "xfs"}, noise=b"...")
    with mounted(disk, 1, "xfs") as (tree, size): (tree / "noise").read_bytes()

Partitions are found by what `sfdisk --json` says of the file. Needs root: file systems are mounted by this machine's kernel, NTFS
and FAT are read by their own tools, for not every kernel knows them.
"""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

MIB = 1 << 20
# a file system that is made anew, in a file of its own
MAKERS = {
    "ext4": ["mke2fs", "-q", "-t", "ext4", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q"],
    "ntfs": ["mkfs.ntfs", "-q", "-F", "-Q"],
    "vfat": ["mkfs.vfat", "-F", "32"],
    "swap": ["mkswap", "-L", "swapped"],
}


def run(*command, **more):
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    done = subprocess.run([str(word) for word in command], env=environment, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}{done.stdout.decode()}"
    return done.stdout


def partitions(disk):
    """{number: (first byte, bytes)}, by the table that is on it."""
    table = json.loads(run("sfdisk", "--json", disk))["partitiontable"]
    sector = table.get("sectorsize", 512)
    return {int(re.search(r"\d+$", part["node"])[0]): (part["start"] * sector, part["size"] * sector)
            for part in table.get("partitions", [])}


def make(disk, mebibytes, table, filesystems, noise):
    """Makes the disk; returns its path. `noise` is the content of the file /noise of each file system."""
    with open(disk, "wb") as file:
        file.truncate(mebibytes * MIB)
    run("sfdisk", "-q", disk, input=table.encode())
    for number, (start, size) in partitions(disk).items():
        if number not in filesystems:
            continue
        part = disk.with_suffix(".part")
        with open(part, "wb") as file:
            file.truncate(size)
        _fill(part, filesystems[number], noise)
        run("dd", f"if={part}", f"of={disk}", "bs=1M", "oflag=seek_bytes", f"seek={start}", "conv=notrunc,sparse")
        part.unlink()
    return disk


def _fill(part, filesystem, noise):
    run(*MAKERS[filesystem], part)
    source = part.with_suffix(".noise")
    source.write_bytes(noise)
    if filesystem == "ntfs":
        run("ntfscp", "-f", "-q", part, source, "noise")
    elif filesystem == "vfat":
        run("mcopy", "-i", part, source, "::noise")
    elif filesystem != "swap":
        with _mount(part, 0, None, filesystem) as tree:
            (tree / "noise").write_bytes(noise)
    source.unlink()


@contextmanager
def _mount(file, offset, size, filesystem, options=""):
    """Mounted where only we see it: a namespace that another test makes meanwhile would keep it mounted, and unwritten."""
    tree = file.with_suffix(".tree")
    tree.mkdir(exist_ok=True)
    limit = f",sizelimit={size}" if size else ""
    script = 'mount -t "$1" -o "$2" "$3" "$4" && echo mounted && read -r until; umount "$4"'
    words = [filesystem, f"loop,offset={offset}{limit}{options}", str(file), str(tree)]
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", script, "sh", *words],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"mounted\n", words
        yield Path(f"/proc/{holder.pid}/root{tree}")
        holder.stdin.write(b"\n")
        holder.stdin.flush()
    assert holder.returncode == 0, words


@contextmanager
def mounted(disk, number, filesystem):
    """The mounted file system of a partition, to be read."""
    options = ",ro" + {"ext4": ",noload", "xfs": ",norecovery"}.get(filesystem, "")
    with _mount(disk, *partitions(disk)[number], filesystem, options) as tree:
        yield tree


def read(disk, number, filesystem):
    """What the file /noise of a partition holds, and how large its file system takes itself to be."""
    if filesystem not in ("ntfs", "vfat"):
        with mounted(disk, number, filesystem) as tree:
            facts = os.statvfs(tree)
            return (tree / "noise").read_bytes(), facts.f_blocks * facts.f_frsize
    start, size = partitions(disk)[number]
    part = disk.with_suffix(".read")
    run("dd", f"if={disk}", f"of={part}", "bs=1M", "iflag=skip_bytes,count_bytes", f"skip={start}", f"count={size}", "conv=sparse")
    try:
        if filesystem == "ntfs":
            found = re.search(rb"Current volume size: (\d+)", run("ntfsresize", "--info", "--force", "--no-progress-bar", part))
            return run("ntfscat", "-f", part, "noise"), int(found[1])
        with open(part, "rb") as file:
            head = file.read(512)
        sectors = int.from_bytes(head[32:36], "little") or int.from_bytes(head[19:21], "little")
        return run("mtype", "-i", part, "::noise"), sectors * 512
    finally:
        part.unlink()
