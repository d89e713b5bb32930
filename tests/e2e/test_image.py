"""A system on a disk is captured from one machine and deployed to others: the whole way, and what comes between."""

import hashlib
import re
import subprocess
import time

import pytest

from chain import MENUD_URL, make_image
from system import SWAP_UUID, make_system
from vm import VM, make_disk

MIB = 1 << 20


@pytest.fixture(scope="module")
def system(chain, fos):
    """The disk of a machine that shall be captured."""
    return make_system(chain.workdir / "golden.raw", fos)


def wait_for_part(chain, number, seconds=300):
    """Until part `number` of the image is on its way into the store. However slow or quick the machine is: it may be there already,
    and what comes then finds another part on its way."""
    deadline = time.monotonic() + seconds
    while not list(chain.workdir.glob(f"srv/images/golden/*/*{number}.zst*")):
        assert time.monotonic() < deadline, chain.story()
        time.sleep(0.02)


@pytest.mark.patience(600)
def test_captured_here_deployed_there_and_booted(chain, system):
    """Capture and deploy: menud is killed and the cable pulled in their middle. The deploy is to a larger disk, and read back. Then the
    disk boots in a machine whose firmware knows nothing of it."""
    chain.add_host("golden", "52:54:00:00:00:61")
    job = chain.value("select rouse.capture('golden', 'golden', after => 'poweroff')")
    before = hashlib.sha256(system.read_bytes()).digest()
    with chain.machine("52:54:00:00:00:61", disks=[system]) as machine:
        wait_for_part(chain, 4)
        machine.set_link(False)
        chain.kill("menud")
        chain.start("menud")
        machine.set_link(True)
        chain.wait_job(job, "succeeded", timeout=300)
        assert machine.wait_exit(timeout=60) == "guest-shutdown"
    assert chain.job(job).attempts == 1, chain.story()
    assert hashlib.sha256(system.read_bytes()).digest() == before, "a capture writes nothing"
    parts = chain.sql("select kind, filesystem, partition, grow from rouse.image_parts where image = 'golden' order by part")
    assert [tuple(part) for part in parts] == [
        ("boot", None, 0, False), ("table", None, 0, False), ("filesystem", "vfat", 1, False),
        ("filesystem", "ext4", 2, True), ("raw", "swap", 3, False)]
    assert not list(chain.workdir.glob("srv/images/golden/*/.*"))

    chain.add_host("copy", "52:54:00:00:00:62")
    job = chain.value("select rouse.deploy('copy', 'golden', after => 'poweroff', mode => 'verify')")
    disk = make_disk(chain.workdir / "copy.raw", 300 * MIB)
    # so slow that it is in the midst of the root's part when the first report of it is there
    slow = f"{disk},throttling.bps-write={16 * MIB}"
    with chain.machine("52:54:00:00:00:62", disks=[slow], disk_bus="nvme") as machine:
        chain.wait_for("select 1 as is_writing from rouse.jobs where id = %s and step = 'write' and percent > 0", job, timeout=300)
        machine.set_link(False)
        chain.kill("menud")
        chain.start("menud")
        machine.set_link(True)
        chain.wait_job(job, "succeeded", timeout=300)
        assert machine.wait_exit(timeout=60) == "guest-shutdown"
        assert "The firmware has a boot entry for debian." in machine.serial(), machine.serial()[-1500:]
    assert chain.job(job).attempts == 1, chain.story()
    kept = (chain.workdir / "vm-525400000062-vars.fd").read_bytes()
    assert "\\EFI\\debian\\shimx64.efi".encode("utf-16le") in kept

    # another bus, another firmware memory: found by EFI/BOOT/BOOTX64.EFI
    with VM(chain.workdir, name="copy", boot="uefi", disks=[disk], disk_bus="virtio", memory_mb=1024) as machine:
        machine.wait_serial("golden login:", timeout=120)
        said = machine.serial()
    assert int(re.search(r"root has MiB: (\d+)", said)[1]) > 220, said[-1000:]
    assert re.search(r"[0-9a-f]{64}  /noise", said)
    with open(disk, "rb") as file:  # swap has moved to the end
        file.seek(291 * MIB + 1024 + 12)
        assert file.read(16).hex() == SWAP_UUID.replace("-", "")


def direct(chain, fos, name, mac, disk):
    """A machine that is to be captured, with FOS started by QEMU itself: the way there is another test's matter."""
    chain.add_host(name, mac)
    job = chain.value("select rouse.capture(%s, 'spoiled')", name)
    ticket = chain.postgres.admin("select ticket from rouse_daemon.offer(jsonb_build_object('mac0', %s), '10.77.0.100')", mac)[0].ticket
    words = f"console=ttyS0 quiet rouse_url={MENUD_URL} rouse_ticket={ticket} BOOTIF=01-{mac.replace(':', '-')}"
    return job, VM(chain.workdir, name=name, segment=chain.segment, mac=mac, disks=[disk], kernel=fos / "bzImage",
                   initrd=fos / "init.xz", append=words)


@pytest.mark.patience(400)
def test_a_capture_that_comes_to_nothing(chain, fos):
    """A file system that was not closed, and a job that is cancelled in its midst: no version of either, and menud removes the files."""
    disk = make_image(chain.workdir / "spoiled.raw", megabytes=64, payload_megabytes=40)
    # so slow that there is time to cancel it
    job, machine = direct(chain, fos, "slow", "52:54:00:00:00:63", f"{disk},throttling.bps-read={MIB}")
    with machine:
        chain.wait_for("select 1 as is_reading from rouse.jobs where id = %s and step = 'capture'", job, timeout=100)
        assert chain.value("select rouse.cancel(%s)", job) == "cancelling"
        chain.wait_job(job, "cancelled", timeout=60)
    subprocess.run(["/usr/sbin/debugfs", "-w", "-R", "ssv state 0", f"{disk}?offset={MIB}"], check=True, capture_output=True)
    job, machine = direct(chain, fos, "unclean", "52:54:00:00:00:64", disk)
    with machine:
        row = chain.wait_job(job, "failed", timeout=100)
    assert row.reason == "unclean_filesystem" and "not cleanly unmounted" in row.text, row
    assert not chain.sql("select * from rouse.images where name = 'spoiled'")
    # its next look comes within a minute, and at once when it starts
    chain.daemons["menud"].stop()
    chain.start("menud")
    chain.wait_for("select 1 as is_gone from rouse.image_versions where image = 'spoiled' having count(*) = count(collected_at)",
                   timeout=30)
    assert not (chain.workdir / "srv" / "images" / "spoiled").exists()
