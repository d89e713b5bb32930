-- Why does this machine not do what it should? What is known of it, put together: each cause with its advice.

create function rouse_data.may_be_twice(the_host rouse_data.host) returns boolean
language sql stable as $$
	select exists (select from rouse_data.host o where o.id <> the_host.id and o.uuid in (the_host.uuid, rouse_data.uuid_swapped(the_host.uuid)))
		or exists (select from rouse_data.host o where o.id <> the_host.id and lower(o.serial) = lower(the_host.serial))
		or exists (select from rouse_data.host_inventory i cross join lateral jsonb_array_elements(
				case jsonb_typeof(i.data -> 'nics') when 'array' then i.data -> 'nics' else '[]' end) a
			join rouse_data.nic n on n.mac = rouse_data.mac_of(a ->> 'mac')
			where i.host_id = the_host.id and n.host <> the_host.name)
		or exists (select from rouse_data.nic n join rouse_data.host_inventory i
			on i.data -> 'nics' @> jsonb_build_array(jsonb_build_object('mac', n.mac)) and i.host_id <> the_host.id
			where n.host = the_host.name)
$$;
comment on function rouse_data.may_be_twice is 'Whether it is worth while to look for this host in rouse.duplicates, which reads all hosts.';

create function rouse_data.why_host(the_mac macaddr, the_host rouse_data.host)
returns table (cause text, advice text)
language sql stable as $$
	select format('no host has the card %s', the_mac), format('It registers itself from the menu, or: insert into rouse.hosts (name) '
		'values (''NAME''); insert into rouse.nics (mac, host) values (%L, ''NAME'')', the_mac) where the_host.id is null
	union all
	select format('host "%s" is %s', the_host.name, the_host.state), case the_host.state
		when 'pending' then format('select rouse.approve(%L)', the_host.name)
		else format('update rouse.hosts set state = ''active'' where name = %L', the_host.name) end
	where the_host.state <> 'active'
$$;
comment on function rouse_data.why_host is 'What is the matter with a host itself: unknown, or out of service.';

create function rouse_data.why_twice(the_host rouse_data.host)
returns table (cause text, advice text)
language plpgsql stable as $$
begin
	-- The view is large: where nothing points to it, it is not even planned.
	if rouse_data.may_be_twice(the_host) then
		return query select format('its %s %s belongs to other hosts as well: %s', d.what, d.value, array_to_string(d.hosts, ', ')), d.hint
		from rouse.duplicates d where the_host.name::text = any (d.hosts);
	end if;
end
$$;
comment on function rouse_data.why_twice is 'That a host is known twice, and by what.';

create function rouse_data.why_job(the_host rouse_data.host)
returns table (cause text, advice text)
language sql stable as $$
	(select format('job %s (%s) is %s and waits for %s', q.id, q.kind, q.state, q.waits_for),
		case when r.code is not null then format('Its last attempt: %s. %s', r.meaning, r.hint) end
	from rouse.queue q left join rouse_data.job j on j.id = q.id left join rouse_data.reason r on r.code = j.reason
	where q.host = the_host.name and q.waits_for is not null limit 1)
	union all
	(select format('its last job, %s (%s), %s at %s: %s%s', j.id, j.kind, replace(j.state, 'expired', 'has expired'), to_char(j.ended_at, 'YYYY-MM-DD HH24:MI'),
		r.meaning, coalesce(': ' || j.text, '')), r.hint
	from (select k.* from rouse_data.job k where k.host_id = the_host.id order by k.id desc limit 1) j
	join rouse_data.reason r on r.code = j.reason where j.ended_at is not null)
$$;
comment on function rouse_data.why_job is 'What a host''s job waits for, or how its last one ended.';

create function rouse_data.why_wake(the_host rouse_data.host)
returns table (cause text, advice text)
language sql stable as $$
	select format('it was to be woken at %s: %s', to_char(w.ordered_at, 'YYYY-MM-DD HH24:MI'), w.state || coalesce(': ' || w.problem, '')),
		case when w.sent_at is null
			then 'Let a daemon stand in its network, or give a daemon''s host a route to it, and let the router pass directed broadcasts to UDP port 9.'
			else format('The packets went to %s. Has it power, is Wake-on-LAN on in its firmware, and is it to boot by its network card first?',
				array_to_string(w.sent_to, ', ')) end
			|| format(' Then: select rouse.wake(%L)', the_host.name)
	from (select k.* from rouse.wakes k where k.host = the_host.name order by k.id desc limit 1) w
	where w.ordered_at > now() - interval '1 day' and w.state in ('no boot followed', 'not sent', 'failed, is tried again')
