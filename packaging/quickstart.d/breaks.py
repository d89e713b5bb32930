"""Ways to make a boot fail on purpose, for packaging/quickstart --break and its test.

Each has what is done, in words; a function that does it to a Chain (tests/lab/chain.py) before the machine is switched
on; and the cause that rouse.why() must name, a row of rouse.causes, or job or host where those say it. What has to be mended before the database
can tell has a second function, and when: the stage and kind of the event, or the seconds.
"""

import shutil
import time
from collections import namedtuple

Break = namedtuple("Break", "words act cause mend", defaults=(None,))

HOST, IMAGE = "lab-01", "tiny-debian"


def _wrong_file(chain):
    chain.sql("update rouse.boot_files set file = 'ipxe-x64.efi'")


def _wrong_architecture(chain):
    chain.sql("update rouse.boot_files set file = 'undionly.kpxe'")


def _no_pool(chain):
    chain.sql("delete from rouse.pools")


def _disabled(chain):
    chain.sql("update rouse.hosts set state = 'disabled' where name = %s", HOST)


def _loop(chain):
    chain.sql("update rouse.subnets set loop_breaker = false")
    chain.sql("insert into rouse.boot_rules (position, name, stage, loader, answer, reason) "
              "values (150, 'one file for all', '{dhcp}', '{ipxe}', 'first_stage', 'as a server that can name one file')")


def _no_initrd(chain):
    (chain.workdir / "srv" / "fos" / "init.xz").unlink()


def _no_image(chain):
    shutil.rmtree(chain.workdir / "srv" / "images" / IMAGE)


def _cut_off(chain):
    """What an outage is to the daemons; the one who asks can go on asking."""
    for daemon in chain.names:
        chain.postgres.admin(f"alter role rouse_{daemon} nologin")
    chain.postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity "
                         "where usename in ('rouse_dhcpd', 'rouse_tftpd', 'rouse_menud')")


def _let_in(chain):
    time.sleep(12)  # the machine asks at 4 and 8 s, in vain
    for daemon in chain.names:
        chain.postgres.admin(f"alter role rouse_{daemon} login")


BREAKS = {
    "wrong-file": Break("DHCP names a first stage that is not there", _wrong_file, "first_stage_missing"),
    "wrong-architecture": Break("DHCP names a BIOS program to UEFI", _wrong_architecture, "wrong_architecture"),
    "no-pool": Break("no address is left", _no_pool, "pool_full"),
    "disabled": Break("the host is disabled", _disabled, "host"),
    "loop": Break("iPXE is given iPXE, and tftpd may not break the loop", _loop, "chained_to_itself"),
    "no-initrd": Break("the initial disk of the client system is not there", _no_initrd, "file_missing"),
    "no-image": Break("the image is not in the store", _no_image, "work_failed"),
    "tftpd-down": Break("tftpd is killed", lambda chain: chain.kill("tftpd"), "tftp_server_closed"),
    "menud-down": Break("menud is killed", lambda chain: chain.kill("menud"), "menud_unreachable"),
    "database-down": Break("the daemons lose the database", _cut_off, "dhcp_without_database", _let_in),
}


def why(chain):
    """The rows of rouse.why() about the machine."""
    return chain.sql("select * from rouse.why(%s)", HOST)


def wait_cause(chain, name, on_event=lambda: None, timeout=120):
    """Asks until the cause is named, or in vain for so long; what is said then."""
    chosen = BREAKS[name]
    deadline = time.monotonic() + timeout
    if chosen.mend:
        chosen.mend(chain)
    while True:
        rows = why(chain)
        on_event()
        if any(row.id == chosen.cause for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(0.3)
