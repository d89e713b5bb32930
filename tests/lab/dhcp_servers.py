"""Other people's DHCP servers, as Debian ships them, with the least of a configuration.

    with dhcp_servers.running("kea", host, workdir):
        ...

Each gives 10.77.0.150 to 10.77.0.199 on its host's eth0. None of them looks whether an address is
free before it offers it: that costs seconds, and is not what the tests are about.
"""

import json
from contextlib import contextmanager

KINDS = ("isc", "kea", "dnsmasq")
POOL = ("10.77.0.150", "10.77.0.199")

ISC = """
authoritative;
ping-check false;
subnet 10.77.0.0 netmask 255.255.255.0 {{
    range {first} {last};
    option routers 10.77.0.254;
    default-lease-time 600;
}}
"""


def _isc(workdir):
    (workdir / "isc.conf").write_text(ISC.format(first=POOL[0], last=POOL[1]), encoding="ascii")
    (workdir / "isc.leases").touch()
    return ["dhcpd", "-4", "-f", "-d", "--no-pid", "-cf", workdir / "isc.conf", "-lf",
            workdir / "isc.leases", "eth0"], "Server starting service", {}


def _kea(workdir):
    configuration = {"Dhcp4": {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "persist": False},
        "valid-lifetime": 600,
        "subnet4": [{"subnet": "10.77.0.0/24", "pools": [{"pool": " - ".join(POOL)}],
                     "option-data": [{"name": "routers", "data": "10.77.0.254"}]}],
        "loggers": [{"name": "kea-dhcp4", "severity": "INFO",
                     "output_options": [{"output": "stdout"}]}]}}
    (workdir / "kea.conf").write_text(json.dumps(configuration), encoding="ascii")
    places = {"KEA_PIDFILE_DIR": str(workdir), "KEA_LOCKFILE_DIR": str(workdir)}
    return ["kea-dhcp4", "-c", workdir / "kea.conf"], "DHCP4_STARTED", places


def _dnsmasq(workdir, *more):
    return ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-ping", "--no-hosts",
            "--no-resolv", f"--dhcp-range={POOL[0]},{POOL[1]},600", "--dhcp-option=3,10.77.0.254",
            "--dhcp-authoritative", f"--dhcp-leasefile={workdir}/dnsmasq.leases", "--user=root",
            "--pid-file=", *more], "DHCP, IP range", {}


def start(kind, host, workdir):
    """Starts one on a host and waits until it serves; its Process."""
    command, ready, environment = {"isc": _isc, "kea": _kea, "dnsmasq": _dnsmasq}[kind](workdir)
    process = host.spawn(command, name=kind, environment=environment)
    process.wait_for(ready, timeout=20)
    return process


@contextmanager
def running(kind, host, workdir):
    process = start(kind, host, workdir)
    try:
        yield process
    finally:
        process.stop()
