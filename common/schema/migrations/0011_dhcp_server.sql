-- What a DHCP server is asked for beyond the chain: lease times by wish, shared networks, and what a
-- relay says of a client.

alter table rouse_data.subnet
	add lease_seconds_min int,
	add lease_seconds_max int,
	add shared_network text constraint "a shared network has a name" check (shared_network ~ '^[^[:cntrl:]]+$'),
	add constraint "a lease's shortest time is at least 60 seconds and not over lease_seconds"
		check (lease_seconds_min between 60 and lease_seconds),
	add constraint "a lease's longest time is at most a year and not under lease_seconds"
		check (lease_seconds_max between lease_seconds and 31622400);

create table rouse_data.lease_origin (
	address inet primary key,
	client bytea not null,
	relay inet not null,
	circuit_id bytea,
	remote_id bytea,
	seen_at timestamptz not null
);
comment on table rouse_data.lease_origin is
	'Through which relay, port and switch a lease was last asked for. Apart from the leases: it is no promise and must not slow one.';

insert into rouse_data.setting (name, value, "default", kind, description) values
	('dhcp_nak_wrong_network', 'true', 'true', 'boolean',
		'whether dhcpd refuses (NAK) an address that belongs to another network; off: silence'),
	('dhcp_nak_unknown_client', 'false', 'false', 'boolean',
		'whether dhcpd refuses (NAK) a client that asks for a lease nobody knows; off: silence, another server may know it'),
	('dhcp_subnet_selection', 'false', 'false', 'boolean',
		'whether a client may name its subnet by option 118 (RFC 3011)');
