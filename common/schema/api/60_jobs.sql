-- The job machine. Jobs change only here; the trigger below refuses every step that is not in the
-- table of transitions, whoever tries it, and writes the history.

create function rouse_data.guard_job() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if tg_op = 'INSERT' then
		if new.state not in ('scheduled', 'backlog', 'queued') then
			raise exception using errcode = '55000', message = format('a job cannot begin as %s', new.state),
				hint = 'It begins as scheduled, backlog or queued.';
		end if;
	elsif new.state <> old.state then
		if not exists (select from rouse_data.job_transition t
			where t.from_state = old.state and t.to_state = new.state) then
			raise exception using errcode = '55000',
				message = format('job %s is %s and cannot become %s', old.id, old.state, new.state),
				hint = coalesce((select 'It can become ' || string_agg(t.to_state, ', ' order by t.to_state) || '.'
					from rouse_data.job_transition t where t.from_state = old.state),
					'It has ended; to do it again: select rouse.retry(' || old.id || ')');
		end if;
		new.changed_at := clock_timestamp();
		if new.state in ('succeeded', 'failed', 'cancelled', 'expired') then
			new.ended_at := clock_timestamp();
		end if;
	end if;
	return new;
end
$$;
comment on function rouse_data.guard_job is 'Refuses steps that the table of transitions does not have.';
create trigger guard_job before insert or update on rouse_data.job
	for each row execute function rouse_data.guard_job();

create function rouse_data.note_job() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	live constant text[] := '{queued,waiting,running,cancelling}';
	was_live boolean := tg_op = 'UPDATE' and old.state = any (live);
begin
	if tg_op = 'UPDATE' and new.state = old.state then
		return null;
	end if;
	insert into rouse_data.job_history (job_id, at, from_state, to_state, who, reason)
	values (new.id, clock_timestamp(), case when tg_op = 'UPDATE' then old.state end, new.state,
		session_user, new.reason);
	-- The daemons cache one bit of each host: whether it has a live job. They hear when it changes.
	if was_live <> (new.state = any (live)) then
		insert into rouse_data.change values (pg_current_xact_id(), 'job', now());
		perform pg_notify('rouse_job', new.host_id::text);
	end if;
	if new.state in ('succeeded', 'failed', 'cancelled', 'expired') then
		perform rouse_data.promote_next(new.host_id);
	end if;
	return null;
end
$$;
comment on function rouse_data.note_job is
	'Writes a job''s history, tells the daemons, and lets the next job of the host begin.';
create trigger note_job after insert or update on rouse_data.job
	for each row execute function rouse_data.note_job();

create function rouse_data.promote_next(host bigint) returns int
language plpgsql as $$
declare
	next_job bigint;
begin
	if exists (select from rouse_data.job j where j.host_id = host
		and j.state in ('queued', 'waiting', 'running', 'cancelling')) then
		return 0;
	end if;
	select j.id into next_job from rouse_data.job j
	where j.host_id = host and (j.deadline is null or j.deadline > now())
		and (j.state = 'backlog' or (j.state = 'scheduled' and j.not_before <= now()))
	order by j.priority desc, j.id limit 1 for update;
	if next_job is null then
		return 0;
	end if;
	-- Two sessions may find the same gap: the unique index lets one through, the other is content.
	begin
		update rouse_data.job j set state = 'queued', reason = null where j.id = next_job;
	exception when unique_violation then
		return 0;
	end;
	return 1;
end
$$;
comment on function rouse_data.promote_next is 'Queues a host''s next job that is due, if none is live; says how many.';

create function rouse_data.back_off(attempts int) returns interval
language sql immutable as $$ select make_interval(secs => least(10 * 2 ^ greatest(attempts - 1, 0), 300)) $$;
comment on function rouse_data.back_off is 'How long a job rests after a failed attempt: 10 s, doubled each time, at most 5 minutes.';

create function rouse_data.is_retryable(code text) returns boolean
language sql immutable as $$ select code in ('lost_client', 'net_error', 'client_error', 'hash_mismatch') $$;
comment on function rouse_data.is_retryable is 'Whether an attempt that failed for this reason is worth another.';

create function rouse_data.end_attempt(the_attempt bigint, result text, why text, words text) returns text
language plpgsql as $$
declare
	the_job rouse_data.job;
	new_state text;
begin
	select j.* into the_job from rouse_data.job j
	where j.id = (select a.job_id from rouse_data.attempt a where a.id = the_attempt) for update;
	update rouse_data.attempt a set ended_at = clock_timestamp(), outcome = result, reason = why, text = words
	where a.id = the_attempt and a.ended_at is null;
	if not found then
		return the_job.state;
	end if;
	new_state := case
		when result = 'succeeded' then 'succeeded'
		when the_job.state = 'cancelling' and (result = 'cancelled' or why = 'lost_client') then 'cancelled'
		when the_job.state <> 'cancelling' and rouse_data.is_retryable(why)
			and the_job.attempts < the_job.attempts_max then 'queued'
		else 'failed' end;
	update rouse_data.job j set state = new_state, text = words,
		reason = case new_state when 'succeeded' then null when 'cancelled' then 'operator_stop'
			else coalesce(why, 'client_error') end,
		retry_at = case new_state when 'queued' then clock_timestamp() + rouse_data.back_off(j.attempts) end
	where j.id = the_job.id;
	return new_state;
end
$$;
comment on function rouse_data.end_attempt is
	'Ends an attempt and moves its job: done, cancelled, queued again, or failed. Returns the job''s state.';

create function rouse_data.expire_attempts(the_job bigint default null) returns int
language plpgsql as $$
declare
	lost record;
	lost_count int := 0;
begin
	-- Everybody locks the job first and its attempt second; a report that came in between is heard.
	for lost in
		select a.id from rouse_data.attempt a join rouse_data.job j on j.id = a.job_id
		where a.ended_at is null and a.lease_until < clock_timestamp()
			and (the_job is null or a.job_id = the_job)
		order by a.job_id for update of j skip locked
	loop
		if exists (select from rouse_data.attempt a where a.id = lost.id
			and a.ended_at is null and a.lease_until < clock_timestamp()) then
			perform rouse_data.end_attempt(lost.id, 'failed', 'lost_client',
				'the client was silent for longer than its lease');
			lost_count := lost_count + 1;
		end if;
	end loop;
	return lost_count;
end
$$;
comment on function rouse_data.expire_attempts is 'Ends attempts whose client fell silent.';
