"""What FOS does beside images, by our own daemons: one machine, started once, does the jobs that
wait for it one after the other, and every disk is looked at from outside; and what happens to a job
when the database, menud or the machine's power is gone in its midst."""

import hashlib
import os
import re
import subprocess

import pytest

MAC = "52:54:00:00:00:61"
STEP = "#!/bin/sh\necho \"step says $1 on $(uname -s)\"\n"


def noise(path, megabytes):
    path.write_bytes(os.urandom(megabytes << 20))
    return path


def is_empty(path):
    return not any(path.read_bytes())


def start(chain, mac, *arguments, **more):
    """A machine that starts FOS at once, by the kernel, ticket and arguments that /boot gives it."""
    words = [chain.job_arguments(mac), *arguments]
    more.setdefault("initrd", chain.fos / "init.xz")
    return chain.machine(mac, boot="direct", kernel=chain.fos / "bzImage", append=" ".join(words), memory_mb=512, **more)


def with_hooks(chain, folder):
    """The initial disk and a second archive behind it, as `build --overlay` would have laid them together."""
    for stage in ("start", "before_job", "after_job"):
        hook = folder / "overlay/rouse/hooks" / f"{stage}.d" / "10-note"
        hook.parent.mkdir(parents=True)
        hook.write_text('#!/bin/sh\necho "$1 $3 $4" >>/run/noted\n')
        hook.chmod(0o755)
    failing = folder / "overlay/rouse/hooks/start.d/20-fails"
    failing.write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    failing.chmod(0o755)
    archive = subprocess.run("find . | cpio --quiet -o -H newc", shell=True, cwd=folder / "overlay", check=True,
                             stdout=subprocess.PIPE).stdout
    (folder / "init").write_bytes((chain.fos / "init.xz").read_bytes() + archive)
    return folder / "init"


def ask(machine, command, answer):
    """Types it until its answer is on the screen: what is typed while a shell begins may lose a key."""
    for _ in range(5):
        machine.type_serial(command + "\n", pause=0.02)
        try:
            return machine.wait_serial(answer, timeout=20)
        except TimeoutError:
            pass
    return machine.wait_serial(answer, timeout=20)


def log_of(chain, job):
    return chain.value("select text from rouse.attempt_logs where job = %s", job)


@pytest.mark.patience(400)
def test_one_boot_does_all_jobs_that_wait(chain, tmp_path):
    virtio, nvme, sata = noise(tmp_path / "virtio", 16), noise(tmp_path / "nvme", 24), noise(tmp_path / "sata", 8)
    folder = chain.workdir / "srv" / "steps"
    folder.mkdir()
    (folder / "hello").write_text(STEP, encoding="ascii")
    digest = hashlib.sha256(STEP.encode()).hexdigest()
    chain.add_host("bench-01", MAC)
    give = "select rouse.enqueue('bench-01', {})".format
    inventory = chain.value(give("'inventory'"))
    by_drive = chain.value(give("'wipe', mode => 'normal', disk => '/dev/nvme0n1'"))
    overwrite = chain.value(give("'wipe', mode => 'full', disk => '/dev/vda'"))
    by_sata = chain.value(give("'wipe', mode => 'normal', disk => '/dev/sda'"))
    test = chain.value(give("'test'"))
    good = chain.value("select rouse.enqueue('bench-01', 'script', script => %s)",
                       f"step steps/hello {digest} hello\necho $rouse_host\n")
    bad = chain.value("select rouse.enqueue('bench-01', 'script', script => %s)",
                      f"set -e\nstep steps/hello {'0' * 64}\necho not reached\n")
    rescue = chain.value(give("'rescue'"))
    debug = chain.value(give("'debug', after => 'poweroff'"))
    chain.sql("update rouse.settings set value = 'console=ttyS0 quiet rouse_wipe_seconds=1 rouse_test_memory=1' "
              "where name = 'fos_arguments'")

    with start(chain, MAC, initrd=with_hooks(chain, tmp_path), disks=[virtio],
               extra=["-drive", f"if=none,id=second,format=raw,cache=unsafe,file={nvme}",
                      "-device", "nvme,drive=second,serial=second-1",
                      "-drive", f"if=none,id=third,format=raw,cache=unsafe,file={sata}",
                      # an old controller: Debian's cloud kernel has no driver for AHCI
                      "-device", "piix3-ide,id=old", "-device", "ide-hd,drive=third,bus=old.0,serial=third-1",
                      "-device", "VGA"]) as machine:
        machine.wait_serial(rf"(?s)Job {rescue}: rescue.*rouse:.*# ", timeout=240)
        # no disk takes a byte; afterwards they do again
        ask(machine, "cat /sys/block/[nsv]*/ro; echo x >/dev/vda", r"\n1\s+1\s+1\s[^$]*not permitted")
        machine.type_serial("exit\n", pause=0.02)
        machine.wait_serial(rf"(?s)Job {debug}: debug.*rouse:.*# ", timeout=60)
        ask(machine, "echo disks: $(ls /dev/vda); cat /sys/block/[nsv]*/ro /run/noted",
            r"disks: /dev/vda\s+0\s+0\s+0\s[^$]*before_job debug")
        machine.type_serial("exit\n", pause=0.02)
        assert machine.wait_exit(60) == "guest-shutdown"
        screen = machine.serial()

    ended = {job: chain.job(job) for job in (inventory, by_drive, overwrite, by_sata, test, good, bad, rescue, debug)}
    assert {job: row.state for job, row in ended.items()} == {
        inventory: "succeeded", by_drive: "succeeded", overwrite: "succeeded", by_sata: "succeeded", test: "succeeded",
        good: "succeeded", bad: "failed", rescue: "succeeded", debug: "succeeded"}, chain.sql("select * from rouse.attempt_logs")
    assert screen.count("rouse: the client system starts.") == 1

    # wiped: each says how, promises nothing in a virtual machine, and the disks are empty
    assert re.search(r"nvme0n1 by nvme_format \(guarantee: no; read back: 1024 places\)", ended[by_drive].text)
    assert re.search(r"vda by overwrite \(guarantee: no; read back: every block\)", ended[overwrite].text)
    assert re.search(r"sda by overwrite \(guarantee: no; read back: 1024 places\)", ended[by_sata].text)
    assert "security erase" in log_of(chain, by_sata), "why it was not the drive's own way"
    assert is_empty(nvme) and is_empty(virtio) and is_empty(sata)

    # the site's own hooks: each at its time, with what it is told; one that fails is shown
    assert "The hook /rouse/hooks/start.d/20-fails failed: no such luck" in screen
    noted = re.findall(r"^(start|before_job|after_job) (\w*) (\w*)\r?$", screen, re.MULTILINE)
    assert noted[:3] == [("start", "", ""), ("before_job", "inventory", ""), ("after_job", "inventory", "succeeded")], noted
    assert ("after_job", "script", "failed") in noted and noted[-1] == ("before_job", "debug", "")

    # inventory: what QEMU built
    facts = chain.value("select data from rouse.inventories where host = 'bench-01'")
    disks = {disk["name"]: disk for disk in facts["disks"]}
    assert disks["nvme0n1"]["serial"] == "second-1" and disks["nvme0n1"]["transport"] == "nvme"
    assert disks["nvme0n1"]["firmware"] and disks["vda"]["transport"] == "virtio"
    assert [gpu["vendor"] for gpu in facts["gpus"]] == ["0x1234"]
    assert sum(module["size_bytes"] for module in facts["memory_modules"]) == 512 << 20
    assert facts["nics"][0]["vendor"] == "0x1af4" and "secure_boot" not in facts
    assert disks["sda"]["transport"] == "ata" and disks["sda"]["serial"] == "third-1"
    health = {disk["name"]: disk for disk in facts["health"]["disks"]}
    assert health["nvme0n1"]["smart"] == "passed" and health["nvme0n1"]["media_errors"] == 0
    assert health["sda"]["smart"] == "passed", "asked of a real ATA drive, as QEMU plays it"

    # the log tells what a person in the room saw, and what programs said
    assert "0 unreadable blocks" in log_of(chain, test) and "MB/s over HTTP" in log_of(chain, test)
    assert "Bit Flip" in log_of(chain, test), "memtester's own words"
    assert "step says hello on Linux\nbench-01\n" in log_of(chain, good)
    assert (ended[bad].reason, "SHA-256" in ended[bad].text) == ("script_failed", True)
    assert "not reached" not in log_of(chain, bad)


