-- Machines, their groups and their network cards.

create view rouse.groups with (security_barrier) as
	select id, name, comment, created_at, created_by from rouse_data.host_group
	where (select rouse.my_groups()) is null or name = any ((select rouse.my_groups())::text[]) order by name;
call rouse_data.describe('rouse.groups', 'Groups of machines. Who is in one: group_name of rouse.hosts.', '{
	"id": "number, made by the database", "name": "its name, used once: a lower-case word of letters, digits, _ and -",
	"comment": "your words", "created_at": "since when it is known", "created_by": "who made it"}');

create view rouse.hosts with (security_barrier) as
	select id, name, state, uuid, serial, manufacturer, product, group_name, comment, created_at, created_by,
		array(select n.mac from rouse_data.nic n where n.host = host.name order by n.kind = 'primary' desc, n.mac) as macs
	from rouse_data.host
	where (select rouse.my_groups()) is null or group_name = any ((select rouse.my_groups())::text[]) order by name;
call rouse_data.describe('rouse.hosts', 'Machines. Insert, update and delete as in any table; many from a file: \copy it to a temporary table of your own, then insert into rouse.hosts (name) select ... on conflict (name) do nothing.', '{
	"id": "number, made by the database",
	"name": "its name, used once: lower-case letters, digits, hyphens, dots",
	"state": "unknown, pending (waits for rouse.approve), active, disabled (never booted by us) or retired",
	"uuid": "SMBIOS UUID", "serial": "SMBIOS serial number",
	"manufacturer": "who made it", "product": "model, as the firmware says it",
	"group_name": "the group that it is in: a name of rouse.groups, or null",
	"comment": "your words", "created_at": "since when it is known", "created_by": "who made it known",
	"macs": "its network cards, the primary one first: rows of rouse.nics"}');

create view rouse.nics with (security_barrier) as
	select mac, host, kind, comment from rouse_data.nic n
	where (select rouse.my_groups()) is null or n.host in (select m.name from rouse_data.my_host m)
	order by host, kind desc, mac;
call rouse_data.describe('rouse.nics', 'Network cards and whose they are.', '{
	"mac": "the card''s hardware address", "host": "the name of its machine; null if shared or ignored",
	"kind": "primary (one per host), extra, pending, shared (an adapter used by many) or ignored",
	"comment": "your words"}');

create function rouse_data.cards_max() returns int language sql immutable as 'select 8';
comment on function rouse_data.cards_max is 'How many network cards can name one host: HOST_MACS_MAX of the daemons.';

create function rouse_data.check_cards() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if (select count(*) from rouse_data.nic n where n.host = new.host and n.mac <> new.mac) >= rouse_data.cards_max() then
		raise exception using errcode = '23514',
			message = format('host "%s" has %s network cards already', new.host, rouse_data.cards_max()),
			detail = 'No more can name one host, in a boot loader''s request as here.',
			hint = 'Delete one that it does not boot by; an inventory shows them all the same.';
	end if;
	return new;
end
$$;
comment on function rouse_data.check_cards is 'Refuses a card more than the daemons can read.';
create trigger check_cards before insert or update of host on rouse_data.nic
	for each row when (new.host is not null) execute function rouse_data.check_cards();

create view rouse.inventories with (security_barrier) as
	select h.name as host, i.number, i.at, i.data, i.seen_at
	from rouse_data.host_inventory i join rouse_data.host h on h.id = i.host_id
	where case when (select rouse.my_groups()) is null then true else i.host_id in (select m.id from rouse_data.my_host m) end
	order by h.name, i.number;
call rouse_data.describe('rouse.inventories', 'What machines said about their hardware.', '{
	"host": "the machine", "number": "1 is the oldest; a new one only when something differs",
	"at": "when it said so first", "data": "all that it said, as JSON; health is as of seen_at", "seen_at": "when it said so last"}');

create function rouse_data.json_leaves(tree jsonb, root text default '') returns table (path text, value text)
language sql immutable as $$
	with recursive walk (path, node) as (
		select json_leaves.root, json_leaves.tree
		union all
		select child.path, child.node from walk w cross join lateral (
			select case when w.path = '' then o.key else w.path || '.' || o.key end, o.value
			from jsonb_each(case jsonb_typeof(w.node) when 'object' then w.node else '{}' end) o
			union all
			-- What has a name of its own is the same thing wherever it stands in its list.
			select format('%s[%s]', w.path, coalesce(e.value ->> 'mac', e.value ->> 'serial', e.value ->> 'slot',
				e.value ->> 'address', e.value ->> 'name', e.n::text)), e.value
			from jsonb_array_elements(case jsonb_typeof(w.node) when 'array' then w.node else '[]' end) with ordinality e (value, n)
		) child (path, node)
	)
	select w.path, w.node #>> '{}' from walk w where jsonb_typeof(w.node) not in ('object', 'array')
