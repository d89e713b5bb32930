-- Who else answers DHCP on our networks: rouse's own daemons, and strangers.

create table rouse_data.dhcp_server (
	instance text not null,
	address inet not null,
	kind text not null
		constraint "a DHCP answer is a server's or a proxy's" check (kind in ('server', 'proxy')),
	seen_at timestamptz not null default now(),
	primary key (instance, address)
);
create index dhcp_server_address on rouse_data.dhcp_server (address, kind);
comment on table rouse_data.dhcp_server is
	'The addresses from which our own dhcpd answer now: whoever answers from them is no stranger.';

create table rouse_data.foreign_dhcp (
	address inet not null,
	mac macaddr not null,
	kind text not null
		constraint "a foreign answer is a server's or a proxy's" check (kind in ('server', 'proxy')),
	router inet,
	next_server inet,
	boot_file text,
	first_seen timestamptz not null default now(),
	last_seen timestamptz not null default now(),
	count bigint not null,
	seen_by text not null,
	primary key (address, mac, kind)
);
comment on table rouse_data.foreign_dhcp is 'DHCP servers and proxies that are not ours, as dhcpd heard them.';

insert into rouse_data.setting (name, value, "default", kind, description) values
	('dhcp_ignore_foreign', 'false', 'false', 'boolean',
		'whether dhcpd in server mode serves also where another DHCP server answers its probe');
