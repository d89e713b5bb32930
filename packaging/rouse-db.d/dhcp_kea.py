"""Kea's configuration (JSON with comments) and memfile lease file (CSV), as a Site."""

import csv
import io
import json
import re
from ipaddress import ip_network

from database import Trouble
from dhcp_site import Lease, Reservation, Site, Subnet, host_name_of, mac_of, pool_of

COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|#[^\n]*|/\*.*?\*/', re.S)
TIMES = {"valid-lifetime": "lease_seconds", "min-valid-lifetime": "lease_seconds_min",
         "max-valid-lifetime": "lease_seconds_max"}
# nothing of a site is in them
SERVERS_OWN = {"interfaces-config", "lease-database", "control-socket", "loggers", "expired-leases-processing",
               "multi-threading", "user-context", "comment", "id", "interface", "authoritative", "sanity-checks",
               "dhcp-queue-control", "statistic-default-sample-count", "statistic-default-sample-age", "hooks-libraries",
               "hosts-database", "hosts-databases", "config-control", "server-tag"}
WHY = {"next-server": "rouse names its own tftpd; see rouse.subnets.next_server",
       "boot-file-name": "rouse chooses the boot file by architecture; see rouse.boot_files",
       "server-hostname": "rouse fills it in",
       "client-classes": "rouse gives options by vendor class: rows of rouse.dhcp_options with a class"}


def _options(site, where, entries):
    found = {}
    for entry in entries:
        name = str(entry.get("name") or entry.get("code") or "")
        if entry.get("space", "dhcp4") != "dhcp4" or not name:
            site.skip(where, f"option {name}", "rouse sends the options of DHCPv4 itself only")
        elif entry.get("csv-format", True) is False:
            found[str(entry.get("code", name))] = entry.get("data", "").replace(" ", "")
        else:
            found[name] = entry.get("data", "")
    return found


def _times(scope):
    return {column: int(scope[key]) for key, column in TIMES.items() if key in scope}


def _rest(site, where, scope, known):
    """Tells of every key that nobody has read."""
    for key in scope:
        if key not in known and key not in TIMES and key not in SERVERS_OWN:
            site.skip(where, key, WHY.get(key, "rouse has nothing like it, or decides it by itself"))


def _reservation(site, where, entry):
    mac = mac_of(entry.get("hw-address", ""))
    if not mac:
        site.skip(where, json.dumps(entry), "rouse knows machines by their Ethernet cards")
        return
    _rest(site, f"{where}, {mac}", entry, {"hw-address", "ip-address", "hostname", "option-data"})
    site.reservations.append(Reservation(mac, where, entry.get("ip-address"), host_name_of(entry.get("hostname", "")),
                                         _options(site, where, entry.get("option-data", []))))


def _subnet(site, entry, around):
    """`around`: the options and times of the shared network, its name."""
    options, times, shared = around
    where = f"subnet {entry['subnet']}"
    subnet = Subnet(ip_network(entry["subnet"], strict=False), where,
                    options={**options, **_options(site, where, entry.get("option-data", []))},
                    times={**times, **_times(entry)}, shared_network=shared)
    for pool in entry.get("pools", []):
        subnet.pools.append(pool_of(pool["pool"]))
        _rest(site, f"{where}, pool {pool['pool']}", pool, {"pool"})
    for reservation in entry.get("reservations", []):
        _reservation(site, where, reservation)
    _rest(site, where, entry, {"subnet", "pools", "option-data", "reservations"})
    site.subnets.append(subnet)


def read(text, name):
    try:
        whole = json.loads(COMMENT.sub(lambda found: found[1] or "", text))["Dhcp4"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise Trouble(f"{name} is no configuration of Kea's DHCPv4 server: {error}",
                      remedy="kea-dhcp4 -t FILE says what Kea thinks of it; included files must be put in by hand.") from error
    site = Site()
    site.options = _options(site, name, whole.get("option-data", []))
    times = _times(whole)
    for entry in whole.get("subnet4", []):
        _subnet(site, entry, ({}, times, None))
    for network in whole.get("shared-networks", []):
        around = (_options(site, network["name"], network.get("option-data", [])), {**times, **_times(network)},
                  network["name"])
        for entry in network.get("subnet4", []):
            _subnet(site, entry, around)
        _rest(site, network["name"], network, {"name", "option-data", "subnet4"})
    for reservation in whole.get("reservations", []):
        _reservation(site, "reservations", reservation)
    _rest(site, name, whole, {"option-data", "subnet4", "shared-networks", "reservations"})
    return site


def read_leases(site, text, name, now):
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        mac = mac_of(row.get("hwaddr") or "")
        if not mac:
            site.skip(f"{name}:{number}", row.get("address"), "rouse keeps a lease for an Ethernet card")
            continue
        identifier = bytes.fromhex(row.get("client_id", "").replace(":", "")) or None
        ends = int(row["expire"]) if row["state"] == "0" else 0
        site.lease(Lease(row["address"], mac, ends, identifier, row.get("hostname", "").rstrip(".") or None), now)
