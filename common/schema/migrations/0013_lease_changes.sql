-- What several dhcpd tell each other: whose lease changed. Append-only, one row for each statement, so
-- that it costs a renewal nothing; read every second by each of them.

create table rouse_data.lease_change (
	xid xid8 not null default pg_current_xact_id(),
	at timestamptz not null default now(),
	instance text not null,
	addresses inet[] not null
);
create index lease_change_xid on rouse_data.lease_change (xid);
comment on table rouse_data.lease_change is 'Addresses whose lease changed, by transaction and dhcpd; kept for minutes.';
