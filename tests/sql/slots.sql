-- Slots: only so many machines are written at the same time, in the order of priority.
begin;
select plan(8);
select pg_temp.host('lab-0' || n, '52:54:00:00:00:0' || n) from generate_series(1, 3) n \g /dev/null
select pg_temp.image('tiny') \g /dev/null
select rouse.setting('deploy_slots', '1') \g /dev/null
select rouse.deploy('lab-01', 'tiny'), rouse.deploy('lab-02', 'tiny'), rouse.deploy('lab-03', 'tiny', priority => 90) \g /dev/null
create temp table ticket as select n, pg_temp.offer_ticket('52:54:00:00:00:0' || n) as word from generate_series(1, 3) n;
create function pg_temp.ask(wanted int) returns text language sql as $$
	select concat_ws(' ', c.answer, c.position) from ticket t, rouse_daemon.fos_checkin(jsonb_build_object(
		'ticket', t.word, 'token', repeat(wanted::text, 64), 'mac0', '52:54:00:00:00:0' || wanted), null) c where t.n = wanted $$;

select is(pg_temp.ask(1), 'run', 'the first gets the slot');
select is(pg_temp.ask(2), 'wait 1', 'the second is next');
select is(pg_temp.ask(3), 'wait 1', 'the third has a higher priority');
select is(pg_temp.ask(2), 'wait 2', 'and goes before the second');
select is((select count(*)::int from rouse.jobs where state = 'waiting'), 2, 'two are waiting');
select pg_temp.finish('1', 'succeeded') \g /dev/null
select is(pg_temp.ask(2), 'wait 1', 'the slot is not for the second');
select is(pg_temp.ask(3), 'run', 'but for the third');
select is(pg_temp.ask(2), 'wait 1', 'the second is next again');
select * from finish();
rollback;
