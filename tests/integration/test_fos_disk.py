"""fos-disk: on plain files, and on drives that tests/lab/fake_drive.c plays, for QEMU has none with
security erase or sanitize. What real passthrough does, tests/e2e/test_fos_jobs.py shows on NVMe."""

import os
import random
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "packaging/fos/disk").glob("*.c"))
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
SIZE = 6 << 20


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two of it: with sanitizers for plain files, and without for the preloaded drive."""
    out = tmp_path_factory.mktemp("fos-disk")
    subprocess.run(["cc", *FLAGS, "-fsanitize=address,undefined", "-fno-sanitize-recover", *SOURCES,
                    "-o", out / "checked"], check=True)
    subprocess.run(["cc", *FLAGS, *SOURCES, "-o", out / "plain"], check=True)
    subprocess.run(["cc", *FLAGS, "-shared", "-fPIC", ROOT / "tests/lab/fake_drive.c",
                    "-o", out / "drive.so"], check=True)
    return out


class Drive:
    """A file under a disk's name, with its /sys and /proc, and what fos-disk made of it."""

    def __init__(self, built, folder, name, how="", rotational=False, is_guest=False):
        self.built, self.folder, self.name, self.how = built, folder, name, how
        self.file = folder / name
        self.data = random.Random(7).randbytes(SIZE)
        self.file.write_bytes(self.data)
        (folder / "block" / name / "queue").mkdir(parents=True)
        (folder / "block" / name / "device").mkdir()
        (folder / "block" / name / "queue/rotational").write_text(f"{int(rotational)}\n")
        (folder / "block" / name / "device/vendor").write_text("ATA     \n" if "ata" in how else "X\n")
        (folder / "cpuinfo").write_text("flags\t\t: fpu" + " hypervisor" * is_guest + "\n")

    def run(self, *words):
        environment = {**os.environ, "FOS_SYS": str(self.folder), "FOS_PROC": str(self.folder),
                       "FOS_WORK": str(self.folder), "FAKE_DRIVE": self.how,
                       "FAKE_DRIVE_LOG": str(self.folder / "commands")}
        program = self.built / "checked"
        if self.how:
            program = self.built / "plain"
            environment["LD_PRELOAD"] = str(self.built / "drive.so")
        done = subprocess.run([program, words[0], self.file, *words[1:]], env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.said = done.stdout
        return done.returncode

    def lines(self, name):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def result(self):
        return dict(line.split("=", 1) for line in self.lines("result"))

    def is_empty(self):
        return not any(self.file.read_bytes())


def test_fast_clears_where_systems_look(built, tmp_path):
    drive = Drive(built, tmp_path, "vda")
    assert drive.run("wipe", "fast") == 0, drive.said
    data = drive.file.read_bytes()
    assert not any(data[:1 << 20]) and not any(data[-1 << 20:])
    assert data[1 << 20:-1 << 20] == drive.data[1 << 20:-1 << 20]
    assert drive.result()["guarantee"] == "no" and drive.result()["method"] == "clear_edges"


@pytest.mark.parametrize("mode, checked", [("normal", "1024 places"), ("full", "every block")])
@pytest.mark.parametrize("rotational, is_guest, guarantee", [
    (True, False, "yes"), (False, False, "no"), (True, True, "no")])
def test_overwriting(built, tmp_path, mode, checked, rotational, is_guest, guarantee):
    drive = Drive(built, tmp_path, "sda", rotational=rotational, is_guest=is_guest)
    assert drive.run("wipe", mode) == 0, drive.said
    assert drive.is_empty()
    result = drive.result()
    assert (result["method"], result["guarantee"], result["checked"]) == ("overwrite", guarantee, checked)
    assert "percent=100" in drive.lines("progress") or "percent=99" in drive.lines("progress")


def test_a_disk_with_an_odd_end(built, tmp_path):
    drive = Drive(built, tmp_path, "vda")
    drive.file.write_bytes(drive.data[:-512])
    assert drive.run("wipe", "full") == 0 and drive.is_empty()
    assert drive.file.stat().st_size == SIZE - 512
    tiny = Drive(built, tmp_path, "vdb")
    tiny.file.write_bytes(b"x" * 1024)
    assert tiny.run("wipe", "normal") == 0 and tiny.is_empty(), tiny.said


def test_ata_security_erase(built, tmp_path):
    drive = Drive(built, tmp_path, "sda", "ata secure")
    assert drive.run("wipe", "normal") == 0, drive.said
    assert drive.lines("commands") == ["set password", "prepare", "erase enhanced"]
    result = drive.result()
    assert (result["method"], result["guarantee"]) == ("ata_security_erase_enhanced", "yes")
    data = drive.file.read_bytes()
    assert not any(data[:1 << 20]) and not any(data[-1 << 20:]) and any(data)


def test_full_overwrites_what_the_drive_has_erased(built, tmp_path):
    drive = Drive(built, tmp_path, "sda", "ata secure")
    assert drive.run("wipe", "full") == 0, drive.said
    assert drive.is_empty() and drive.result()["method"] == "ata_security_erase_enhanced+overwrite"


@pytest.mark.parametrize("how, why", [("ata secure frozen", "frozen"), ("ata", "no security erase")])
def test_a_drive_that_cannot_is_overwritten_and_says_why(built, tmp_path, how, why):
    drive = Drive(built, tmp_path, "sda", how)
    assert drive.run("wipe", "normal") == 0, drive.said
    assert drive.is_empty() and drive.lines("commands") == []
    assert drive.result()["method"] == "overwrite" and why in drive.result()["why"]


@pytest.mark.parametrize("how, command, method", [
    ("nvme sanitize", "sanitize 0x4", "nvme_sanitize_crypto"),
    ("nvme", "format 0x203", "nvme_format")])
def test_nvme_erases_itself_and_keeps_its_format(built, tmp_path, how, command, method):
    drive = Drive(built, tmp_path, "nvme0n1", how)
    assert drive.run("wipe", "normal") == 0, drive.said
    assert drive.lines("commands") == [command] and drive.result()["method"] == method


def test_other_namespaces_of_a_drive_are_not_touched(built, tmp_path):
    drive = Drive(built, tmp_path, "nvme0n1", "nvme sanitize shared")
    assert drive.run("wipe", "normal") == 0, drive.said
    assert drive.lines("commands") == [] and drive.is_empty()
    assert "other namespaces" in drive.result()["why"]


@pytest.mark.parametrize("name, how", [("sda", "ata secure lies"), ("nvme0n1", "nvme lies")])
def test_a_drive_that_lies_is_found_out(built, tmp_path, name, how):
    drive = Drive(built, tmp_path, name, how)
    assert drive.run("wipe", "normal") == 3
    assert "holds what it held before" in drive.said and drive.result() == {}


def test_health(built, tmp_path):
    drive = Drive(built, tmp_path, "sda", "ata secure failing")
    assert drive.run("info") == 0
    assert set(drive.said.split()) >= {"firmware=.1", "smart=failing", "hours=12345"}
    assert Drive(built, tmp_path, "nvme0n1", "nvme").run("info") == 0


def test_reading_all(built, tmp_path):
    drive = Drive(built, tmp_path, "vda")
    assert drive.run("read") == 0
    assert f"{SIZE} bytes read, 0 unreadable blocks" in drive.said
    assert drive.file.read_bytes() == drive.data


@pytest.mark.parametrize("words", [("wipe",), ("wipe", "quick"), ("read", "x"), ("erase",)])
def test_wrong_words_do_nothing(built, tmp_path, words):
    drive = Drive(built, tmp_path, "vda")
    assert drive.run(*words) == 1 and "usage" in drive.said
    assert drive.file.read_bytes() == drive.data
