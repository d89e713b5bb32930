"""ISC dhcpd's configuration and lease file (dhcpd.conf(5), dhcpd.leases(5)), as a Site."""

import re
import time
from calendar import timegm
from dataclasses import dataclass
from ipaddress import ip_network

from database import Trouble
from dhcp_site import Lease, Reservation, Site, Subnet, host_name_of, mac_of, pool_of

TOKEN = re.compile(r'\s+|#[^\n]*|(?P<string>"(?:\\.|[^"\\])*")|(?P<mark>[{};,])|(?P<word>[^\s{};,"#]+)')
TIMES = {"default-lease-time": "lease_seconds", "min-lease-time": "lease_seconds_min",
         "max-lease-time": "lease_seconds_max"}
# what rouse decides by itself, or what is of no use to it
OWN = {"authoritative": "rouse is authoritative unless another server is on the wire",
       "not": "rouse is authoritative unless another server is on the wire",
       "next-server": "rouse names its own tftpd; see rouse.subnets.next_server",
       "filename": "rouse chooses the boot file by architecture; see rouse.boot_files",
       "server-name": "rouse fills it in", "server-identifier": "rouse fills it in",
       "ddns-update-style": "rouse does not update DNS", "ddns-updates": "rouse does not update DNS",
       "update-static-leases": "rouse does not update DNS", "log-facility": "rouse logs to standard error",
       "pid-file-name": "rouse has none", "lease-file-name": "rouse's leases are in the database"}


def _broken(where, what):
    return Trouble(f"{where}: {what}", remedy="dhcpd -t -cf FILE says what ISC's server thinks of it.")


@dataclass
class Statement:
    words: list  # a quoted text keeps its first quotation mark, so that it is known as one
    block: list  # of statements; None without braces
    where: str

    def text(self):
        return " ".join(word[1:] if word[0] == '"' else word for word in self.words)


def _tokens(text, name):
    position = 0
    while position < len(text):
        found = TOKEN.match(text, position)
        if not found:
            raise _broken(f"{name}:{text.count(chr(10), 0, position) + 1}", "a quotation mark without its other")
        if found.lastgroup:
            token = found[0]
            if found.lastgroup == "string":
                token = '"' + re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.S)
            yield found.lastgroup, token, f"{name}:{text.count(chr(10), 0, position) + 1}"
        position = found.end()


def parse(text, name):
    """The statements of a file."""
    stack, words, where = [[]], [], None
    for kind, token, place in _tokens(text, name):
        if kind == "mark" and token in "{};":
            if token != "}" and words:
                stack[-1].append(Statement(words, [] if token == "{" else None, where))
            if token == "{":
                if not words:
                    raise _broken(place, "a block without a name")
                stack.append(stack[-1][-1].block)
            if token == "}":
                if words or len(stack) == 1:
                    raise _broken(place, "a brace that closes nothing, or a statement without its semicolon")
                stack.pop()
            words = []
            continue
        if not words:
            where = place
        words = [*words, token]
    if words or len(stack) > 1:
        raise _broken(name, "it ends in the middle of a statement")
    return stack[0]


def _option(words):
    """(name, value) of an option's words behind "option", as rouse.dhcp_options writes it."""
    value = []
    for word in words[1:]:
        if word == ",":
            value[-1] += ","
        else:
            value.append(word[1:] if word[0] == '"' else word)
    return words[0].removeprefix("dhcp-"), " ".join(value)


