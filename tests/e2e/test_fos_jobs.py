"""What FOS does beside images, by our own daemons: one machine, started once, does the jobs that
wait for it one after the other, and every disk is looked at from outside."""

import hashlib
import os
import re

import pytest

from vm import make_disk

MAC = "52:54:00:00:00:61"
URL = "http://10.77.0.3:8080"
STEP = "#!/bin/sh\necho \"step says $1 on $(uname -s)\"\n"


def noise(path, megabytes):
    path.write_bytes(os.urandom(megabytes << 20))
    return path


def is_empty(path):
    return not any(path.read_bytes())


def start(chain, mac, *arguments, **more):
    """A machine that starts FOS at once, by the kernel, ticket and arguments that /boot gives it."""
    script = chain.hosts["dhcpd"].run(["curl", "-fsS", f"{URL}/boot?mac0={mac}"]).stdout
    ticket = re.search(r"rouse_ticket=([0-9a-f]{32})", script).group(1)
    words = ["console=ttyS0", "quiet", f"rouse_url={URL}", f"rouse_ticket={ticket}",
             f"BOOTIF=01-{mac.replace(':', '-')}", *arguments]
    return chain.machine(mac, boot="direct", kernel=chain.fos / "bzImage", initrd=chain.fos / "init.xz",
                         append=" ".join(words), memory_mb=512, **more)


def log_of(chain, job):
    return chain.value("select text from rouse.attempt_logs where job = %s", job)


@pytest.mark.patience(200)
def test_one_boot_does_all_jobs_that_wait(chain, tmp_path):
    virtio, nvme = noise(tmp_path / "virtio", 16), noise(tmp_path / "nvme", 24)
    folder = chain.workdir / "srv" / "steps"
    folder.mkdir()
    (folder / "hello").write_text(STEP, encoding="ascii")
    digest = hashlib.sha256(STEP.encode()).hexdigest()
    chain.add_host("bench-01", MAC)
    give = "select rouse.enqueue('bench-01', {})".format
    inventory = chain.value(give("'inventory'"))
    by_drive = chain.value(give("'wipe', mode => 'normal', disk => '/dev/nvme0n1'"))
    overwrite = chain.value(give("'wipe', mode => 'full', disk => '/dev/vda'"))
    test = chain.value(give("'test'"))
    good = chain.value("select rouse.enqueue('bench-01', 'script', script => %s)",
                       f"step steps/hello {digest} hello\necho $rouse_host\n")
    bad = chain.value("select rouse.enqueue('bench-01', 'script', script => %s)",
                      f"set -e\nstep steps/hello {'0' * 64}\necho not reached\n")
    debug = chain.value(give("'debug', after => 'poweroff'"))

    with start(chain, MAC, "rouse_wipe_seconds=1", "rouse_test_memory=1", disks=[virtio],
               extra=["-drive", f"if=none,id=second,format=raw,cache=unsafe,file={nvme}",
                      "-device", "nvme,drive=second,serial=second-1",
                      "-device", "VGA"]) as machine:
        machine.wait_serial(r"rouse:.*# ", timeout=120)
        machine.type_serial("echo disks: $(ls /dev/vda); exit\n", pause=0.02)
        assert machine.wait_exit(60) == "guest-shutdown"
        screen = machine.serial()

    ended = {job: chain.job(job) for job in (inventory, by_drive, overwrite, test, good, bad, debug)}
    assert {job: row.state for job, row in ended.items()} == {
        inventory: "succeeded", by_drive: "succeeded", overwrite: "succeeded", test: "succeeded",
        good: "succeeded", bad: "failed", debug: "succeeded"}, chain.sql("select * from rouse.attempt_logs")
    assert screen.count("rouse: the client system starts.") == 1 and "disks: /dev/vda" in screen

    # wiped: each says how, promises nothing in a virtual machine, and the disks are empty
    assert re.search(r"nvme0n1 by nvme_format \(guarantee: no; read back: 1024 places\)", ended[by_drive].text)
    assert re.search(r"vda by overwrite \(guarantee: no; read back: every block\)", ended[overwrite].text)
    assert is_empty(nvme) and is_empty(virtio)

    # inventory: what QEMU built
    facts = chain.value("select data from rouse.inventories where host = 'bench-01'")
    disks = {disk["name"]: disk for disk in facts["disks"]}
    assert disks["nvme0n1"]["serial"] == "second-1" and disks["nvme0n1"]["transport"] == "nvme"
    assert disks["nvme0n1"]["firmware"] and disks["vda"]["transport"] == "virtio"
    assert [gpu["vendor"] for gpu in facts["gpus"]] == ["0x1234"]
    assert sum(module["size_bytes"] for module in facts["memory_modules"]) == 512 << 20
    assert facts["nics"][0]["vendor"] == "0x1af4" and "secure_boot" not in facts
    (health,) = facts["health"]["disks"]
    assert health["name"] == "nvme0n1" and health["smart"] == "passed" and health["media_errors"] == 0

    # the log tells what a person in the room saw, and what programs said
    assert "0 unreadable blocks" in log_of(chain, test) and "MB/s over HTTP" in log_of(chain, test)
    assert "Bit Flip" in log_of(chain, test), "memtester's own words"
    assert "step says hello on Linux\nbench-01\n" in log_of(chain, good)
    assert (ended[bad].reason, "SHA-256" in ended[bad].text) == ("script_failed", True)
    assert "not reached" not in log_of(chain, bad)
