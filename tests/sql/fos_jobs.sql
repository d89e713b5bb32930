-- What clients say in words, what they are given in words, the next job without a boot, and what changed in a machine.
begin;
select plan(31);
select pg_temp.host('lab-01', '52:54:00:00:00:01'), pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null

create function pg_temp.log(letter text, start int, words text) returns text language sql as $$
	select concat_ws(' ', l.answer, l.reason, l.position) from rouse_daemon.fos_log(
		jsonb_build_object('token', pg_temp.token(letter), 'position', start, 'text', words), null) l $$;
create function pg_temp.ends(letter text, outcome text default 'succeeded') returns table (answer text, after text, ticket text) language sql as $$
	select f.answer, f.after, f.ticket from rouse_daemon.fos_finish(
		jsonb_build_object('token', pg_temp.token(letter), 'outcome', outcome, 'reason', 'write_error'), null) f $$;

-- The log: in pieces, the same piece once, bounded, and only from who has the job.
select rouse.enqueue('lab-01', 'script', script => 'echo "grün"') as first \gset
select rouse.inventory('lab-01') as second \gset
select rouse.wipe('lab-01', 'normal', after => 'poweroff') as third \gset
select pg_temp.offer_ticket('52:54:00:00:00:01') as ticket \gset
select is(pg_temp.log('a', 0, 'x'), 'refused token_unknown', 'nobody''s log is taken');
select is((select concat_ws(' ', c.answer, c.script_url, c.script_sha256) from rouse_daemon.fos_checkin(pg_temp.facts('52:54:00:00:00:01')
	|| jsonb_build_object('ticket', :'ticket', 'token', pg_temp.token('a')), null) c),
	'run /fos/script/' || :first || ' ' || encode(sha256(convert_to('echo "grün"', 'UTF8')), 'hex'), 'a script has a place and a hash');
select is((select script from rouse_daemon.fos_script(:first, pg_temp.token('a'), null)), 'echo "grün"', 'who runs it may have it');
select is_empty($$select from rouse_daemon.fos_script(1, pg_temp.token('b'), null)$$, 'nobody else');
select is(pg_temp.log('a', 0, E'one\n'), 'ok 4', 'a piece');
select is(pg_temp.log('a', 4, E'two\n'), 'ok 8', 'the next');
select is(pg_temp.log('a', 0, E'one\n'), 'ok 4', 'said again');
select is((select text from rouse.attempt_logs where job = :first), E'one\ntwo\n', 'is there once, in order');
select is(pg_temp.log('a', 1048576, 'x'), 'full', 'there is a limit');
select matches(pg_temp.error($$select pg_temp.log('a', -1, 'x')$$), '"position" is malformed', 'a position is a number');
select matches(pg_temp.error($$select pg_temp.log('a', 0, '')$$), '"text" is missing', 'an empty piece is none');
select is((select count(*)::int from rouse_data.attempt_log), 2, 'nothing else was kept');

-- The next job, without a boot: finish gives the ticket.
select is((select after from pg_temp.ends('a')), 'next', 'another job waits');
select (select ticket from pg_temp.ends('a')) as ticket \gset
select is(length(:'ticket'), 32, 'said again, there is a ticket again');
select is((select answer from pg_temp.checkin(:'ticket', 'b', '52:54:00:00:00:01')), 'run', 'which lets the client in');
select is(pg_temp.state(:second), 'running', 'to that job');
select is((select concat_ws(' ', after, ticket is null) from pg_temp.ends('b')), 'next f', 'and so on');
select (select ticket from pg_temp.ends('b')) as ticket \gset
select is((select answer from pg_temp.checkin(:'ticket', 'c', '52:54:00:00:00:01')), 'run', 'to the last');
select is((select concat_ws(' ', after, ticket is null) from pg_temp.ends('c')), 'poweroff t', 'which says what comes after it');
select is(pg_temp.log('c', 0, 'late'), 'refused attempt_ended', 'an ended attempt says no more');

-- What needs a boot of its own gets one; what rests after a failure rests; a doubtful machine gets no wipe so.
select rouse.inventory('lab-02') as first \gset
select rouse.enqueue('lab-02', 'local') as second \gset
select pg_temp.offer_ticket('52:54:00:00:00:02') as ticket \gset
select pg_temp.checkin(:'ticket', 'd', '52:54:00:00:00:02') \g /dev/null
select is((select concat_ws(' ', after, ticket is null) from pg_temp.ends('d')), 'reboot t', 'local needs a boot');
select is(pg_temp.state(:second), 'queued', 'and gets it');

-- Inventories: health makes no version, hardware does, and the differences have names.
select rouse.cancel(:second) \g /dev/null
select rouse.inventory('lab-02') \g /dev/null
select pg_temp.offer_ticket('52:54:00:00:00:02') as ticket \gset
select pg_temp.checkin(:'ticket', 'e', '52:54:00:00:00:02') \g /dev/null
create function pg_temp.inventory(said text) returns text language sql as $$
	select answer from rouse_daemon.fos_inventory(jsonb_build_object('token', pg_temp.token('e'), 'json', said), null) $$;
select is(pg_temp.inventory('{"memory_bytes":4,"disks":[{"name":"sda","serial":"S1","size_bytes":10},{"name":"sdb","serial":"S2","size_bytes":20}],"health":{"hours":1}}'), 'ok', 'an inventory');
update rouse_data.host_inventory set at = now() - interval '1 day', seen_at = now() - interval '1 day';
select is(pg_temp.inventory('{"memory_bytes":4,"disks":[{"name":"sda","serial":"S1","size_bytes":10},{"name":"sdb","serial":"S2","size_bytes":20}],"health":{"hours":9}}'), 'ok', 'older by some hours');
select results_eq($$select number, data -> 'health' ->> 'hours', seen_at > at from rouse.inventories where host = 'lab-02'$$, $$values (1, '9', true)$$,
	'is the same machine, in today''s health');
select is(pg_temp.inventory('{"memory_bytes":8,"disks":[{"name":"sda","serial":"S2","size_bytes":20}],"cpu":{"count":2},"health":{"hours":9}}'), 'ok', 'another memory, a disk gone');
select results_eq($$select what, before, after from rouse.inventory_changes where host = 'lab-02' and number = 2 order by what collate "C"$$, $$values
	('cpu.count', null, '2'), ('disks[S1].name', 'sda', null), ('disks[S1].serial', 'S1', null), ('disks[S1].size_bytes', '10', null),
	('disks[S2].name', 'sdb', 'sda'), ('memory_bytes', '4', '8')$$, 'the differences by name: the disk that moved is the same disk');
select is_empty($$select from rouse.inventory_changes where number = 1$$, 'the first has none');

-- Words.
select matches(pg_temp.error($$select rouse.wipe('lab-01', 'secure')$$), 'no mode "secure" \| There is: fast, full, normal', 'wiping has other words now');
select is((select modes from rouse.job_kinds where kind = 'test'), '{all,memory,disk,smart,network}', 'tests by part');
select ok((select bool_and(not retryable) from rouse.reasons where code in ('memory_error', 'disk_error', 'smart_failing', 'wipe_failed', 'script_failed')),
	'what hardware and scripts say is not tried again');
select * from finish();
rollback;
