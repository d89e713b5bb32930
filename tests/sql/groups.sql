-- Jobs for groups, and waking machines.
begin;
select plan(34);
insert into rouse.groups (name) values ('kiosks'), ('empty'), ('both');
select pg_temp.host('kiosk-' || n, '52:54:00:00:00:0' || n) from generate_series(1, 4) n \g /dev/null
select pg_temp.host('lab-01', '52:54:00:00:00:11') \g /dev/null
select pg_temp.image('tiny') \g /dev/null
update rouse.hosts set group_name = 'kiosks' where name like 'kiosk-%';
update rouse.hosts set state = 'retired' where name = 'kiosk-4';
create temp table given (name text primary key, id bigint);
create function pg_temp.id(wanted text) returns bigint language sql as $$ select id from given where name = wanted $$;
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;

insert into given values ('alone', rouse.inventory('kiosk-2')), ('batch', rouse.deploy('kiosks', 'tiny', priority => 70, wake => true));
select results_eq($$select host::text, kind, state, image::text, priority, wake from rouse.jobs where batch = pg_temp.id('batch') order by host$$, $$values
	('kiosk-1', 'deploy', 'queued', 'tiny', 70, true), ('kiosk-2', 'deploy', 'backlog', 'tiny', 70, true), ('kiosk-3', 'deploy', 'queued', 'tiny', 70, true)$$,
	'a job for each host in service');
select is_empty('select from rouse.jobs where id = pg_temp.id(''batch'')', 'the batch''s number is no job''s');
select results_eq('select target, kind, image, jobs, open from rouse.batches', $$values ('kiosks', 'deploy', 'tiny', 3, 3)$$, 'the batch is seen as one');
select results_eq('select host::text, ordered_by, job is not null from rouse.wakes order by id', $$values ('kiosk-1', 'postgres', true), ('kiosk-3', 'postgres', true)$$,
	'machines are woken for what is queued');
select is(rouse.cancel(pg_temp.id('alone')), 'cancelled', 'the job before ends');
select results_eq('select host::text from rouse.wakes where id = (select max(id) from rouse.wakes)', $$values ('kiosk-2')$$, 'and the machine is woken for the next');
select pg_temp.boot('52:54:00:00:00:03') \g /dev/null
select results_eq('select host::text, booted_at is not null from rouse.wakes order by id', $$values ('kiosk-1', false), ('kiosk-3', true), ('kiosk-2', false)$$, 'a boot shows that it worked');
select is((select count(*)::int from rouse.trace('kiosk-3') where what like 'wake ordered, by postgres, for job%'), 1, 'the timeline has it');

-- Ends of many kinds.
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '1', '52:54:00:00:00:01'), pg_temp.finish('1', 'succeeded') \g /dev/null
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:02'), '2', '52:54:00:00:00:02') \g /dev/null
select is(rouse.cancel(pg_temp.id('batch'), 'fire drill'), '1 cancelled, 1 cancelling', 'a batch is cancelled');
select pg_temp.refused('select rouse.cancel(' || pg_temp.id('batch') || ')', '55000 \| all jobs of batch \d+ have ended or are being cancelled \| select host, state');
select pg_temp.finish('2', 'cancelled') \g /dev/null
select results_eq('select jobs, open, succeeded, failed, cancelled, expired from rouse.batches', $$values (3, 0, 1, 0, 2, 0)$$, 'its end is counted');
select is((select count(*)::int from rouse.jobs where batch = pg_temp.id('batch') and text = 'fire drill'), 2, 'with the word why');

-- Again, without what went well and who is out of service.
update rouse.hosts set state = 'disabled' where name = 'kiosk-3';
insert into given values ('again', rouse.retry(pg_temp.id('batch')));
select results_eq($$select host::text, retry_of is not null from rouse.jobs where batch = pg_temp.id('again')$$, $$values ('kiosk-2', true)$$, 'a retry of a batch');
select is((select retry_of from rouse.batches where id = pg_temp.id('again')), pg_temp.id('batch'), 'knows what it repeats');
update rouse.hosts set state = 'active' where name = 'kiosk-3';
select pg_temp.refused('select rouse.retry(' || pg_temp.id('batch') || ')', 'is being done again already');
select is(rouse.cancel(pg_temp.id('again')), '1 cancelled', 'the retry is cancelled');
insert into given values ('good', rouse.inventory('kiosks'));
select pg_temp.refused('select rouse.retry(' || pg_temp.id('good') || ')', 'no job of batch \d+ has failed, expired or been cancelled');
update rouse_data.job set deadline = now(), not_before = null where batch = pg_temp.id('good');
select rouse_daemon.tick() \g /dev/null
select is((select expired from rouse.batches where id = pg_temp.id('good')), 3, 'a batch that expires');

-- Names.
insert into given values ('host', rouse.inventory('KIOSK-1')), ('mac', rouse.inventory('52-54-00-00-00-11'));
select results_eq($$select host::text from rouse.jobs where id in (pg_temp.id('host'), pg_temp.id('mac')) order by host$$, $$values ('kiosk-1'), ('lab-01')$$, 'a host is a target, by name and by MAC');
select pg_temp.refused($$select rouse.inventory('kiosk')$$, '42704 \| there is no host "kiosk" \| There is: .*kiosk-1,.*kiosks');
select pg_temp.refused($$select rouse.inventory('group:kiosk')$$, 'there is no group "kiosk" \| There is: both, empty, kiosks\.');
select pg_temp.refused($$select rouse.inventory('host:kiosks')$$, 'there is no host "kiosks"');
select pg_temp.refused($$select rouse.inventory('empty')$$, '55000 \| no host of group "empty" can get a job \| To put one in');
insert into rouse.hosts (name) values ('both');
select pg_temp.refused($$select rouse.inventory('both')$$, '42725 \| "both" is a host and a group \| Say host:both or group:both');
insert into given values ('own', rouse.inventory('host:both'));
select results_eq($$select host::text, batch from rouse.jobs where id = pg_temp.id('own')$$, $$values ('both', null::bigint)$$, 'said so, it is the host');
update rouse.hosts set group_name = 'both' where name = 'lab-01';
insert into given values ('both', rouse.inventory('group:both'));
select results_eq('select host::text from rouse.jobs where batch = pg_temp.id(''both'')', $$values ('lab-01')$$, 'or the group');

-- Waking without a job.
select is(rouse.wake('kiosk-1'), 1, 'one machine is woken');
select is(rouse.wake('group:kiosks'), 3, 'and those of a group that are in service');
select pg_temp.refused($$select rouse.wake('host:both')$$, '55000 \| host "both" has no network card \| Add one');
select pg_temp.refused($$select rouse.wake('empty')$$, 'no host of group "empty" can be woken');
select pg_temp.refused($$select rouse.wake(null)$$, 'there is no host ""');
select results_eq($$select host::text, job from rouse.wakes order by id desc limit 1$$, $$values ('kiosk-3', null::bigint)$$, 'without a job');
select pg_temp.refused($$select rouse.enqueue('kiosks', 'inventory', mode => 'full')$$, 'has no mode');
select set_eq($$select relation from rouse_data.change where at = now() and relation = 'job'$$, $$values ('job')$$, 'the daemons are told');
select * from finish();
rollback;
