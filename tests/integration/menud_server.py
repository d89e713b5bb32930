"""For the tests of menud: one alone on a host of its own, with curl as the machine; no dhcpd and no tftpd anywhere."""

import re
import time

MAC = "52:54:00:00:00:01"
FACTS = f"mac0={MAC}&arch=x86_64&platform=efi&product=Lab"


class Server:
    """A host with menud, and another from which curl asks."""

    IPV6 = False

    def __init__(self, lab, postgres, build, workdir):
        self.postgres, self.build, self.workdir = postgres, build, workdir
        lab.segment("lan", ipv6=self.IPV6)
        self.host = lab.host("menud", ["10.77.0.3/24"])
        self.client = lab.host("client", ["10.77.0.9/24"])
        (workdir / "srv" / "fos").mkdir(parents=True)
        (workdir / "srv" / "images" / "tiny" / "1").mkdir(parents=True)
        (workdir / "srv" / "fos" / "bzImage").write_bytes(bytes(range(256)) * 16)
        (workdir / "srv" / "fos" / "init.xz").write_bytes(b"initial disk")
        (workdir / "state").mkdir()
        self.daemon = None
        self.start()

    def write_configuration(self, more="", database=None):
        file = self.workdir / "menud.conf"
        file.write_text(f'database = "{database or self.postgres.conninfo("rouse_menud")}"\n'
                        f'root = "{self.workdir}/srv"\nimage_store = "{self.workdir}/srv"\n'
                        f'state_dir = "{self.workdir}/state"\n{more}', encoding="utf-8")
        return file

    def start(self, wait="event=snapshot_loaded", **more):
        self.daemon = self.host.spawn([self.build / "menud" / "menud", "--config",
                                       self.write_configuration(**more)], name="menud")
        if wait:
            self.daemon.wait_for(wait, timeout=60)
        return self.daemon

    def curl(self, path, *arguments):
        """Status and body."""
        done = self.client.run(["curl", "-sS", "-w", "\n%{http_code}", "--max-time", "20",
                                *arguments, f"http://10.77.0.3:8080{path}"])
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def boot(self, facts=FACTS, **more):
        """Asks /boot, as a machine does; the script."""
        query = facts + "".join(f"&{key}={value}" for key, value in more.items())
        status, body = self.curl(f"/boot?{query}")
        assert status == 200, body
        assert body.startswith("#!ipxe\n")
        return body

    def boot_until(self, pattern, facts=FACTS, seconds=60, **more):
        """Asks until a change of the database has come through: NOTIFY takes milliseconds."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, script := self.boot(facts, **more))):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{script}"
        return found

    def fos(self, verb, **fields):
        """One call of the client system; its answer as a dict."""
        data = [word for key, value in fields.items()
                for word in ("--data-urlencode", f"{key}={value}")]
        status, body = self.curl(f"/fos/{verb}", *data)
        assert status == 200, body
        return dict(line.split("=", 1) for line in body.splitlines())


def add_host(postgres, name, mac):
    postgres.sql("insert into rouse.hosts (name) values (%s)", name)
    postgres.sql("insert into rouse.nics (mac, host) values (%s, %s)", mac, name)
