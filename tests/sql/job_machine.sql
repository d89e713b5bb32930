-- The state machine: every pair of states, legal or not, and the history that it leaves.
begin;
select plan(15);

-- Tries one step on a job of its own; true if the database took it.
create function pg_temp.try_step(from_state text, to_state text) returns boolean language plpgsql as $$
declare
	host_name text := 'h-' || substr(md5(from_state || to_state), 1, 12);
	the_job bigint;
	path text[] := case from_state
		when 'scheduled' then '{}' when 'backlog' then '{}' when 'queued' then '{}'
		when 'waiting' then '{waiting}' when 'running' then '{running}'
		when 'cancelling' then '{running,cancelling}' when 'succeeded' then '{running,succeeded}'
		when 'failed' then '{running,failed}' when 'cancelled' then '{cancelled}' when 'expired' then '{expired}' end;
	step text;
begin
	insert into rouse.hosts (name) values (host_name);
	insert into rouse_data.job (host_id, kind, state, attempts_max)
	select id, 'inventory', case when from_state in ('scheduled', 'backlog') then from_state else 'queued' end, 3
	from rouse.hosts where name = host_name returning id into the_job;
	foreach step in array path loop
		update rouse_data.job set state = step, reason = 'client_error' where id = the_job;
	end loop;
	begin
		update rouse_data.job set state = to_state, reason = 'client_error' where id = the_job;
		return true;
	exception when object_not_in_prerequisite_state then
		return false;
	end;
end $$;

create temp table state (name text, number int);
insert into state select * from unnest('{scheduled,backlog,queued,waiting,running,cancelling,succeeded,failed,cancelled,expired}'::text[]) with ordinality;

create temp table tried as
	select f.name as from_state, t.name as to_state, pg_temp.try_step(f.name, t.name) as taken
	from state f, state t where f.name <> t.name;

select is((select count(*)::int from tried), 90, 'every pair of different states was tried');
-- Written out here, and not read from the table, so that a change of the table is noticed.
select set_eq('select from_state, to_state from tried where taken', $$ values
	('scheduled', 'queued'), ('backlog', 'queued'), ('queued', 'waiting'), ('queued', 'running'),
	('waiting', 'running'), ('waiting', 'queued'), ('running', 'queued'), ('running', 'succeeded'),
	('cancelling', 'succeeded'), ('queued', 'failed'), ('waiting', 'failed'), ('running', 'failed'),
	('cancelling', 'failed'), ('scheduled', 'cancelled'), ('backlog', 'cancelled'), ('queued', 'cancelled'),
	('waiting', 'cancelling'), ('running', 'cancelling'), ('cancelling', 'cancelled'),
	('scheduled', 'expired'), ('backlog', 'expired'), ('queued', 'expired') $$,
	'exactly the legal steps are taken');
select matches(pg_temp.error($$insert into rouse_data.job (host_id, kind, state, attempts_max)
	select min(id), 'inventory', 'running', 3 from rouse.hosts$$), 'a job cannot begin as running', 'a job does not begin in the middle');

select pg_temp.host('lab-01', '52:54:00:00:00:01');
select is(pg_temp.state(rouse.inventory('lab-01')), 'queued', 'the first job is queued');
select is(pg_temp.state(rouse.inventory('lab-01')), 'backlog', 'the second waits in the backlog');
select is(pg_temp.state(rouse.inventory('lab-01', not_before => now() + interval '1 hour')), 'scheduled', 'one of the future is scheduled');
select matches(pg_temp.error($$insert into rouse_data.job (host_id, kind, state, attempts_max)
	select id, 'inventory', 'queued', 3 from rouse.hosts where name = 'lab-01'$$), 'a host has one live job', 'two live jobs are impossible');

create function pg_temp.nth(n int) returns bigint language sql as $$
	select id from rouse.jobs where host = 'lab-01' order by id offset n - 1 limit 1 $$;
select is(rouse.cancel(pg_temp.nth(1)), 'cancelled', 'a queued job is cancelled at once');
select is(pg_temp.state(pg_temp.nth(2)), 'queued', 'and the next one takes its place');
select results_eq(format('select from_state, to_state, who, reason from rouse.job_history where job = %s order by at', pg_temp.nth(1)),
	$$ values (null, 'queued', 'postgres', null), ('queued', 'cancelled', 'postgres', 'operator_stop') $$, 'the history says when, who and why');
select matches(pg_temp.error(format('select rouse.cancel(%s)', pg_temp.nth(1))), '55000 \| job \d+ is cancelled already', 'what has ended is not cancelled again');
select is(pg_temp.state(rouse.retry(pg_temp.nth(1))), 'backlog', 'but it can be done again, as a new job');

-- Daemons hear of what clients end by a tick, not by each commit: it would hold up the others. Of what people do they hear at once.
select pg_temp.host('news', '52:54:00:00:0e:01') \g /dev/null
delete from rouse_data.job_news;
select rouse.cancel(rouse.inventory('news')) \g /dev/null
select is_empty('table rouse_data.job_news', 'a job that an operator cancels is told at once');
select rouse.inventory('news') \g /dev/null
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:0e:01'), 'd', '52:54:00:00:0e:01') \g /dev/null
select pg_temp.finish('d', 'succeeded') \g /dev/null
select results_eq('select h.name::text from rouse_data.job_news n join rouse_data.host h on h.id = n.host_id', $$values ('news')$$, 'one that its client ends is noted');
select rouse_daemon.tick() \g /dev/null
select is_empty('table rouse_data.job_news', 'and told by the next tick');
select * from finish();
rollback;
