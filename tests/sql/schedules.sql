-- Schedules: what may be written, what happens when they are due, late, broken, or not theirs any more.
begin;
select plan(55);
insert into rouse.groups (name) values ('kiosks'), ('labs');
select pg_temp.host('kiosk-' || n, '52:54:00:00:00:0' || n) from generate_series(1, 2) n \g /dev/null
select pg_temp.host('lab-01', '52:54:00:00:00:11') \g /dev/null
update rouse.hosts set group_name = 'kiosks' where name like 'kiosk-%';
select pg_temp.image('tiny') \g /dev/null
set local timezone = 'UTC';
create temp table given (name text primary key, id bigint);
create function pg_temp.id(wanted text) returns bigint language sql as $$ select id from given where name = wanted $$;
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
-- Lets a schedule be due so long ago.
create function pg_temp.due(wanted text, ago interval default '1 second') returns void language sql as $$
	update rouse_data.schedule set next_at = now() - ago where id = pg_temp.id(wanted) $$;
create function pg_temp.run() returns int language sql as $$ select ran_schedules from rouse_daemon.tick() $$;
create function pg_temp.last_run(wanted text) returns text language sql as $$
	select concat_ws(' ', outcome, text) from rouse.schedule_runs where schedule = pg_temp.id(wanted) order by due_at desc limit 1 $$;

-- What may be written.
insert into given values ('nightly', rouse.schedule('kiosks', 'deploy', '30 3 * * mon-fri', 'tiny', 'europe/vienna', expires_after => '2 hours', after => 'poweroff', priority => 20));
select results_eq($$select host::text, group_name::text, kind, image::text, at, time_zone, enabled, missed, wake, created_by from rouse.schedules$$,
	$$values (null, 'kiosks', 'deploy', 'tiny', '30 3 * * mon-fri', 'Europe/Vienna', true, 'once', true, 'postgres')$$, 'a schedule');
select is((select next_at from rouse.schedules), (select "time" from rouse.next_times('30 3 * * mon-fri', 'Europe/Vienna', 1)), 'knows when it is due');
update rouse.schedules set at = '@yearly', time_zone = 'Asia/Tokyo';
select is((select next_at from rouse.schedules), (select "time" from rouse.next_times('0 0 1 1 *', 'Asia/Tokyo', 1)), 'also after a change');
insert into rouse.schedules (host, kind, at) values ('lab-01', 'inventory', '@daily');
select is((select count(*)::int from rouse.schedules where host = 'lab-01' and next_at is not null), 1, 'an insert does as well');
select pg_temp.refused($$select rouse.schedule('kiosk', 'inventory', '@daily')$$, '42704 \| there is no host "kiosk" \| There is');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventry', '@daily')$$, '22023 \| there is no kind of schedule "inventry" \| Like it are: inventory, ');
select pg_temp.refused($$select rouse.schedule('kiosks', null, '@daily')$$, 'there is no kind of schedule ""');
select pg_temp.refused($$select rouse.schedule('kiosks', 'deploy', '@daily', 'tyni')$$, 'there is no image "tyni" \| There is: tiny');
select pg_temp.refused($$select rouse.schedule('kiosks', 'deploy', '@daily')$$, 'there is no image ""');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '@daily', 'tiny')$$, 'a job of kind inventory has no image');
select pg_temp.refused($$select rouse.schedule('kiosks', 'wake', '@daily', 'tiny')$$, 'waking has no image');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '0 25 * * *')$$, 'the cron field for the hour cannot be "25"');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', null)$$, '22023 \| a schedule has no time \| Such as');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '2020-01-01 12:00')$$, '22023 \| 2020-01-01 12:00 is over \| Give a time that is to come');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '@daily', time_zone => 'Viena')$$, 'there is no time zone "Viena" \| Like it are: .*Vienna');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '@daily', missed => 'always')$$, 'way to treat what was missed "always" \| There is: once, skip');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '@daily', priority => 101)$$, 'a priority is 0 to 100, not 101');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '@daily', after => 'sleep')$$, 'there is no after-action "sleep"');
select pg_temp.refused($$select rouse.schedule('kiosks', 'inventory', '@daily', expires_after => '-1 hour')$$, 'a scheduled job expires after some time');
select pg_temp.refused($$select rouse.schedule('kiosks', 'deploy', '@daily', 'tiny', disk => 'sda')$$, 'a disk cannot be "sda" \| It is auto, or a device such as /dev/sda');
select pg_temp.refused($$insert into rouse.schedules (host, group_name, kind, at) values ('lab-01', 'kiosks', 'wake', '@daily')$$, 'for one host or for one group \| Give either');
select pg_temp.refused($$insert into rouse.schedules (group_name, kind, at) values ('kiosk', 'wake', '@daily')$$, '42704 \| there is no group "kiosk" \| There is: kiosks, labs');
select pg_temp.refused($$insert into rouse.schedules (host, kind, at) values ('lab-02', 'wake', '@daily')$$, '42704 \| there is no host "lab-02" \| There is');

-- Due.
select is(pg_temp.run(), 0, 'nothing is due');
select pg_temp.due('nightly') \g /dev/null
select is(pg_temp.run(), 1, 'one is due');
select is(pg_temp.run(), 0, 'and runs once');
select results_eq($$select host::text, kind, state, after, priority, wake, created_by, deadline - now() from rouse.jobs order by host$$, format($$values
	('kiosk-1', 'deploy', 'queued', 'poweroff', 20, true, 'schedule %1$s of postgres', interval '2 hours'),
	('kiosk-2', 'deploy', 'queued', 'poweroff', 20, true, 'schedule %1$s of postgres', interval '2 hours')$$, pg_temp.id('nightly')), 'the jobs are as it says');
