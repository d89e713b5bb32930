\set n random(1, 9900)
select rouse_daemon.record('dhcpd', 'bench', (select jsonb_agg(jsonb_build_object('stage', 'fw_dhcp', 'kind', 'discover',
	'mac', ('52' || lpad(to_hex(:n + i), 10, '0'))::macaddr, 'ago_ms', i)) from generate_series(1, 100) i));
