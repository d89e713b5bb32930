"""FOS for arm64: built on this machine by a cross compiler and Debian's arm64 packages, and a job done by it."""

import subprocess
from pathlib import Path

import pytest

MAC = "52:54:00:00:00:63"
BUILD = Path(__file__).resolve().parents[2] / "packaging/fos/build"


@pytest.mark.long
@pytest.mark.patience(1200)
def test_an_arm64_machine_does_its_job(chain, tmp_path):
    """It downloads 150 MB. The boot loader's part is played: which FOS a machine gets is one setting for all."""
    subprocess.run([BUILD, "--arch", "arm64", "--out", tmp_path / "fos"], check=True)
    chain.add_host("arm-01", MAC)
    chain.sql("update rouse.settings set value = 'console=ttyAMA0 quiet' where name = 'fos_arguments'")
    job = chain.value("select rouse.inventory('arm-01', after => 'poweroff')")
    with chain.machine(MAC, boot="arm64", kernel=tmp_path / "fos/Image", initrd=tmp_path / "fos/init.xz", append=chain.job_arguments(MAC)) as machine:
        assert machine.wait_exit(300) == "guest-shutdown"
    assert chain.job(job).state == "succeeded"
    facts = chain.value("select data from rouse.inventories where host = 'arm-01'")
    assert facts["cpu_count"] == 2 and facts["nics"][0]["mac"] == MAC
