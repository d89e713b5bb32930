-- DHCP servers beside ours: what dhcpd tells of them, and how it knows its own kind.

create view rouse.foreign_dhcp as
	select f.address, f.mac, f.kind, f.router, f.next_server, f.boot_file, f.first_seen, f.last_seen, f.count, f.seen_by
	from rouse_data.foreign_dhcp f order by f.last_seen desc;
call rouse_data.describe('rouse.foreign_dhcp', 'DHCP servers and proxies that are not ours, as dhcpd heard them.', '{
	"address": "its server identifier (option 54), or where its answer came from",
	"mac": "the card that the answer came from: its own, or the relay''s",
	"kind": "server: it gives addresses; proxy: it names boot files only",
	"router": "the first router that it gave, if any", "next_server": "the TFTP server that it named, if any",
	"boot_file": "the boot file that it named, if any", "first_seen": "when it was heard first",
	"last_seen": "when it was heard last", "count": "how many of its answers were heard",
	"seen_by": "the dhcpd that heard it last"}');

create function rouse_daemon.dhcp_here(instance text, addresses inet[], answers_as text)
returns table (address inet, kind text)
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if $3 is not null and $3 not in ('server', 'proxy') then
		perform rouse_data.field_error('answers_as', 'is no kind of DHCP answer', 'It is server, proxy or null (answers nothing).');
	end if;
	delete from rouse_data.dhcp_server s
	where s.instance = $1 and ($3 is null or s.address <> all ($2)) or s.seen_at < now() - interval '5 minutes';
	if $3 is not null then
		insert into rouse_data.dhcp_server as s (instance, address, kind)
		select distinct $1, a, $3 from unnest($2) a
		on conflict on constraint dhcp_server_pkey do update set kind = excluded.kind, seen_at = now();
		-- Heard by another one before it had said hello.
		delete from rouse_data.foreign_dhcp f where f.address = any ($2) and f.kind = $3;
	end if;
	return query select distinct s.address, s.kind from rouse_data.dhcp_server s where s.instance <> $1;
end
$$;
comment on function rouse_daemon.dhcp_here is
	'A dhcpd says from which addresses it answers, and as what (null: it only listens); returns its peers.';

create function rouse_daemon.foreign_seen(instance text, seen jsonb) returns int
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	taken int;
begin
	if jsonb_typeof(seen) is distinct from 'array' then
		perform rouse_data.field_error('seen', 'is no array', 'Send an array of objects.');
	end if;
	insert into rouse_data.foreign_dhcp as f
		(address, mac, kind, router, next_server, boot_file, count, seen_by)
	select distinct on (s.address, s.mac, s.kind) s.address, s.mac, s.kind, s.router, s.next_server,
		s.boot_file, s.count, $1
	from rouse_data.read_foreign(seen) s
	where not exists (select from rouse_data.dhcp_server d where d.address = s.address and d.kind = s.kind)
		-- Forged answers from a thousand addresses shall not fill the disk.
		and ((select count(*) from rouse_data.foreign_dhcp) < 1000
			or exists (select from rouse_data.foreign_dhcp o
				where (o.address, o.mac, o.kind) = (s.address, s.mac, s.kind)))
	order by s.address, s.mac, s.kind
	on conflict on constraint foreign_dhcp_pkey do update set last_seen = now(),
		count = f.count + excluded.count, seen_by = excluded.seen_by,
		router = coalesce(excluded.router, f.router),
		next_server = coalesce(excluded.next_server, f.next_server),
		boot_file = coalesce(excluded.boot_file, f.boot_file);
	get diagnostics taken = row_count;
	return taken;
end
$$;
comment on function rouse_daemon.foreign_seen is
	'Keeps what dhcpd heard of foreign DHCP servers; answers of its own peers are left out. Returns how many were kept.';

create function rouse_data.read_foreign(seen jsonb)
returns table (address inet, mac macaddr, kind text, router inet, next_server inet, boot_file text, count bigint)
language sql stable as $$
	select rouse_data.inet_of(e ->> 'address'), rouse_data.mac_of(e ->> 'mac'), e ->> 'kind',
		rouse_data.inet_of(e ->> 'router'), rouse_data.inet_of(e ->> 'next_server'),
		rouse_data.printable(left(nullif(e ->> 'boot_file', ''), 255)), (e ->> 'count')::bigint
	from jsonb_array_elements(seen) e
	where rouse_data.inet_of(e ->> 'address') is not null and rouse_data.mac_of(e ->> 'mac') is not null
		and e ->> 'kind' in ('server', 'proxy') and e ->> 'count' ~ '^[1-9][0-9]{0,8}$'
$$;
comment on function rouse_data.read_foreign is 'The elements of an array that tell of a foreign server.';
