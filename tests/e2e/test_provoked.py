"""Boots that fail beside another DHCP server, or of other firmware: what packaging/quickstart --break does not show.
Real firmware each time, and rouse.why() names the cause. All take minutes: tests/run --firmware."""

import shutil
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from chain import ONLY_HTTP, Chain

MAC, HOST, OTHER = "52:54:00:00:00:71", "lab-71", "10.77.0.9"
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
IPV6_FIRST = ["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"]
OBSERVE, PROXY = {"dhcpd": 'mode = "observe"\n'}, {"dhcpd": 'mode = "proxy"\n'}

# Somebody's DHCP server; what it says of booting is the case's.
DNSMASQ = """
interface=eth0
bind-interfaces
port=0
no-ping
leasefile-ro
dhcp-authoritative
dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0
"""


def foreign(chain, lines):
    """It runs on a host of its own, as long as `with` lasts."""
    host = chain.lab.host("other", [f"{OTHER}/24"])
    file = chain.workdir / "dnsmasq.conf"
    file.write_text(DNSMASQ + lines, encoding="ascii")
    server = host.spawn(["dnsmasq", "--no-daemon", "--user=root", f"--conf-file={file}"], name="dnsmasq")
    server.wait_for("DHCP, IP range")
    stack = ExitStack()
    stack.callback(server.stop)
    return stack


def wait_cause(chain, cause, timeout=220):
    """The causes that are told when this one is, or in the end."""
    deadline = time.monotonic() + timeout
    while True:
        rows = chain.sql("select id, cause, advice from rouse.why(%s)", HOST)
        if any(row.id == cause for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(0.5)


def shim_alone(chain):
    shutil.copy(SHIM, chain.workdir / "srv" / "tftp" / "shimx64.efi")
    chain.sql("update rouse.boot_files set file = 'shimx64.efi' where arch in (7, 9)")


CASES = {
    # an old option 60 in the scope, and nobody on port 4011 any more
    "option-60": ("pxe_port_closed", OBSERVE, "dhcp-option-force=60,PXEClient\n", None, {}),
    "no-boot-name": ("offer_without_name", OBSERVE, "dhcp-broadcast\n", None, {}),
    "foreign-wrong-server": ("tftp_server_silent", OBSERVE, "dhcp-broadcast\ndhcp-boot=pxelinux.0,,10.77.0.66\n", None, {}),
    "foreign-no-tftpd": ("tftp_server_closed", OBSERVE, f"dhcp-broadcast\ndhcp-boot=pxelinux.0,,{OTHER}\n", None, {}),
    "proxy-alone": ("no_address_beside_proxy", PROXY, None, None, {}),
    "http-boot-down": ("http_not_asked", {}, None, lambda chain: chain.kill("menud"), {"extra": ONLY_HTTP}),
    # it boots in the end, by HTTP over IPv4
    "ipv6-first": ("ipv6_first", {}, None, None, {"extra": IPV6_FIRST}),
    "shim-without-grub": ("grub_not_found", {}, None, shim_alone, {"boot": "secure"}),
}


@pytest.mark.long
@pytest.mark.patience(290)
@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_named(lab, postgres, build, fos, tmp_path, name):
    cause, more, lines, prepare, machine = CASES[name]
    postgres.fresh()
    with Chain(lab, postgres, build, tmp_path, fos, more=more) as chain:
        chain.wait_for("select 1 from rouse.daemons having count(*) = 3", timeout=20)
        chain.add_host(HOST, MAC)
        if prepare:
            prepare(chain)
        with foreign(chain, lines) if lines else nullcontext(), chain.machine(MAC, **machine):
            rows = wait_cause(chain, cause)
        faults = [row.id for row in rows if row.id not in ("daemon", "well") and not row.cause.startswith("no fault: ")]
        assert faults[:1] == [cause] or not faults and cause in [row.id for row in rows], f"{rows}\n{chain.story()}"
