-- Foreign DHCP servers, and how our own know each other.
begin;
select plan(15);

select is(rouse_daemon.foreign_seen('d/1', '[
	{"address":"10.77.0.9","mac":"02:00:00:00:00:09","kind":"server","router":"10.77.0.254","count":2},
	{"address":"10.77.0.8","mac":"02:00:00:00:00:08","kind":"proxy","next_server":"10.77.0.8","boot_file":"pxelinux.0","count":1}]'),
	2, 'what was heard is kept');
select is(rouse_daemon.foreign_seen('d/2', '[
	{"address":"10.77.0.9","mac":"02:00:00:00:00:09","kind":"server","boot_file":"x","count":3}]'), 1, 'and heard again');
select results_eq($$select host(address), mac, kind, host(router), host(next_server), boot_file, count, seen_by from rouse.foreign_dhcp order by 1$$,
	$$values ('10.77.0.8', macaddr '02:00:00:00:00:08', 'proxy', null, '10.77.0.8', 'pxelinux.0', 1::bigint, 'd/1'),
		('10.77.0.9', '02:00:00:00:00:09', 'server', '10.77.0.254', null, 'x', 5, 'd/2')$$, 'one row each, with a count');
select is(rouse_daemon.foreign_seen('d/1', '[7, null, [], {}, {"address":"x","mac":"02:00:00:00:00:01","kind":"server","count":1},
	{"address":"10.0.0.1","mac":"no","kind":"server","count":1}, {"address":"10.0.0.1","mac":"02:00:00:00:00:01","kind":"router","count":1},
	{"address":"10.0.0.1","mac":"02:00:00:00:00:01","kind":"server","count":0}, {"address":"10.0.0.1","mac":"02:00:00:00:00:01","kind":"server"},
	{"address":"10.0.0.1","mac":"02:00:00:00:00:01","kind":"server","count":"many"}]'), 0, 'what is no answer is left out');
select matches(pg_temp.error($$select rouse_daemon.foreign_seen('d/1', '{}')$$), '22023.*no array', 'what is no array is refused');

select is_empty($$select * from rouse_daemon.dhcp_here('d/1', '{10.77.0.1}', 'server')$$, 'the first has no peers');
select results_eq($$select host(address), kind from rouse_daemon.dhcp_here('d/2', '{10.77.0.9}', 'server')$$,
	$$values ('10.77.0.1', 'server')$$, 'the second knows the first');
select is((select count(*) from rouse.foreign_dhcp where address = '10.77.0.9'), 0::bigint,
	'who says that it is ours is no stranger any more');
select is(rouse_daemon.foreign_seen('d/1', '[{"address":"10.77.0.9","mac":"02:00:00:00:00:09","kind":"server","count":1}]'),
	0, 'nor does it become one again');
select is(rouse_daemon.foreign_seen('d/1', '[{"address":"10.77.0.9","mac":"02:00:00:00:00:09","kind":"proxy","count":1}]'),
	1, 'but a proxy at its address is not it');
select is_empty($$select * from rouse_daemon.dhcp_here('d/2', '{10.77.0.9}', null) where kind = 'server' and address = '10.77.0.9'$$,
	'who only listens');
select is_empty($$select * from rouse_daemon.dhcp_here('d/1', '{10.77.0.1}', 'server')$$, 'is nobody''s peer');
select matches(pg_temp.error($$select rouse_daemon.dhcp_here('d/1', '{10.77.0.1}', 'router')$$), '22023.*server, proxy or null', 'a mistyped kind is refused');

select rouse_daemon.foreign_seen('d/1', jsonb_agg(jsonb_build_object('address', host(inet '10.99.0.0' + i), 'mac', '02:00:00:00:00:01',
	'kind', 'server', 'count', 1))) from generate_series(1, 1500) i \g /dev/null
select rouse_daemon.foreign_seen('d/1', '[{"address":"10.98.0.1","mac":"02:00:00:00:00:01","kind":"server","count":1}]') \g /dev/null
select ok((select count(*) between 1000 and 2000 from rouse.foreign_dhcp), 'a flood of forged servers ends');
select ok(not exists (select from rouse.foreign_dhcp where address = '10.98.0.1'), 'at a thousand or so');

select * from finish();
rollback;
