-- What happened: events as they came, boots, and the timeline of one machine.

create view rouse.events with (security_barrier) as
	select at, daemon, instance, stage, kind, host, mac, name, reason, count, address, uuid, detail
	from rouse_data.event e
	where (select rouse.my_groups()) is null or e.mac in (select m.mac from rouse_data.my_card m)
	order by at desc;
call rouse_data.describe('rouse.events', 'What the daemons saw, the newest first: select * from rouse.events where host = ''lab-01'' limit 20.', '{
	"at": "when, by the database''s clock", "daemon": "who saw it; database: decided by a function here",
	"instance": "which of them", "stage": "fw_dhcp, proxy, tftp_nbp, ipxe_dhcp, script, kernel, initrd, fos, work, report, local_boot, os_dhcp or upload",
	"kind": "what it was", "host": "the machine''s name at that time", "mac": "its card", "name": "the file or thing that it was about",
	"reason": "why: words or a code", "count": "how often within ten seconds", "address": "from where", "uuid": "SMBIOS UUID", "detail": "more facts"}');

create view rouse.daemons as
	select d.daemon, d.instance, d.status, d.version, d.schema_wanted, d.problem,
		d.first_seen_at, d.seen_at, d.seen_at > now() - interval '30 seconds' as alive, d.events_skipped
	from rouse_data.daemon d order by d.daemon, d.instance;
call rouse_data.describe('rouse.daemons', 'The daemons that have said hello.', '{
	"daemon": "dhcpd, tftpd or menud", "instance": "which of them", "status": "what it says it is doing", "version": "its version",
	"schema_wanted": "the version of the contract that it was built for", "problem": "why it refused the latest configuration; null: it did not",
	"first_seen_at": "since when it is known", "seen_at": "when it said hello last", "alive": "whether that was in the last 30 seconds",
	"events_skipped": "events of its that could not be read"}');

create function rouse_data.begins_boot(stage text, at timestamptz, stage_before text, at_before timestamptz)
returns boolean
language sql immutable as $$
	select at_before is null or at - at_before > interval '30 minutes'
		-- Firmware whose first stage fails tries its next boot entry: that is the same boot.
		or (stage = 'fw_dhcp' and stage_before not in ('fw_dhcp', 'proxy', 'tftp_nbp'))
		-- Firmware that asks again after a minute of silence was switched off in between.
		or (stage = 'fw_dhcp' and at - at_before > interval '60 seconds')
$$;
comment on function rouse_data.begins_boot is 'Whether this event is the first of a boot, by the one before it.';

create function rouse_data.words(kind text, name text, count int, reason text) returns text
language sql immutable as $$
	select replace(kind, '_', ' ') || coalesce(' ' || name, '')
		|| case when count > 1 then format(' (%s times)', count) else '' end
		|| coalesce(': ' || reason, '')
$$;
comment on function rouse_data.words is 'An event in words.';

create function rouse_data.timeline(the_mac macaddr)
returns table (boot int, at timestamptz, stage text, daemon text, what text)
language sql stable as $$
	with machine as (
		select h.id, h.name from rouse_data.nic n join rouse_data.host h on h.name = n.host where n.mac = the_mac
	), macs as (
		select the_mac as mac union select n.mac from rouse_data.nic n join machine m on n.host = m.name
	), happened as (
		select e.at, e.stage, e.daemon, rouse_data.words(e.kind, e.name, e.count, e.reason) as what
		from rouse_data.event e where e.mac in (select mac from macs)
		union all
		select g.at, null, 'database', format('job %s (%s) %s%s', j.id, j.kind,
			case when g.from_state is null then 'was made: ' || g.to_state || ', by ' || g.who
				when g.to_state in ('succeeded', 'failed', 'expired') then g.to_state
				when g.to_state = 'cancelled' then 'was cancelled, by ' || g.who
				else 'is ' || g.to_state end,
			coalesce(': ' || g.reason, ''))
		from rouse_data.job_history g join rouse_data.job j on j.id = g.job_id join machine m on m.id = j.host_id
		union all
		select w.ordered_at, null, 'database', 'wake ordered, by ' || w.ordered_by || coalesce(', for job ' || w.job_id, '')
		from rouse_data.wake w join machine m on m.id = w.host_id
		union all
		select w.sent_at, null, 'database', format('wake packets sent to %s by %s', array_to_string(w.sent_to, ', '), w.claimed_by)
		from rouse_data.wake w join machine m on m.id = w.host_id where w.sent_at is not null
		union all
		select w.claimed_at, null, 'database', format('wake packets not sent by %s: %s', w.claimed_by, w.problem)
		from rouse_data.wake w join machine m on m.id = w.host_id where w.sent_at is null and w.problem is not null
	), staged as (
		select *, coalesce(rouse_data.begins_boot(h.stage, h.at,
			lag(h.stage) over w, lag(h.at) over w), false) as begins
		from happened h where h.stage is not null window w as (order by h.at)
	), marked as (
		select s.at, s.stage, s.daemon, s.what, s.begins from staged s
		union all
		select h.at, null, h.daemon, h.what, false from happened h where h.stage is null
	)
	select (count(*) filter (where m.begins) over (order by m.at))::int, m.at, m.stage, m.daemon, m.what
	from marked m
$$;
comment on function rouse_data.timeline is 'Events and job steps of a machine, its boots numbered; 0: before the first.';

