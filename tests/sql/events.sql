-- Events, daemons, the timeline.
begin;
select plan(42);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
select is(rouse_daemon.record('dhcpd', 'd/1', '[
	{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:01","ago_ms":9000,"count":3},
	{"stage":"tftp_nbp","kind":"read","mac":"52-54-00-00-00-01","name":"ipxe.efi","ago_ms":8000,"address":"10.77.0.100"},
	{"stage":"script","kind":"refused","mac":"525400000001","reason":"no such file","ago_ms":1000,"address":"fe80::1","detail":{"firmware":"bios","arch":"i386"}}]'),
	3, 'good events are kept');
select is(current_setting('synchronous_commit'), 'off', 'and wait for no disk');
select is(rouse_daemon.record('dhcpd', 'd/1', '[7, null, [], "x", {}, {"stage":"nowhere","kind":"x"}, {"stage":"fos"}, {"stage":"fos","kind":"Bad Kind"},
	{"stage":"fos","kind":"x","mac":"52:54"}, {"stage":"fos","kind":"x","mac":{"a":1}}, {"stage":"fos","kind":"x","ago_ms":-1}, {"stage":"fos","kind":"x","ago_ms":1e99},
	{"stage":"fos","kind":"x","count":"many"}, {"stage":"fos","kind":"x","address":"1.2.3.400"}, {"stage":"fos","kind":"x","address":"::::"},
	{"stage":"fos","kind":"x","uuid":"1234"}, {"stage":"fos","kind":"x","detail":[1]},
	{"stage":"fos","kind":"good","uuid":"00000000-0000-0000-0000-000000000000","detail":null}]'), 1, 'bad ones do not harm a good one');
select is((select events_skipped from rouse.daemons where instance = 'd/1'), 17::bigint, 'and are counted');
select matches(pg_temp.error($$select rouse_daemon.record('dhcpd', 'd/1', '{}')$$), '22023.*no array', 'what is no array is refused');
select is(rouse_daemon.record('dhcpd', 'd/1', '[]'), 0, 'nothing is nothing');
select is((select host from rouse.events where kind = 'discover'), 'lab-01', 'an event knows its host by the MAC');
select ok((select at between clock_timestamp() - interval '10 s' and clock_timestamp() - interval '9 s' from rouse.events where kind = 'discover'), 'and when it happened');

-- Behind a router: named by the lease that ran when it happened.
insert into rouse_data.lease (address, client, mac, state, expires_at, granted_at, instance) values
	('10.77.1.100', '\x01', '52:54:00:00:00:01', 'bound', now() + interval '1 hour', now(), 'd/1'),
	('10.77.1.101', '\x02', '52:54:00:00:00:02', 'bound', now() - interval '5 s', now() - interval '1 hour', 'd/1'),
	('10.77.1.102', '\x03', '52:54:00:00:00:03', 'released', now() + interval '1 hour', now(), 'd/1');
select rouse_daemon.record('tftpd', 't/1', '[
	{"stage":"kernel","kind":"leased","address":"10.77.1.100"}, {"stage":"kernel","kind":"told","address":"10.77.1.100","mac":"52:54:00:00:00:09"},
	{"stage":"kernel","kind":"late","address":"10.77.1.101"}, {"stage":"kernel","kind":"in_time","address":"10.77.1.101","ago_ms":60000},
	{"stage":"kernel","kind":"released","address":"10.77.1.102"}, {"stage":"kernel","kind":"stranger","address":"10.77.1.103"}]') \g /dev/null
select results_eq($$select mac::text, host from rouse.events where kind = 'leased'$$, $$values ('52:54:00:00:00:01', 'lab-01')$$, 'an event without a MAC has that of the lease, and its host');
select is((select mac::text from rouse.events where kind = 'told'), '52:54:00:00:00:09', 'one with a MAC keeps its own');
select is((select mac::text from rouse.events where kind = 'in_time'), '52:54:00:00:00:02', 'the lease counts that ran when it happened');
select is((select count(mac)::int from rouse.events where kind in ('late', 'released', 'stranger')), 0, 'a lease that is over names nobody');
select results_eq($$select rouse_daemon.lease_mac(a)::text from unnest('{10.77.1.100,10.77.1.101,10.77.1.102,10.77.1.103,::1}'::inet[]) a$$,
	$$values ('52:54:00:00:00:01'), (null), (null), (null), (null)$$, 'lease_mac tells who has an address now');
delete from rouse_data.event where instance = 't/1';

select results_eq($$select seconds is not null, stage, daemon, what from rouse.trace('52:54:00:00:00:01')$$, $$values
	(true, 'fw_dhcp', 'dhcpd', 'discover (3 times)'), (true, 'tftp_nbp', 'dhcpd', 'read ipxe.efi'), (true, 'script', 'dhcpd', 'refused: no such file')$$,
	'the timeline says it in words');
select results_eq($$select round(seconds) from rouse.trace('lab-01')$$, 'values (0::numeric), (1), (8)', 'in seconds since the boot began');
select rouse_daemon.record('dhcpd', 'd/1', '[{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:01"}]') \g /dev/null
select is((select seconds from rouse.trace('lab-01') order by at desc limit 1), 0.000, 'a new boot begins at nought');
select results_eq($$select number, last_stage, events from rouse.boots where host = 'lab-01' order by number$$, $$values (1::bigint, 'script', 3), (2, 'fw_dhcp', 1)$$, 'boots are counted');
-- Two events of one moment are in one boot, and what is one boot to the timeline is one to the list.
insert into rouse_data.event (at, daemon, instance, stage, kind, mac) select t.at, 'dhcpd', 'd/1', s, 'x', '52:54:00:00:00:0c'::macaddr
	from (select now() - interval '2 hours' as at) t, unnest('{fw_dhcp,fw_dhcp,tftp_nbp}'::text[]) s
	union all select now() - interval '1 hour' + n * interval '40 minutes', 'dhcpd', 'd/1', 'fw_dhcp', 'x', '52:54:00:00:00:0c' from generate_series(0, 1) n;
select results_eq($$select number, events from rouse.boots where mac = '52:54:00:00:00:0c'$$, $$values (3::bigint, 1), (2, 1), (1, 3)$$, 'the newest first, each event in one of them');
select is((select count(distinct boot)::int from rouse_data.timeline('52:54:00:00:00:0c')), 3, 'as the timeline counts them');
delete from rouse_data.event where mac = '52:54:00:00:00:0c';
select rouse.inventory('lab-01') \g /dev/null
select matches((select what from rouse.trace('lab-01') order by at desc limit 1), '^job \d+ \(inventory\) was made: queued, by postgres$', 'jobs are part of the timeline');
select matches(pg_temp.error($$select * from rouse.trace('lab-1')$$), 'there is no host "lab-1" \| There is: lab-01', 'a mistyped name gets a hint');

-- An event of a day without a partition is kept, and the partitions are made.
insert into rouse_data.event (at, daemon, instance, stage, kind) values (now() - interval '9 days', 'x', 'x', 'fos', 'old'), (now() - interval '90 days', 'x', 'x', 'fos', 'too_old');
select is((select count(*)::int from rouse_data.event_default), 2, 'an insert never fails');
select is((select count(*)::int from pg_inherits where inhparent = 'rouse_data.event'::regclass and inhrelid <> 'rouse_data.event_default'::regclass), 3, 'today and two more days have partitions');
create table rouse_data.event_20000101 partition of rouse_data.event for values from ('2000-01-01') to ('2000-01-02');
alter table rouse_data.event_20000101 owner to rouse_owner;
select rouse_daemon.tick() \g /dev/null
select is(to_regclass('rouse_data.event_20000101'), null, 'tick drops what is too old');
select is((select string_agg(kind, ' ') from rouse_data.event_default), 'old', 'in the default partition too');

-- Kinds that are kept longer than the others, or not so long; a tick deletes one day of each.
create function pg_temp.ticks(n int) returns void language plpgsql as $$ begin for i in 1 .. n loop perform rouse_daemon.tick(); end loop; end $$;
create function pg_temp.left_of(what text) returns text language sql as $$
	select string_agg(to_char(now() at time zone 'UTC' - e.at at time zone 'UTC', 'DD')::int::text, ' ' order by e.at desc) from rouse_data.event e where e.kind = what $$;
insert into rouse.event_retention (kind, days) values ('brief', 2), ('long', 60);
insert into rouse_data.event (at, daemon, instance, stage, kind) select now() - d * interval '1 day', 'x', 'x', 'fos', k
	from unnest('{0,1,4,20,40,50,70}'::int[]) d, unnest('{brief,usual,long}'::text[]) k;
select pg_temp.ticks(80) \g /dev/null
select results_eq($$select k, pg_temp.left_of(k) from unnest('{brief,usual,long}'::text[]) k$$,
	$$values ('brief', '0 1'), ('usual', '0 1 4 20'), ('long', '0 1 4 20 40 50')$$, 'each kind is kept as long as is said of it');
delete from rouse.event_retention where kind = 'long';
insert into rouse.event_retention (kind, days) values ('other', 90);
select pg_temp.ticks(80) \g /dev/null
select is(pg_temp.left_of('long'), '0 1 4 20', 'and like the others when nothing is said any more');
select is((select count(*)::int from rouse.audit where noun = 'event_retention'), 4, 'who said it is written down');
select throws_ok($$insert into rouse.event_retention values ('Bad Kind', 1)$$, '23514', null, 'a kind is a word');
select throws_like($$insert into rouse.event_retention values ('x', 0)$$, 'days cannot be "0"', 'for a day at least');
delete from rouse.event_retention;

-- Partitions are days of UTC, whatever clock the session has that makes them; one that is in the way stops no tick.
create table rouse_data.event_strange partition of rouse_data.event for values from ((current_date + 200)::timestamptz + interval '5 hours') to ((current_date + 201)::timestamptz + interval '5 hours');
set local timezone = 'Asia/Tokyo';
select is((select count(*)::int from pg_class c join pg_inherits i on i.inhrelid = c.oid where i.inhparent = 'rouse_data.event'::regclass
	and c.relname ~ '^event_[0-9]{8}$' and pg_get_expr(c.relpartbound, c.oid) like '%09:00:00+09%09:00:00+09%'), 3, 'days begin at midnight of UTC');
set local timezone = 'UTC';
create function pg_temp.make_day(ahead int) returns void language plpgsql as $$
begin
	-- keep_partitions() as it will be so many days from now.
	execute replace(pg_get_functiondef('rouse_data.keep_partitions'::regproc), 'current_date', format('(current_date + %s)', ahead));
	perform rouse_data.keep_partitions();
end $$;
select lives_ok('select pg_temp.make_day(200)', 'a partition that is in the way is left there');
select is((select count(*)::int from pg_class where relnamespace = 'rouse_data'::regnamespace and relname ~ '^event_[0-9]{8}$' and to_date(right(relname, 8), 'YYYYMMDD') > current_date + 199),
	1, 'and the days beside it are made');

select results_eq($$select * from rouse_daemon.hello('menud', 'm/1', '0.1', 1, 'ok', null)$$, $$values (1, true, null)$$, 'hello: they fit');
select matches((select hint from rouse_daemon.hello('menud', 'm/1', '0.1', 9, 'ok', null) where not accepted), 'rouse-db migrate', 'hello: the database is too old');
select results_eq($$select status, problem, alive from rouse.daemons where instance = 'm/1'$$, $$values ('ok', null, true)$$, 'the daemon is seen');

-- A flood from one card, in a hundred batches as daemons send them, and another machine in its midst.
select rouse.setting('events_per_minute', '50') \g /dev/null
select rouse_daemon.record('tftpd', 't/1', (select jsonb_agg(jsonb_build_object('stage', 'tftp_nbp', 'kind', case i % 10 when 0 then 'missing' else 'sent' end,
		'name', format('x%s-%s', n, i), 'mac', case i when 100 then '52:54:00:00:00:01' when 99 then '52:54:00:00:00:01' else '02:00:00:00:0f:0d' end)) from generate_series(1, 100) i))
	from generate_series(1, 20) n \g /dev/null
select is((select count(*)::int from rouse.events where mac = '02:00:00:00:0f:0d' and name is not null), 50, 'of a flood so many are kept as the setting says');
select is((select sum(count)::int from rouse.events where mac = '02:00:00:00:0f:0d'), 1960, 'and none is uncounted');
select results_eq($$select kind from rouse.events where mac = '02:00:00:00:0f:0d' and name is null order by 1$$, $$values ('missing'), ('sent')$$, 'the others are one row for each kind');
select matches((select what from rouse.trace('02:00:00:00:0f:0d') where what ~ '^missing \('), '^missing \(\d+ times\): so many more of kind missing from 02:00:00:00:0f:0d were not kept: events_per_minute$', 'that says so');
select is((select count(*)::int from rouse.events where mac = '52:54:00:00:00:01' and name like 'x%'), 40, 'who is seen beside it is not hidden');
select is(rouse_daemon.record('tftpd', 't/1', (select jsonb_agg('{"stage":"kernel","kind":"read"}'::jsonb) from generate_series(1, 60))), 60, 'what has no card is not bounded here');
select * from finish();
rollback;
