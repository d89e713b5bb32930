"""packaging/container: what each file installs is all that its daemon needs, and in such a tree the daemon serves as the file starts it.
No engine of containers runs here; a folder with the same packages' files, chroot and setpriv stand for it."""

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from postgres import Postgres
from test_dhcpd_kit import Wire

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "packaging/container"
PAGE = ROOT / "docs/how-to/containers.md"
DAEMONS = ["tftpd", "menud", "dhcpd"]
# what of debian:bookworm-slim is needed by the steps and the health check; what the tests' own build needs
BASE = ["base-files", "bash", "coreutils", "dash", "grep", "libc-bin", "passwd", "util-linux"]
SANITIZERS = ["libasan8", "libubsan1"]


class Stage:
    """One FROM of a file and what follows it: [(instruction, text)]."""

    def __init__(self, text):
        self.steps = [line.split(" ", 1) for line in text.replace("\\\n", " ").splitlines() if line and line[0] != "#"]

    def all(self, instruction):
        return [text for word, text in self.steps if word == instruction]

    def packages(self):
        (words,) = [text for text in re.findall(r"apt-get install (.*?)(?: &&|$)", "\n".join(self.all("RUN")), re.M)]
        return {word for word in words.split() if not word.startswith("--")}

    def other_commands(self):
        return " && ".join(part for run in self.all("RUN") for part in re.split(r"\s*&&\s*", run)
                           if not part.startswith(("apt-get ", "rm -rf /var/lib/apt")))

    def json(self, instruction):
        (text,) = self.all(instruction)
        return json.loads(text.removeprefix("CMD "))


def stages(daemon):
    """The one that builds, and the one that is kept."""
    text = (FILES / f"{daemon}.Containerfile").read_text(encoding="ascii")
    build, kept = re.split(r"^FROM .*$", text, flags=re.M)[1:]
    return Stage(build), Stage(kept)


def with_dependencies(names):
    """Those packages and what they depend on, as they are installed here."""
    found, asked = set(), set(names)
    while asked:
        found |= asked
        said = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}\\n", *asked], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        # of alternatives, the first; virtual packages have no files
        wanted = {re.split(r"[ :(|]", part.strip())[0] for part in re.split(r"[,\n]", said) if part.strip()}
        known = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n", *wanted], check=False, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        asked = {line.split()[1] for line in known.splitlines() if line.startswith("installed ")} - found
    return found


def make_tree(tree, names):
    """Their files, as dpkg would put them into an empty system of Debian 12, whose /bin and /lib are in /usr."""
    for folder in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / folder).mkdir(parents=True)
        (tree / folder).symlink_to(f"usr/{folder}")
    said = subprocess.run(["dpkg-query", "-L", *with_dependencies(names)], check=True, text=True, stdout=subprocess.PIPE).stdout
    paths = {line for line in said.splitlines() if line.startswith("/") and not line.startswith(("/usr/share", "/."))
             and (os.path.islink(line) or os.path.isfile(line))}
    subprocess.run(["tar", "--create", "--file", tree / "files.tar", "--files-from=-", "--absolute-names"], check=True, text=True,
                   input="\n".join(sorted(paths)), stderr=subprocess.DEVNULL)
    subprocess.run(["tar", "--extract", "--file", tree / "files.tar", "--directory", tree, "--keep-directory-symlink"], check=True,
                   stderr=subprocess.DEVNULL)
    (tree / "files.tar").unlink()
    if not (tree / "bin/sh").is_symlink():  # dash's own script makes it
        (tree / "bin/sh").symlink_to("dash")
    for name, kind in (("null", "3"), ("urandom", "9")):
        (tree / "dev").mkdir(exist_ok=True)
        subprocess.run(["mknod", "-m", "666", tree / "dev" / name, "c", "1", kind], check=True)
    for name, text in (("passwd", "root:x:0:0:root:/root:/bin/bash\n"), ("group", "root:x:0:\n"), ("shadow", "root:*:1::::::\n")):
        (tree / "etc").mkdir(exist_ok=True)
        (tree / "etc" / name).write_text(text, encoding="ascii")