create function rouse.trace(mac macaddr)
returns table (at timestamptz, seconds numeric, stage text, daemon text, what text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select t.at, case when t.boot > 0 then round(extract(epoch from
			t.at - min(t.at) filter (where t.stage is not null) over (partition by t.boot)), 3) end,
		t.stage, t.daemon, t.what
	from rouse_data.timeline(trace.mac) t where rouse_data.check_may_mac(trace.mac) order by t.at
$$;
comment on function rouse.trace(macaddr) is
	'A machine''s timeline; seconds count from the first event of each boot: select * from rouse.trace(''52:54:00:00:00:01'').';

create function rouse.trace(host text)
returns table (at timestamptz, seconds numeric, stage text, daemon text, what text)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_mac macaddr := rouse_data.mac_named(host);
begin
	return query select t.at, t.seconds, t.stage, t.daemon, t.what from rouse.trace(the_mac) t;
end
$$;
comment on function rouse.trace(text) is 'The timeline of a host by its name: select * from rouse.trace(''lab-01'').';

create function rouse_data.is_stop(stage text, kind text) returns boolean
language sql immutable as $$
	select stage in ('fw_dhcp', 'proxy', 'tftp_nbp', 'ipxe_dhcp', 'script', 'kernel', 'initrd')
		and kind not in ('menu', 'confirm', 'identify', 'shell', 'login', 'reboot', 'profile')
$$;
comment on function rouse_data.is_stop is 'Whether a boot that was heard of last in this way has stopped: it neither waits for a person nor left us.';

-- Its body is read now, not when it is called: who reads the views may not look up names in this schema.
create function rouse_data.boot_outcome(stage text, kind text, silent interval) returns text
language sql immutable
return case
	when stage = 'report' then replace(kind, '_', ' ')
	when stage = 'local_boot' then 'local disk'
	when stage in ('fos', 'work') then case when silent < interval '2 minutes' then 'at work' else 'stopped' end
	when stage in ('os_dhcp', 'upload') then 'system'
	when not rouse_data.is_stop(stage, kind) then 'menu'
	when silent < interval '20 seconds' then 'booting' else 'stopped' end;
comment on function rouse_data.boot_outcome is 'How a boot ended, by what was heard of it last and how long ago that is.';

-- An event that begins a boot, by the one before it of its card; what belongs to the boot is looked up for each boot that is
-- shown. So the newest come from the index of times, and of a card all from its own, whatever else has piled up. Events of one card
-- and one time count in the order in which they were written.
create view rouse.boots with (security_barrier) as
	select e.mac, c.host::text as host,
		(select count(*) from (select n.stage, n.at, lag(n.stage) over w as stage_before, lag(n.at) over w as at_before
				from rouse_data.event n where n.mac = e.mac and (n.at, n.ctid) <= (e.at, e.ctid) window w as (order by n.at, n.ctid)) n
			where rouse_data.begins_boot(n.stage, n.at, n.stage_before, n.at_before)) as number,
		e.at as began_at, round(extract(epoch from b.last_at - e.at), 3) as seconds, b.last_stage,
		rouse_data.boot_outcome(b.last_stage, b.last_kind, now() - b.last_at) as outcome, b.uuid, b.arch, b.loader, b.stages, b.events
	from rouse_data.event e
	left join rouse_data.nic c on c.mac = e.mac
	left join lateral (select p.stage, p.at from rouse_data.event p
		where p.mac = e.mac and (p.at, p.ctid) < (e.at, e.ctid) order by p.at desc, p.ctid desc limit 1) before on true
	left join lateral (select n.at, n.ctid from (select a.at, a.ctid, a.stage, lag(a.stage) over w as stage_before, lag(a.at) over w as at_before
			from rouse_data.event a where a.mac = e.mac and (a.at, a.ctid) >= (e.at, e.ctid) window w as (order by a.at, a.ctid)) n
		where n.at_before is not null and rouse_data.begins_boot(n.stage, n.at, n.stage_before, n.at_before)
		order by n.at, n.ctid limit 1) next on true
	cross join lateral (
		select max(o.at) as last_at, (array_agg(o.stage order by o.at desc, o.ctid desc))[1] as last_stage,
			(array_agg(o.kind order by o.at desc, o.ctid desc))[1] as last_kind,
			(array_agg(o.uuid order by o.at) filter (where o.uuid is not null))[1] as uuid,
			(array_agg(o.detail -> 'arch' order by o.at) filter (where o.stage = 'fw_dhcp' and o.detail ? 'arch'))[1]::text as arch,
			(array_agg(o.detail ->> 'client' order by o.at desc) filter (where o.detail ? 'client'))[1] as loader,
			array_agg(distinct o.stage) as stages, count(*)::int as events
		from rouse_data.event o where o.mac = e.mac and (o.at, o.ctid) >= (e.at, e.ctid)
			and (next.at is null or (o.at, o.ctid) < (next.at, next.ctid))) b
	where e.mac is not null and rouse_data.begins_boot(e.stage, e.at, before.stage, before.at)
		and ((select rouse.my_groups()) is null or e.mac in (select m.mac from rouse_data.my_card m))
	order by e.at desc;
call rouse_data.describe('rouse.boots', 'Boots of machines, as far as their events are kept, the newest first: select * from rouse.boots where host = ''lab-01''.', '{
	"mac": "the card that booted", "host": "the machine that the card belongs to", "number": "counts the card''s boots", "began_at": "its first event",
	"seconds": "from its first to its last event", "last_stage": "how far it came",
	"outcome": "stopped, booting, menu (it waits for a person), at work, local disk, system, or what the client system reported: succeeded, failed, ...",
	"uuid": "SMBIOS UUID that it showed", "arch": "DHCP option 93 of its firmware: 0 is a BIOS, 7 UEFI x86-64",
	"loader": "what fetched its files by TFTP last: edk2, ipxe, shim, grub, uboot, pxelinux, plain or other",
	"stages": "the stages that it reached", "events": "how many were seen"}');