WAITS = """echo begun
until fos-http /tmp/go get $rouse_url/files/steps/go 0 </dev/null >/dev/null 2>&1; do sleep 1; done
"""


@pytest.mark.patience(400)
def test_what_goes_away_in_the_midst_of_a_job(chain, tmp_path):
    """The database and menud for minutes, which the test tells them instead of waiting: the job goes on. The
    machine's power: it is done again, from its beginning, by the next boot."""
    mac, disk = "52:54:00:00:00:62", noise(tmp_path / "disk", 16)
    (chain.workdir / "srv" / "steps").mkdir(exist_ok=True)
    chain.add_host("bench-02", mac)
    script = chain.value("select rouse.enqueue('bench-02', 'script', script => %s)", WAITS)
    wipe = chain.value("select rouse.enqueue('bench-02', 'wipe', mode => 'normal', disk => '/dev/vda', after => 'poweroff')")
    chain.sql("update rouse.settings set value = 'console=ttyS0 quiet' where name = 'fos_arguments'")
    forget = "update rouse_data.attempt set lease_until = clock_timestamp() - interval '1 second' where ended_at is null"

    with start(chain, mac, "rouse_wipe_seconds=600", disks=[disk]) as machine:
        machine.wait_serial(r"0 % script", timeout=90)
        chain.kill("menud")
        chain.postgres.crash()
        machine.wait_serial("the server is away; this goes on", timeout=60)
        chain.postgres.start()
        chain.postgres.admin("update rouse_data.daemon set seen_at = seen_at - interval '5 minutes' where daemon = 'menud'")
        chain.postgres.admin(forget)
        chain.postgres.admin("select * from rouse_daemon.tick()")
        assert chain.job(script).state == "running", "who could not be heard was not silent"
        chain.start("menud")
        (chain.workdir / "srv" / "steps" / "go").write_text("go\n")
        ended = chain.wait_job(script, "succeeded")
        assert (ended.attempts, ended.reason) == (1, None)
        machine.wait_serial("Wiping begins in", timeout=60)
        # the power goes here
    assert not is_empty(disk)
    chain.postgres.admin(forget)
    ended = chain.wait_job(wipe, "queued")
    assert (ended.reason, ended.attempts) == ("lost_client", 1)
    chain.postgres.admin("update rouse_data.job set retry_at = null where id = %s", wipe)

    with start(chain, mac, "rouse_wipe_seconds=0", disks=[disk]) as machine:
        assert machine.wait_exit(90) == "guest-shutdown"
    assert (chain.job(wipe).state, chain.job(wipe).attempts) == ("succeeded", 2) and is_empty(disk)
