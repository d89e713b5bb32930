"""Ways to make a boot fail on purpose, for packaging/quickstart --break and its test.

Each has what is done, in words; a function that does it to a Chain (tests/lab/chain.py) before the machine is switched
on; and the cause that rouse.why() must name, a row of rouse.causes, or job or host where those say it. What is done while the machine runs has
a second function. `machine` has how the virtual machine differs, `disk_mb` how large its disk is, `deploys` whether its job writes an image.
"""

import shutil
import time
from collections import namedtuple

Break = namedtuple("Break", "words act cause meanwhile machine disk_mb deploys", defaults=(None, {}, 96, False))

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


def _no_boot_file(chain):
    chain.sql("delete from rouse.boot_files")


def _nobody_there(chain):
    chain.sql("update rouse.subnets set next_server = '10.77.0.66'")


def _no_way_back(chain):
    """As behind a firewall that lets requests pass, and no answers: tftpd's host has no route to the pool."""
    for part in ("10.77.0.96/27", "10.77.0.128/26", "10.77.0.192/29"):
        chain.hosts["tftpd"].run(["ip", "route", "add", "blackhole", part])
    # the kernel shall take requests from there all the same
    chain.hosts["tftpd"].run("for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done")


def _narrow(chain):
    """A link on the way that takes no full frame, and tells nobody."""
    chain.segment.narrow(chain.hosts["tftpd"], 1400)


def _no_script(chain):
    (chain.workdir / "srv" / "tftp" / "default.ipxe").write_text("<html><body>Please log in</body></html>\n", encoding="ascii")


def _no_kernel(chain):
    (chain.workdir / "srv" / "fos" / "bzImage").unlink()


def _damaged_kernel(chain):
    (chain.workdir / "srv" / "fos" / "bzImage").write_bytes(b"\0" * 4096)


def _damaged_initrd(chain):
    (chain.workdir / "srv" / "fos" / "init.xz").write_bytes(bytes(range(256)) * 4096)


def _wrong_url(chain):
    chain.sql("update rouse.subnets set menud_urls = 'http://10.77.0.3:8088'")


def _lose_menud(chain):
    """It dies when the client system has been handed over."""
    deadline = time.monotonic() + 90
    while not chain.sql("select 1 as there from rouse.events where stage = 'initrd' and kind = 'sent'"):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    chain.kill("menud")


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
    "no-boot-file": Break("DHCP names no first stage", _no_boot_file, "no_boot_file"),
    "no-pool": Break("no address is left", _no_pool, "pool_full"),
    "disabled": Break("the host is disabled", _disabled, "host"),
    "secure-boot": Break("Secure Boot is on, and the first stage is not signed", lambda chain: None, "first_stage_refused",
                         machine={"boot": "secure"}),
    "loop": Break("iPXE is given iPXE, and tftpd may not break the loop", _loop, "chained_to_itself"),
    "no-script": Break("what iPXE is given for a script is a web page", _no_script, "script_is_none"),
    "no-kernel": Break("the client system's kernel is not there", _no_kernel, "file_missing"),
    "damaged-kernel": Break("the client system's kernel is no kernel", _damaged_kernel, "not_a_script"),
    "no-initrd": Break("the initial disk of the client system is not there", _no_initrd, "file_missing"),
    "damaged-initrd": Break("the initial disk of the client system is damaged", _damaged_initrd, "fos_silent"),
    "no-image": Break("the image is not in the store", _no_image, "work_failed", deploys=True),
    "small-disk": Break("the machine's disk is smaller than the image", lambda chain: None, "work_failed", disk_mb=32, deploys=True),
    "wrong-server": Break("DHCP names a TFTP server where nobody is", _nobody_there, "tftp_server_silent"),
    "tftpd-down": Break("tftpd is killed", lambda chain: chain.kill("tftpd"), "tftp_server_closed"),
    "no-way-back": Break("tftpd's answers do not reach the machine", _no_way_back, "return_path_blocked"),
    "narrow-link": Break("large packets are lost on the way", _narrow, "large_packets_lost"),
    "menud-down": Break("menud is killed", lambda chain: chain.kill("menud"), "menud_unreachable"),
    "wrong-url": Break("the script leads to a port where nobody is", _wrong_url, "menud_unreachable"),
    "menud-dies": Break("menud is killed when the client system begins", lambda chain: None, "fos_cut_off", _lose_menud),
    "database-down": Break("the daemons lose the database", _cut_off, "dhcp_without_database", _let_in),
}


def why(chain):
    """The rows of rouse.why() about the machine."""
    return chain.sql("select * from rouse.why(%s)", HOST)


def wait_cause(chain, name, on_event=lambda: None, timeout=200):
    """Asks until the cause is named, or in vain for so long; what is said then."""
    chosen = BREAKS[name]
    deadline = time.monotonic() + timeout
    if chosen.meanwhile:
        chosen.meanwhile(chain)
    while True:
        rows = why(chain)
        on_event()
        if any(row.id == chosen.cause for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(0.3)
