-- What is booted once by a job: any profile, and an installer that fetches its answers from us.
begin;
select plan(33);
select pg_temp.host('lab-01', '52:54:00:00:00:01', '11111111-2222-3333-4444-555555555501') \g /dev/null
create function pg_temp.offer() returns text language sql as $$
	select concat_ws(' ', o.answer, o.profile, o.kernel) from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null) o $$;
create function pg_temp.later() returns void language sql as $$
	update rouse_data.local_boot set served_at = served_at - interval '1 hour' $$;

-- boot: to be sent there is all of it, once.
select rouse.enqueue('lab-01', 'boot', profile => 'memtest') as job \gset
select rouse.inventory('lab-01') as behind \gset
select is(pg_temp.state(:behind), 'backlog', 'the job behind it waits');
select rouse.cancel(:behind) \g /dev/null
select is(pg_temp.offer(), 'profile memtest', 'the machine is sent to the profile');
select is(pg_temp.state(:job), 'succeeded', 'that was the job');
select is(pg_temp.offer(), 'profile memtest', 'a repeated request of that boot gets the same');
select pg_temp.later() \g /dev/null
select is(pg_temp.offer(), 'none', 'the next boot is an ordinary one');
select rouse.enqueue('lab-01', 'local') \g /dev/null
select is(pg_temp.offer(), 'local', 'the own disk is not mistaken for a profile');
select pg_temp.later() \g /dev/null
select rouse.enqueue('lab-01', 'install', profile => 'memtest') as job \gset
select is(pg_temp.offer(), 'profile memtest', 'an installer that asks for no answers is sent the same way');
select is(pg_temp.state(:job), 'succeeded', 'and nobody says when it ended');
select pg_temp.later() \g /dev/null

-- install: the answers are fetched with the ticket, which claims the job.
select matches(pg_temp.error($$insert into rouse.answer_files values ('empty', '')$$), '1 to 65536 bytes', 'an answer file is not empty');
insert into rouse.answer_files values ('preseed', E'd-i netcfg/get_hostname string %host%\n# %mac% %uuid% %url%\nd-i preseed/late_command string wget -O /dev/null %done%\n', null);
select matches(pg_temp.error($$update rouse.profiles set answers = 'presed' where name = 'memtest'$$), 'no answer file "presed"', 'a profile names one that is there');
insert into rouse.profiles (name, title, kind, kernel, initrd, arguments, answers) values ('debian', 'Debian', 'linux', 'd/linux', 'd/initrd.gz', 'url=%answers%', 'preseed');
select matches(pg_temp.error($$update rouse.profiles set kind = 'efi', kernel = null, initrd = null, file = 'x' where name = 'debian'$$), 'only a linux profile has answers', 'of a kind that takes arguments');
select matches(pg_temp.error($$delete from rouse.answer_files$$), 'known answer file', 'one that is used stays');
select rouse.enqueue('lab-01', 'install', profile => 'debian') as job \gset
select is(concat_ws(' ', answer, kernel, initrd, arguments, length(ticket)), 'job d/linux d/initrd.gz url=%answers% 32', 'the installer is started with a ticket')
	from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null);
select is(pg_temp.state(:job), 'queued', 'serving it claims nothing');
select pg_temp.offer_ticket('52:54:00:00:00:01') as ticket \gset
select is_empty($$select from rouse_daemon.install_answers(repeat('0', 32), 'http://m', null)$$, 'another ticket opens nothing');
select is_empty($$select from rouse_daemon.install_answers('ä\xzz', 'http://m', null)$$, 'nor does what is none');
select is_empty(format('select from rouse_daemon.install_done(%L, null)', :'ticket'), 'what has not begun has not ended');
select is((select body from rouse_daemon.install_answers(:'ticket', 'http://m:8080', '10.77.0.100')),
	E'd-i netcfg/get_hostname string lab-01\n# 52:54:00:00:00:01 11111111-2222-3333-4444-555555555501 http://m:8080\nd-i preseed/late_command string wget -O /dev/null http://m:8080/answers/'
	|| :'ticket' || E'/done\n', 'the answers are this machine''s own');
select is(pg_temp.state(:job), 'running', 'to fetch them claims the job');
select ok((select lease_until > now() + interval '100 minutes' from rouse.attempts where job = :job), 'an installer may take its time');
select isnt_empty(format('select from rouse_daemon.install_answers(%L, %L, null)', :'ticket', 'http://m'), 'they may be fetched again');
select is((select attempts from rouse.jobs where id = :job), 1, 'which is no new attempt');
select is(pg_temp.offer(), 'busy', 'a loader that asks meanwhile waits');
select is((select body from rouse_daemon.install_done(:'ticket', null)), E'ok\n', 'the installer says that it is done');
select is(pg_temp.state(:job), 'succeeded', 'and so it is');
select isnt_empty(format('select from rouse_daemon.install_done(%L, null)', :'ticket'), 'said again, it still is');
select is_empty(format('select from rouse_daemon.install_answers(%L, %L, null)', :'ticket', 'http://m'), 'the answers are closed then');
select results_eq($$select stage, kind from rouse.events where mac = '52:54:00:00:00:01' and stage in ('fos', 'report') order by at$$,
	$$values ('fos', 'answers'), ('fos', 'answers'), ('report', 'succeeded'), ('fos', 'refused')$$, 'the timeline tells it');

-- An installer whose machine is at its boot loader again has failed, and its job is tried again.
select rouse.enqueue('lab-01', 'install', profile => 'debian') as job \gset
select pg_temp.offer_ticket('52:54:00:00:00:01') as ticket \gset
select from rouse_daemon.install_answers(:'ticket', 'http://m', null) \g /dev/null
update rouse_data.event set at = at - interval '1 minute';
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
select is(pg_temp.offer(), 'busy', 'it rests');
select is((select concat_ws(' ', state, reason) from rouse.jobs where id = :job), 'queued lost_client', 'the attempt is over');
select is_empty(format('select from rouse_daemon.install_done(%L, null)', :'ticket'), 'what it would say now is not heard');

-- A doubtful machine is sent nowhere by a job that destroys data.
select rouse.cancel(:job) \g /dev/null
select pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null
select rouse.enqueue('lab-01', 'install', profile => 'memtest') as job \gset
select is((select concat_ws(' ', answer, reason) from rouse_daemon.offer('{"mac0":"52:54:00:00:00:01","mac1":"52:54:00:00:00:02"}', null)), 'local identity_conflict',
	'the MACs of two hosts');
select is(pg_temp.state(:job), 'queued', 'the job is still there');
select * from finish();
rollback;
