"""What is taken in from another DHCP server: one shape, whichever server it was.

What rouse has no place for is not left out in silence: each reader skips it with its place and the reason, and
the report lists it.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address, ip_network

MAC = re.compile(r"([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}", re.I)


@dataclass
class Subnet:
    network: IPv4Network
    where: str
    pools: list = field(default_factory=list)  # (first, last), as texts
    options: dict = field(default_factory=dict)  # {name or code: value}, as rouse.dhcp_options takes them
    times: dict = field(default_factory=dict)  # {column of rouse.subnets: seconds}
    shared_network: str = None


@dataclass
class Reservation:
    mac: str
    where: str
    address: str = None
    name: str = None
    options: dict = field(default_factory=dict)


@dataclass
class Lease:
    address: str
    mac: str
    ends: int  # seconds since 1970
    identifier: bytes = None
    host_name: str = None


class Site:
    def __init__(self):
        self.subnets = []
        self.reservations = []
        self.leases = {}  # by address
        self.options = {}
        self.skipped = []  # (where, what, why)

    def skip(self, where, what, why):
        self.skipped.append((where, what, why))

    def lease(self, lease, now):
        """Takes a lease; of one address the last that was written counts, if it has not ended."""
        if lease.ends > now:
            self.leases[lease.address] = lease
        else:
            self.leases.pop(lease.address, None)


def mac_of(text):
    """As the database writes it, or None."""
    if not MAC.fullmatch(text):
        return None
    return ":".join(part.zfill(2) for part in text.lower().split(":"))


def pool_of(words):
    """(first, last) of "a - b", "a b", "a" or a network in which every address is meant."""
    text = words.strip()
    if "/" in text:
        network = ip_network(text, strict=False)
        return str(network[0]), str(network[-1])
    ends = [str(ip_address(part)) for part in re.split(r"\s*-\s*|\s+", text)]
    return ends[0], ends[-1]


def host_name_of(text):
    """A name as rouse.hosts takes it: the first label, in lower-case letters, digits and hyphens; None if none is left."""
    label = re.sub(r"[^a-z0-9-]+", "-", text.lower().split(".")[0]).strip("-")
    return label[:63].strip("-") or None
