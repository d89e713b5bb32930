-- What is asked often finds its rows by an index, whatever has piled up: 20,000 hosts with a card each, 60,000 ended jobs with
-- their attempts and history, 60,000 events and 60,000 changes of leases. PostgreSQL itself counts the rows that are read one after the other.
begin;
select plan(55);
alter table rouse_data.job disable trigger user;
alter table rouse_data.host disable trigger user;
alter table rouse_data.nic disable trigger user;
insert into rouse_data.host (name) select 'h' || n from generate_series(1, 20000) n;
insert into rouse_data.nic (mac, host) select ('52' || lpad(to_hex(n), 10, '0'))::macaddr, 'h' || n from generate_series(1, 20000) n;
insert into rouse_data.job (host_id, kind, state, attempts_max, ended_at)
	select h.id, 'inventory', 'succeeded', 3, now() from rouse_data.host h, generate_series(1, 3);
alter table rouse_data.job enable trigger user;
alter table rouse_data.host enable trigger user;
alter table rouse_data.nic enable trigger user;
insert into rouse_data.job_history (job_id, host_id, at, from_state, to_state, who) select id, host_id, now() - id * interval '1 ms', null, 'queued', 'x' from rouse_data.job;
insert into rouse_data.attempt (job_id, host_id, number, token_hash, mac, facts, lease_until, ended_at, outcome)
	select id, host_id, 1, sha256(id::text::bytea), '52:00:00:00:00:01', '{}', now(), now(), 'succeeded' from rouse_data.job;
insert into rouse_data.offer (job_id, claimed_at) select id, now() from rouse_data.job;
insert into rouse_data.ticket (hash, job_id, offer_id, mac, expires_at, attempt_id)
	select sha256(o.id::text::bytea), o.job_id, o.id, '52:00:00:00:00:01', now(), a.id from rouse_data.offer o join rouse_data.attempt a on a.job_id = o.job_id;
insert into rouse_data.event (at, daemon, instance, stage, kind, mac, host)
	select clock_timestamp() - interval '1 hour' * (random() * 20), 'dhcpd', 'd', 'fw_dhcp', 'discover', n.mac, n.host from rouse_data.nic n, generate_series(1, 3);
insert into rouse_data.lease_change (at, instance, addresses) select now(), 'd', array['10.0.0.1'::inet] from generate_series(1, 60000);
insert into rouse_data.wake (host_id, ordered_by) select id, 'x' from rouse_data.host;
insert into rouse_data.audit (at, who, via, noun, what, key) select now(), 'x', 'x', 'hosts', 'insert', name from rouse_data.host;
select pg_temp.image('tiny') \g /dev/null
analyze;

-- How many rows a statement reads one after the other; small tables do not count.
create function pg_temp.read_in_turn() returns bigint language sql as $$
	select coalesce(sum(pg_stat_get_xact_tuples_returned(c.oid)), 0)::bigint from pg_class c
	where c.relnamespace = 'rouse_data'::regnamespace and c.relkind = 'r' and c.reltuples > 10000 $$;
create function pg_temp.by_index(statement text, most int default 200) returns text language plpgsql as $$
declare
	before bigint := pg_temp.read_in_turn();
	rows_read bigint;
begin
	execute statement;
	rows_read := pg_temp.read_in_turn() - before;
	return tap.ok(rows_read <= most, format('%s: %s rows in turn', left(statement, 110), rows_read));
end $$;
select cmp_ok(pg_temp.read_in_turn(), '>=', 0::bigint, 'PostgreSQL counts');
create function pg_temp.counts() returns boolean language plpgsql as $$
declare before bigint := pg_temp.read_in_turn(); begin perform count(*) from rouse_data.host where comment = 'x'; return pg_temp.read_in_turn() - before >= 20000; end $$;
select ok(pg_temp.counts(), 'and would see a table read through');

-- A machine's way through a job.
select pg_temp.by_index($$select rouse.inventory('h777')$$);
select pg_temp.by_index($$select rouse.deploy('52:00:00:00:03:0a', 'tiny')$$);
create temp table ticket as select pg_temp.offer_ticket('52:00:00:00:03:09') as word;
select pg_temp.by_index($$select pg_temp.offer_ticket('52:00:00:00:03:09')$$);
select pg_temp.by_index($$select pg_temp.checkin((select word from ticket), 'a', '52:00:00:00:03:09')$$);
select pg_temp.by_index($$select pg_temp.progress('a')$$);
select pg_temp.by_index($$select rouse_daemon.fos_inventory(jsonb_build_object('token', pg_temp.token('a'), 'json', '{"serial":"S7","nics":[{"mac":"52:00:00:00:03:09"}]}'), null)$$);
select pg_temp.by_index($$select pg_temp.finish('a', 'failed', 'write_error')$$);
select pg_temp.by_index($$select rouse_daemon.choose('register_quick', '{"mac0":"52:54:00:00:09:99"}', null)$$);
select pg_temp.by_index($$select rouse_daemon.record('dhcpd', 'd', '[{"stage":"fw_dhcp","kind":"discover","mac":"52:00:00:00:03:09"}]')$$);
select pg_temp.by_index($$select * from rouse_daemon.tick()$$);

