-- Giving jobs, and what time does to them.
begin;
select plan(23);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
select pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null
select pg_temp.image('tiny-debian') \g /dev/null
select pg_temp.image('windows') \g /dev/null

create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
select pg_temp.refused($$select rouse.deploy('lab-O1', 'tiny-debian')$$, '42704 \| there is no host "lab-O1" \| There is: lab-01, lab-02\.');
select pg_temp.refused($$select rouse.deploy('52:54:00:00:00:99', 'tiny-debian')$$, '42704.*52:54:00:00:00:01');
select pg_temp.refused($$select rouse.deploy('lab-01', 'tiny-debain')$$, '42704 \| there is no image "tiny-debain" \| There is: tiny-debian, windows\.');
select pg_temp.refused($$select rouse.deploy('lab-01', null)$$, 'there is no image ""');
select pg_temp.refused($$select rouse.enqueue('lab-01', 'deplyo')$$, '22023 \| there is no kind of job "deplyo" \| Like it are: deploy, ');
select pg_temp.refused($$select rouse.enqueue('lab-01', null)$$, 'there is no kind of job');
select pg_temp.refused($$select rouse.enqueue('lab-01', 'inventory', 'windows')$$, 'has no image');
select pg_temp.refused($$select rouse.inventory('lab-01', after => 'stay')$$, 'poweroff, reboot');
select pg_temp.refused($$select rouse.inventory('lab-01', deadline => now() - interval '1 s')$$, 'the deadline has passed');
select pg_temp.refused($$select rouse.inventory('lab-01', priority => 101)$$, 'a priority is 0 to 100');
select pg_temp.refused($$select rouse.deploy('lab-01', 'windows', disk => '/dev/../etc')$$, 'a disk cannot be "/dev/../etc" \| It is auto, or a device');
select pg_temp.refused('select rouse.cancel(999999)', '42704 \| there is no job 999999');
update rouse.hosts set state = 'retired' where name = 'lab-02';
select pg_temp.refused($$select rouse.inventory('lab-02')$$, '55000.*is retired and gets no jobs');
update rouse.hosts set state = 'pending' where name = 'lab-02';
select is(rouse.approve('52-54-00-00-00-02'), 'lab-02', 'a MAC in any spelling names the host');
select is((select state from rouse.hosts where name = 'lab-02'), 'active', 'approve makes it active');

-- A scheduled job becomes due.
select is(pg_temp.state(rouse.inventory('lab-01', not_before => now() + interval '1 hour')), 'scheduled', 'scheduled');
create temp table first_job as select max(id) as id from rouse.jobs;
update rouse_data.job set not_before = now() - interval '1 second' where id = (select id from first_job);
select results_eq('select * from rouse_daemon.tick()', 'values (0, 1, 0, 0)', 'tick starts what is due');
select is(pg_temp.state((select id from first_job)), 'queued', 'it is queued');
select ok((select live_job from rouse_daemon.hosts_now where name = 'lab-01'), 'the daemons see a live job');
-- A deadline passes.
update rouse_data.job set not_before = null, deadline = now() - interval '1 second' where id = (select id from first_job);
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'none', 'a job past its deadline is not offered');
select results_eq('select * from rouse_daemon.tick()', 'values (0, 0, 1, 0)', 'tick ends it');
select is(pg_temp.state((select id from first_job)), 'expired deadline', 'it has expired');
select is((select live_job from rouse_daemon.hosts_now where name = 'lab-01'), false, 'and the host has no live job');

select * from finish();
rollback;
