"""A system on a disk is captured from one machine and deployed to others: the whole way, and what comes between."""

import hashlib
import re
import time

import pytest

from system import SWAP_UUID, make_system
from vm import VM, make_disk

MIB = 1 << 20


@pytest.fixture(scope="module")
def system(chain, fos):
    """The disk of a machine that shall be captured."""
    return make_system(chain.workdir / "golden.raw", fos)


def wait_for_part(chain, number, seconds=150):
    """Until part `number` of the image is on its way into the store. However slow or quick the machine is: it may be there already,
    and what comes then finds another part on its way."""
    deadline = time.monotonic() + seconds
    while not list(chain.workdir.glob(f"srv/images/golden/*/*{number}.zst*")):
        assert time.monotonic() < deadline, chain.story()
        time.sleep(0.02)


@pytest.mark.patience(300)
def test_captured_here_deployed_there_and_booted(chain, system):
    """Capture: menud is killed and the cable pulled in its middle. Deploy: to a larger disk, read back. Then the disk boots in a
    machine whose firmware knows nothing of it."""
    chain.add_host("golden", "52:54:00:00:00:61")
    job = chain.value("select rouse.capture('golden', 'golden', after => 'poweroff')")
    before = hashlib.sha256(system.read_bytes()).digest()
    with chain.machine("52:54:00:00:00:61", disks=[system]) as machine:
        wait_for_part(chain, 4)
        machine.set_link(False)
        chain.kill("menud")
        chain.start("menud")
        machine.set_link(True)
        chain.wait_job(job, "succeeded", timeout=150)
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
    with chain.machine("52:54:00:00:00:62", disks=[disk], disk_bus="nvme") as machine:
        chain.wait_job(job, "succeeded", timeout=150)
        assert machine.wait_exit(timeout=60) == "guest-shutdown"

    # another bus, another firmware memory: found by EFI/BOOT/BOOTX64.EFI
    with VM(chain.workdir, name="copy", boot="uefi", disks=[disk], disk_bus="virtio", memory_mb=1024) as machine:
        machine.wait_serial("golden login:", timeout=120)
        said = machine.serial()
    assert int(re.search(r"root has MiB: (\d+)", said)[1]) > 220, said[-1000:]
    assert re.search(r"[0-9a-f]{64}  /noise", said)
    with open(disk, "rb") as file:  # swap has moved to the end
        file.seek(291 * MIB + 1024 + 12)
        assert file.read(16).hex() == SWAP_UUID.replace("-", "")