-- What operators do and look at.
select pg_temp.by_index($$select rouse.retry(id) from rouse.jobs where host = 'h777' order by id desc limit 1$$);
select pg_temp.by_index($$select rouse.cancel(id) from rouse.queue where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.queue$$);
select pg_temp.by_index($$select * from rouse.queue where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.queue where state = 'running'$$);
-- The hosts may be read through for a list of the newest, the million behind it may not.
select pg_temp.by_index($$select * from rouse.jobs limit 50$$);
select pg_temp.by_index($$select * from rouse.jobs order by id desc limit 50$$, 20200);
select pg_temp.by_index($$select * from rouse.jobs where host = 'h777' order by id desc limit 10$$);
select pg_temp.by_index($$select * from rouse.jobs where state = 'failed' limit 50$$);
select pg_temp.by_index($$select * from rouse.jobs where state = 'running'$$);
select pg_temp.by_index($$select * from rouse.jobs where ended_at is null$$);
select pg_temp.by_index($$select * from rouse.job_history limit 50$$, 20200);
select pg_temp.by_index($$select * from rouse.attempts limit 50$$, 20200);
-- Also with the order written out, which is that of the list. Here are too few rows for PostgreSQL to mind sorting them:
-- with a million (tests/bench/sql) it takes the index by itself.
set local enable_sort = off;
select pg_temp.by_index($$select * from rouse.job_history order by at desc limit 50$$, 20200);
select pg_temp.by_index($$select * from rouse.attempts order by id desc limit 50$$, 20200);
reset enable_sort;
select pg_temp.by_index($$select * from rouse.job_history where host = 'h777' order by at desc$$);
select pg_temp.by_index($$select * from rouse.jobs where created_at > now() order by created_at desc limit 50$$);
select pg_temp.by_index($$select * from rouse.jobs where ended_at > now() order by ended_at desc limit 50$$);
select pg_temp.by_index($$select * from rouse.attempts where claimed_at > now() order by claimed_at desc limit 50$$);
select pg_temp.by_index($$select * from rouse.boots limit 50$$, 2000);
select pg_temp.by_index($$select * from rouse.boots order by began_at desc limit 50$$, 2000);
select pg_temp.by_index($$select * from rouse.boots where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.boots where mac = '52:00:00:00:03:09'$$);
select pg_temp.by_index($$select * from rouse.attempts where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.attempts where ended_at is null$$);
select pg_temp.by_index($$select * from rouse.events limit 50$$);
select pg_temp.by_index($$select * from rouse.events order by at desc limit 50$$);
select pg_temp.by_index($$select * from rouse.events where at > now() - interval '1 minute'$$);
select pg_temp.by_index($$select * from rouse.jobs where id = (select max(id) from rouse_data.job)$$);
select pg_temp.by_index($$select * from rouse.jobs where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.jobs where batch = 1$$);
select pg_temp.by_index($$select * from rouse.job_history where job = 777$$);
select pg_temp.by_index($$select * from rouse.attempts where job = 777$$);
select pg_temp.by_index($$select * from rouse.events where mac = '52:00:00:00:03:09'$$);
select pg_temp.by_index($$select * from rouse.events where host = 'h777' and at > now() - interval '1 hour'$$);
select pg_temp.by_index($$select * from rouse.trace('h777')$$);
select pg_temp.by_index($$select * from rouse.explain('h777')$$);
select pg_temp.by_index($$select * from rouse.why('h777')$$);
select pg_temp.by_index($$select * from rouse.hosts where name = 'h777'$$);
select pg_temp.by_index($$select * from rouse.nics where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.wakes where host = 'h777'$$);
select pg_temp.by_index($$select * from rouse.audit where noun = 'hosts' and key = 'h777'$$);
select pg_temp.by_index($$select rouse.may('h777'), rouse.wake('h777'), rouse.approve('h777')$$);
select * from finish();
rollback;
