-- What tftpd asks about the machine that asks it.

create function rouse_data.arch_code(detail jsonb) returns int
language sql immutable as $$
	select case when jsonb_typeof(detail -> 'arch') = 'number' and detail ->> 'arch' ~ '^[0-9]{1,5}$'
			and (detail ->> 'arch')::int <= 65535 then (detail ->> 'arch')::int end
$$;
comment on function rouse_data.arch_code is 'DHCP''s client architecture (option 93) of an event, where it has one; null for any other number.';

create function rouse_daemon.machine_arch(mac macaddr)
returns table (code int, cpu text, firmware text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse_data.arch_code(e.detail), case when e.detail ? 'firmware' then e.detail ->> 'arch' end, e.detail ->> 'firmware'
	from rouse_data.event e
	where e.mac = $1 and (rouse_data.arch_code(e.detail) is not null
		or (e.detail ? 'firmware' and jsonb_typeof(e.detail -> 'arch') = 'string' and e.detail ->> 'arch' <> 'other'))
	order by e.at desc limit 1
$$;
comment on function rouse_daemon.machine_arch is
	'What the machine last said it is: DHCP''s client architecture (option 93) as dhcpd heard it, or iPXE''s words as menud did. No row: it has said nothing.';
