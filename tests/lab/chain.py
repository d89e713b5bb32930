"""The whole chain in a laboratory: dhcpd, tftpd and menud in namespaces of their own, on one segment
with virtual machines, over one database. What the end-to-end tests and the quickstart share.

    with Lab() as lab, Postgres() as postgres, Chain(lab, postgres, build, workdir, fos) as chain:
        chain.add_host("lab-01", "52:54:00:00:00:01")
        chain.add_image("tiny-debian", make_image(workdir / "tiny.raw"))
        job = chain.sql("select rouse.deploy('lab-01', 'tiny-debian')")
        with chain.machine("52:54:00:00:00:01", disks=[disk]) as machine:
            chain.wait_job(job, "succeeded")

Addresses: dhcpd 10.77.0.1, tftpd 10.77.0.2, menud 10.77.0.3 port 8080, machines from 10.77.0.100.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import why_trace
from vm import VM

ROUSE_DB = Path(__file__).resolve().parents[2] / "packaging" / "rouse-db"
IPXE = Path("/usr/lib/ipxe")
FIRST_STAGES = ("ipxe.efi", "snponly.efi", "undionly.kpxe")
# firmware whose own PXE is switched off: UEFI HTTP Boot is what is left
ONLY_HTTP = [word for name in ("IPv4", "IPv6")
             for word in ("-fw_cfg", f"name=opt/org.tianocore/{name}PXESupport,string=n")]
NETWORK, MENUD_URL = "10.77.0.0/24", "http://10.77.0.3:8080"
ADDRESSES = {"dhcpd": "10.77.0.1", "tftpd": "10.77.0.2", "menud": "10.77.0.3"}

# What an administrator would type; the rest is as shipped.
SITE = """
insert into rouse.subnets (subnet, next_server, menud_urls)
    values ('10.77.0.0/24', '10.77.0.2', 'http://10.77.0.3:8080');
insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.100', '10.77.0.199');
"""

# One file a daemon, as in /etc/rouse.
CONFIGURATION = {
    "dhcpd": 'interface = "eth0"\n',
    # at the end no machine is left to wait for
    "tftpd": 'root = "{workdir}/srv/tftp"\nboot_root = "{workdir}/srv"\ndrain_seconds = 0\n',
    "menud": 'root = "{workdir}/srv"\nimage_store = "{workdir}/srv"\n',
}


def make_image(path, megabytes=64, payload_megabytes=8):
    """A raw disk: a partition table and an ext4 file system with a few files and noise in it."""
    path = Path(path)
    tree = path.with_suffix(".tree")
    (tree / "etc").mkdir(parents=True)
    (tree / "etc" / "motd").write_text("This disk was deployed by rouse.\n", encoding="ascii")
    (tree / "noise").write_bytes(os.urandom(payload_megabytes << 20))
    with open(path, "wb") as disk:
        disk.truncate(megabytes << 20)
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    subprocess.run(["sfdisk", "-q", path], input="label: dos\n2048,,L,*\n", text=True, check=True,
                   env=environment)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, "-E", f"offset={1 << 20}", path,
                    str((megabytes - 1) << 10)], check=True, env=environment,
                   stderr=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return path


def sha256(path, size=None):
    """Of a file, or of its first `size` bytes."""
    digest = hashlib.sha256()
    left = size if size is not None else os.path.getsize(path)
    with open(path, "rb") as file:
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


class Chain:
    """See the module's text. `fos`: the folder of bzImage and init.xz; `operator`: the role that
    types the SQL, by default that of the caller; `names`: the daemons of ours that run;
    `more`: further lines of a daemon's configuration, by its name."""

    def __init__(self, lab, postgres, build, workdir, fos, operator=None, names=tuple(ADDRESSES),
                 more=None):
        self.lab, self.postgres = lab, postgres
        self.build, self.workdir, self.fos = Path(build), Path(workdir), Path(fos)
        self.operator, self.names, self.more = operator, names, more or {}
        self.daemons = {}
        self.hosts = {}
        self.segment = None

    def __enter__(self):
        self.sql(SITE)
        self._lay_out_files()
        # IPv6 is on, as on a real segment: iPXE solicits routers, and dhcpd must answer it
        self.segment = self.lab.segment("lan", ipv6=True)
        for name, address in ADDRESSES.items():
            self.hosts[name] = self.lab.host(name, [f"{address}/24"])
        for name in self.names:
            self.start(name)
        return self

    def __exit__(self, *_):
        for daemon in self.daemons.values():
            daemon.stop()
        if os.environ.get("ROUSE_TRACES"):
            self._save_traces(Path(os.environ["ROUSE_TRACES"]))

    def _lay_out_files(self):
        tftp, fos = self.workdir / "srv" / "tftp", self.workdir / "srv" / "fos"
        tftp.mkdir(parents=True)
        fos.mkdir()
        for name in FIRST_STAGES:
            shutil.copy(IPXE / name, tftp / name)
        for name in ("bzImage", "init.xz"):
            shutil.copy(self.fos / name, fos / name)

    # -- daemons ------------------------------------------------------------------------------

    def start(self, name, wait=True):
        """Starts a daemon from a configuration file of its own; its Process."""
        state = self.workdir / f"{name}.state"
        state.mkdir(exist_ok=True)
        file = self.workdir / f"{name}.conf"
        file.write_text(f'database = "{self.postgres.conninfo(f"rouse_{name}")}"\n'
                        f'state_dir = "{state}"\n'
                        + CONFIGURATION[name].format(workdir=self.workdir)
                        + self.more.get(name, ""), encoding="utf-8")
        daemon = self.hosts[name].spawn([self.build / name / name, "--config", file], name=name)
        self.daemons[name] = daemon
        if wait:
            daemon.wait_for("event=snapshot_loaded", timeout=20)
        return daemon

    def kill(self, name):
        """SIGKILL, as a crash would be."""
        self.daemons[name].kill()

    # -- the database -------------------------------------------------------------------------

    def sql(self, text, *values):
        return self.postgres.sql(text, *values, role=self.operator)

    def value(self, text, *values):
        return self.postgres.value(text, *values, role=self.operator)

    def add_host(self, name, mac):
        self.sql("insert into rouse.hosts (name) values (%s)", name)
        self.sql("insert into rouse.nics (mac, host) values (%s, %s)", mac, name)

    def add_image(self, name, file):
        """Takes a raw disk in as a published version."""
        subprocess.run([ROUSE_DB, "image", "add", "--conninfo",
                        self.postgres.conninfo(self.operator), "--store", self.workdir / "srv",
                        name, file], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)

    def job(self, number):
        (row,) = self.sql("select * from rouse.jobs where id = %s", number)
        return row

    def wait_for(self, text, *values, timeout=60, what=None):
        """Asks the database until the statement gives a row; the first one."""
        deadline = time.monotonic() + timeout
        while not (rows := self.sql(text, *values)):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout} s: {what or text}\n{self.story()}")
            time.sleep(0.2)
        return rows[0]

    def wait_job(self, number, state, timeout=90):
        """Waits for a state; fails at once when the job has ended in another."""
        row = self.wait_for("select * from rouse.jobs where id = %s and (state = %s or state in "
                            "('succeeded', 'failed', 'cancelled', 'expired'))", number, state,
                            timeout=timeout, what=f"job {number} {state}")
        if row.state != state:
            raise AssertionError(f"job {number} is {row.state}, not {state}: {row}\n{self.story()}")
        return row

    def script(self, mac, word, timeout=30):
        """What /boot says, once it has the word in it: menud hears a moment later of a host and its job."""
        deadline = time.monotonic() + timeout
        while True:
            script = self.hosts["dhcpd"].run(["curl", "-fsS", f"{MENUD_URL}/boot?mac0={mac}"]).stdout
            if word in script:
                return script
            if time.monotonic() >= deadline:
                raise AssertionError(f"/boot does not say {word}: {script}")
            time.sleep(0.1)

    def job_arguments(self, mac):
        """The kernel arguments that /boot gives a machine whose job is FOS's, the ticket among them."""
        return re.search(r"^kernel \S+ (.*rouse_ticket=.*) \|\| goto", self.script(mac, "rouse_ticket="), re.MULTILINE)[1]

    def wait_event(self, mac, stage, timeout=60, **more):
        """Waits until a daemon saw this stage of this machine; the first such row of rouse.events."""
        conditions = "".join(f" and {column} = %s" for column in more)
        return self.wait_for("select * from rouse.events where mac = %s and stage = %s" + conditions
                             + " order by at limit 1", mac, stage, *more.values(), timeout=timeout,
                             what=f"stage {stage} {more} of {mac}")

    def story(self):
        """What every machine did, for a failing test's message."""
        rows = self.sql("select at::time(3) as at, mac, stage, kind, name, reason, count "
                        "from rouse.events order by at")
        return "\n".join(" ".join(str(column) for column in row if column) for row in rows)

    def _save_traces(self, folder):
        """What each machine did, as the traces of tests/sql/why are written."""
        folder.mkdir(parents=True, exist_ok=True)
        test = re.sub(r"\W+", "-", os.environ.get("PYTEST_CURRENT_TEST", "chain").split(" ")[0])
        rows = self.sql("select mac::text as mac, at, daemon, stage, kind, name, reason, count, "
                        "host(address) as address, uuid::text as uuid, detail "
                        "from rouse.events where mac is not null order by at")
        found = self.value("select json_agg(json_build_object('address', host(address), 'way', way, 'file', file, "
                           "'answer', answer)) from rouse.boot_servers")
        for mac in {row.mac for row in rows}:
            lines = why_trace.lines_of([row for row in rows if row.mac == mac])
            if found:
                lines.insert(0, f"sql: select rouse_daemon.boot_servers_asked('replay', '{json.dumps(found)}')")
            name = f"{test}-{mac.replace(':', '')}.trace"
            (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    # -- machines -----------------------------------------------------------------------------

    def machine(self, mac, boot="uefi", **more):
        """A virtual machine on the segment, not yet switched on (`with` does that)."""
        more.setdefault("memory_mb", 1024)
        more.setdefault("name", "vm-" + mac.replace(":", ""))
        return VM(self.workdir, boot=boot, mac=mac, segment=self.segment, **more)
