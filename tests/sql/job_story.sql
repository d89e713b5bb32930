-- What an operator reads and does about jobs: reasons and advice, the queue, words in the history,
-- lineage, the own disk afterwards, and what has happened stays.
begin;
select plan(45);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
select pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null
select pg_temp.image('tiny') \g /dev/null
create temp table job (name text primary key, id bigint);
create function pg_temp.id(wanted text) returns bigint language sql as $$ select id from job where name = wanted $$;
create function pg_temp.refused(statement text, words text, variadic jobs text[]) returns text language sql as $$
	select tap.matches(pg_temp.error(format(statement, variadic array(select pg_temp.id(j)::text from unnest(jobs) j))), words, words) $$;

-- Reasons.
insert into job values ('write', rouse.inventory('lab-01'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '1', '52:54:00:00:00:01') \g /dev/null
select is(pg_temp.finish('1', 'failed', 'write_error'), 'ok failed', 'a failed job');
select results_eq($$select reason, meaning, hint from rouse.jobs where id = pg_temp.id('write')$$,
	$$select code, meaning, hint from rouse.reasons where code = 'write_error'$$, 'says why, and what to do');
select is((select hint from rouse_daemon.fos_finish(jsonb_build_object('token', pg_temp.token('1'), 'outcome', 'failed', 'reason', 'write_error'), null)),
	(select hint from rouse.reasons where code = 'write_error'), 'and the machine''s screen says the same');
select is_empty('select code from rouse.reasons where meaning = '''' or hint = ''''', 'each reason has a meaning and advice');
insert into job values ('strange', rouse.inventory('lab-01'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '2', '52:54:00:00:00:01') \g /dev/null
select is(pg_temp.finish('2', 'failed', 'flux_capacitor'), 'ok queued', 'a code that nobody knows is an error of the client');
select results_eq($$select reason, text from rouse.jobs where id = pg_temp.id('strange')$$, $$values ('client_error', 'flux_capacitor')$$, 'in its own words');
select pg_temp.refused('update rouse_data.job set reason = ''x'' where id = %s', 'a job''s reason is a known code', 'strange');

-- The queue.
select rouse.setting('deploy_slots', '1') \g /dev/null
insert into job values ('back1', rouse.inventory('lab-01')), ('back2', rouse.inventory('lab-01', priority => 90)),
	('later', rouse.inventory('lab-01', not_before => '2040-01-01 03:00 UTC')), ('deploy', rouse.deploy('lab-02', 'tiny'));
set local timezone = 'UTC';
select results_eq($$select (select name from job where job.id = q.id), q.state, q.place, q.waits_for from rouse.queue q$$, format($$values
	('strange', 'queued', null::int, 'the end of its rest after a failed attempt'), ('deploy', 'queued', null, 'the machine to boot and check in'),
	('back2', 'backlog', 1, 'job %1$s'), ('back1', 'backlog', 2, 'job %1$s'), ('later', 'scheduled', null, 'its time: 2040-01-01 03:00:00 UTC')$$, pg_temp.id('strange')),
	'the queue says what runs first and what each job waits for');
select rouse.cancel(pg_temp.id('strange'), 'wrong machine') \g /dev/null
select results_eq($$select reason, text from rouse.jobs where id = pg_temp.id('strange')$$, $$values ('operator_stop', 'wrong machine')$$, 'who cancels may say why');
select is((select name from job join rouse.queue q using (id) where q.state = 'queued' and q.host = 'lab-01'), 'back2', 'the backlog goes on by priority');
select results_eq($$select from_state, to_state, who, why, reason, text from rouse.job_history where job = pg_temp.id('strange') and to_state = 'cancelled'$$,
	$$values ('queued', 'cancelled', 'postgres', 'an operator, at once: an operator cancelled it', 'operator_stop', 'wrong machine')$$, 'the history says when, who and why');
select is((select why from rouse.job_history where job = pg_temp.id('strange') order by at limit 1), 'it was made', 'from the beginning');

-- A job that waits for a slot, and is cancelled, takes none.
insert into job values ('holder', rouse.enqueue('lab-01', 'deploy', 'tiny', 100));
select rouse.cancel(id) from job where name in ('back1', 'back2', 'later') \g /dev/null
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '3', '52:54:00:00:00:01') \g /dev/null
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:02'), '4', '52:54:00:00:00:02') \g /dev/null
select results_eq($$select place, waits_for from rouse.queue where id = pg_temp.id('deploy')$$, $$values (1, 'a free slot (setting deploy_slots)')$$, 'next for a slot');
select is(rouse.cancel(pg_temp.id('deploy')), 'cancelling', 'cancelled while it waits');
select is((select waits_for from rouse.queue where id = pg_temp.id('deploy')), 'the client to hear that it shall stop', 'until the client hears of it');
select is(pg_temp.finish('3', 'succeeded'), 'ok succeeded', 'the slot is given back');
select is(rouse_data.slot_position(j), 0, 'and is free: who is cancelled while waiting holds none') from rouse_data.job j where j.id = pg_temp.id('deploy');
select is(pg_temp.finish('4', 'cancelled'), 'ok cancelled', 'the client stops');

-- Lineage.
insert into job values ('again', rouse.retry(pg_temp.id('write')));
select is((select retry_of from rouse.jobs where id = pg_temp.id('again')), pg_temp.id('write'), 'a retry knows what it repeats');
select pg_temp.refused('select rouse.retry(%s)', 'is being done again already: job \d+ \| To begin that one anew: select rouse.cancel', 'write');
select pg_temp.refused('select rouse.retry(%s)', 'has not ended: it is queued \| To begin anew', 'again');
select rouse.cancel(pg_temp.id('again')) \g /dev/null
insert into job values ('third', rouse.retry(pg_temp.id('write')));
select isnt(pg_temp.id('third'), pg_temp.id('again'), 'once that has ended it may be done again');
select rouse.cancel(pg_temp.id('third')) \g /dev/null
savepoint withdrawn;
update rouse_data.image_version set state = 'retired' where image = 'tiny';
select pg_temp.refused('select rouse.retry(%s)', '55000 \| version 1 of image "tiny" is retired \| Deploy another', 'holder');
rollback to withdrawn;
update rouse.hosts set state = 'retired' where name = 'lab-01';
select pg_temp.refused('select rouse.retry(%s)', 'is retired and gets no jobs', 'write');
update rouse.hosts set state = 'active' where name = 'lab-01';

-- Afterwards to the own disk, once.
insert into job values ('local', rouse.inventory('lab-01', after => 'local'));
select is(c.after, 'reboot', 'to the client local is a reboot') from rouse_daemon.fos_checkin(pg_temp.facts('52:54:00:00:00:01')
	|| jsonb_build_object('ticket', pg_temp.offer_ticket('52:54:00:00:00:01'), 'token', pg_temp.token('5')), null) c;
select is((select after from rouse_daemon.fos_finish(jsonb_build_object('token', pg_temp.token('5'), 'outcome', 'succeeded'), null)), 'reboot', 'at its end too');
select ok((select live_job from rouse_daemon.hosts_now where name = 'lab-01'), 'the daemons ask for this machine');
select is((select answer || ' ' || argument from rouse.explain('lab-01') where stage = 'menu'), 'job local disk, once, after job ' || pg_temp.id('local'), 'explain knows');
create function pg_temp.ask() returns text language sql as $$
	select concat_ws(' ', o.answer, o.reason) from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null) o $$;
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
select is(pg_temp.ask(), format('local job %s said: afterwards to the local disk', pg_temp.id('local')), 'its next boot goes to the disk');
select is(pg_temp.ask(), format('local job %s said: afterwards to the local disk', pg_temp.id('local')), 'so does the same boot asking again');
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
select is(pg_temp.ask(), 'none the host has no live job', 'the boot after that does not');
select is((select live_job from rouse_daemon.hosts_now where name = 'lab-01'), false, 'and the daemons ask no more');
insert into job values ('local2', rouse.inventory('lab-01', after => 'local'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '6', '52:54:00:00:00:01'), pg_temp.finish('6', 'succeeded') \g /dev/null
select isnt_empty('table rouse_data.local_boot', 'ordered once more');
insert into job values ('next', rouse.inventory('lab-01', after => 'reboot'));
select is(pg_temp.ask(), 'job the host has a live job', 'a job comes before it');
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '7', '52:54:00:00:00:01'), pg_temp.finish('7', 'succeeded') \g /dev/null
select is_empty('table rouse_data.local_boot', 'and its own after-action counts');
insert into rouse_data.local_boot select id, pg_temp.id('next'), now() - interval '1 second' from rouse.hosts where name = 'lab-01';
select rouse_daemon.tick() \g /dev/null
select is_empty('table rouse_data.local_boot', 'one that never comes is forgotten');
insert into job values ('fail', rouse.inventory('lab-01', after => 'local'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '8', '52:54:00:00:00:01'), pg_temp.finish('8', 'failed', 'disk_missing') \g /dev/null
select is_empty('table rouse_data.local_boot', 'after a job that failed the menu is better than the disk');

-- What has happened stays.
select pg_temp.refused('update rouse_data.job set text = ''better'' where id = %s', '55000 \| job \d+ has ended \(failed\) and stays as it is \| To do it again', 'write');
select pg_temp.refused('delete from rouse_data.job where id = %s', 'cannot be deleted', 'write');
insert into job values ('open', rouse.inventory('lab-02'));
select pg_temp.refused('update rouse_data.job set host_id = host_id + 1 where id = %s', 'what job \d+ is for cannot change', 'open');
select pg_temp.refused('delete from rouse_data.job_history where job_id = %s', 'the history of jobs is only added to', 'write');
select pg_temp.refused('update rouse_data.job_history set who = ''me'' where job_id = %s', 'the history of jobs is only added to', 'write');
select pg_temp.refused('update rouse_data.attempt set outcome = ''succeeded'' where job_id = %s', 'attempt 1 of job \d+ stays as it is', 'write');
select pg_temp.refused('delete from rouse_data.attempt where job_id = %s', 'attempt 1 of job \d+ stays as it is', 'write');
select pg_temp.refused('update rouse_data.job set state = ''running'' where id = %s', 'has ended', 'write');
select * from finish();
rollback;
