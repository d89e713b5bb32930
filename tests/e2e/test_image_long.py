"""A Debian as debootstrap installs it: used, captured, deployed to another machine, and used there."""

from pathlib import Path

import pytest

from disks import partitions, run
from system import make_debian
from vm import VM, make_disk

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20


def use(machine, commands):
    """Boots to the login prompt, logs in on the serial line, says so much, and switches off; all that it said."""
    machine.wait_serial("golden login:", timeout=400)
    machine.type_serial("root\n", pause=0.02)
    machine.wait_serial("root@golden:~#", timeout=120)
    machine.type_serial(commands + "; echo all is sa\'\'id\n", pause=0.02)
    machine.wait_serial("all is said", timeout=120)
    machine.type_serial("poweroff\n", pause=0.02)
    assert machine.wait_exit(timeout=180) == "guest-shutdown"
    return machine.serial()


@pytest.mark.long
@pytest.mark.patience(2400)
def test_a_debian_is_captured_deployed_and_used(chain):
    golden = make_debian(chain.workdir / "golden.raw", ROOT / "build" / "debootstrap")
    with VM(chain.workdir, name="used", boot="uefi", disks=[golden], memory_mb=1024) as machine:
        use(machine, "echo I was here >/root/note; sync")

    chain.add_host("golden", "52:54:00:00:00:65")
    job = chain.value("select rouse.capture('golden', 'debian', after => 'poweroff')")
    with chain.machine("52:54:00:00:00:65", disks=[golden]) as machine:
        chain.wait_job(job, "succeeded", timeout=600)
        assert machine.wait_exit(timeout=60) == "guest-shutdown"

    chain.add_host("copy", "52:54:00:00:00:66")
    job = chain.value("select rouse.deploy('copy', 'debian', after => 'poweroff', mode => 'verify')")
    disk = make_disk(chain.workdir / "copy.raw", 2000 * MIB)
    with chain.machine("52:54:00:00:00:66", disks=[disk], disk_bus="nvme") as machine:
        chain.wait_job(job, "succeeded", timeout=600)
        assert machine.wait_exit(timeout=60) == "guest-shutdown"

    # firmware that has never seen it, with Secure Boot on: by the fallback path
    asked = "cat note; findmnt -bno SIZE / | sed 's/^/root has /'; swapon --show=NAME --noheadings; systemctl is-system-running"
    with VM(chain.workdir, name="secure", boot="secure", disks=[disk], disk_bus="nvme", memory_mb=1024) as machine:
        said = use(machine, asked)
    assert "I was here" in said and "/dev/nvme0n1p3" in said and "running" in said.split("is-system-running")[-1]
    assert int(said.rsplit("root has ", 1)[1].split()[0]) > 1700 * MIB

    # the firmware of the machine that it was deployed on: by its boot entry, for the fallback path is gone
    run("mdeltree", "-i", f"{disk}@@{partitions(disk)[1][0]}", "::EFI/BOOT")
    with VM(chain.workdir, name="entry", boot="uefi", disks=[disk], disk_bus="nvme", memory_mb=1024,
            variables=chain.workdir / "vm-525400000066-vars.fd") as machine:
        use(machine, "true")
