-- What all daemons call: hello, record, tick.

create function rouse_data.contract_version() returns int
language sql immutable as $$ select 1 $$;
comment on function rouse_data.contract_version is
	'The version of what daemons call. A database of version N has all that those of N and N - 1 call; tests/sql/contract.sql holds it there.';

create function rouse_daemon.hello(daemon text, instance text, version text, schema_wanted int,
	status text, problem text)
returns table (schema_version int, accepted boolean, hint text)
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	ours int := rouse_data.contract_version();
	was_deaf boolean := $1 = 'menud' and not rouse_data.clients_are_heard();
begin
	insert into rouse_data.daemon as d (daemon, instance, version, schema_wanted, status, problem)
	values ($1, $2, $3, $4, $5, $6)
	on conflict on constraint daemon_pkey do update set version = excluded.version,
		schema_wanted = excluded.schema_wanted, status = excluded.status, problem = excluded.problem,
		seen_at = clock_timestamp();
	if was_deaf then
		perform rouse_data.hear_clients_out();
	end if;
	schema_version := ours;
	accepted := $4 between ours - 1 and ours;
	hint := case
		when accepted then null
		when $4 > ours then format('%s wants version %s of the database, it has %s: run rouse-db migrate', $1, $4, ours)
		else format('%s is built for version %s of the database, it has %s: install a newer %s', $1, $4, ours, $1) end;
	return next;
end
$$;
comment on function rouse_daemon.hello is 'A daemon is alive; answers whether it and this database fit together.';

create function rouse_data.note_more_events(daemon text, instance text, the_mac macaddr, the_stage text, the_kind text, more bigint)
returns void
language plpgsql as $$
begin
	update rouse_data.event e set count = least(e.count + more, 2147483647)
	where e.mac = the_mac and e.at > clock_timestamp() - interval '1 minute' and e.name is null
		and e.stage = the_stage and e.kind = the_kind and e.reason = rouse_data.flood_words(the_mac, the_kind);
	if not found then
		insert into rouse_data.event (at, daemon, instance, stage, kind, mac, host, reason, count)
		values (clock_timestamp(), daemon, instance, the_stage, the_kind, the_mac,
			(select n.host from rouse_data.nic n where n.mac = the_mac), rouse_data.flood_words(the_mac, the_kind), least(more, 2147483647));
	end if;
end
$$;
comment on function rouse_data.note_more_events is 'Counts events of a card that had too many within the minute, in one row for each kind and minute.';

create function rouse_data.flood_words(mac macaddr, kind text) returns text
language sql immutable as $$ select format('so many more of kind %s from %s were not kept: events_per_minute', kind, mac) $$;
comment on function rouse_data.flood_words is 'How a row says that it stands for events that were not kept.';

create function rouse_daemon.record(daemon text, instance text, events jsonb) returns int
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	most int := rouse_data.setting_int('events_per_minute');
	given int;
	taken int := 0;
	one record;
