"""What images come from: a raw disk, one in a format of QEMU's, a file system by partclone, or a folder of FOG's.

    source = of(Path("/images/lab-room"))       a FOG folder
    source.kind, source.disks, source.parts     as rouse.publish_image() takes them, the parts without what only storing shows
    with source.parts[0].open() as stream: ...  unpacked, or as zstd has packed it (is_packed)

Nothing is written; what is wrong is a Trouble with its remedy.
"""

import gzip
import io
import re
import struct
import subprocess
from contextlib import contextmanager
from pathlib import Path

from database import Trouble, program

ZSTD, GZIP, XZ, QCOW2 = b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"\xfd7zXZ", b"QFI\xfb"
PARTCLONE = b"partclone-image"
# partclone's word for a file system -> blkid's, which ours is
FILESYSTEMS = {"EXTFS": "ext4", "NTFS": "ntfs", "FAT12": "vfat", "FAT16": "vfat", "FAT32": "vfat", "BTRFS": "btrfs", "XFS": "xfs"}
GROWING = {"ext4", "ntfs", "btrfs", "xfs"}
MIB = 1 << 20


class Part:
    """A piece of a disk; `files` follow one another, or `octets` are all there is."""

    def __init__(self, disk, kind, place, files=(), octets=None, **more):
        self.files, self.octets = list(files), octets
        self.facts = {"disk": disk, "kind": kind, "place": place, **more}

    @property
    def is_packed(self):
        return bool(self.files) and head_of(self.files[0]).startswith(ZSTD)

    @property
    def size(self):
        return sum(file.stat().st_size for file in self.files) if self.files else len(self.octets)

    @contextmanager
    def open(self):
        """What it holds, unpacked if gzip has packed it; zstd's packing stays."""
        raw = io.BytesIO(self.octets) if self.octets is not None else io.BufferedReader(_Joined(self.files), MIB)
        with raw:
            if self.files and head_of(self.files[0]).startswith(GZIP):
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield unpacked
            else:
                yield raw


class _Joined(io.RawIOBase):
    """Files that were one: FOG's d1p1.img.000, .001, ..."""

    def __init__(self, files):
        super().__init__()
        self.left, self.file = list(files), None

    def readable(self):
        return True

    def readinto(self, buffer):
        while True:
            if self.file is None:
                if not self.left:
                    return 0
                self.file = open(self.left.pop(0), "rb", buffering=0)  # pylint: disable=consider-using-with
            if got := self.file.readinto(buffer):
                return got
            self.file.close()
            self.file = None

    def close(self):
        if self.file is not None:
            self.file.close()
        super().close()


class Source:
    def __init__(self, kind, disks, parts):
        self.kind, self.disks, self.parts = kind, disks, parts


def head_of(path):
    with open(path, "rb") as file:
        return file.read(16)


def of(path, workdir):
    """What path holds. workdir: a folder for a disk that has to be unpacked first."""
    if path.is_dir():
        return _fog(path)
    head = head_of(path)
    if not head:
        raise Trouble(f"{path} is empty", remedy="Name a disk image.")
    if _unpacked_head(path, 15) == PARTCLONE:
        return _partclone(path)
    for magic, what in ((ZSTD, "zstd"), (GZIP, "gzip"), (XZ, "xz")):
        if head.startswith(magic):
            raise Trouble(f"{path} is {what}-compressed, not a raw disk", remedy="Unpack it first (zstd -d, gunzip, unxz).")
    if head.startswith(QCOW2):
        path = _convert(path, workdir)
    return _raw(path)


def _raw(path):
    size = path.stat().st_size
    return Source("raw", [{"number": 1, "size": size}], [Part(1, "raw", size, [path])])


def _convert(path, workdir):
    target = Path(workdir) / ".disk.raw"
    # convert takes what lies behind the end of a file that was cut for zeros, and is content
    _qemu_img(path, (0, 3), "check", "-q", "-f", "qcow2", path)
    _qemu_img(path, (0,), "convert", "-f", "qcow2", "-O", "raw", "-S", "64k", path, target)
    return target


