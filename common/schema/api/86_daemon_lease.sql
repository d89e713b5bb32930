-- Leases. The primary key on the address is the lock between several dhcpd: whoever commits first
-- has it, and the other one is told the owner.

create function rouse_data.lease_seconds_left(expires_at timestamptz) returns int
language sql stable as $$ select floor(extract(epoch from expires_at - now()))::int $$;
comment on function rouse_data.lease_seconds_left is 'Whole seconds until then, by the database''s clock.';

create function rouse_daemon.lease_load(after inet, most int)
returns table (address inet, client bytea, mac macaddr, state text, seconds_left int, host_name text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off as $$
	select l.address, l.client, l.mac,
		case when l.state = 'bound' and l.expires_at < now() then 'expired' else l.state end,
		rouse_data.lease_seconds_left(l.expires_at), l.host_name
	from rouse_data.lease l
	where l.address > coalesce(lease_load.after, '0.0.0.0')
	order by l.address limit lease_load.most
$$;
comment on function rouse_daemon.lease_load is
	'All leases, ended ones too, behind this address (null: from the first), so many at most.';

create function rouse_daemon.lease_changes(instance text, since xid8)
returns table (next xid8, address inet, client bytea, mac macaddr, state text, seconds_left int, host_name text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp
set enable_seqscan = off as $$
	-- A transaction below the snapshot's xmin is over, and what it changed was seen; others are read again.
	select pg_snapshot_xmin(pg_current_snapshot()), null, null, null, null, null, null
	union all
	select null, l.address, l.client, l.mac,
		case when l.state = 'bound' and l.expires_at < now() then 'expired' else l.state end,
		rouse_data.lease_seconds_left(l.expires_at), l.host_name
	from (
		select distinct unnest(c.addresses) as address from rouse_data.lease_change c
		where c.xid >= $2 and c.instance <> $1) changed
	join rouse_data.lease l on l.address = changed.address
$$;
comment on function rouse_daemon.lease_changes is
	'First what to give as "since" the next time; then the leases that other dhcpd changed since. Null: only the first.';

create function rouse_daemon.timeline() returns bigint
language sql volatile security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	-- pg_control_checkpoint() tells a promotion only after its first checkpoint.
	select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint
$$;
comment on function rouse_daemon.timeline is 'The timeline of this server: another number means that a standby was promoted.';

create function rouse_data.find_leases(clients bytea[])
returns table (address inet, client bytea, mac macaddr, state text, seconds_left int, host_name text)
-- PL/pgSQL keeps the plan of its query; always by index, as in end_other_leases.
language plpgsql stable set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
	return query
	select l.address, l.client, l.mac,
		case when l.state = 'bound' and l.expires_at < now() then 'expired' else l.state end,
		rouse_data.lease_seconds_left(l.expires_at), l.host_name
	from rouse_data.lease l where l.client = any (clients)
	order by l.granted_at;
end
$$;
comment on function rouse_data.find_leases is 'What lease_find does.';

create function rouse_daemon.lease_find(client bytea[])
returns table (address inet, client bytea, mac macaddr, state text, seconds_left int, host_name text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select f.* from rouse_data.find_leases($1) f
$$;
comment on function rouse_daemon.lease_find is 'The leases of these clients, the newest last, also expired ones.';

create function rouse_data.check_lease_batch(lengths int[], lease_seconds int[]) returns void
language plpgsql immutable as $$
begin
	if not coalesce(lengths[1] = all (lengths), false) then
		raise exception using errcode = '22023', message = 'the arrays of leases have different lengths',
			detail = format('They are %s.', array_to_string(lengths, ', ', 'null')), hint = 'Give one element for each lease.';
	end if;
	if array_position(lease_seconds, null) is not null or not 1 <= all (lease_seconds) then
		raise exception using errcode = '22023', message = 'a lease of no seconds was asked for',
			detail = format('They are %s.', array_to_string(lease_seconds, ', ', 'null')),
			hint = 'Each element of seconds is 1 or more.';
	end if;
end
$$;
comment on function rouse_data.check_lease_batch is 'Refuses a batch of leases that is not well formed; no seconds: null.';

create function rouse_data.note_lease_change(daemon text, addresses inet[]) returns void
language sql volatile as $$
	insert into rouse_data.lease_change (instance, addresses)
	select $1, $2 where cardinality($2) > 0
$$;
comment on function rouse_data.note_lease_change is 'Tells the other dhcpd; no addresses is nothing to tell.';

create function rouse_data.end_other_leases(daemon text, addresses inet[], clients bytea[]) returns void
-- This table grows a thousandfold between two looks at its statistics: always by index.
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
	ended_addresses inet[];
begin
	with newest as (
		select distinct on (w.client, s.id) w.client, w.address, s.subnet
		from unnest(addresses, clients) with ordinality as w (address, client, rank)
		join rouse_data.subnet s on s.subnet >> w.address
		order by w.client, s.id, w.rank desc
	), other as (
		select l.address from rouse_data.lease l join newest n on l.client = n.client
		where l.address <> n.address and l.address << n.subnet and l.state = 'bound'
		order by l.address for update of l
	), ended as (
		update rouse_data.lease l set state = 'released' from other o where l.address = o.address
		returning l.address
	)
	select array_agg(e.address) into ended_addresses from ended e;
	perform rouse_data.note_lease_change(daemon, ended_addresses);
end
$$;
comment on function rouse_data.end_other_leases is 'Ends what else these clients hold in the subnets of these addresses, which they were just granted in this order.';

create function rouse_data.leases_now(addresses inet[], clients bytea[])
returns table (address inet, client bytea, granted boolean, seconds_left int)
language sql stable set enable_seqscan = off as $$
	select w.address, l.client, l.client = w.client and l.state = 'bound' and l.expires_at > now(),
		rouse_data.lease_seconds_left(l.expires_at)
	from unnest($1, $2) with ordinality as w (address, client, rank)
	join rouse_data.lease l on l.address = w.address
	order by w.rank
$$;
comment on function rouse_data.leases_now is 'For each address and client: whose the lease is, and whether the client has it.';

create function rouse_daemon.lease_grant(instance text, addresses inet[], clients bytea[], macs macaddr[],
	seconds int[], host_names text[], classes text[])
returns table (address inet, client bytea, granted boolean, seconds_left int)
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp set enable_seqscan = off
-- Its plan is kept: with statistics of a full table PostgreSQL would make a new one for each call, which costs more than
-- all the rest of a small one.
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
	granted_addresses inet[];
	granted_clients bytea[];
	different bigint; -- clients
	others bigint; -- leases that these clients hold beside those that they ask for
begin
	-- Every ACK waits for this function: what is nearly always so is seen by one statement. It does not see what
	-- another dhcpd grants the same client in the same moment: then the client has two addresses until the next
	-- grant or the end of one, but no address has two clients, for its row is the lock.
	if (cardinality(addresses) = all (array[cardinality(clients), cardinality(macs), cardinality(seconds),
			cardinality(host_names), cardinality(classes)])
			and 1 <= all (seconds) and array_position(seconds, null) is null) is not true then
		perform rouse_data.check_lease_batch(array[cardinality(addresses), cardinality(clients), cardinality(macs),
			cardinality(seconds), cardinality(host_names), cardinality(classes)], seconds);
	end if;
	-- In the order of addresses, so that two daemons never wait for each other; the newest of a batch wins.
	with granted as (
		insert into rouse_data.lease as l (address, client, mac, state, expires_at, granted_at, host_name, class, instance)
		select distinct on (w.address) w.address, w.client, w.mac, 'bound', now() + make_interval(secs => w.seconds), now(),
			w.host_name, w.class, lease_grant.instance
		from unnest(addresses, clients, macs, seconds, host_names, classes) with ordinality
			as w (address, client, mac, seconds, host_name, class, rank)
		order by w.address, w.rank desc
		on conflict on constraint lease_pkey do update set client = excluded.client, mac = excluded.mac,
			state = 'bound', expires_at = excluded.expires_at, granted_at = excluded.granted_at,
			host_name = excluded.host_name, class = excluded.class, instance = excluded.instance
		where (l.client = excluded.client and l.state <> 'declined') or l.expires_at < now() - (
			select make_interval(secs => s.value::int) from rouse_data.setting s where s.name = 'lease_grace_seconds')
		returning l.address, l.client
	), told as (
		insert into rouse_data.lease_change (instance, addresses)
		select lease_grant.instance, array_agg(g.address) from granted g having count(*) > 0
	)
	select array_agg(g.address), array_agg(g.client), count(distinct g.client),
		(select count(*) from rouse_data.lease l
			where l.client = any (clients) and l.state = 'bound' and l.address <> all (addresses))
	into granted_addresses, granted_clients, different, others from granted g;
	if different = cardinality(addresses) and others = 0 then
		return query select w.address, w.client, true, w.seconds
			from unnest(addresses, clients, seconds) as w (address, client, seconds);
		return;
	end if;
	-- in the order in which they were asked for
	select array_agg(w.address order by w.rank), array_agg(w.client order by w.rank)
	into granted_addresses, granted_clients
	from unnest(addresses, clients) with ordinality as w (address, client, rank)
	where (w.address, w.client) in (select * from unnest(granted_addresses, granted_clients));
	perform rouse_data.end_other_leases(lease_grant.instance, granted_addresses, granted_clients);
	return query select * from rouse_data.leases_now(addresses, clients);
end
$$;
comment on function rouse_daemon.lease_grant is
	'Grants or renews leases, as many as are given; answers each with the lease as it now stands, its owner included.';

create function rouse_daemon.lease_end(instance text, address inet[], client bytea[], how text[]) returns int
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	quarantine interval := make_interval(secs => rouse_data.setting_int('decline_quarantine_seconds'));
	ended inet[];
begin
	perform rouse_data.check_lease_batch(array[cardinality(address), cardinality(client), cardinality(how)], null);
	if exists (select from unnest(lease_end.how) h where h is null or h not in ('released', 'declined')) then
		raise exception using errcode = '22023', message = 'a lease ends as released or declined',
			detail = format('They are %s.', array_to_string(lease_end.how, ', ', 'null')),
			hint = 'Each element of how is one of these words.';
	end if;
	-- A released address is kept for its client until it would have expired: a daemon that does not
	-- know of the release must not be contradicted.
	with asked as (
		select distinct on (w.address) w.address, w.client, w.how
		from unnest(lease_end.address, lease_end.client, lease_end.how) with ordinality
			as w (address, client, how, rank)
		order by w.address, w.rank desc
	), locked as (
		select l.address, a.how from rouse_data.lease l
		join asked a on a.address = l.address and a.client = l.client
		where l.state = 'bound' or (l.state = 'released' and a.how = 'declined')
		order by l.address for update of l
	), done as (
		update rouse_data.lease l set state = o.how, instance = lease_end.instance,
			expires_at = case o.how when 'declined' then now() + quarantine else l.expires_at end
		from locked o where l.address = o.address
		returning l.address
	)
	select coalesce(array_agg(d.address), '{}') into ended from done d;
	perform rouse_data.note_lease_change(lease_end.instance, ended);
	return cardinality(ended);
end
$$;
comment on function rouse_daemon.lease_end is 'Ends leases where address and client agree; says how many.';

create function rouse_daemon.lease_in_use(instance text, address inet, client bytea, mac macaddr) returns boolean
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	-- As in lease_grant; what goes in has the names of the columns here.
	grace interval := make_interval(secs => rouse_data.setting_int('lease_grace_seconds'));
	quarantine interval := make_interval(secs => rouse_data.setting_int('decline_quarantine_seconds'));
begin
	insert into rouse_data.lease as l (address, client, mac, state, expires_at, granted_at, instance)
	values ($2, $3, $4, 'declined', now() + quarantine, now(), $1)
	on conflict on constraint lease_pkey do update set client = excluded.client, mac = excluded.mac,
		state = 'declined', expires_at = excluded.expires_at, granted_at = excluded.granted_at,
		host_name = null, class = null, instance = excluded.instance
	where l.expires_at + grace < now();
	if found then
		perform rouse_data.note_lease_change($1, array[$2]);
	end if;
	return found;
end
$$;
comment on function rouse_daemon.lease_in_use is
	'An address that was to be offered is used by this client without a lease: it is quarantined as after a decline, unless it is leased.';

create function rouse_data.reassert_leases(daemon text, addresses inet[], clients bytea[], macs macaddr[],
	lease_seconds int[])
returns table (address inet, kept boolean)
language plpgsql set enable_seqscan = off as $$
declare
	grace interval := make_interval(secs => rouse_data.setting_int('lease_grace_seconds'));
begin
	perform rouse_data.check_lease_batch(array[cardinality(addresses), cardinality(clients), cardinality(macs),
		cardinality(lease_seconds)], lease_seconds);
	-- Two clients were promised one address, one by each of two servers: nobody may have it until both
	-- promises are over. What was declined stays so.
	insert into rouse_data.lease as l (address, client, mac, state, expires_at, granted_at, instance)
	select w.address, w.client, w.mac, 'bound', now() + make_interval(secs => w.seconds), now(), daemon
	from unnest(addresses, clients, macs, lease_seconds) as w (address, client, mac, seconds) order by w.address
	on conflict on constraint lease_pkey do update set
		client = case when l.expires_at + grace < now() then excluded.client else l.client end,
		mac = case when l.client = excluded.client or l.expires_at + grace < now() then excluded.mac else l.mac end,
		state = case when l.client = excluded.client or l.expires_at + grace < now() then 'bound' else 'declined' end,
		expires_at = greatest(l.expires_at, excluded.expires_at), instance = excluded.instance
	where l.state <> 'declined' or l.expires_at + grace < now();
	perform rouse_data.note_lease_change(daemon, addresses);
	perform rouse_data.end_other_leases(daemon, array_agg(w.address), array_agg(w.client))
	from unnest(addresses, clients) as w (address, client)
	join rouse_data.lease l on l.address = w.address and l.client = w.client and l.state = 'bound';
	return query
	select w.address, l.client = w.client and l.state = 'bound'
	from unnest(addresses, clients) with ordinality as w (address, client, rank)
	join rouse_data.lease l on l.address = w.address order by w.rank;
end
$$;
comment on function rouse_data.reassert_leases is 'What lease_reassert does.';

create function rouse_daemon.lease_reassert(instance text, address inet[], client bytea[], mac macaddr[], seconds int[])
returns table (address inet, kept boolean)
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select r.* from rouse_data.reassert_leases($1, $2, $3, $4, $5) r
$$;
comment on function rouse_daemon.lease_reassert is
	'After a failover: leases that this dhcpd has acknowledged and that may be lost. One that another client got meanwhile is quarantined.';

create function rouse_data.lease_mac_at(the_address inet, at timestamptz) returns macaddr
-- Called from plans that are kept: always by index.
language sql stable set enable_seqscan = off as $$
	select l.mac from rouse_data.lease l
	where l.address = the_address and l.state = 'bound' and l.expires_at >= at
$$;
comment on function rouse_data.lease_mac_at is 'The card whose lease of this address ran at that time, or null.';

create function rouse_daemon.lease_mac(address inet) returns macaddr
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse_data.lease_mac_at($1, clock_timestamp())
$$;
comment on function rouse_daemon.lease_mac is 'The card that has leased this address now, or null.';