class _Reader:
    """Walks the statements; what stands in an outer block holds for the inner ones."""

    def __init__(self):
        self.site = Site()

    def inherit(self, statements, options, times):
        """The options and times of a block, with those of the blocks around it."""
        options, times = dict(options), dict(times)
        for statement in statements:
            words = statement.words
            if statement.block is not None:
                continue
            if words[0] == "option" and len(words) > 2 and words[2] not in ("code", "="):
                name, value = _option(words[1:])
                options[name] = value
            elif words[0] in TIMES and len(words) == 2 and words[1].isdigit():
                times[TIMES[words[0]]] = int(words[1])
            elif words[0] not in ("range", "hardware", "fixed-address"):
                self.site.skip(statement.where, statement.text(), OWN.get(words[0], "rouse has nothing like it"))
        return options, times

    def walk(self, statements, options, times, shared=None):
        for statement in statements:
            if statement.block is None:
                continue
            word = statement.words[0]
            if word == "subnet" and len(statement.words) == 4:
                self.subnet(statement, options, times, shared)
            elif word == "host" and len(statement.words) == 2:
                self.host(statement, options)
            elif word in ("group", "shared-network"):
                inner, inner_times = self.inherit(statement.block, options, times)
                name = statement.words[1].lstrip('"') if word == "shared-network" else shared
                self.walk(statement.block, inner, inner_times, name)
            elif word != "pool":
                self.site.skip(statement.where, statement.text() + " {...}", "rouse has nothing like it")

    def subnet(self, statement, options, times, shared):
        network = ip_network(f"{statement.words[1]}/{statement.words[3]}")
        options, times = self.inherit(statement.block, options, times)
        subnet = Subnet(network, statement.where, [], options, times, shared)
        for inner in statement.block:
            if inner.words[0] == "range":
                self.pool(subnet, inner)
            elif inner.words[0] == "pool" and inner.block is not None:
                self.pools(subnet, inner.block)
        self.site.subnets.append(subnet)
        self.walk(statement.block, {}, {})

    def pools(self, subnet, block):
        for inner in block:
            if inner.words[0] == "range":
                self.pool(subnet, inner)
            else:
                self.site.skip(inner.where, inner.text(), "a pool of rouse has no conditions and options of its own")

    @staticmethod
    def pool(subnet, statement):
        subnet.pools.append(pool_of(" ".join(word for word in statement.words[1:] if word != "dynamic-bootp")))

    def host(self, statement, options):
        own, _ = self.inherit(statement.block, {}, {})
        found = Reservation(None, statement.where, name=host_name_of(statement.words[1].lstrip('"')), options=own)
        for inner in statement.block:
            words = inner.words
            if words[0] == "hardware" and words[1] == "ethernet":
                found.mac = mac_of(words[2])
            elif words[0] == "fixed-address":
                found.address = words[1]
                if "," in words:
                    self.site.skip(inner.where, inner.text(), "a card has one address in rouse: the first was taken")
        if found.mac:
            self.site.reservations.append(found)
        else:
            self.site.skip(statement.where, statement.text(), "rouse knows machines by their Ethernet cards")


def read(text, name):
    reader = _Reader()
    statements = parse(text, name)
    reader.site.options, times = reader.inherit(statements, {}, {})
    reader.walk(statements, {}, times)
    return reader.site


def _moment(words):
    """Seconds since 1970 of "4 2026/11/25 10:00:00", "epoch 1795600000" or "never"."""
    if words[0] == "never":
        return 2**31
    if words[0] == "epoch":
        return int(words[1])
    return timegm(time.strptime(" ".join(words[1:3]), "%Y/%m/%d %H:%M:%S"))


def read_leases(site, text, name, now):
    for statement in parse(text, name):
        if statement.words[0] != "lease" or statement.block is None:
            continue
        facts = {inner.words[0] if inner.words[0] != "binding" else "state": inner.words[1:]
                 for inner in statement.block if inner.words[0] not in ("next", "rewind")}
        mac = mac_of(facts["hardware"][1]) if "hardware" in facts and len(facts["hardware"]) > 1 else None
        is_bound = facts.get("state", ["state", "active"])[-1] == "active"
        if not mac and is_bound:
            site.skip(statement.where, statement.text(), "rouse keeps a lease for an Ethernet card")
            continue
        ends = _moment(facts["ends"]) if "ends" in facts and is_bound else 0
        name_said = facts.get("client-hostname", ['"'])[0].lstrip('"')
        site.lease(Lease(statement.words[1], mac, ends, host_name=name_said or None), now)
