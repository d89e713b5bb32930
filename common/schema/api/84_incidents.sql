-- Incidents: several machines that stopped alike, at one time or of one model.

create view rouse.incidents with (security_barrier) as
	with followed as (
		select e.mac, e.host, e.at, e.stage, e.kind, lead(e.at) over w as at_next, lead(e.stage) over w as stage_next
		from rouse_data.event e where e.mac is not null and e.at > now() - interval '1 day'
			and ((select rouse.my_groups()) is null or e.mac in (select m.mac from rouse_data.my_card m))
		window w as (partition by e.mac order by e.at)
	), boot as (
		-- A boot ends with the event before the one that begins the next.
		select l.mac, l.host, l.at, l.stage, rouse_data.boot_outcome(l.stage, l.kind, now() - l.at) = 'stopped' as stopped, h.product
		from followed l left join rouse_data.host h on h.name = l.host
		where l.at_next is null or rouse_data.begins_boot(l.stage_next, l.at_next, l.stage, l.at)
	)
	select 'one stage, one minute' as what, b.stage, date_trunc('minute', min(b.at)) as began_at, max(b.at) as ended_at,
		count(distinct b.mac)::int as machines, (array_agg(distinct coalesce(b.host, b.mac::text)))[1:20] as hosts, null as product,
		'They share a server, a switch or a change: table rouse.daemons, table rouse.audit. Then select * from rouse.why(...) of one.' as advice
	from boot b where b.stopped group by b.stage, date_trunc('minute', b.at) having count(distinct b.mac) >= 3
	union all
	select 'one model', min(b.stage), min(b.at), max(b.at), count(distinct b.mac)::int, (array_agg(distinct coalesce(b.host, b.mac::text)))[1:20], b.product,
		'Give this model a first stage of its own: insert into rouse.boot_files (arch, product, file) ... Then select * from rouse.why(...) of one.'
	from boot b where b.product is not null group by b.product
	having count(distinct b.mac) >= 3 and bool_and(b.stopped) and count(distinct b.stage) = 1
	order by began_at desc;
call rouse_data.describe('rouse.incidents', 'Three machines or more that stopped alike within the last day: in one minute, or all of one model.', '{
	"what": "one stage, one minute; or: one model", "stage": "where they stopped", "began_at": "the minute, or the first of them",
	"ended_at": "the last of them", "machines": "how many", "hosts": "which, up to twenty", "product": "the model, if it is about one",
	"advice": "what to do about it"}');
