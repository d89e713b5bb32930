-- Facts that no daemon sees by itself: what several events say together, and what is known beside them. A sign names them
-- as the stages boot, machines, job and wake.

create function rouse_data.number_in(detail jsonb, key text) returns numeric
language sql immutable as $$ select case jsonb_typeof(detail -> key) when 'number' then (detail ->> key)::numeric end $$;
comment on function rouse_data.number_in is 'A number among the facts of an event; null if it is none.';

create function rouse_data.concluded(at timestamptz, stage text, kind text, name text, reason text, count bigint default 1)
returns rouse_data.fact
language sql immutable as $$
	select (at, stage, kind, 'database', name, reason, least(count, 2147483647)::int, null, null, null, false)::rouse_data.fact
$$;
comment on function rouse_data.concluded is 'A fact that was concluded.';

create function rouse_data.conclude_transfers(facts rouse_data.fact[]) returns setof rouse_data.fact
language sql stable as $$
	with transfer as materialized (
		select f.at, f.kind, f.name, f.count, rouse_data.number_in(f.detail, 'bytes') as bytes, rouse_data.number_in(f.detail, 'size') as size,
			rouse_data.number_in(f.detail, 'blksize') as blksize, rouse_data.number_in(f.detail, 'retransmits') as again,
			f.detail ->> 'type' as type
		from unnest(facts) f where not f.is_earlier and f.stage in ('tftp_nbp', 'kernel', 'initrd')
	), client as (
		select a.firmware, a.arch from unnest(facts) f join rouse_data.client_archs() a on a.code = rouse_data.number_in(f.detail, 'arch')
		where not f.is_earlier and f.stage = 'fw_dhcp' order by f.at desc limit 1
	)
	select rouse_data.concluded(max(t.at), 'boot', 'stuck', t.name, format('after %s of %s octets, %s times', t.bytes, t.size, sum(t.count)))
	from transfer t where t.kind in ('timeout', 'aborted') and t.bytes > 0 and t.bytes < t.size
	group by t.name, t.bytes, t.size having sum(t.count) >= 2
	union all
	select rouse_data.concluded(t.at, 'boot', 'lossy', t.name, format('%s blocks of %s had to be sent again', t.again, ceil(t.bytes / t.blksize)))
	from transfer t where t.kind = 'sent' and t.again >= 10 and t.blksize > 0 and t.again * 20 > t.bytes / t.blksize
	union all
	select rouse_data.concluded(t.at, 'boot', 'wrong_type', t.name,
		format('it is %s, its firmware is %s', case t.type when 'other' then 'no EFI program' else 'for ' || t.type end,
			case c.firmware when 'bios' then 'a BIOS' else 'efi-' || c.arch end))
	from transfer t cross join client c
	where t.kind = 'sent' and t.name ~ '\.(efi|0|[nk]?k?pxe)$' and case c.firmware
		when 'bios' then t.type like 'efi-%' when 'efi' then t.type in ('other', 'bios') or (t.type like 'efi-%' and t.type <> 'efi-' || c.arch) end
	union all
	select rouse_data.concluded(f.at, 'boot', 'no_script', f.name, case f.detail ->> 'type' when 'html' then 'is a web page' when 'other' then 'does not begin with #!ipxe'
		else 'is ' || (f.detail ->> 'type') end)
	from unnest(facts) f where not f.is_earlier and f.stage = 'script' and f.kind = 'sent' and f.daemon = 'tftpd' and f.detail ->> 'type' <> 'script'
$$;
comment on function rouse_data.conclude_transfers is
	'boot stuck: one file breaks off at one place; boot lossy: one block in twenty was lost; boot wrong_type: a first stage for another machine; boot no_script: what iPXE cannot run.';