select results_eq($$select outcome, number, text, by from rouse.schedule_runs$$, $$select 'run', id, null, 'postgres' from rouse.batches$$, 'the run is written down, with the batch');
select is((select created_by from rouse.batches), format('schedule %s of postgres', pg_temp.id('nightly')), 'which says where it comes from');
select is((select count(*)::int from rouse.wakes where ordered_by like 'schedule % of postgres'), 2, 'the machines are woken');
select is((select next_at from rouse.schedules where id = pg_temp.id('nightly')), (select "time" from rouse.next_times('@yearly', 'Asia/Tokyo', 1)), 'and it is due again');
select matches((select last_run from rouse.schedules where id = pg_temp.id('nightly')), '^run \d{4}-', 'the schedule shows it');
select is((select count(*)::int from rouse.audit where noun = 'schedules' and key = pg_temp.id('nightly')::text), 2, 'a run is no change of the configuration');

-- Once.
insert into given values ('once', rouse.schedule('lab-01', 'wake', '2040-01-01 12:00'));
select pg_temp.due('once') \g /dev/null
select is(pg_temp.run(), 1, 'one that is due once');
select is((select next_at from rouse.schedules where id = pg_temp.id('once')), '2040-01-01 12:00', 'when its time is still to come it is due then');
update rouse_data.schedule set next_at = null where id = pg_temp.id('once');
select is((select count(*)::int from rouse.wakes where host = 'lab-01'), 1, 'wakes its machine');
select is(rouse_data.next_time('2040-01-01 12:00', 'UTC', '2040-01-01 12:00'), null, 'and never again');

-- Missed.
insert into given values ('skip', rouse.schedule('lab-01', 'inventory', '@hourly', missed => 'skip')), ('catch up', rouse.schedule('lab-01', 'inventory', '@hourly'));
select pg_temp.due('skip', '10 hours'), pg_temp.due('catch up', '10 hours') \g /dev/null
select is(pg_temp.run(), 2, 'two were missed');
select is(pg_temp.last_run('skip'), 'skipped no daemon could run it in time', 'one is passed over');
select is(pg_temp.last_run('catch up'), 'run no daemon could run it in time', 'the other is caught up with');
select is((select count(*)::int from rouse.jobs where host = 'lab-01'), 1, 'once, and not ten times');
select ok((select bool_and(next_at > now() and next_at <= now() + interval '1 hour') from rouse.schedules where id in (pg_temp.id('skip'), pg_temp.id('catch up'))), 'both go on with the next hour');
select pg_temp.due('skip', '2 minutes') \g /dev/null
select is(pg_temp.run() || pg_temp.last_run('skip'), '1run', 'a little late is not missed');
update rouse.schedules set enabled = false where id in (pg_temp.id('skip'), pg_temp.id('catch up'));
select pg_temp.due('skip') \g /dev/null
select is(pg_temp.run(), 0, 'what is not enabled rests');

-- Broken: the others run all the same.
insert into given values ('broken', rouse.schedule('kiosks', 'deploy', '@daily', 'tiny')), ('whole', rouse.schedule('kiosks', 'wake', '@daily')), ('empty', rouse.schedule('labs', 'inventory', '@daily'));
update rouse_data.image_version set state = 'retired';
select pg_temp.due('broken'), pg_temp.due('whole'), pg_temp.due('empty') \g /dev/null
select is(pg_temp.run(), 3, 'three are due');
select is(pg_temp.last_run('broken'), 'failed there is no image "tiny"', 'one says why it failed');
select is(pg_temp.last_run('empty'), 'failed no host of group "labs" can get a job', 'another one, too');
select is(pg_temp.last_run('whole'), 'run', 'and the third runs');
select matches(pg_temp.error('update rouse_data.schedule_run set outcome = ''run'''), 'is only added to', 'a run stays as it was');

-- Limits.
create role anna; grant rouse_operator to anna;
insert into rouse.operators (name, groups) values ('anna', '{kiosks}');
grant insert on given to anna; grant select on given to anna;
set session authorization anna;
insert into given values ('anna', rouse.schedule('kiosk-1', 'inventory', '@daily'));
select pg_temp.refused($$select rouse.schedule('lab-01', 'inventory', '@daily')$$, '42704 \| there is no host "lab-01" \| There is: kiosk-1, kiosk-2, kiosks');
select is((select string_agg(coalesce(host, group_name), ',' order by id) from rouse.schedules), 'kiosks,kiosks,kiosks,kiosk-1', 'she sees those of her hosts');
select is((select count(distinct schedule)::int from rouse.schedule_runs), 3, 'and their runs');
delete from rouse.schedules where host = 'lab-01';
reset session authorization;
select is((select count(*)::int from rouse.schedules where host = 'lab-01'), 4, 'and deletes no others');
update rouse.operators set groups = '{labs}' where name = 'anna';
select pg_temp.due('anna') \g /dev/null
select is(pg_temp.run() || pg_temp.last_run('anna'), '1failed operator "anna", who made this schedule, may not run this target any more', 'what she may do no more is not done for her');
update rouse.hosts set name = 'kiosk-9' where name = 'kiosk-1';
select is((select host::text from rouse.schedules where id = pg_temp.id('anna')), 'kiosk-9', 'a renamed host keeps its schedules');
select * from finish();
rollback;
