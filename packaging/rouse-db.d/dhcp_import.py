"""Takes the site of another DHCP server into the database: one transaction, and a report of what could not be.

Each row is tried by itself: the database judges it, and its words say why one was refused.
"""

import time
from pathlib import Path

import dhcp_dnsmasq
import dhcp_isc
import dhcp_kea
from database import Trouble, quote

READERS = {"isc": dhcp_isc, "kea": dhcp_kea, "dnsmasq": dhcp_dnsmasq}
# options that rouse.subnets has as columns
COLUMNS = {"routers": ("routers", True), "3": ("routers", True), "domain-name-servers": ("dns", True),
           "6": ("dns", True), "domain-name": ("domain_name", False), "15": ("domain_name", False)}

TRY = """
create temp table refused (number int generated always as identity, place text, what text, why text);
create temp table taken (kind text);
create function pg_temp.try(kind text, place text, what text, command text) returns void language plpgsql as $$
declare
	problem text;
	detail text;
begin
	execute command;
	insert into pg_temp.taken values (kind);
exception when unique_violation then
	insert into pg_temp.refused (place, what, why) values (place, what, 'rouse has it already');
when others then
	get stacked diagnostics problem = message_text, detail = pg_exception_detail;
	insert into pg_temp.refused (place, what, why) values (place, what, concat_ws(': ', problem, nullif(detail, '')));
end $$;
"""


def _read_text(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}") from error


def read_site(kind, config, leases, now):
    reader = READERS[kind]
    try:
        site = reader.read(_read_text(config), Path(config).name)
        if leases:
            reader.read_leases(site, _read_text(leases), Path(leases).name, now)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Trouble(f"{config} or its leases have a form that is not known: {error!r}",
                      remedy=f"Let {kind} check its own files first.") from error
    return site


def _try(kind, place, what, command):
    return f"select pg_temp.try({quote(kind)}, {quote(place)}, {quote(what)}, {quote(command)});"


def _array(text):
    return "array[" + ", ".join(quote(part.strip()) for part in text.split(",")) + "]::inet[]"


def _subnet(subnet):
    columns = {"subnet": quote(str(subnet.network)), "comment": quote(f"imported from {subnet.where}")}
    columns.update({column: quote(seconds) for column, seconds in subnet.times.items()})
    if subnet.shared_network:
        columns["shared_network"] = quote(subnet.shared_network)
    rest = {}
    for name, value in subnet.options.items():
        column, is_list = COLUMNS.get(name, (None, False))
        if column:
            columns[column] = _array(value) if is_list else quote(value)
        else:
            rest[name] = value
    yield _try("subnets", subnet.where, str(subnet.network),
               f"insert into rouse.subnets ({', '.join(columns)}) values ({', '.join(columns.values())})")
    for first, last in subnet.pools:
        yield _try("pools", subnet.where, f"{first} - {last}", "insert into rouse.pools (subnet, first, last) values "
                   f"({quote(str(subnet.network))}, {quote(first)}, {quote(last)})")
    yield from _options(rest, subnet.where, "subnet", str(subnet.network))


def _options(options, where, scope, of):
    for name, value in options.items():
        columns, values = (f"{scope}, ", f"{quote(of)}, ") if scope else ("", "")
        yield _try("options", where, f"option {name} {value}", f"insert into rouse.dhcp_options ({columns}option, value) "
                   f"values ({values}{quote(name)}, {quote(value)})")


def _reservation(reservation):
    mac, name = reservation.mac, reservation.name
    if name:
        yield _try("hosts", reservation.where, name,
                   f"insert into rouse.hosts (name) values ({quote(name)})")
        yield _try("cards", reservation.where, f"{mac} of {name}",
                   f"insert into rouse.nics (mac, host) values ({quote(mac)}, {quote(name)})")
        yield from _options(reservation.options, reservation.where, "host", name)
    if reservation.address:
        yield _try("reservations", reservation.where, f"{reservation.address} for {mac}",
                   "insert into rouse.reservations (mac, address) values "
                   f"({quote(mac)}, {quote(reservation.address)})")


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


def script(site, is_kept):
    """The whole import; it prints what was taken and what was refused, as CSV."""
    yield "begin;" + TRY
    for subnet in site.subnets:
        yield from _subnet(subnet)
    yield from _options(site.options, "global", None, None)
    for reservation in site.reservations:
        yield from _reservation(reservation)
    if site.leases:
        yield from _leases(site.leases.values())
    yield "select 'taken', kind, count(*), '' from taken group by kind order by kind;"
    yield "select 'refused', place, what, why from refused order by number;"
    yield "commit;" if is_kept else "rollback;"


def import_dhcp(database, kind, config, leases=None, dry_run=False):
    site = read_site(kind, config, leases, int(time.time()))
    rows = [row for row in database.as_owner().rows("\n".join(script(site, not dry_run))) if len(row) == 4]
    print("would be taken:" if dry_run else "taken:")
    for _, what, count, _ in (row for row in rows if row[0] == "taken"):
        print(f"  {count:>6} {what}")
    left = site.skipped + [tuple(row[1:]) for row in rows if row[0] == "refused"]
    print(f"not taken: {len(left)}")
    for where, what, why in left:
        print(f"  {where}: {what}: {why}")