begin
	-- What was seen is no promise: a crash of the database may lose the last half second of it, and no
	-- lease waits behind its commit for the disk.
	perform set_config('synchronous_commit', 'off', true);
	if jsonb_typeof(events) is distinct from 'array' then
		perform rouse_data.field_error('events', 'is no array', 'Send an array of objects.');
	end if;
	given := jsonb_array_length(events);
	for one in
		with seen as materialized (
			select e.*, t.at, m.mac as card
			from rouse_data.read_events(events) e
			cross join lateral (select clock_timestamp() - e.ago_ms * interval '1 millisecond' as at) t
			-- A client behind a router is named by its lease.
			cross join lateral (select coalesce(e.mac, rouse_data.lease_mac_at(e.address, t.at)) as mac) m
		), before as (
			select c.card, (select count(*) from (select from rouse_data.event e
				where e.mac = c.card and e.at > clock_timestamp() - interval '1 minute' limit most) o) as kept
			from (select distinct card from seen) c
		), numbered as materialized (
			select s.*, s.card is null or b.kept + row_number() over (partition by s.card order by s.at) <= most as fits
			from seen s left join before b on b.card = s.card
		), recorded as (
			insert into rouse_data.event (at, daemon, instance, stage, kind, mac, uuid, address, host, name, reason, count, detail)
			select e.at, $1, $2, e.stage, e.kind, e.card, e.uuid, e.address, n.host, e.name, e.reason, e.count, e.detail
			from numbered e left join rouse_data.nic n on n.mac = e.card where e.fits
		)
		select e.fits, count(*)::int as events, sum(e.count)::bigint as times,
			case when not e.fits then e.card end as mac, case when not e.fits then e.stage end as stage,
			case when not e.fits then e.kind end as kind
		from numbered e group by 1, 4, 5, 6 order by 4, 5, 6
	loop
		taken := taken + one.events;
		if not one.fits then
			perform rouse_data.note_more_events($1, $2, one.mac, one.stage, one.kind, one.times);
		end if;
	end loop;
	if taken < given then
		insert into rouse_data.daemon as d (daemon, instance, events_skipped) values ($1, $2, given - taken)
		on conflict on constraint daemon_pkey do update set events_skipped = d.events_skipped + excluded.events_skipped;
	end if;
	return taken;
end
$$;
comment on function rouse_daemon.record is
	'Keeps what a daemon saw, of one card so many in a minute and of the rest their number; returns how many events could be read.';

create function rouse_data.printable(words text) returns text
language sql immutable as $$
	select case when words !~ '[\u0001-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]' then words
		else (select string_agg(case when c.it ~ '[\u0001-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]'
			then format('<%s>', regexp_replace(to_hex(ascii(c.it)), '^.$', '0\&')) else c.it end, '' order by c.n)
		from regexp_split_to_table(words, '') with ordinality c (it, n)) end
$$;
comment on function rouse_data.printable is
	'Foreign words as they may be shown: what moves a terminal''s cursor, or turns the direction of text, becomes its code, such as <1b>.';

create function rouse_data.read_events(events jsonb)
returns table (ago_ms bigint, mac macaddr, uuid uuid, address inet, stage text, kind text, name text,
	reason text, count int, detail jsonb)