create function rouse_data.conclude_changes(facts rouse_data.fact[]) returns setof rouse_data.fact
language sql stable as $$
	with mode as (
		select f.is_earlier, (array_agg(case a.firmware when 'bios' then 'BIOS' else 'UEFI' end order by f.at desc))[1] as word, max(f.at) as at
		from unnest(facts) f join rouse_data.client_archs() a on a.code = rouse_data.number_in(f.detail, 'arch')
		where f.stage = 'fw_dhcp' and a.firmware in ('bios', 'efi', 'http') group by 1
	), shown as (
		select f.is_earlier, (array_agg(f.uuid order by f.at desc))[1] as uuid, max(f.at) as at
		from unnest(facts) f where f.uuid is not null and f.stage = 'fw_dhcp' group by 1
	), lease as (
		select f.at, f.stage, f.address, rouse_data.number_in(f.detail, 'lease_seconds') as seconds from unnest(facts) f
		where not f.is_earlier and f.kind = 'ack' and f.stage in ('fw_dhcp', 'ipxe_dhcp', 'os_dhcp')
	), working as (
		select max(f.at) as at from unnest(facts) f where not f.is_earlier and f.stage in ('fos', 'work')
	), newest as (select l.* from lease l order by l.at desc limit 1)
	select rouse_data.concluded(now_.at, 'boot', 'mode_changed', null, format('it booted by %s before, and by %s now', before.word, now_.word))
	from mode now_ join mode before on before.is_earlier and before.word <> now_.word where not now_.is_earlier
	union all
	select rouse_data.concluded(now_.at, 'boot', 'uuid_changed', now_.uuid::text, before.uuid::text)
	from shown now_ join shown before on before.is_earlier and before.uuid not in (now_.uuid, rouse_data.uuid_swapped(now_.uuid))
	where not now_.is_earlier
	union all
	select rouse_data.concluded(o.at, 'boot', 'address_changed', null, format('%s in place of %s', host(o.address), host(l.address)))
	from lease o cross join lateral (select b.address from lease b where b.stage <> 'os_dhcp' and b.at < o.at order by b.at desc limit 1) l
	where o.stage = 'os_dhcp' and o.address <> l.address
	union all
	select rouse_data.concluded(w.at, 'boot', 'lease_short', null, format('it is %s s long, and the machine has worked for %s s since', l.seconds,
		round(extract(epoch from w.at - l.at))))
	from newest l cross join working w where w.at > l.at + l.seconds * interval '1 second'
	union all
	select rouse_data.concluded(f.at, 'boot', 'clock_wrong', null, justify_interval(date_trunc('hour', abs(c.off) * interval '1 second'))::text)
	from unnest(facts) f cross join lateral (select rouse_data.number_in(f.detail, 'clock_off')::float8 as off) c
	where not f.is_earlier and f.stage = 'fos' and abs(c.off) > 86400
$$;
comment on function rouse_data.conclude_changes is
	'boot mode_changed, uuid_changed: since the boot before; address_changed: between loader and system; lease_short; clock_wrong: by more than a day.';

create function rouse_data.conclude_orders(facts rouse_data.fact[], the_host rouse_data.host) returns setof rouse_data.fact
language sql stable as $$
	with asked as (
		select min(f.at) as at from unnest(facts) f where not f.is_earlier and f.stage = 'fw_dhcp'
	), first_solicit as (
		-- A minute of IPv6 looks like a boot of its own.
		select min(f.at) as at from unnest(facts) f cross join asked a where f.stage = 'fw_dhcp' and f.kind = 'solicit'
			and f.at > a.at - interval '3 minutes'
	), first_discover as (
		select min(f.at) as at from unnest(facts) f where not f.is_earlier and f.stage = 'fw_dhcp' and f.kind = 'discover'
	), woken as (
		select w.* from rouse_data.wake w where w.host_id = the_host.id and w.ordered_at > now() - interval '1 day'
		order by w.id desc limit 1
	), tried as (
		select a.* from rouse_data.job j join rouse_data.attempt a on a.job_id = j.id
		where j.id = (select max(l.id) from rouse_data.job l where l.host_id = the_host.id) order by a.number desc limit 1
	)
	select rouse_data.concluded(coalesce(w.sent_at, w.ordered_at), 'wake', case when w.sent_at is null then 'ordered' else 'sent' end, null, null)
	from woken w
	union all
	select rouse_data.concluded(a.at, 'boot', 'late', null, round(extract(epoch from a.at - w.sent_at)) || ' s')
	from woken w cross join asked a where a.at - w.sent_at between interval '25 seconds' and interval '10 minutes'
	union all
	select rouse_data.concluded(d.at, 'boot', 'ipv6_first', null, round(extract(epoch from d.at - s.at)) || ' s')
	from first_solicit s cross join first_discover d where d.at - s.at > interval '20 seconds'
	union all
	select rouse_data.concluded(t.ended_at, 'job', 'lost', concat_ws(', ', coalesce(t.step, 'before its first step'), t.percent || ' %'), null)
	from tried t where t.outcome = 'failed' and t.reason = 'lost_client'
