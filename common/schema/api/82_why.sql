-- Why does this machine not do what it should? What is known of it, put together: each cause with its advice.

create function rouse_data.stage_advice(stage text, out cause text, out advice text)
language sql immutable as $$
	select s.cause, s.advice from (values
		('fw_dhcp', 'its firmware asked for an address and did not fetch a first stage',
			'Is tftpd alive (table rouse.daemons)? Has rouse.boot_files a row for its architecture? Does a firewall let TFTP pass?'),
		('proxy', 'its firmware asked for a boot server and did not fetch a first stage',
			'Is tftpd alive (table rouse.daemons)? Has rouse.boot_files a row for its architecture?'),
		('tftp_nbp', 'it fetched its first stage and was not heard of again',
			'Secure Boot refuses what is not signed. Else this model may want another one: insert into rouse.boot_files (arch, product, file) ...'),
		('ipxe_dhcp', 'iPXE runs and did not fetch its script',
			'Its card may need the firmware''s own driver: snponly.efi or undionly.kpxe in rouse.boot_files for this product.'),
		('script', 'it got its script or menu and nothing after it',
			'It may wait in the menu, or not reach menud: see its screen, table rouse.daemons, and setting menud_urls.'),
		('kernel', 'it fetched the kernel and not the initial disk', 'See its screen; the file may be missing: rouse-db verify --root DIR'),
		('initrd', 'it was given the client system, which did not check in',
			'See its screen. Its network card may need a driver that the client system lacks; boot it with rouse_debug for a shell.')
		) s (stage, cause, advice) where s.stage = stage_advice.stage
$$;
comment on function rouse_data.stage_advice is 'What it means that a boot was heard of in this stage last; null where that is no trouble.';

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
	union all
	select format('its %s %s belongs to other hosts as well: %s', d.what, d.value, array_to_string(d.hosts, ', ')), d.hint
	from rouse.duplicates d where the_host.name::text = any (d.hosts)
$$;
comment on function rouse_data.why_host is 'What is the matter with a host itself: unknown, out of service, known twice.';

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

create function rouse_data.why_boot(the_macs macaddr[])
returns table (cause text, advice text)
language sql stable as $$
	with latest as (
		select e.at, e.stage from rouse_data.event e where e.mac = any (the_macs) order by e.at desc limit 1
	), refused as (
		select e.* from rouse_data.event e where e.mac = any (the_macs) and e.reason is not null and e.kind ~ 'refused|error|failed|guard|conflict|silent'
			and e.at > now() - interval '1 day' order by e.at desc limit 1
	)
	select 'no daemon has heard of it', 'Is it switched on and connected, and does it boot by its network card? Is dhcpd in its network (table rouse.daemons), or a relay?'
	where not exists (select from latest)
	union all
	select format('%s (%s ago)', a.cause, date_trunc('second', clock_timestamp() - l.at)), a.advice
	from latest l, rouse_data.stage_advice(l.stage) a where a.cause is not null
	union all
	select format('%s said: %s', r.daemon, rouse_data.words(r.kind, r.name, r.count, r.reason)), 'select * from rouse.trace(...) shows what came before.'
	from refused r
$$;
comment on function rouse_data.why_boot is 'How far a machine''s last boot came, and what was refused to it.';

create function rouse.why(host text)
returns table (cause text, advice text)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_mac macaddr := rouse_data.mac_of(why.host);
	the_host rouse_data.host;
	the_macs macaddr[];
begin
	if the_mac is null or rouse.my_groups() is not null
		or exists (select from rouse_data.nic n where n.mac = the_mac and n.host is not null) then
		the_host := rouse_data.host_named(why.host);
	end if;
	the_macs := array(select n.mac from rouse_data.nic n where n.host = the_host.name) || the_mac;
	return query
	select w.cause, w.advice from rouse_data.why_host(the_mac, the_host) w
	union all select w.cause, w.advice from rouse_data.why_job(the_host) w
	union all select w.cause, w.advice from rouse_data.why_wake(the_host) w
	union all select w.cause, w.advice from rouse_data.why_boot(the_macs) w
	union all select format('%s (%s) has not been heard of for %s', d.daemon, d.instance, date_trunc('second', now() - d.seen_at)),
		'Start it again, and see its log for why it ended.'
	from rouse.daemons d where not d.alive and not exists (select from rouse.daemons o where o.daemon = d.daemon and o.alive);
	if not found then
		return query select 'nothing is known to be the matter with it', format('select * from rouse.explain(%L) says what it would get now.', why.host);
	end if;
end
$$;
comment on function rouse.why is
	'Why a machine does not do what it should, and what to do: select * from rouse.why(''lab-01''). By its name or a MAC, known or not.';