class Container:
    """The kept stage of a file as a folder."""

    def __init__(self, tree, daemon, build):
        self.tree, self.daemon, (_, self.stage) = tree, daemon, stages(daemon)
        program = build / daemon / daemon
        is_sanitized = b"libasan" in subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE).stdout
        make_tree(tree, self.stage.packages() | set(BASE) | set(SANITIZERS if is_sanitized else []))
        subprocess.run(["chroot", tree, "sh", "-ec", self.stage.other_commands()], check=True)
        (tree / "usr/sbin").mkdir(exist_ok=True)
        shutil.copy(program, tree / f"usr/sbin/rouse-{daemon}")
        (tree / "run/secrets").mkdir(parents=True)

    def command(self, words, flags=(), rights=(), bind=None):
        """As an engine runs it: the user of the file, and of its rights these only."""
        user = (self.stage.all("USER") or ["root"])[0]
        kept = ",".join(["-all", *(f"+{name.removeprefix('cap_')}" for name in rights)])
        drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", f"--bounding-set={kept}", "--inh-caps=-all"]
        where = ["unshare", "--mount", "sh", "-ec", f"mkdir -p {self.tree}/run/postgresql; mount --bind {bind} "
                 f"{self.tree}/run/postgresql; exec \"$@\"", "-"] if bind else []
        return [*where, "chroot", self.tree, *drop, "env", "CREDENTIALS_DIRECTORY=/run/secrets", *words, *flags]

    def start(self, host, flags, **more):
        return host.spawn(self.command(self.stage.json("ENTRYPOINT"), flags, **more), name=self.daemon)

    def is_healthy(self, host):
        return host.run(self.command(self.stage.json("HEALTHCHECK")), check=False).returncode == 0


