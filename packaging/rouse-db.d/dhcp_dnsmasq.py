"""dnsmasq's configuration and lease file (dnsmasq(8)), as a Site. What is not of DHCP is passed over."""

import re
from ipaddress import ip_address, ip_network

from database import Trouble
from dhcp_site import Lease, Reservation, Site, Subnet, host_name_of, mac_of

# dnsmasq's names of options that rouse, which takes RFC 2132's names, writes otherwise: by code
CODES = {"netmask": 1, "time-offset": 2, "router": 3, "dns-server": 6, "log-server": 7, "lpr-server": 9, "hostname": 12,
         "boot-file-size": 13, "domain-name": 15, "swap-server": 16, "root-path": 17, "extension-path": 18, "mtu": 26,
         "broadcast": 28, "static-route": 33, "nis-domain": 40, "nis-server": 41, "ntp-server": 42, "netbios-ns": 44,
         "netbios-dd": 45, "netbios-nodetype": 46, "netbios-scope": 47, "x-windows-fs": 48, "x-windows-dm": 49,
         "tftp-server": 66, "bootfile-name": 67, "smtp-server": 69, "pop3-server": 70, "nntp-server": 71,
         "irc-server": 74, "posix-timezone": 100, "tzdb-timezone": 101, "domain-search": 119,
         "classless-static-route": 121, "server-ip-address": 150}
SPAN = re.compile(r"([0-9]+)([smhdw]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
OWN = {"dhcp-boot": "rouse chooses the boot file by architecture; see rouse.boot_files",
       "pxe-service": "see rouse.menu", "pxe-prompt": "see rouse.menu", "tftp-root": "rouse's tftpd has its key root",
       "dhcp-authoritative": "rouse is authoritative unless another server is on the wire",
       "dhcp-leasefile": "rouse's leases are in the database", "enable-tftp": "rouse's tftpd is a daemon of its own",
       "conf-dir": "name each of its files instead", "conf-file": "name that file instead",
       "dhcp-hostsfile": "name that file's lines as dhcp-host", "dhcp-optsfile": "name that file's lines as dhcp-option"}


def _seconds(word):
    found = SPAN.fullmatch(word)
    return int(found[1]) * SECONDS[found[2]] if found else {"infinite": 31622400}.get(word)


def _is_address(word):
    try:
        return bool(ip_address(word))
    except ValueError:
        return False


def _parts(site, where, value):
    """The parts of a value, without tags, of which rouse knows nothing."""
    parts = [part.strip() for part in value.split(",")]
    tags = [part for part in parts if re.match(r"(tag|set|net):", part)]
    if tags:
        site.skip(where, ", ".join(tags), "rouse has no tags: the rest of the line holds for all")
    return [part for part in parts if part not in tags]


def _range(site, where, value):
    parts = _parts(site, where, value)
    first = parts[0]
    if not _is_address(first) or ":" in first:
        site.skip(where, value, "rouse serves IPv4")
        return
    if "proxy" in parts[1:]:
        site.skip(where, value, "a proxy is a mode of rouse's dhcpd: its key mode")
        return
    addresses = [part for part in parts[1:] if _is_address(part)]
    masks = [part for part in addresses if part.startswith("255.")]
    ends = [part for part in addresses if part not in masks and not part.endswith(".255")]
    if not masks:
        site.skip(where, "the length of the network", "it is not said here: /24 was taken")
    network = ip_network(f"{first}/{masks[0] if masks else 24}", strict=False)
    subnet = next((one for one in site.subnets if one.network == network), None)
    if not subnet:
        subnet = Subnet(network, where)
        site.subnets.append(subnet)
    if "static" not in parts:
        subnet.pools.append((first, ends[0] if ends else first))
    spans = [_seconds(part) for part in parts[1:] if _seconds(part) is not None]
    if spans:
        subnet.times["lease_seconds"] = spans[-1]


def _host(site, where, value):
    found = Reservation(None, where)
    for part in _parts(site, where, value):
        if mac_of(part):
            if found.mac:
                site.skip(where, part, "a second card: write it into rouse.nics")
            found.mac = found.mac or mac_of(part)
        elif _is_address(part):
            found.address = part
        elif part == "ignore":
            site.skip(where, value, "rouse keeps a machine out by its state: disabled")
            return
        elif part.startswith("id:") or _seconds(part) is not None:
            site.skip(where, part, "rouse has it not for one machine")
        else:
            found.name = host_name_of(part)
    if found.mac:
        site.reservations.append(found)
    else:
        site.skip(where, value, "rouse knows machines by their Ethernet cards")


def _option(site, where, value):
    parts = _parts(site, where, value)
    word = parts[0].removeprefix("option:")
    if not parts[1:] or re.match(r"(option6|encap|vi-encap|vendor|cookie)", word):
        site.skip(where, value, "rouse sends no such option")
        return
    text = ", ".join(part.strip('"') for part in parts[1:])
    if "0.0.0.0" in parts[1:]:
        site.skip(where, value, "dnsmasq's own address is meant: write it out")
    elif word in CODES or word.isdigit():
        site.options[str(CODES.get(word, word))] = text
    else:
        site.options[word] = text


def read(text, name):
    site = Site()
    readers = {"dhcp-range": _range, "dhcp-host": _host, "dhcp-option": _option, "dhcp-option-force": _option}
    for number, line in enumerate(text.splitlines(), start=1):
        key, _, value = re.sub(r"(^|\s)#.*", "", line).strip().partition("=")
        where = f"{name}:{number}"
        if key == "domain" and value:
            site.options["domain-name"] = value.split(",")[0]
        elif key in readers and value:
            try:
                readers[key](site, where, value)
            except ValueError as error:
                raise Trouble(f"{where}: {error}", remedy="dnsmasq --test says what dnsmasq thinks of it.") from error
        elif key in OWN or key.startswith(("dhcp-", "pxe-", "tftp-")):
            site.skip(where, line.strip(), OWN.get(key, "rouse has nothing like it, or decides it by itself"))
    return site


def read_leases(site, text, name, now):
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if len(words) < 4 or words[0] == "duid" or ":" in words[2]:
            continue
        mac = mac_of(words[1])
        if not mac:
            site.skip(f"{name}:{number}", words[2], "rouse keeps a lease for an Ethernet card")
            continue
        site.lease(Lease(words[2], mac, int(words[0]) or 2**31, host_name=None if words[3] == "*" else words[3]), now)
