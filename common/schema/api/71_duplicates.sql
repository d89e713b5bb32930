-- Identifiers that more than one host has, or that are found where they do not belong. They are reported and
-- never merged: which of two is right is known to people only.

create view rouse.duplicates with (security_barrier) as
	with inventoried as (
		select distinct rouse_data.mac_of(n ->> 'mac') as mac, l.host_id
		from (select distinct on (i.host_id) i.host_id, i.data from rouse_data.host_inventory i order by i.host_id, i.number desc) l
		cross join lateral jsonb_array_elements(case jsonb_typeof(l.data -> 'nics') when 'array' then l.data -> 'nics' else '[]' end) n
	), several as (
		-- One UUID is read in two byte orders: the lesser of them stands for both.
		select 'uuid' as what, least(h.uuid, rouse_data.uuid_swapped(h.uuid))::text as value, array_agg(h.id) as host_ids
		from rouse_data.host h where h.uuid is not null group by 2 having count(*) > 1
		union all
		select 'serial', lower(concat_ws(' ', h.manufacturer, h.serial)), array_agg(h.id)
		from rouse_data.host h where h.serial is not null group by 2 having count(*) > 1
		union all
		select 'mac', m.mac::text, array_agg(m.host_id) from (
			select i.mac, i.host_id from inventoried i where i.mac is not null
			union
			select n.mac, h.id from inventoried i join rouse_data.nic n on n.mac = i.mac join rouse_data.host h on h.name = n.host) m
		where not exists (select from rouse_data.nic k where k.mac = m.mac and k.kind in ('shared', 'ignored'))
		group by m.mac having count(*) > 1
	)
	select s.what, s.value, found.hosts, cardinality(s.host_ids) as count,
		case s.what when 'mac' then 'An adapter that goes from machine to machine is shared: update rouse.nics set kind = ''shared'', host = null where mac = '
				|| quote_literal(s.value) || '. Else one of these hosts is the other one: retire it.'
			when 'uuid' then 'One machine known twice: retire one. Two boards with one UUID: update rouse.hosts set uuid = null for both; their cards tell them apart.'
			else 'One machine known twice: retire one. Two boards with one serial number: update rouse.hosts set serial = null for both.' end as hint
	from several s
	cross join lateral (select array_agg(h.name::text order by h.name) as hosts from rouse_data.host h
		where h.id = any (s.host_ids)
			and (case when (select rouse.my_groups()) is null then true else h.group_name = any ((select rouse.my_groups())::text[]) end)) found
	where found.hosts is not null
	order by s.what, s.value;
call rouse_data.describe('rouse.duplicates', 'Identifiers that more than one host has: one machine known twice, boards that are copies, an adapter that many use.', '{
	"what": "mac, serial or uuid", "value": "the identifier; serial: with the maker''s name", "hosts": "the hosts that have it, as far as they are yours",
	"count": "how many have it", "hint": "what to do"}');
