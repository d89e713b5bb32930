-- What the daemons saw, and which daemons there are.

create table rouse_data.event (
	at timestamptz not null,
	daemon text not null,
	instance text not null,
	stage text not null,
	kind text not null,
	mac macaddr,
	uuid uuid,
	address inet,
	host text,
	name text,
	reason text,
	count int not null default 1,
	detail jsonb
) partition by range (at);
create index event_mac on rouse_data.event (mac, at);
create index event_host on rouse_data.event (host, at);
comment on table rouse_data.event is 'What was seen, append-only, one partition for each day.';

-- Partitions are made days ahead by tick(); this one makes sure that an insert never fails.
create table rouse_data.event_default partition of rouse_data.event default;
comment on table rouse_data.event_default is 'Events of a day that has no partition of its own.';

create table rouse_data.daemon (
	daemon text not null,
	instance text not null,
	version text,
	schema_wanted int,
	status text,
	problem text,
	first_seen_at timestamptz not null default now(),
	seen_at timestamptz not null default now(),
	events_skipped bigint not null default 0,
	primary key (daemon, instance)
);
comment on table rouse_data.daemon is 'Daemons that have said hello.';
