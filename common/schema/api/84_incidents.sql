-- Incidents: several machines that stopped alike, at one time or of one model.

create view rouse.incidents with (security_barrier) as
	with staged as (
		select e.mac, e.host, e.at, e.stage, e.kind, lag(e.at) over w as at_before, lag(e.stage) over w as stage_before
		from rouse_data.event e where e.mac is not null and e.at > now() - interval '1 day'
			and ((select rouse.my_groups()) is null or e.mac in (select m.mac from rouse_data.my_card m))
		window w as (partition by e.mac order by e.at)
	), numbered as (
		select s.*, count(*) filter (where rouse_data.begins_boot(s.stage, s.at, s.stage_before, s.at_before))
			over (partition by s.mac order by s.at) as number
		from staged s
	), boot as (
		select distinct on (n.mac, n.number) n.mac, n.host, n.at, n.stage, rouse_data.boot_outcome(n.stage, n.kind, now() - n.at) = 'stopped' as stopped,
			(select h.product from rouse_data.host h where h.name = n.host) as product
		from numbered n order by n.mac, n.number, n.at desc
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
