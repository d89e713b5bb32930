-- Machines and the identifiers they show.

create table rouse_data.host (
	id bigint generated always as identity primary key,
	name rouse.host_name not null constraint "a host name is used once" unique,
	state text not null default 'active'
		constraint "a host is unknown, pending, active, disabled or retired"
		check (state in ('unknown', 'pending', 'active', 'disabled', 'retired')),
	uuid uuid,
	serial text,
	manufacturer text,
	product text,
	comment text,
	created_at timestamptz not null default now(),
	created_by text not null default session_user
);
create index host_uuid on rouse_data.host (uuid);
comment on table rouse_data.host is 'Machines.';

-- A card refers to its host by name, so that the view over this table stays a plain, writable one.
create table rouse_data.nic (
	mac macaddr primary key,
	host rouse.host_name
		constraint "a network card belongs to a known host"
		references rouse_data.host (name) on update cascade on delete cascade,
	kind text not null default 'primary'
		constraint "a network card is primary, extra, pending, shared or ignored"
		check (kind in ('primary', 'extra', 'pending', 'shared', 'ignored')),
	comment text,
	constraint "only shared and ignored network cards are without a host"
		check ((host is null) = (kind in ('shared', 'ignored'))),
	constraint "a MAC names one card: no multicast, not all zero"
		check (mac <> '00:00:00:00:00:00'
			and (mac & '01:00:00:00:00:00') = '00:00:00:00:00:00')
);
create unique index "a host has one primary network card" on rouse_data.nic (host)
	where kind = 'primary';
create index nic_host on rouse_data.nic (host);
comment on table rouse_data.nic is 'Network cards by their MAC, and whose they are.';

create table rouse_data.host_inventory (
	host_id bigint not null references rouse_data.host on delete cascade,
	number int not null,
	at timestamptz not null default now(),
	attempt_id bigint,
	data jsonb not null constraint "an inventory is a JSON object" check (jsonb_typeof(data) = 'object'),
	primary key (host_id, number)
);
comment on table rouse_data.host_inventory is
	'What machines said about their hardware: one row for each time that it differed.';
