-- Subnets, the addresses to give out, and the leases given.

create type rouse_data.address_range as range (subtype = inet);
comment on type rouse_data.address_range is 'Addresses from first to last; keeps pools apart.';

create table rouse_data.subnet (
	id bigint generated always as identity constraint "a subnet's id is used once" unique,
	subnet cidr primary key constraint "a subnet is IPv4" check (family(subnet) = 4),
	routers inet[] not null default '{}',
	dns inet[] not null default '{}',
	domain_name text,
	next_server inet,
	lease_seconds int not null default 3600
		constraint "a lease lasts from 60 seconds to a year" check (lease_seconds between 60 and 31622400),
	menud_urls text,
	comment text,
	constraint "subnets do not overlap" exclude using gist (subnet inet_ops with &&),
	constraint "routers lie inside their subnet" check (subnet >>= all (routers)),
	constraint "a next server is a single IPv4 address"
		check (family(next_server) = 4 and masklen(next_server) = 32),
	constraint "menud URLs begin with http:// or https://"
		check (menud_urls ~ '^https?://[^[:space:]]+([[:space:]]+https?://[^[:space:]]+)*$')
);
comment on table rouse_data.subnet is 'Networks that dhcpd serves.';

create table rouse_data.pool (
	id bigint generated always as identity constraint "a pool's id is used once" unique,
	subnet cidr not null
		constraint "a pool belongs to a known subnet"
		references rouse_data.subnet (subnet) on update cascade on delete cascade,
	first inet primary key,
	last inet not null,
	constraint "a pool is of single addresses"
		check (masklen(first) = 32 and masklen(last) = 32),
	constraint "a pool runs from its first to its last address" check (first <= last),
	constraint "a pool lies inside its subnet" check (first <<= subnet and last <<= subnet),
	constraint "a pool leaves out the subnet's network and broadcast address"
		check (masklen(subnet) >= 31
			or (first > host(network(subnet))::inet and last < host(broadcast(subnet))::inet)),
	constraint "pools do not overlap"
		exclude using gist (rouse_data.address_range(first, last, '[]') with &&)
);
comment on table rouse_data.pool is 'Ranges of addresses that dhcpd may give to anybody.';

create table rouse_data.reservation (
	address inet primary key
		constraint "a reserved address is a single IPv4 address"
		check (family(address) = 4 and masklen(address) = 32),
	mac macaddr not null,
	comment text
);
create index reservation_mac on rouse_data.reservation (mac);
comment on table rouse_data.reservation is 'Addresses kept for one network card.';

-- The hot path. No foreign key, no trigger, and no index on anything that a renewal changes, so
-- that renewals are heap-only updates; expiry is a comparison, never a delete.
create table rouse_data.lease (
	address inet primary key
		constraint "a lease is for a single address" check (masklen(address) = 32),
	client bytea not null
		constraint "a client's key has 1 to 256 bytes" check (octet_length(client) between 1 and 256),
	mac macaddr,
	state text not null
		constraint "a lease is bound, released or declined" check (state in ('bound', 'released', 'declined')),
	expires_at timestamptz not null,
	granted_at timestamptz not null,
	host_name text,
	class text,
	instance text not null
) with (fillfactor = 80);
create index lease_client on rouse_data.lease (client);
comment on table rouse_data.lease is 'Leases, by address; the primary key is the lock between several dhcpd.';