def _qemu_img(path, good, *words):
    done = subprocess.run([program("qemu-img"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode not in good:
        said = (done.stdout.strip().splitlines() or ["qemu-img check finds errors in it"])[-1]
        raise Trouble(f"{path} cannot be unpacked: {said}", remedy="Copy it again from where it was made.")


def _unpacked_head(path, length):
    """The first bytes of what a file holds, packed or not; b"" when that cannot be read."""
    head = head_of(path)
    if head.startswith(ZSTD):
        with subprocess.Popen([program("zstd"), "-q", "-dc", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as zstd:
            found = zstd.stdout.read(length)
            zstd.kill()
            return found
    try:
        with (gzip.open if head.startswith(GZIP) else open)(path, "rb") as file:
            return file.read(length)
    except (OSError, EOFError):
        return b""


def partclone_facts(path):
    """(file system, bytes of the device) of an image of partclone's, as its head says; None when it is none."""
    head = _unpacked_head(path, 64)
    if not head.startswith(PARTCLONE) or len(head) < 64:
        return None
    if head[30:34] == b"0002":
        name, (size,) = head[36:52], struct.unpack_from("<Q", head, 52)
    else:  # version 0001, by partclone before 0.3
        name, (size,) = head[15:30], struct.unpack_from("<Q", head, 40)
    word = name.split(b"\0")[0].decode("ascii", "replace").strip()
    return FILESYSTEMS.get(word, "raw"), size


def _partclone(path):
    """One file system, without a partition around it."""
    filesystem, size = partclone_facts(path)
    disk = {"number": 1, "size": size, "label": "none"}
    return Source("fixed", [disk], [Part(1, "filesystem", size, [path], filesystem=filesystem)])


# -- FOG's folders: d1.partitions, d1.mbr, d1p1.img, ... -------------------------------------------

def _fog(folder):
    numbers = sorted(int(match[1]) for file in folder.iterdir() if (match := re.fullmatch(r"d(\d+)\.partitions", file.name)))
    if not numbers:
        raise Trouble(f"{folder} holds no disk image that is known", remedy="Name a file, or a folder of FOG's with d1.partitions in it.")
    disks, parts = [], []
    for position, number in enumerate(numbers, 1):
        disk, pieces = _fog_disk(folder, number, position)
        disks.append(disk)
        parts += pieces
    if len(disks) > 1:  # of several FOG shrinks nothing
        for part in parts:
            part.facts["grow"] = False
    return Source("disks" if len(disks) > 1 else "resizable", disks, parts)


def parse_table(text):
    """(label, sector size, [(number, start, size, type)]) of what sfdisk --dump wrote, in sectors."""
    label = re.search(r"^label: *(\w+)", text, re.M)
    sector = re.search(r"^sector-size: *(\d+)", text, re.M)
    found = re.findall(r"^\S*?(\d+) *: *start= *(\d+), *size= *(\d+), *(?:type|Id)= *([^,\s]+)", text, re.M)
    return (label[1] if label else "dos", int(sector[1]) if sector else 512,
            [(int(number), int(start), int(size), kind) for number, start, size, kind in found])


def _fog_disk(folder, number, position):
    text = (folder / f"d{number}.partitions").read_text(encoding="ascii", errors="replace")
    label, sector, table = parse_table(text)
    if label not in ("gpt", "dos") or not table:
        raise Trouble(f"{folder}/d{number}.partitions is no partition table that is known", remedy="It must be what sfdisk --dump writes.")
    if "unit:" not in text:
        text = f"label: {label}\nunit: sectors\n\n" + text
    end = max(start + size for _, start, size, _ in table) * sector
    floor = end + (16384 + sector if label == "gpt" else 0)
    disk = {"number": position, "size": max(floor, _last_lba(text, sector)), "floor": floor, "sector_size": sector, "label": label}
    parts = [*_fog_boot(folder, number, position, label, min(start for _, start, _, _ in table) * sector),
             Part(position, "table", len(text), octets=text.encode())]
    for partition, _, size, kind in table:
        if kind not in ("5", "f", "85"):
            parts.append(_fog_partition(folder, number, position, partition, size * sector))
    return disk, parts


def _last_lba(text, sector):
    found = re.search(r"^last-lba: *(\d+)", text, re.M)
    return (int(found[1]) + 1) * sector + 16384 + sector if found else 0


def _fog_boot(folder, number, position, label, first):
    """FOG's d1.mbr: of a DOS disk its first sectors, of a GPT disk sgdisk's backup, which begins with the first one."""
    file = folder / f"d{number}.mbr"
    if not file.exists():
        return
    octets = file.read_bytes()[:512 if label == "gpt" else min(first, 16 * MIB)]
    if len(octets) >= 512:
        yield Part(position, "boot", len(octets), octets=octets)


def _fog_partition(folder, number, position, partition, place):
    more = {"partition": partition}
    name = f"d{number}p{partition}.img"
    files = [folder / name] if (folder / name).exists() else sorted(folder.glob(name + ".*"))
    if not files:
        return _fog_swap(folder, number, position, partition, place)
    facts = partclone_facts(files[0])
    if facts is None:
        return Part(position, "raw", place, files, **more)
    filesystem = facts[0]
    # FOG shrinks file systems before it reads them: each takes its partition's room again
    return Part(position, "filesystem", place, files, filesystem=filesystem, grow=filesystem in GROWING, **more)


def _fog_swap(folder, number, position, partition, place):
    """A partition without an image: swap, whose UUID FOG keeps in a list."""
    listed = folder / f"d{number}.original.swapuuids"
    uuids = dict(line.split()[:2] for line in listed.read_text().splitlines() if len(line.split()) > 1) if listed.exists() else {}
    word = uuids.get(str(partition), "").replace("-", "")
    if not re.fullmatch(r"[0-9A-Fa-f]{32}", word):
        raise Trouble(f"{folder}/d{number}p{partition}.img is missing", remedy="Copy the folder whole, with every file in it.")
    head = bytearray(4096)
    struct.pack_into("<III", head, 1024, 1, place // 4096 - 1, 0)
    head[1036:1052] = bytes.fromhex(word)
    head[4086:] = b"SWAPSPACE2"
    return Part(position, "raw", 4096, octets=bytes(head), filesystem="swap", partition=partition)
