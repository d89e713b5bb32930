-- What jobs there are, what each takes, and what is said to who gives it something else.
begin;
select plan(55);
insert into rouse.groups (name) values ('kiosks');
select pg_temp.host('lab-01', '52:54:00:00:00:01'), pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null
update rouse.hosts set group_name = 'kiosks';
select pg_temp.image('tiny') \g /dev/null

-- Every kind, with what it needs and all that it takes; and without what it needs.
create temp table given (kind text, arguments text);
insert into given values ('deploy', 'image => ''tiny'', disk => ''/dev/sda'''), ('capture', 'image => ''new-one'', disk => ''/dev/sda'''),
	('wipe', 'mode => ''normal'', disk => ''/dev/nvme0n1'''), ('install', 'profile => ''memtest'''), ('boot', 'profile => ''memtest'''), ('inventory', null), ('register', 'mode => ''full'''),
	('test', 'mode => ''memory'''), ('debug', null), ('rescue', null), ('script', 'script => ''echo $host'''), ('local', null);
select set_eq('select kind from given', 'select kind from rouse.job_kinds', 'every kind is tried');
select is(pg_temp.error(format('select rouse.enqueue(''lab-01'', %L%s)', kind, coalesce(', ' || arguments, ''))), 'no error', kind || ' with all that it takes') from given order by kind;
select set_eq('select distinct kind from rouse.jobs', 'select kind from given', 'and there is a job of each kind');
select set_eq($$select kind from rouse.job_kinds k where pg_temp.error(format('select rouse.enqueue(%L, %L)', 'lab-01', kind)) <> 'no error'$$,
	$$values ('deploy'), ('capture'), ('script'), ('install'), ('boot')$$, 'what needs something is refused without it');
select results_eq($$select kind, image::text, mode, disk, script, profile::text, after from rouse.jobs where id in (select max(id) from rouse.jobs where kind in ('wipe', 'test', 'register') group by kind) order by kind$$,
	$$values ('register', null, 'quick', 'auto', null, null, 'reboot'), ('test', null, 'all', 'auto', null, null, 'reboot'), ('wipe', null, 'fast', 'auto', null, null, 'reboot')$$,
	'the first of the modes is meant where none is given');

create function pg_temp.says(statement text, words text) returns text language sql as $$ select tap.matches(pg_temp.error(statement), words, words) $$;
select pg_temp.says($$select rouse.enqueue('lab-01', 'inventory', script => 'x')$$, '22023 \| a job of kind inventory has no script \| Leave script out, or say script');
select pg_temp.says($$select rouse.enqueue('lab-01', 'inventory', disk => '/dev/sda')$$, 'has no disk \| Leave disk out, or say capture or deploy or test or wipe');
select pg_temp.says($$select rouse.enqueue('lab-01', 'wipe', 'tiny')$$, 'has no image \| .*capture or deploy');
select pg_temp.says($$select rouse.enqueue('lab-01', 'debug', mode => 'quick')$$, 'has no mode \| .*register or test or wipe');
select pg_temp.says($$select rouse.enqueue('lab-01', 'deploy', 'tiny', profile => 'memtest')$$, 'has no profile \| .*boot or install');
select pg_temp.says($$select rouse.wipe('lab-01', 'slow')$$, '22023 \| there is no mode "slow" \| There is: fast, full, normal');
select pg_temp.says($$select rouse.enqueue('lab-01', 'test', mode => 'full')$$, 'there is no mode "full" \| There is: all, disk, memory, network, smart');
select pg_temp.says($$select rouse.capture('lab-01', 'New One')$$, '22023 \| an image cannot be called "New One" \| Use a-z');
select pg_temp.says($$select rouse.capture('kiosks', 'new-one')$$, '22023 \| "kiosks" is a group.*group_name = ''kiosks''');
select pg_temp.says($$select rouse.enqueue('lab-01', 'install', profile => 'memtst')$$, '42704 \| there is no profile "memtst" \| .*memtest');
select pg_temp.says($$select rouse.enqueue('lab-01', 'script', script => '')$$, '22023 \| a script has 1 to 65536 bytes, not 0');
select pg_temp.says(format('select rouse.enqueue(''lab-01'', ''script'', script => repeat(''x'', 65537))'), 'not 65537');
select matches(pg_temp.error($$select rouse.enqueue('kiosks', 'wipe')$$), 'no error', 'a group can be wiped');

