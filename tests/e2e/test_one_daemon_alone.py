"""docs/how-to/one-daemon-alone.md, command by command, each daemon on a host of its own. Only the folders
and the interface are the laboratory's."""

import re
import shutil
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/one-daemon-alone.md"
MAC = "52:54:00:00:00:01"


def commands(folder):
    """The page's commands in order: (section, command), each joined to one line of the shell."""
    section = None
    for heading, block in re.findall(r"^## ([^\n]*)$|^```sh\n(.*?)^```", PAGE.read_text("utf-8"),
                                     re.M | re.S):
        if heading:
            section = heading.split(":")[0]
            continue
        block = block.replace("/srv/rouse", f"{folder}/srv").replace("/var/lib/rouse", f"{folder}/lib")
        # a command ends at a line's end that is neither escaped nor inside quotes
        for command in re.findall(r"(?:[^\n\"'\\]|\\.|\\\n|\"[^\"]*\"|'[^']*')+", block):
            yield section, command


@pytest.fixture
def folder():
    """Below /tmp, where PostgreSQL's user can go, too."""
    place = Path(tempfile.mkdtemp(prefix="rouse-alone-", dir="/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.mark.patience(300)
def test_the_page(lab, build, fos, folder):
    lab.segment("lan")
    hosts = {"tftpd": lab.host("tftpd", ["10.77.0.2/24"]), "menud": lab.host("menud", ["10.77.0.3/24"]),
             "dhcpd": lab.host("dhcpd", ["10.77.0.1/24"])}
    client = lab.host("client", ["10.77.0.9/24"], mac=MAC)
    (folder / "srv/fos").mkdir(parents=True)
    said = {}
    for section, command in commands(folder):
        daemon = re.match(r"build/release/(\w+)/", command)
        if daemon:
            command = command.replace("build/release/", f"{build}/").replace("eth1", "eth0")
            command += f" --state-dir {folder}/lib/{daemon[1]}" if "lib" not in command else ""
            process = hosts[daemon[1]].spawn(f"exec {command}", name=daemon[1])
            process.wait_for("event=(started|serving)" if daemon[1] == "tftpd"
                             else "event=snapshot_loaded", timeout=20)
            if daemon[1] == "dhcpd":
                boot_by_dhcp(client)
        elif command.startswith("packaging/fos/build"):
            for name in ("bzImage", "init.xz"):  # made already, by the same program
                shutil.copy(fos / name, folder / "srv/fos" / name)
        else:
            place = client if command.startswith("curl") else hosts["dhcpd"]
            deadline = time.monotonic() + 5
            answer = place.run(command, cwd=ROOT, timeout=90).stdout
            # events are on their way for a fraction of a second
            while "trace" in command and " ack" not in answer and time.monotonic() < deadline:
                answer = place.run(command, cwd=ROOT).stdout
            said[command.split()[0], section, "trace" in command] = answer
    script = said["curl", "tftpd", False]
    assert "#!ipxe" in script and "10.77.0.3:8080" in script
    assert "menu rouse: this machine (unknown)" in said["curl", "menud", False]
    assert re.search(r"dhcpd .* ack", said["packaging/rouse-db", "dhcpd", True]), said
    assert not (folder / "srv/db/data/postmaster.pid").exists()


def boot_by_dhcp(client):
    """A lease, by busybox's client; its address is printed and not used."""
    done = client.run(["udhcpc", "-i", "eth0", "-q", "-n", "-f", "-t", "8", "-T", "1", "-s", "/bin/true"])
    assert re.search(r"lease of 10\.77\.0\.1\d\d obtained", done.stdout), done.stdout
