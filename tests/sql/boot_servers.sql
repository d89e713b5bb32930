-- What boot servers answered dhcpd.
begin;
select plan(9);
select is(rouse_daemon.boot_servers_asked('d/1', '[{"address":"10.77.0.2","way":"tftp","file":"ipxe.efi","answer":"silent"},
	{"address":"10.77.0.2","way":"tftp","file":"undionly.kpxe","answer":"missing"}, {"address":"10.77.0.9","way":"pxe","answer":"closed"}]'), 3, 'what was found is kept');
select is(rouse_daemon.boot_servers_asked('d/2', '[{"address":"10.77.0.2","way":"tftp","file":"ipxe.efi","answer":"served"}]'), 1, 'and found anew');
select results_eq($$select host(address), way, file, answer, asked_by from rouse.boot_servers order by 1, 2, 3$$,
	$$values ('10.77.0.2', 'tftp', 'ipxe.efi', 'served', 'd/2'), ('10.77.0.2', 'tftp', 'undionly.kpxe', 'missing', 'd/1'), ('10.77.0.9', 'pxe', null, 'closed', 'd/1')$$,
	'one row of each server and file, the latest');
select is(rouse_daemon.boot_servers_asked('d/1', '[7, null, [], {}, {"address":"x","way":"tftp","file":"a","answer":"served"},
	{"address":"10.0.0.1","way":"http","file":"a","answer":"served"}, {"address":"10.0.0.1","way":"tftp","file":"a","answer":"yes"}, {"way":"tftp","file":"a","answer":"served"}]'),
	0, 'what is no answer is left out');
select matches(pg_temp.error($$select rouse_daemon.boot_servers_asked('d/1', '{}')$$), '22023.*no array', 'what is no array is refused');
select is(rouse_daemon.boot_servers_asked('d/1', jsonb_build_array(jsonb_build_object('address', '10.0.0.1', 'way', 'tftp', 'file', repeat('x', 1000), 'answer', 'silent'))), 1, 'a long name is kept');
select is((select max(length(file)) from rouse.boot_servers), 255, 'as far as a name can be one of DHCP');
update rouse_data.boot_server set asked_at = now() - interval '25 hours';
select rouse_daemon.boot_servers_asked('d/1', jsonb_agg(jsonb_build_object('address', host(inet '10.99.0.0' + i), 'way', 'tftp', 'file', 'x', 'answer', 'silent')))
	from generate_series(1, 1500) i \g /dev/null
select rouse_daemon.boot_servers_asked('d/1', '[{"address":"10.98.0.1","way":"tftp","file":"x","answer":"silent"}, {"address":"10.99.0.1","way":"tftp","file":"x","answer":"served"}]') \g /dev/null
select ok((select count(*) = 1500 and count(*) filter (where answer = 'served') = 1 from rouse.boot_servers), 'a flood of forged offers ends at a thousand or so, and what is known is kept up');
select ok(not exists (select from rouse.boot_servers where file <> 'x'), 'a day later it is forgotten');
select * from finish();