def run_line(daemon):
    """The page's `podman run` of a daemon: its options, and the daemon's flags."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = [line for line in re.findall(r"^    podman run (.*)$", text, re.M) if f"--name rouse-{daemon} " in line]
    options, flags = re.split(rf" rouse-{daemon}(?: |$)", line.split(f"--name rouse-{daemon} ")[1], maxsplit=1)
    return options.split(), flags.split()


@pytest.fixture(scope="module", name="database")
def make_database():
    """With passwords, as for a container that is no user of this system."""
    with Postgres() as postgres:
        postgres.admin("alter role rouse_menud password 'sesame'")
        postgres.admin("alter role rouse_dhcpd password 'sesame'")
        hba = postgres.directory / "data/pg_hba.conf"
        text = hba.read_text(encoding="ascii")
        hba.write_text("local all rouse_menud,rouse_dhcpd scram-sha-256\n" + text, encoding="ascii")
        postgres.admin("select pg_reload_conf()")
        yield postgres


@pytest.fixture(name="container")
def make_container(request, build, tmp_path):
    return Container(tmp_path / "tree", request.param, build)


def secret(container, text):
    file = container.tree / "run/secrets/database"
    file.write_text(text, encoding="ascii")
    file.chmod(0o444)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_what_builds_it_is_what_the_readme_says(daemon):
    """And the three build in the same way."""
    build, kept = stages(daemon)
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (listed,) = re.findall(r"^    apt-get install (cmake .*)$", readme, re.M)
    assert build.packages() == set(listed.split()) | {"libc6-dev"}
    assert [text.replace(daemon, "D") for _, text in build.steps] == [text.replace("tftpd", "D") for _, text in stages("tftpd")[0].steps]
    # what the build puts into /out is what is run
    (copied,) = kept.all("COPY")
    assert copied == "--from=build /out/ /" and f"/out{kept.json('ENTRYPOINT')[0]}" in build.all("RUN")[-1]


def port_of_the_answer(client):
    """Where the first block of a transfer comes from: a published port lets nothing else through."""
    with client.entered():
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.settimeout(20)
    asker.sendto(b"\0\1default.ipxe\0octet\0", ("10.77.0.2", 6969))
    block, (_, port) = asker.recvfrom(2048)
    asker.sendto(b"\0\5\0\0\0", ("10.77.0.2", port))
    asker.close()
    assert block.startswith(b"\0\3\0\1#!ipxe")
    return port


@pytest.mark.parametrize("container", ["tftpd"], indirect=True)
def test_tftpd_by_one_port_and_without_rights(lab, container):
    lab.segment("lan")
    host, client = lab.host("host", ["10.77.0.2/24"]), lab.host("client", ["10.77.0.9/24"])
    options, flags = run_line("tftpd")
    assert options[options.index("--cap-drop") + 1] == "all" and "--publish 69:6969/udp" in " ".join(options)
    assert not container.is_healthy(host)
    tftpd = container.start(host, flags)
    tftpd.wait_for("event=started")
    assert "10.77.0.3:8080" in client.run(["curl", "-sS", "tftp://10.77.0.2:6969/default.ipxe"]).stdout
    first_stage = client.run("curl -sS tftp://10.77.0.2:6969/raw/ipxe.efi | sha256sum").stdout.split()[0]
    assert first_stage == subprocess.run(["sha256sum", "/usr/lib/ipxe/ipxe.efi"], check=True, text=True,
                                         stdout=subprocess.PIPE).stdout.split()[0]
    assert port_of_the_answer(client) == 6969 and container.is_healthy(host)
    assert "\nUid:\t769" in Path(f"/proc/{tftpd.pid}/status").read_text(encoding="ascii")


@pytest.mark.parametrize("container", ["menud"], indirect=True)
def test_menud_with_a_secret(lab, container, database):
    lab.segment("lan")
    host, client = lab.host("host", ["10.77.0.3/24"]), lab.host("client", ["10.77.0.9/24"])
    options, flags = run_line("menud")
    assert {"--secret", "--env", "CREDENTIALS_DIRECTORY=/run/secrets"} <= set(options)
    secret(container, "host=/run/postgresql dbname=rouse user=rouse_menud password=sesame\n")
    menud = container.start(host, flags, bind=database.directory / "run")
    menud.wait_for("event=snapshot_loaded", timeout=30)
    assert "choose" in client.run(["curl", "-sS", "http://10.77.0.3:8080/boot?mac0=52:54:00:00:00:01"]).stdout
    assert container.is_healthy(host) and "sesame" not in menud.output


@pytest.mark.parametrize("container", ["dhcpd"], indirect=True)
def test_dhcpd_with_the_rights_of_the_page(lab, container, database):
    """It begins as root with four of them, and is somebody else with none when it serves."""
    lab.segment("lan")
    host, client = lab.host("host", ["10.77.0.1/24"]), lab.host("client")
    options, flags = run_line("dhcpd")
    rights = [options[at + 1] for at, option in enumerate(options) if option == "--cap-add"]
    assert len(rights) == 4 and "--network" in options
    database.sql("insert into rouse.subnets (subnet) values ('10.77.0.0/24')")
    database.sql("insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.20', '10.77.0.250')")
    secret(container, "host=/run/postgresql dbname=rouse user=rouse_dhcpd password=sesame")
    dhcpd = container.start(host, [flag.replace("eth1", "eth0") for flag in flags], rights=rights, bind=database.directory / "run")
    dhcpd.wait_for("event=serving", timeout=30)
    wire = Wire(client, "52:54:00:00:00:01")
    offer = None
    while offer is None and dhcpd.is_running():
        offer = wire.discover(timeout=1)
    assert wire.request(offer).yiaddr.startswith("10.77.0.")
    wire.close()
    status = Path(f"/proc/{dhcpd.pid}/status").read_text(encoding="ascii")
    assert "\nUid:\t769\t769\t769" in status and "\nCapEff:\t0000000000000000" in status
    assert container.is_healthy(host)