$$;
comment on function rouse_data.why_wake is 'Why a machine''s latest wake order did not wake it.';

create function rouse_data.why_boot(facts rouse_data.fact[], the_mac macaddr, host text)
returns table (cause text, advice text, confidence text, id text, at timestamptz, evidence text, document text)
language plpgsql stable as $$
declare
	latest rouse_data.fact := (select f from unnest(facts) f where f.daemon <> 'database' or f.stage in ('fos', 'work', 'report') order by f.at desc limit 1);
	silent interval := date_trunc('second', clock_timestamp() - latest.at);
begin
	return query select c.cause || coalesce(' (' || date_trunc('second', clock_timestamp() - c.at) || ' ago)', ''), c.advice, c.confidence, c.id, c.at, c.evidence, c.document
	from rouse_data.causes_of(facts, the_mac, host) c where c.is_fault;
	if not found and silent < interval '20 seconds' and rouse_data.is_stop(latest.stage, latest.kind) then
		return query select format('it is booting: %s %s, %s ago', latest.stage, rouse_data.words(latest.kind, latest.name, latest.count, latest.reason), silent),
			'Ask again in half a minute, if it goes no further.', null, 'in_progress', latest.at, null, null;
	end if;
end
$$;
comment on function rouse_data.why_boot is 'Why a machine''s latest boot failed, or that it is still going on.';

create function rouse_data.why_well(facts rouse_data.fact[], the_mac macaddr, word text)
returns table (cause text, advice text, confidence text, id text, at timestamptz, evidence text, document text)
language sql stable as $$
	select 'nothing is known to be the matter with it', format('select * from rouse.explain(%L) says what it would get now.', word),
		null, 'well', null::timestamptz, null, null
	union all
	(select 'no fault: ' || c.cause, c.advice, c.confidence, c.id, c.at, c.evidence, c.document
	from rouse_data.causes_of(facts, the_mac, word) c where not c.is_fault)
$$;
comment on function rouse_data.why_well is 'That nothing is the matter, and what looks strange and is normal.';

create function rouse.why(host text)
returns table (cause text, advice text, confidence text, id text, at timestamptz, evidence text, document text)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	the_mac macaddr := rouse_data.mac_of(why.host);
	the_host rouse_data.host;
	the_macs macaddr[];
	facts rouse_data.fact[];
begin
	if the_mac is null or rouse.my_groups() is not null
		or exists (select from rouse_data.nic n where n.mac = the_mac and n.host is not null) then
		the_host := rouse_data.host_named(why.host);
	end if;
	the_macs := array(select n.mac from rouse_data.nic n where n.host = the_host.name union select the_mac where the_mac is not null order by 1);
	facts := rouse_data.known_of(the_macs, the_host);
	return query
	select w.cause, w.advice, 'high', 'host', null::timestamptz, null, null from rouse_data.why_host(the_mac, the_host) w
	union all select w.cause, w.advice, 'high', 'host', null, null, null from rouse_data.why_twice(the_host) w
	union all select b.* from rouse_data.why_boot(facts, coalesce(the_mac, the_macs[1]), the_host.name) b
	union all select w.cause, w.advice, 'high', 'job', null, null, null from rouse_data.why_job(the_host) w
	union all select w.cause, w.advice, 'high', 'wake', null, null, null from rouse_data.why_wake(the_host) w
	union all select format('%s (%s) has not been heard of for %s', d.daemon, d.instance, date_trunc('second', now() - d.seen_at)),
		'Start it again, and see its log for why it ended.', 'high', 'daemon', d.seen_at, null, null
	from rouse.daemons d where not d.alive and not exists (select from rouse.daemons o where o.daemon = d.daemon and o.alive);
	if not found then
		return query select w.* from rouse_data.why_well(facts, the_mac, why.host) w;
	end if;
end
$$;
comment on function rouse.why is
	'Why a machine does not do what it should, and what to do, the likeliest first: select * from rouse.why(''lab-01''). By its name or a MAC, known or not.';
