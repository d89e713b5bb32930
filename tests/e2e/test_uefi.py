"""A machine with nothing but its UEFI firmware (EDK2's own PXE client, no iPXE ROM)."""

import pytest

from chain import ONLY_HTTP, make_image, sha256
from vm import make_disk

MAC = "52:54:00:00:00:01"
DISK_BYTES = 96 << 20

# the stages of the way, in the order in which a machine passes them
WAY = [("fw_dhcp", "discover"), ("fw_dhcp", "ack"), ("tftp_nbp", "sent"), ("ipxe_dhcp", "ack"),
       ("script", "sent"), ("script", "job"), ("kernel", "sent"), ("initrd", "sent"),
       ("fos", "checkin"), ("work", "step"), ("report", "succeeded")]


@pytest.fixture(scope="module")
def image(chain):
    """A small disk that is published as `tiny-debian`; the file it was made from."""
    file = make_image(chain.workdir / "tiny.raw")
    chain.add_image("tiny-debian", file)
    return file


def first_times(chain, mac):
    """When each stage and kind was seen first."""
    return {(row.stage, row.kind): row.at for row in chain.sql(
        "select stage, kind, min(at) as at from rouse.events where mac = %s group by 1, 2", mac)}


@pytest.mark.patience(240)
def test_a_job_waits_and_is_done(chain, image):
    chain.add_host("lab-01", MAC)
    job = chain.value("select rouse.deploy('lab-01', 'tiny-debian')")
    disk = make_disk(chain.workdir / "disk.raw", DISK_BYTES)
    with chain.machine(MAC, disks=[disk]) as machine:
        chain.wait_job(job, "succeeded", timeout=200)
        assert machine.wait_exit(timeout=60) == "guest-reset"

    # the disk, seen from outside, is the image
    assert sha256(disk, image.stat().st_size) == sha256(image)
    # the story is whole and in order
    times = first_times(chain, MAC)
    assert [step for step in WAY if step not in times] == [], chain.story()
    assert sorted(WAY, key=times.get) == WAY, chain.story()
    # one machine, one address: firmware, iPXE and FOS were given the same one
    addresses = chain.sql("select distinct address from rouse.events where mac = %s "
                          "and kind = 'ack'", MAC)
    assert len(addresses) == 1, chain.story()
    # the job passed every state, and nothing was tried twice
    states = [row.state for row in chain.sql(
        "select to_state as state from rouse.job_history where job = %s order by at", job)]
    assert states == ["queued", "running", "succeeded"]
    assert chain.job(job).attempts == 1


@pytest.mark.patience(240)
def test_each_daemon_is_killed_in_mid_deploy(chain):
    """Leases, the transfer and the job survive: the stream goes on where it stopped (an image that takes seconds)."""
    mac = "52:54:00:00:00:02"
    big = make_image(chain.workdir / "big.raw", megabytes=400, payload_megabytes=340)
    chain.add_image("big", big)
    chain.add_host("lab-02", mac)
    job = chain.value("select rouse.deploy('lab-02', 'big', after => 'poweroff')")
    disk = make_disk(chain.workdir / "disk2.raw", 432 << 20)
    with chain.machine(mac, disks=[disk]) as machine:
        chain.wait_for("select 1 as is_writing from rouse.jobs where id = %s and step = 'write' "
                       "and percent between 1 and 80", job, timeout=150)
        for name in ("menud", "tftpd", "dhcpd"):
            chain.kill(name)
        assert chain.job(job).state == "running"
        for name in ("menud", "tftpd", "dhcpd"):
            chain.start(name)
        chain.wait_job(job, "succeeded", timeout=150)
        assert machine.wait_exit(timeout=60) == "guest-shutdown"
    assert sha256(disk, big.stat().st_size) == sha256(big)
    assert chain.job(job).attempts == 1, chain.story()


@pytest.mark.patience(240)
def test_an_unknown_machine_registers_itself(chain):
    """The menu, a key, and the machine has a name, an inventory and a place in the database."""
    mac = "52:54:00:00:00:03"
    with chain.machine(mac, serial_number="SN-0003") as machine:
        # the clock of the menu runs: from now on it takes keys
        machine.wait_serial(r"(?s)Register this machine.*\(\d+\)", timeout=120)
        assert not chain.sql("select * from rouse.nics where mac = %s", mac)
        machine.type_serial("q")
        machine.wait_exit(timeout=120)
    (host,) = chain.sql("select h.* from rouse.hosts h join rouse.nics n on n.host = h.name "
                        "where n.mac = %s", mac)
    assert host.state == "active" and host.serial == "SN-0003"
    (job,) = chain.sql("select * from rouse.jobs where host = %s", host.name)
    assert (job.kind, job.state) == ("register", "succeeded")
    assert chain.sql("select * from rouse.inventories where host = %s", host.name)


@pytest.mark.patience(200)
def test_http_boot_needs_no_tftp(chain):
    """UEFI HTTP Boot: dhcpd names a URL, menud gives iPXE, and iPXE finds its way to the menu."""
    mac = "52:54:00:00:00:04"
    with chain.machine(mac, extra=ONLY_HTTP) as machine:
        machine.wait_serial("Register this machine", timeout=120)
    assert chain.wait_event(mac, "fw_dhcp", kind="ack").name.endswith(":8080/files/tftp/ipxe.efi")
    assert chain.wait_event(mac, "script", kind="menu")
    assert not chain.sql("select * from rouse.events where mac = %s and stage = 'tftp_nbp' and daemon = 'tftpd'", mac)