-- Schedules take the same.
select pg_temp.says($$select rouse.schedule('lab-01', 'capture', '@daily', 'nightly')$$, 'no error');
select pg_temp.says($$select rouse.schedule('kiosks', 'capture', '@daily', 'nightly')$$, 'is a group');
select pg_temp.says($$select rouse.schedule('lab-01', 'script', '@daily')$$, 'a script has 1 to 65536 bytes');
select pg_temp.says($$select rouse.schedule('lab-01', 'wake', '@daily', script => 'x')$$, 'waking has no image');
select pg_temp.says($$select rouse.schedule('lab-02', 'script', '@daily', script => 'echo hello')$$, 'no error');
select is((select rouse_data.run_schedule(s) is not null from rouse_data.schedule s where s.kind = 'script'), true, 'a scheduled script is given to its machine');
select is((select script from rouse.jobs order by id desc limit 1), 'echo hello', 'as it was written');
select is((select rouse_data.run_schedule(s) is not null from rouse_data.schedule s where s.kind = 'capture'), true, 'so is a capture');

-- What a client is told; and one that does not know the kind says so.
select rouse.cancel(id) from (select id from rouse.jobs where host = 'lab-01' and ended_at is null order by state <> 'backlog', id) j \g /dev/null
select rouse.wipe('lab-01', 'full', disk => '/dev/sda') as wipe \gset
select pg_temp.offer_ticket('52:54:00:00:00:01') as ticket \gset
select is((select concat_ws(' ', c.answer, c.kind, c.mode, c.disk) from rouse_daemon.fos_checkin(pg_temp.facts('52:54:00:00:00:01')
	|| jsonb_build_object('ticket', :'ticket', 'token', pg_temp.token('a')), null) c), 'run wipe full /dev/sda', 'the client is told mode and disk');
select pg_temp.finish('a', 'failed', 'unsupported') \g /dev/null
select is((select concat_ws(' ', state, attempts, reason) from rouse.jobs where id = :wipe), 'failed 1 unsupported', 'what it cannot do is not tried again');
select matches((select hint from rouse.jobs where id = :wipe), 'rouse.job_kinds', 'and the hint says where to look');

-- A script and a profile are where the client is told.
create function pg_temp.claim(letter text) returns jsonb language sql as $$
	select jsonb_strip_nulls(to_jsonb(c)) - '{answer,after,host,report_seconds,job,attempt}'::text[]
	from (select pg_temp.offer_ticket('52:54:00:00:00:01') as ticket) o, rouse_daemon.fos_checkin(pg_temp.facts('52:54:00:00:00:01')
		|| jsonb_build_object('ticket', o.ticket, 'token', pg_temp.token(letter)), null) c $$;
select E'#!/bin/sh\necho "\\x \\101 größer"\n' as script \gset
select rouse.enqueue('lab-01', 'script', script => :'script') as script_job \gset
select is(pg_temp.claim('b'), jsonb_build_object('kind', 'script', 'script_url', '/fos/script/' || :script_job, 'script_size', octet_length(:'script'),
	'script_sha256', encode(sha256(convert_to(:'script', 'UTF8')), 'hex')), 'a script: where it is, and its hash');
select is((select script from rouse_daemon.fos_script(:script_job, pg_temp.token('b'), null)), :'script', 'the token opens it, as it was written');
select is_empty(format('select rouse_daemon.fos_script(%s, %L, null)', :script_job, w), 'and no other: ' || w) from unnest(array[pg_temp.token('c'), '', '\', '\xzz']) w;
select is_empty(format('select rouse_daemon.fos_image(1, 1, %L, null)', '\xzz'), 'nor does a token that is no octets open an image');
select is(pg_temp.finish('b', 'failed', 'script_failed'), 'ok failed', 'a script that fails is not tried again');
insert into rouse.answer_files values ('debian', 'd-i hello', null);
insert into rouse.profiles (name, title, kind, kernel, initrd, arguments, answers) values ('debian', 'Debian', 'linux', 'debian/a b%c?#ä', 'debian/initrd.gz', 'auto=true url=x', 'debian'),
	('gone', 'Gone', 'local', null, null, null, null);
select rouse.enqueue('lab-01', 'install', profile => 'debian') \g /dev/null
select is(pg_temp.claim('c'), '{"kind":"install","profile":"debian","profile_kind":"linux","kernel_url":"/files/debian/a%20b%25c%3F%23%C3%A4",
	"initrd_url":"/files/debian/initrd.gz","arguments":"auto=true url=x"}', 'an installer: its files below menud''s URL, and its arguments');
select pg_temp.finish('c', 'succeeded') \g /dev/null
select rouse.enqueue('lab-01', 'install', profile => 'gone') as gone \gset
delete from rouse.profiles where name = 'gone';
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'none', 'a profile that was deleted sends nobody anywhere');
select is(pg_temp.state(:gone), 'failed profile_missing', 'the job says why');

-- local: to be sent to its own disk is all of it.
select rouse.enqueue('lab-01', 'local') as local \gset
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'local', 'a machine is sent to its own disk');
select is(pg_temp.state(:local), 'succeeded', 'that was the job');
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'local', 'a repeated request of that boot gets the same');
update rouse_data.local_boot set served_at = now() - interval '1 hour';
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'none', 'the next boot is an ordinary one');
select * from finish();
rollback;
