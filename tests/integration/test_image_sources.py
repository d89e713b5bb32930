"""rouse-db image add: what other programs made becomes a version, and what comes out again is what went in."""

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROUSE_DB = Path(__file__).resolve().parents[2] / "packaging" / "rouse-db"
MIB = 1 << 20
UUID = "5a5a0002-1111-4222-8333-444455556666"
ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, env=ENVIRONMENT, capture_output=True, **more).stdout


class Site:
    def __init__(self, postgres, store):
        self.postgres, self.store = postgres, store

    def add(self, name, path):
        """Adds it; the parts of the newest version."""
        done = subprocess.run([ROUSE_DB, "image", "add", "--conninfo", self.postgres.conninfo(), "--store", self.store, name, path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return self.parts(name)

    def refused(self, name, path):
        """What it says when it does not take it; nothing is left of it."""
        done = subprocess.run([ROUSE_DB, "image", "add", "--conninfo", self.postgres.conninfo(), "--store", self.store, name, path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "remedy" in done.stderr, done
        assert [file.name for file in (self.store / "images" / name).rglob("*")] in ([], [".lock"])
        return done.stderr

    def parts(self, name):
        return self.postgres.sql("select p.* from rouse.image_parts p join rouse.images i on i.name = p.image and i.version = p.version "
                                 "where i.name = %s order by part", name)

    def content(self, part):
        """Unpacked, after its hash has been compared."""
        file = self.store / part.path
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part.sha256 and file.stat().st_size == part.size
        return run("zstd", "-q", "-dc", file)


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    return Site(postgres, tmp_path_factory.mktemp("store"))


def ext4(path, megabytes):
    """A file system with a file in it."""
    tree = path.with_suffix(".tree")
    tree.mkdir()
    (tree / "hello").write_bytes(os.urandom(100_000))
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, path, f"{megabytes}M")
    shutil.rmtree(tree)
    return path


def partclone(path):
    """As partclone reads it, without its chatter."""
    return subprocess.run(["partclone.extfs", "-c", "-q", "-f", "1", "-L", "/dev/null", "-s", path, "-o", "-"], check=True, env=ENVIRONMENT,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def test_a_qcow2_disk(site, tmp_path):
    raw, qcow = tmp_path / "disk.raw", tmp_path / "disk.qcow2"
    raw.write_bytes(os.urandom(3 * MIB) + bytes(5 * MIB))
    run("qemu-img", "convert", "-O", "qcow2", raw, qcow)
    (part,) = site.add("from-qcow2", qcow)
    assert site.content(part) == raw.read_bytes()
    assert (part.kind, part.place, part.content_sha256) == ("raw", 8 * MIB, hashlib.sha256(raw.read_bytes()).hexdigest())
    assert sorted(file.name for file in (site.store / "images/from-qcow2/1").iterdir()) == ["disk.raw.zst"]
    whole = qcow.read_bytes()
    for size in (200, 1 * MIB, len(whole) - 65536):
        qcow.write_bytes(whole[:size])
        assert "cannot be unpacked" in site.refused("broken-qcow2", qcow), size


@pytest.mark.parametrize("pack", ["plain", "gzip", "zstd"])
def test_a_file_system_by_partclone(site, tmp_path, pack):
    image = partclone(ext4(tmp_path / "fs", 16))
    packed = {"plain": image, "gzip": gzip.compress(image), "zstd": run("zstd", "-q", "-c", input=image)}[pack]
    (tmp_path / "image").write_bytes(packed)
    (part,) = site.add(f"partclone-{pack}", tmp_path / "image")
    assert (part.kind, part.filesystem, part.partition, part.place) == ("filesystem", "ext4", 0, 16 * MIB)
    assert site.content(part) == image
    # what it holds on a disk cannot be known: partclone's head has its own version
    assert part.content_sha256 is None


@pytest.fixture(scope="module", name="fog_made")
def make_fog(tmp_path_factory):
    """A folder as FOG leaves it: a DOS disk with ext4, an image in two halves, and swap that is a UUID only."""
    tmp_path = tmp_path_factory.mktemp("fog")
    disk, folder = tmp_path / "disk.raw", tmp_path / "fog"
    folder.mkdir()
    with open(disk, "wb") as file:
        file.truncate(48 * MIB)
    run("sfdisk", "-q", disk, input=b"label: dos\n2048,32768,L,*\n34816,16384,S\n51200,40960,L\n")
    first, third = ext4(tmp_path / "1", 16), ext4(tmp_path / "3", 20)
    (folder / "d1.partitions").write_bytes(run("sfdisk", "-d", disk))
    (folder / "d1.mbr").write_bytes(os.urandom(MIB))
    (folder / "d1.original.swapuuids").write_text(f"2 {UUID}\n")
    first, third = partclone(first), partclone(third)
    (folder / "d1p1.img").write_bytes(gzip.compress(first))
    packed = run("zstd", "-q", "-c", input=third)
    (folder / "d1p3.img.000").write_bytes(packed[:70_000])
    (folder / "d1p3.img.001").write_bytes(packed[70_000:])
    return folder, first, third


@pytest.fixture
def fog(fog_made, tmp_path):
    """A copy to spoil."""
    return Path(shutil.copytree(fog_made[0], tmp_path / "fog")), *fog_made[1:]


def test_a_folder_of_fogs(site, fog):
    folder, first, third = fog
    parts = site.add("from-fog", folder)
    assert [(p.kind, p.partition, p.filesystem, p.grow) for p in parts] == [
        ("boot", 0, None, False), ("table", 0, None, False), ("filesystem", 1, "ext4", True), ("raw", 2, "swap", False),
        ("filesystem", 3, "ext4", True)]
    boot, table, one, swap, three = (site.content(part) for part in parts)
    assert boot == (folder / "d1.mbr").read_bytes() and table == (folder / "d1.partitions").read_bytes()
    assert one == first and three == third
    assert swap[1036:1052].hex() == UUID.replace("-", "") and swap[4086:] == b"SWAPSPACE2"
    (disk,) = site.postgres.sql("select * from rouse.image_disks where image = 'from-fog'")
    assert (disk.label, disk.sector_size, disk.floor) == ("dos", 512, (51200 + 40960) * 512)
    assert site.postgres.value("select type from rouse.images where name = 'from-fog'") == "resizable"


@pytest.mark.parametrize("spoil, words", [
    (lambda folder: (folder / "d1p1.img").unlink(), "d1p1.img is missing"),
    (lambda folder: (folder / "d1.original.swapuuids").unlink(), "d1p2.img is missing"),
    (lambda folder: (folder / "d1.partitions").unlink(), "holds no disk image that is known"),
    (lambda folder: (folder / "d1.partitions").write_text("nonsense"), "no partition table"),
    (lambda folder: (folder / "d1p3.img.001").unlink(), "zstd ended with code")])
def test_a_folder_that_is_not_whole(site, fog, spoil, words):
    """Nothing is published of it, and nothing stays in the store."""
    spoil(fog[0])
    assert words in site.refused("half-fog", fog[0])