language sql stable as $$
	select t.ago_ms::bigint, t.mac_read, rouse_data.uuid_of(t.uuid), t.address_read,
		t.stage, t.kind, rouse_data.printable(left(t.name, 512)), rouse_data.printable(left(t.reason, 512)), t.count::int, t.detail
	from (
		select e.mac, e.uuid, e.address, e.stage, e.kind, e.name, e.reason, e.detail,
			coalesce(e.ago_ms, '0') as ago_ms, coalesce(e.count, '1') as count,
			rouse_data.mac_of(e.mac) as mac_read, rouse_data.inet_of(e.address) as address_read
		from jsonb_array_elements(events) element
		cross join lateral jsonb_to_record(case when jsonb_typeof(element) = 'object' then element else '{}' end)
			as e (ago_ms text, count text, mac text, uuid text, address text, stage text, kind text,
				name text, reason text, detail jsonb)
		-- A fence: without it each use below would read and judge the word anew.
		offset 0) t
	where t.stage in ('fw_dhcp', 'proxy', 'tftp_nbp', 'ipxe_dhcp', 'script', 'kernel', 'initrd', 'fos',
			'work', 'report', 'local_boot', 'os_dhcp', 'upload')
		and t.kind ~ '^[a-z][a-z0-9_]{0,31}$'
		and t.ago_ms ~ '^[0-9]{1,9}$' and t.count ~ '^[0-9]{1,9}$'
		and (t.mac is null or t.mac_read is not null)
		-- A UUID that boards come with is no UUID, but no reason to lose the event either.
		and (t.uuid is null or t.uuid ~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$')
		and (t.address is null or t.address_read is not null)
		and (t.detail is null or jsonb_typeof(t.detail) = 'object')
$$;
comment on function rouse_data.read_events is 'The elements of an array that are events.';

create function rouse_data.start_due_jobs() returns int
language plpgsql as $$
declare
	host bigint;
	started int := 0;
begin
	for host in
		select distinct j.host_id from rouse_data.job j
		where (j.state = 'backlog' or (j.state = 'scheduled' and j.not_before <= now()))
			and not exists (select from rouse_data.job l where l.host_id = j.host_id
				and l.state in ('queued', 'waiting', 'running', 'cancelling'))
		order by j.host_id
	loop
		started := started + rouse_data.promote_next(host);
	end loop;
	return started;
end
$$;
comment on function rouse_data.start_due_jobs is 'Queues jobs that are due and whose host is free; says how many.';

create function rouse_data.expire_jobs() returns int
language plpgsql as $$
declare
	expired int;
begin
	with late as (
		select j.id from rouse_data.job j
		where j.state in ('scheduled', 'backlog', 'queued') and j.deadline <= now()
		order by j.id for update skip locked
	)
	update rouse_data.job j set state = 'expired', reason = 'deadline' from late l where j.id = l.id;
	get diagnostics expired = row_count;
	return expired;
end
$$;
comment on function rouse_data.expire_jobs is 'Ends jobs that did not begin before their deadline; says how many.';

create function rouse_data.tell_job_news() returns int
language sql as $$
	with told as (delete from rouse_data.job_news returning host_id)
	select count(pg_notify('rouse_job', t.host_id::text))::int from (select distinct host_id from told) t
$$;
comment on function rouse_data.tell_job_news is 'Tells the daemons whose jobs clients have ended since the last time; says how many hosts.';

create function rouse_data.tidy() returns void
language plpgsql as $$
begin
	delete from rouse_data.ticket t where t.expires_at < now() - interval '1 day'
		and not exists (select from rouse_data.attempt a where a.id = t.attempt_id and a.ended_at is null);
	delete from rouse_data.attempt_log l where l.at < now() - make_interval(days => rouse_data.setting_int('event_days'));
	-- A dhcpd that heard nothing for so long reads all leases anew.
	delete from rouse_data.lease_change c where c.at < now() - interval '10 minutes';
	delete from rouse_data.daemon d where d.seen_at < now() - interval '7 days';
	delete from rouse_data.foreign_dhcp f
	where f.last_seen < now() - make_interval(days => rouse_data.setting_int('event_days'));
	-- The newest change matters to changed_since() for ever; a daemon that is connected asks more often than once a day.
	delete from rouse_data.change c where c.at < now() - interval '1 day'
		and c.xid8 < (select max(n.xid8) from rouse_data.change n);
	-- The lock on the events is short or not taken at all: the next tick tries again.
	begin
		perform set_config('lock_timeout', '200ms', true);
		perform rouse_data.keep_partitions();
		perform rouse_data.forget_events();
	exception when lock_not_available then
		null;
	end;
end
$$;
comment on function rouse_data.tidy is 'Removes what nobody needs any more and keeps the event partitions.';

create function rouse_daemon.tick()
returns table (expired_attempts int, started_jobs int, expired_jobs int, ran_schedules int)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
	ran_schedules := rouse_data.run_schedules();
	expired_attempts := 0;
	started_jobs := 0;
	expired_jobs := 0;
	if pg_try_advisory_xact_lock(hashtextextended('rouse.tick', 0)) then
		expired_attempts := rouse_data.expire_attempts();
		expired_jobs := rouse_data.expire_jobs();
		started_jobs := rouse_data.start_due_jobs();
		perform rouse_data.end_local_boots();
		perform rouse_data.tell_job_news();
		perform rouse_data.tidy();
	end if;
	return next;
end
$$;
comment on function rouse_daemon.tick is 'Moves what time moves. Anybody may call it at any time; two at once do the work once.';
