-- The boot servers that machines are sent to, as dhcpd finds them when it asks: the fact that no packet of a machine shows.

create view rouse.boot_servers as
	select b.address, b.way, nullif(b.file, '') as file, b.answer, b.asked_at, b.asked_by
	from rouse_data.boot_server b order by b.asked_at desc;
call rouse_data.describe('rouse.boot_servers', 'Do the servers that machines were sent to answer? What dhcpd found when it asked them itself, within the last day.', '{
	"address": "the server''s", "way": "tftp: a request for the file, on port 69; pxe: firmware''s request on port 4011", "file": "the boot file that was asked for",
	"answer": "served; missing: it has no such file; refused: another TFTP error; closed: no program has that port; unreachable: there is no way to it; silent: nothing came",
	"asked_at": "when it was asked last", "asked_by": "the dhcpd that asked"}');

create function rouse_daemon.boot_servers_asked(instance text, seen jsonb) returns int
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	taken int;
begin
	if jsonb_typeof(seen) is distinct from 'array' then
		perform rouse_data.field_error('seen', 'is no array', 'Send an array of objects.');
	end if;
	delete from rouse_data.boot_server b where b.asked_at < now() - interval '1 day';
	insert into rouse_data.boot_server as b (address, way, file, answer, asked_by)
	select distinct on (s.address, s.way, s.file) s.address, s.way, s.file, s.answer, $1 from rouse_data.read_boot_servers(seen) s
	-- Whoever forges offers shall not fill the disk.
	where (select count(*) from rouse_data.boot_server) < 1000
		or exists (select from rouse_data.boot_server o where (o.address, o.way, o.file) = (s.address, s.way, s.file))
	order by s.address, s.way, s.file
	on conflict on constraint boot_server_pkey do update set answer = excluded.answer, asked_at = now(), asked_by = excluded.asked_by;
	get diagnostics taken = row_count;
	return taken;
end
$$;
comment on function rouse_daemon.boot_servers_asked is 'Keeps what boot servers answered a dhcpd, for a day; returns how many of the answers were kept.';

create function rouse_data.read_boot_servers(seen jsonb) returns table (address inet, way text, file text, answer text)
language sql stable as $$
	select rouse_data.inet_of(e ->> 'address'), e ->> 'way', rouse_data.printable(left(coalesce(e ->> 'file', ''), 255)), e ->> 'answer'
	from jsonb_array_elements(seen) e
	where rouse_data.inet_of(e ->> 'address') is not null and e ->> 'way' in ('tftp', 'pxe')
		and e ->> 'answer' in ('served', 'missing', 'refused', 'closed', 'unreachable', 'silent')
$$;
comment on function rouse_data.read_boot_servers is 'The elements of an array that tell of a boot server.';
