"""What packaging/quickstart shows: a machine is switched on, and the database tells what happens.

    story.py DIR BUILD OPERATOR [--keep] [--break NAME]

OPERATOR is the caller's own name: inside a user namespace the process looks like root. DIR holds the running database (DIR/db) and FOS (DIR/fos); DIR/result becomes 0 or 1. With --keep the
laboratory stands until SIGTERM. With --break the boot is made to fail, and the story ends with the explanation.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "lab"), str(Path(__file__).resolve().parent)]

# pylint: disable=wrong-import-position
import breaks  # noqa: E402
from chain import Chain, make_image, sha256  # noqa: E402
from net import Lab  # noqa: E402
from postgres import Postgres  # noqa: E402
from vm import make_disk  # noqa: E402

MAC, HOST, IMAGE = "52:54:00:00:00:01", breaks.HOST, breaks.IMAGE
PATIENCE_SECONDS = 150
SIGN_OF_LIFE_SECONDS = 5

# Each stage, as a person would say it.
WORDS = {
    "fw_dhcp": "the firmware asks for an address",
    "tftp_nbp": "the firmware fetches iPXE",
    "ipxe_dhcp": "iPXE asks for an address",
    "script": "iPXE asks what to do",
    "kernel": "the kernel is fetched",
    "initrd": "the initial disk is fetched",
    "os_dhcp": "FOS asks for an address",
    "fos": "FOS checks in",
    "work": "FOS works",
    "report": "FOS reports",
}


def tell(*words):
    print(*words, flush=True)


class Teller:
    """Prints each event as the database learns of it."""

    def __init__(self, chain):
        self.chain, self.shown = chain, set()
        self.start = self.said = time.monotonic()

    def tell_new(self):
        for event in self.chain.sql("select * from rouse.events where mac = %s order by at", MAC):
            key = (event.at, event.stage, event.kind, event.name)
            if key in self.shown:
                continue
            self.shown.add(key)
            self.said = time.monotonic()
            detail = " ".join(str(word) for word in (event.kind, event.name, event.reason) if word)
            tell(f"{self.said - self.start:6.1f} s  {WORDS.get(event.stage, event.stage):34} {detail[:90]}")

    def tell_alive(self, words):
        """Something, when nothing has been said for a while."""
        now = time.monotonic()
        if now - self.said > SIGN_OF_LIFE_SECONDS:
            self.said = now
            tell(f"{now - self.start:6.1f} s  ... {words}")


def show_boot(chain, job):
    """What happens, until the job has ended; the job's row."""
    teller = Teller(chain)
    while True:
        row = chain.job(job)
        teller.tell_new()
        if row.state in ("succeeded", "failed", "cancelled", "expired"):
            return row
        if time.monotonic() - teller.start > PATIENCE_SECONDS:
            tell(f"Not finished within {PATIENCE_SECONDS} s.")
            return row
        teller.tell_alive(f"the job is {row.state}" + (f", {row.percent} %" if row.percent else ""))
        time.sleep(0.2)


def show_timeline(chain):
    tell(f"\nselect * from rouse.trace('{HOST}');\n")
    for row in chain.sql("select * from rouse.trace(%s)", HOST):
        when = f"{row.seconds:9.3f}" if row.seconds is not None else " " * 9
        tell(f"{when}  {row.stage or '':10} {row.daemon or '':9} {row.what}")


def show_disk(disk, image):
    """Looks at the machine's disk from outside; whether it is the image."""
    same = sha256(disk, image.stat().st_size) == sha256(image)
    read = subprocess.run(["/usr/sbin/debugfs", "-R", "cat /etc/motd", f"{disk}?offset=1048576"],
                          text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    tell(f"\nThe machine's disk, read from outside: /etc/motd says {read.stdout.strip()!r}")
    tell(f"Its SHA-256 is {'the same as' if same else 'NOT that of'} the image's.")
    return same


def prepare(chain, folder):
    """A site with one machine and a job for it: (image, job)."""
    tell("\ndhcpd, tftpd and menud run in namespaces of their own; the database knows:")
    chain.wait_for("select 1 as all_there from rouse.daemons having count(*) = 3", timeout=20)
    for row in chain.sql("select * from rouse.daemons order by daemon"):
        tell(f"    {row.daemon:6} {row.status or ''}")
    image = make_image(folder / f"{IMAGE}.raw")
    chain.add_image(IMAGE, image)
    chain.add_host(HOST, MAC)
    return image, chain.value("select rouse.deploy(%s, %s)", HOST, IMAGE)


def broken_story(chain, folder, name):
    """A boot that fails, and why; whether the cause was named."""
    prepare(chain, folder)
    chosen = breaks.BREAKS[name]
    tell(f"\nNow {chosen.words}, and the machine is switched on.\n")
    chosen.act(chain)
    with chain.machine(MAC, disks=[make_disk(folder / "disk.raw", chosen.disk_mb << 20)], **chosen.machine):
        teller = Teller(chain)

        def tell_more():
            teller.tell_new()
            teller.tell_alive("the database has no answer yet")

        rows = breaks.wait_cause(chain, name, tell_more)
    tell(f"\nselect cause, advice from rouse.why('{HOST}');\n")
    for row in rows:
        tell(f"{row.cause}\n    " + (row.advice or "").replace("\n", "\n    ") + "\n")
    return any(row.id == chosen.cause for row in rows)


def story(chain, folder):
    """The demonstration; whether it ended well."""
    image, job = prepare(chain, folder)
    tell(f"\nselect rouse.deploy('{HOST}', '{IMAGE}');   -- job {job} waits; now the machine is "
         "switched on\n")
    disk = make_disk(folder / "disk.raw", 96 << 20)
    start = time.monotonic()
    with chain.machine(MAC, disks=[disk]) as machine:
        row = show_boot(chain, job)
        took = time.monotonic() - start
        if row.state == "succeeded":
            machine.wait_exit(timeout=30)
    show_timeline(chain)
    if row.state != "succeeded":
        tell(f"\nThe job is {row.state}: {row.reason or ''} {row.text or ''}")
        return False
    same = show_disk(disk, image)
    tell(f"From power-on to job done: {took:.1f} s.")
    return same


def main(folder, build, operator, keep, broken):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    result = Path(folder) / "result"
    well = False
    terminal = sys.stdout
    try:
        lab_folder = Path(folder) / "lab"
        # the database runs already, outside of any namespace: it is used, not made
        postgres = Postgres(Path(folder) / "db")
        with Lab("quickstart") as lab, \
                Chain(lab, postgres, build, lab_folder, Path(folder) / "fos",
                      operator) as chain:
            try:
                well = broken_story(chain, lab_folder, broken) if broken else story(chain, lab_folder)
            finally:
                # what the daemons said goes to a file when they end, not into the story
                sys.stdout = open(Path(folder) / "daemons.log", "w", encoding="utf-8")
            result.write_text(f"{0 if well else 1}\n", encoding="ascii")
            while keep:
                signal.pause()
    finally:
        sys.stdout = terminal
        if not result.exists():
            result.write_text("1\n", encoding="ascii")
    return 0 if well else 1


if __name__ == "__main__":
    rest = sys.argv[4:]
    sys.exit(main(*sys.argv[1:4], "--keep" in rest, rest[rest.index("--break") + 1] if "--break" in rest else None))
