"""Takes the site of another DHCP server into the database."""

import time
from pathlib import Path

import dhcp_dnsmasq
import dhcp_isc
import dhcp_kea
from database import Trouble, quote
from importing import Sql, attempt, insert, read_text, run

READERS = {"isc": dhcp_isc, "kea": dhcp_kea, "dnsmasq": dhcp_dnsmasq}
# options that rouse.subnets has as columns
COLUMNS = {"routers": ("routers", True), "3": ("routers", True), "domain-name-servers": ("dns", True),
           "6": ("dns", True), "domain-name": ("domain_name", False), "15": ("domain_name", False)}

def read_site(kind, config, leases, now):
    reader = READERS[kind]
    try:
        site = reader.read(read_text(config), Path(config).name)
        if leases:
            reader.read_leases(site, read_text(leases), Path(leases).name, now)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Trouble(f"{config} or its leases have a form that is not known: {error!r}",
                      remedy=f"Let {kind} check its own files first.") from error
    return site


def _array(text):
    return Sql("array[" + ", ".join(quote(part.strip()) for part in text.split(",")) + "]::inet[]")


def _subnet(subnet):
    network = str(subnet.network)
    columns = {"subnet": network, "comment": f"imported from {subnet.where}", "shared_network": subnet.shared_network,
               **subnet.times}
    rest = {}
    for name, value in subnet.options.items():
        column, is_list = COLUMNS.get(name, (None, False))
        if column:
            columns[column] = _array(value) if is_list else value
        else:
            rest[name] = value
    yield attempt("subnets", subnet.where, network, insert("subnets", columns))
    for first, last in subnet.pools:
        yield attempt("pools", subnet.where, f"{first} - {last}",
                      insert("pools", {"subnet": network, "first": first, "last": last}))
    yield from _options(rest, subnet.where, {"subnet": network})


def _options(options, where, scope):
    for name, value in options.items():
        yield attempt("options", where, f"option {name} {value}",
                      insert("dhcp_options", {**scope, "option": name, "value": value}))


def _reservation(reservation):
    mac, name, where = reservation.mac, reservation.name, reservation.where
    if name:
        yield attempt("hosts", where, name, insert("hosts", {"name": name}))
        yield attempt("cards", where, f"{mac} of {name}", insert("nics", {"mac": mac, "host": name}))
        yield from _options(reservation.options, where, {"host": name})
    if reservation.address:
        yield attempt("reservations", where, f"{reservation.address} for {mac}",
                      insert("reservations", {"mac": mac, "address": reservation.address}))


def _leases(leases):
    """As dhcpd writes them: the client's key is its card, type and address (one machine, one lease)."""
    yield ("create temp table lease_in (address inet, mac macaddr, ends timestamptz, host_name text);\n"
           "insert into lease_in select * from (values (null::inet, null::macaddr, null::timestamptz, null::text)")
    for lease in leases:
        yield (f", ({quote(lease.address)}, {quote(lease.mac)}, to_timestamp({lease.ends}), {quote(lease.host_name)})")
    yield """) v where column1 is not null;
	with outside as (delete from lease_in l where not exists (select from rouse.subnets s where l.address << s.subnet)
		returning l.*)
	insert into refused (place, what, why)
		select 'leases', host(address) || ' of ' || mac, 'it lies in no subnet of rouse' from outside;
	with done as (insert into rouse_data.lease (address, client, mac, state, expires_at, granted_at, host_name, instance)
		select address, decode('01' || replace(mac::text, ':', ''), 'hex'), mac, 'bound', ends, now(), host_name, 'import'
		from lease_in on conflict (address) do nothing returning address),
	kept as (insert into refused (place, what, why)
		select 'leases', host(address) || ' of ' || mac, 'rouse has a lease of this address already' from lease_in
		where address not in (select address from done))
	insert into taken select 'leases' from done;
"""


def _statements(site):
    for subnet in site.subnets:
        yield from _subnet(subnet)
    yield from _options(site.options, "global", {})
    for reservation in site.reservations:
        yield from _reservation(reservation)
    if site.leases:
        yield from _leases(site.leases.values())


def import_dhcp(database, kind, config, leases=None, dry_run=False):
    site = read_site(kind, config, leases, int(time.time()))
    run(database, _statements(site), site.skipped, dry_run)
