-- What tftpd asks about the machine that asks it.

create function rouse_daemon.machine_arch(mac macaddr)
returns table (code int, cpu text, firmware text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select case when jsonb_typeof(e.detail -> 'arch') = 'number' then (e.detail ->> 'arch')::int end,
		case when e.detail ? 'firmware' then e.detail ->> 'arch' end, e.detail ->> 'firmware'
	from rouse_data.event e
	where e.mac = $1 and (jsonb_typeof(e.detail -> 'arch') = 'number'
		or (e.detail ? 'firmware' and e.detail ? 'arch' and e.detail ->> 'arch' <> 'other'))
	order by e.at desc limit 1
$$;
comment on function rouse_daemon.machine_arch is
	'What the machine last said it is: DHCP''s client architecture (option 93) as dhcpd heard it, or iPXE''s words as menud did. No row: it has said nothing.';
