-- Who is asking? A machine shows many identifiers; together they decide, and where they contradict
-- each other, no job that destroys data is given to it.

create function rouse_data.macs_of(facts jsonb) returns macaddr[]
language plpgsql immutable as $$
begin
	-- Most requests show one card, and need no query to say so.
	if not facts ?| '{mac1,mac2,mac3,mac4,mac5,mac6,mac7}' then
		return array_remove(array[rouse_data.mac_of(facts ->> 'mac0')], null);
	end if;
	return (select coalesce(array_agg(m order by k), '{}') from (
		select min(e.key) as k, rouse_data.mac_of(e.value) as m from jsonb_each_text(facts) e
		where e.key = any ('{mac0,mac1,mac2,mac3,mac4,mac5,mac6,mac7}') group by m) shown
	where m is not null);
end
$$;
comment on function rouse_data.macs_of is 'The MACs of a request, the booted card first, without repetition.';

create function rouse_data.identify(facts jsonb, out host_id bigint, out conflict text, out host_name text,
	out mac macaddr, out uuid uuid)
language plpgsql stable as $$
declare
	macs macaddr[] := rouse_data.macs_of(facts);
	by_mac record;
	by_uuid bigint[] := '{}';
begin
	mac := rouse_data.mac_of(facts ->> 'mac0');
	uuid := rouse_data.uuid_of(facts ->> 'uuid');
	-- The card that booted comes first: it names the host even where the others contradict it.
	select h.id, h.name::text, h.uuid, min(h.id) over () <> max(h.id) over () as differ into by_mac
	from rouse_data.nic n join rouse_data.host h on h.name = n.host
	where n.mac = any (macs) and n.kind in ('primary', 'extra', 'pending') order by array_position(macs, n.mac) limit 1;
	host_id := by_mac.id;
	host_name := by_mac.name;
	-- A host that shows its own UUID contradicts nobody, whoever else has it.
	if uuid is not null and uuid is distinct from by_mac.uuid then
		by_uuid := array(select h.id from rouse_data.host h where h.uuid in (identify.uuid, rouse_data.uuid_swapped(identify.uuid)));
	end if;
	if by_mac.differ then
		conflict := 'its MACs belong to different hosts';
	elsif host_id is not null and cardinality(by_uuid) > 0 and host_id <> all (by_uuid) then
		conflict := 'its MAC belongs to one host, its UUID to another';
	elsif host_id is null and cardinality(by_uuid) = 1 then
		select h.id, h.name into host_id, host_name from rouse_data.host h where h.id = by_uuid[1];
		-- UUIDs are copied with boards; alone they are enough only behind an adapter that is shared.
		if not exists (select from rouse_data.nic n where n.mac = any (macs) and n.kind = 'shared') then
			conflict := 'its UUID belongs to a host, its MAC to none';
		end if;
	end if;
end
$$;
comment on function rouse_data.identify is
	'The host that asks, its name, the card that booted and the UUID that it shows; and in which way its identifiers contradict each other, if they do.';

create function rouse_data.destroys_data(kind text) returns boolean
language plpgsql stable as $$
begin
	return coalesce((select k.destroys_data from rouse_data.job_kind k where k.kind = destroys_data.kind), true);
end
$$;
comment on function rouse_data.destroys_data is 'Whether a job of this kind overwrites what is on the disk.';

create function rouse_data.note_event(stage text, kind text, host_id bigint, mac macaddr, address inet,
	name text, reason text, detail jsonb default null) returns void
language plpgsql as $$
begin
	insert into rouse_data.event (at, daemon, instance, stage, kind, mac, address, host, name, reason, detail)
	values (clock_timestamp(), 'database', session_user, stage, kind, mac, address,
		(select h.name from rouse_data.host h where h.id = host_id), note_event.name, reason, detail);
end
$$;
comment on function rouse_data.note_event is 'Records what the database itself decided.';