$$;
comment on function rouse_data.json_leaves is 'Each single value of a JSON document, with the path to it: disks[S1].size_bytes.';

create view rouse.inventory_changes with (security_barrier) as
	select i.host, i.number, i.at, c.what, c.before, c.after
	from rouse.inventories i join rouse.inventories old on old.host = i.host and old.number = i.number - 1
	cross join lateral (
		select coalesce(o.path, n.path) as what, o.value as before, n.value as after
		from (select * from rouse_data.json_leaves(old.data - 'health')) o
		full join (select * from rouse_data.json_leaves(i.data - 'health')) n on n.path = o.path
		where o.value is distinct from n.value) c
	order by i.host, i.number desc, c.what;
call rouse_data.describe('rouse.inventory_changes', 'What is different between an inventory and the one before it.', '{
	"host": "the machine", "number": "of the inventory that differs", "at": "when the machine said so first",
	"what": "the path to the value: memory_bytes, disks[S1].size_bytes", "before": "null: it was not there", "after": "null: it is gone"}');

create function rouse_data.host_named(word text) returns rouse_data.host
language plpgsql stable as $$
declare
	found_host rouse_data.host;
	looks_like_mac boolean := word ~ ':' or rouse_data.mac_of(word) is not null;
begin
	select h.* into found_host from rouse_data.host h where h.name = lower(word);
	if found_host.id is null then
		select h.* into found_host from rouse_data.host h
		join rouse_data.nic n on n.host = h.name where n.mac = rouse_data.mac_of(word);
	end if;
	-- What is not yours is answered as what is not there.
	if found_host.id is null or not rouse_data.may_group(found_host.group_name) then
		raise exception using errcode = '42704', message = format('there is no host "%s"', word),
			detail = case when looks_like_mac and rouse_data.mac_of(word) is null
				then 'This is no MAC either: it has twelve hexadecimal digits, such as 52:54:00:00:00:01.'
				else 'A host is named by its name or by the MAC of one of its network cards.' end,
			hint = rouse_data.nearest(word, array(
				select h.name::text from rouse.hosts h where not looks_like_mac
				union all select n.mac::text from rouse.nics n where looks_like_mac and n.host is not null));
	end if;
	return found_host;
end
$$;
comment on function rouse_data.host_named is 'The host that a name or a MAC names, or an error with names near it.';

create function rouse_data.target_named(word text, out host rouse_data.host, out group_name text)
language plpgsql stable as $$
declare
	bare text := regexp_replace(word, '^(host|group):', '');
	found_group text := (select g.name from rouse.groups g where g.name = lower(bare));
	is_host boolean := word not like 'group:%' and exists (select from rouse.hosts h where h.name = lower(bare));
begin
	if is_host and found_group is not null and word = bare then
		raise exception using errcode = '42725', message = format('"%s" is a host and a group', word),
			detail = 'A job for the one is another thing than a job for all of the other.',
			hint = format('Say host:%s or group:%s.', word, word);
	elsif is_host or word like 'host:%' or (bare ~ ':' and word = bare) or rouse_data.mac_of(bare) is not null then
		host := rouse_data.host_named(bare);
	elsif found_group is not null then
		group_name := found_group;
	else
		raise exception using errcode = '42704',
			message = format('there is no %s "%s"', case when word like 'group:%' then 'group' else 'host' end, bare),
			detail = 'A target is a host, by its name or the MAC of one of its network cards, or a group of hosts.',
			hint = rouse_data.nearest(bare, array(select h.name::text from rouse.hosts h where word not like 'group:%'
				union all select g.name::text from rouse.groups g));
	end if;
end
$$;
comment on function rouse_data.target_named is 'The host or the group that a word names, or an error with names near it.';

create function rouse.approve(host text) returns text
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_host rouse_data.host := rouse_data.host_named(host);
begin
	if the_host.state not in ('unknown', 'pending', 'active') then
		raise exception using errcode = '55000',
			message = format('host "%s" is %s', the_host.name, the_host.state),
			detail = 'Only a host that is unknown or pending waits to be approved.',
			hint = format('To use it again: update rouse.hosts set state = ''active'' where name = %L', the_host.name);
	end if;
	update rouse_data.host h set state = 'active' where h.id = the_host.id;
	return the_host.name;
end
$$;
comment on function rouse.approve is 'Makes a pending host active; returns its name.';
