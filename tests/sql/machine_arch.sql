-- What a machine last said it is.
begin;
select plan(7);
select is_empty($$select * from rouse_daemon.machine_arch('52:54:00:00:00:01')$$, 'who has said nothing has no row');
select rouse_daemon.record('dhcpd', 'd/1', '[
	{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:01","ago_ms":9000,"detail":{"arch":0}},
	{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:01","ago_ms":5000,"detail":{"arch":7}},
	{"stage":"tftp_nbp","kind":"sent","mac":"52:54:00:00:00:01","ago_ms":1000,"detail":{"bytes":7}},
	{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:02","ago_ms":100,"detail":{"arch":11}}]') \g /dev/null
select results_eq($$select * from rouse_daemon.machine_arch('52:54:00:00:00:01')$$,
	$$values (7, null::text, null::text)$$, 'the newest word of its own counts, by DHCP''s code');
select rouse_daemon.record('menud', 'm/1', '[
	{"stage":"script","kind":"menu","mac":"52:54:00:00:00:01","ago_ms":500,"detail":{"firmware":"other","arch":"other"}}]') \g /dev/null
select is((select code from rouse_daemon.machine_arch('52:54:00:00:00:01')), 7, 'a loader that does not know says nothing');
select rouse_daemon.record('menud', 'm/1', '[
	{"stage":"script","kind":"menu","mac":"52:54:00:00:00:01","ago_ms":400,"detail":{"firmware":"bios","arch":"i386"}}]') \g /dev/null
select results_eq($$select * from rouse_daemon.machine_arch('52:54:00:00:00:01')$$,
	$$values (null::int, 'i386', 'bios')$$, 'or in iPXE''s words');
select is((select code from rouse_daemon.machine_arch('52:54:00:00:00:02')), 11, 'each machine has its own');

-- What no machine says, a hostile one does: it counts for nothing, and raises nothing.
select rouse_daemon.record('dhcpd', 'd/1', (select jsonb_agg(jsonb_build_object('stage', 'fw_dhcp', 'kind', 'discover',
		'mac', '52:54:00:00:00:02', 'ago_ms', 10, 'detail', d::jsonb))
	from unnest('{"{\"arch\":1e99}","{\"arch\":7.5}","{\"arch\":-1}","{\"arch\":65536}","{\"arch\":99999999999}","{\"arch\":{\"a\":1},\"firmware\":\"efi\"}","{\"arch\":[7]}","{\"arch\":null,\"firmware\":\"efi\"}"}'::text[]) d)) \g /dev/null
select is((select count(*)::int from rouse.events where mac = '52:54:00:00:00:02'), 9, 'odd architectures are kept as they were said');
select results_eq($$select code, cpu from rouse_daemon.machine_arch('52:54:00:00:00:02')$$, $$values (11, null::text)$$, 'and are no architecture');
select * from finish();
rollback;