$$;
comment on function rouse_data.conclude_orders is
	'wake ordered, sent; boot late: long after it was woken; boot ipv6_first: it asked by DHCPv6 long before; job lost: its last attempt fell silent.';

create function rouse_data.conclude_servers(facts rouse_data.fact[]) returns setof rouse_data.fact
language sql stable as $$
	with sent as (
		-- Our own ACK; or what was heard of another server, whose ACK may have gone to one card alone.
		(select 'tftp' as way, f.at, f.name as file, rouse_data.inet_of(f.detail ->> 'next_server') as address from unnest(facts) f
		where not f.is_earlier and f.stage in ('fw_dhcp', 'proxy') and f.kind in ('offer', 'ack') and f.name <> '' and f.detail ? 'next_server'
			and (f.kind = 'ack' or f.stage = 'proxy' or f.detail ? 'server')
		order by f.at desc limit 1)
		union all
		(select 'pxe', f.at, '', rouse_data.inet_of(f.detail ->> 'server') from unnest(facts) f
		where not f.is_earlier and f.stage in ('fw_dhcp', 'proxy') and f.detail @> '{"pxe": true}' order by f.at desc limit 1)
	)
	select rouse_data.concluded(s.at, 'boot', b.way || '_' || b.answer, host(b.address),
		concat_ws(' ', 'asked it', 'for ' || nullif(b.file, ''), 'at ' || to_char(b.asked_at, 'HH24:MI:SS'))
			|| case b.answer when 'silent' then ', in vain' when 'unreachable' then ': no way there' when 'missing' then ': file not found'
				when 'refused' then ': refused' else '' end)
	from sent s join rouse_data.boot_server b on b.address = s.address and b.way = s.way and b.file = s.file
	-- Asked in this boot or shortly before it (dhcpd rests half a minute), or since.
	where b.asked_at > s.at - interval '1 minute'
$$;
comment on function rouse_data.conclude_servers is
	'boot tftp_served, tftp_missing, tftp_refused, tftp_closed, tftp_unreachable, tftp_silent, and pxe_ the same: what the server that it was sent to answers dhcpd.';

-- What other machines did stands in a partition for each day that is kept. A time that is written into a query is known when it is
-- planned, so that only the days that count are opened; the first question of a session would else spend most of its time with the others.
create function rouse_data.conclude_site(mine rouse_data.fact, facts rouse_data.fact[], the_macs macaddr[]) returns setof rouse_data.fact
language plpgsql stable as $$
begin
	return query execute format($query$
		with near as materialized (
			select e.mac, e.detail ->> 'relay' as relay from rouse_data.event e
			where e.at between %1$L and %2$L and e.mac is not null order by e.at desc limit 2000
		), other as materialized (
			select n.relay, l.at, l.stage, rouse_data.is_stop(l.stage, l.kind) as stopped
			from (select mac, max(relay) as relay from near group by mac limit 100) n
			cross join lateral (select e.at, e.stage, e.kind from rouse_data.event e where e.mac = n.mac and e.at >= %1$L order by e.at desc limit 1) l
			where n.mac <> all ($1)
		), relay as (
			select f.detail ->> 'relay' as address from unnest($2) f where not f.is_earlier and f.detail ? 'relay' order by f.at desc limit 1
		)
		select c.* from (
			select 'same_stage' as kind, %4$L as name, count(*) as count from other o
			where o.stopped and o.stage = %4$L and o.at between %1$L and %2$L having count(*) >= 2
			union all
			select 'same_relay', r.address, count(*) filter (where o.relay = r.address) from relay r cross join other o group by r.address
			having count(*) filter (where o.relay = r.address) >= 1 and bool_and(o.stopped) filter (where o.relay = r.address)
				and count(*) filter (where o.relay is distinct from r.address and not o.stopped) >= 1) s
		cross join lateral rouse_data.concluded(%3$L, 'machines', s.kind, s.name, null, s.count) c
		$query$, mine.at - interval '1 minute', mine.at + interval '1 minute', mine.at, mine.stage) using the_macs, facts;
end
$$;
comment on function rouse_data.conclude_site is
	'machines same_stage: two others or more stopped with it; same_relay: all behind its relay stopped, and others did not.';

create function rouse_data.conclude_model(mine rouse_data.fact, the_host rouse_data.host) returns setof rouse_data.fact
language plpgsql stable as $$
begin
	return query execute format($query$
		with same as (
			select l.stage, rouse_data.is_stop(l.stage, l.kind) as stopped
			from (select h.name from rouse_data.host h where h.product = $1 and h.id <> $2 limit 50) h join rouse_data.nic n on n.host = h.name
			cross join lateral (select e.stage, e.kind from rouse_data.event e where e.mac = n.mac and e.at > %1$L order by e.at desc limit 1) l
		), recent as (
			select r.mac from (select e.mac from rouse_data.event e where e.mac is not null and e.at > %1$L order by e.at desc limit 1000) r
			group by r.mac limit 100
		), others as (
			select count(*) as well from recent r join rouse_data.nic n on n.mac = r.mac join rouse_data.host h on h.name = n.host
			cross join lateral (select e.stage, e.kind from rouse_data.event e where e.mac = r.mac and e.at > %1$L order by e.at desc limit 1) l
			where h.product is distinct from $1 and not rouse_data.is_stop(l.stage, l.kind)
		)
		select c.* from (select count(*) as count from same s cross join others o where o.well >= 2
			having count(*) >= 2 and bool_and(s.stopped and s.stage = %3$L)) s
		cross join lateral rouse_data.concluded(%2$L, 'machines', 'same_model', $1, null, s.count) c
		$query$, mine.at - interval '1 day', mine.at, mine.stage) using the_host.product, the_host.id;
end
$$;
comment on function rouse_data.conclude_model is 'machines same_model: all of its model stop at its stage, and machines of other models do not.';

create function rouse_data.conclude_others(facts rouse_data.fact[], the_macs macaddr[], the_host rouse_data.host) returns setof rouse_data.fact
language plpgsql stable as $$
declare
	mine rouse_data.fact := (select f from unnest(facts) f where not f.is_earlier order by f.at desc limit 1);
begin
	if rouse_data.is_stop(mine.stage, mine.kind) and mine.at < clock_timestamp() - interval '20 seconds' then
		return query select f.* from rouse_data.conclude_site(mine, facts, the_macs) f;
		if the_host.product is not null then
			return query select f.* from rouse_data.conclude_model(mine, the_host) f;
		end if;
	end if;
end
$$;
comment on function rouse_data.conclude_others is 'What other machines show of a boot that has stopped: conclude_site, conclude_model.';

create function rouse_data.known_of(the_macs macaddr[], the_host rouse_data.host) returns rouse_data.fact[]
language plpgsql stable as $$
declare
	seen rouse_data.fact[] := coalesce(rouse_data.facts_of(the_macs), '{}');
begin
	return array(
		select f from (
			select f from unnest(seen) f
			union all select f from rouse_data.conclude_transfers(seen) f
			union all select f from rouse_data.conclude_changes(seen) f
			union all select f from rouse_data.conclude_orders(seen, the_host) f
			union all select f from rouse_data.conclude_servers(seen) f
			union all select f from rouse_data.conclude_others(seen, the_macs, the_host) f) a
		order by (a.f).at);
end
$$;
comment on function rouse_data.known_of is 'All that is known of a machine''s latest boot, in its order.';
