-- The job machine. Jobs change only here; the trigger below refuses every step that is not in the
-- table of transitions, whoever tries it, and writes the history.

create function rouse_data.hold_version(version_id bigint) returns void
language plpgsql as $$
declare
	version rouse_data.image_version;
begin
	-- Who withdraws a version waits for us and then sees the job, or we for them.
	select v.* into version from rouse_data.image_version v where v.id = version_id for share;
	if version.state <> 'published' then
		raise exception using errcode = '55000',
			message = format('version %s of image "%s" is %s', version.number, version.image, version.state),
			detail = 'It was withdrawn a moment ago, and its files may be gone.',
			hint = format('Which version the image means now: select * from rouse.images where name = %L', version.image);
	end if;
end
$$;
comment on function rouse_data.hold_version is 'Keeps the version of a new job from being withdrawn before the job is there to be seen.';

create function rouse_data.guard_job() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if tg_op = 'DELETE' then
		raise exception using errcode = '55000', message = format('job %s cannot be deleted', old.id),
			detail = format('It is %s, and others refer to it.', old.state),
			hint = format('Jobs are the history of their host. One that shall not run: select rouse.cancel(%s)', old.id);
	elsif tg_op = 'INSERT' then
		if new.state not in ('scheduled', 'backlog', 'queued') then
			raise exception using errcode = '55000', message = format('a job cannot begin as %s', new.state),
				detail = 'Only what a machine and the clock do brings a job any further.',
				hint = 'It begins as scheduled, backlog or queued.';
		end if;
		if new.image_version_id is not null then
			perform rouse_data.hold_version(new.image_version_id);
		end if;
	elsif old.ended_at is not null and new is distinct from old then
		raise exception using errcode = '55000',
			message = format('job %s has ended (%s) and stays as it is', old.id, old.state),
			detail = 'What has ended is history, and is not changed by anybody.',
			hint = format('To do it again: select rouse.retry(%s)', old.id);
	elsif (new.id, new.host_id, new.kind, new.image_version_id, new.image, new.mode, new.script, new.profile, new.disk, new.retry_of, new.created_at, new.created_by)
		is distinct from (old.id, old.host_id, old.kind, old.image_version_id, old.image, old.mode, old.script, old.profile, old.disk, old.retry_of, old.created_at, old.created_by) then
		raise exception using errcode = '55000', message = format('what job %s is for cannot change', old.id),
			detail = 'Its client may be at work already, and its history would tell of another job.',
			hint = format('Cancel it and make another: select rouse.cancel(%s)', old.id);
	elsif new.state <> old.state then
		if not exists (select from rouse_data.job_transition t
			where t.from_state = old.state and t.to_state = new.state)
			or (old.state = 'queued' and new.state = 'succeeded' and not rouse_data.is_sent_only(old)) then
			raise exception using errcode = '55000',
				message = format('job %s is %s and cannot become %s', old.id, old.state, new.state),
				detail = 'rouse.job_transitions has every step that a job may take, whoever wants it.',
				hint = coalesce((select 'It can become ' || string_agg(t.to_state, ', ' order by t.to_state) || '.'
					from rouse_data.job_transition t where t.from_state = old.state), 'table rouse.job_transitions');
		end if;
		new.changed_at := clock_timestamp();
		if new.state in ('succeeded', 'failed', 'cancelled', 'expired') then
			new.ended_at := clock_timestamp();
		end if;
	end if;
	return new;
end
$$;
comment on function rouse_data.guard_job is
	'Refuses steps that the table of transitions does not have, and any change of what has ended.';
create trigger guard_job before insert or update or delete on rouse_data.job
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
	insert into rouse_data.job_history (job_id, host_id, at, from_state, to_state, who, reason, text)
	values (new.id, new.host_id, clock_timestamp(), case when tg_op = 'UPDATE' then old.state end, new.state,
		rouse_data.actor(), new.reason, new.text);
	-- The daemons cache one bit of each host: whether it has a live job. They hear when it changes: at once of what
	-- people and schedules do, by the next tick of what clients end. Until then a daemon asks once more, and is told none.
	if was_live <> (new.state = any (live)) then
		insert into rouse_data.change values (pg_current_xact_id(), 'job', now(), array[new.host_id]);
		if was_live and (new.state <> 'cancelled' or old.state = 'cancelling') then
			insert into rouse_data.job_news (host_id) values (new.host_id);
		else
			perform pg_notify('rouse_job', new.host_id::text);
		end if;
	end if;
	if new.state = 'queued' and new.wake and (tg_op = 'INSERT' or old.state in ('scheduled', 'backlog')) then
		perform rouse_data.order_wake(new.host_id, new.id, new.created_by);
	end if;
	if new.state in ('succeeded', 'failed', 'cancelled', 'expired') then
		perform rouse_data.promote_next(new.host_id);
	end if;
	return null;
end
$$;
comment on function rouse_data.note_job is
	'Writes a job''s history, tells the daemons, has the machine woken, and lets the next job of the host begin.';
create trigger note_job after insert or update on rouse_data.job
	for each row execute function rouse_data.note_job();

create trigger refuse_change before update or delete on rouse_data.job_history
	for each row execute function rouse_data.refuse_change('the history of jobs');

create function rouse_data.guard_attempt() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if tg_op = 'DELETE' or (old.ended_at is not null and new is distinct from old)
		or (new.job_id, new.host_id, new.number, new.token_hash) is distinct from (old.job_id, old.host_id, old.number, old.token_hash) then
		raise exception using errcode = '55000',
			message = format('attempt %s of job %s stays as it is', old.number, old.job_id),
			detail = case when old.ended_at is not null then format('It ended at %s.', to_char(old.ended_at, 'YYYY-MM-DD HH24:MI:SS')) else 'Whose it is does not change.' end,
			hint = format('To try once more: select rouse.retry(%s)', old.job_id);
	end if;
	return new;
end
$$;
comment on function rouse_data.guard_attempt is 'Refuses to change an attempt that has ended, or whose it is.';
create trigger guard_attempt before update or delete on rouse_data.attempt
	for each row execute function rouse_data.guard_attempt();

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
	where j.host_id = host and j.state in ('scheduled', 'backlog') and (j.deadline is null or j.deadline > now())
		and (j.state = 'backlog' or j.not_before <= now())
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
language plpgsql stable as $$
begin
	return coalesce((select r.retryable from rouse_data.reason r where r.code = is_retryable.code), false);
end
$$;
comment on function rouse_data.is_retryable is 'Whether an attempt that failed for this reason is worth another.';

create function rouse_data.end_attempt(the_attempt bigint, result text, why text, words text) returns text
language plpgsql as $$
declare
	the_job rouse_data.job;
	new_state text;
begin
	-- A client newer than this database may have a reason of its own: its words keep it.
	if why is not null and not exists (select from rouse_data.reason r where r.code = why) then
		words := concat_ws(': ', why, words);
		why := 'client_error';
	end if;
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
	if new_state = 'succeeded' then
		perform rouse_data.order_local_boot(the_job);
	end if;
	update rouse_data.job j set state = new_state,
		text = case new_state when 'cancelled' then coalesce(j.text, words) else words end,
		reason = case new_state when 'succeeded' then null when 'cancelled' then 'operator_stop'
			else coalesce(why, 'client_error') end,
		retry_at = case new_state when 'queued' then clock_timestamp() + rouse_data.back_off(j.attempts) end
	where j.id = the_job.id;
	return new_state;
end
$$;
comment on function rouse_data.end_attempt is
	'Ends an attempt and moves its job: done, cancelled, queued again, or failed. Returns the job''s state.';

create function rouse_data.after_job(the_job rouse_data.job) returns text
language sql stable as $$ select coalesce(the_job.after, rouse_data.setting_text('after_job')) $$;
comment on function rouse_data.after_job is 'What the machine does after this job: reboot, poweroff or local.';

create function rouse_data.order_local_boot(the_job rouse_data.job) returns void
language plpgsql as $$
begin
	if rouse_data.after_job(the_job) = 'local' then
		insert into rouse_data.local_boot (host_id, job_id, valid_until)
		values (the_job.host_id, the_job.id, now() + interval '30 minutes')
		on conflict on constraint local_boot_pkey do update
			set job_id = excluded.job_id, valid_until = excluded.valid_until, served_at = null, profile = null;
	end if;
end
$$;
comment on function rouse_data.order_local_boot is
	'Sends a machine to its own disk once, if its job says so; forgotten when it does not boot within half an hour.';

create function rouse_data.end_local_boots(the_host bigint default null) returns int
language plpgsql as $$
declare
	ended int;
	hosts bigint[];
begin
	with gone as (
		delete from rouse_data.local_boot b where case when the_host is null then b.valid_until < now() else b.host_id = the_host end
		returning b.host_id
	)
	select count(pg_notify('rouse_job', g.host_id::text)), array_agg(g.host_id) into ended, hosts from gone g;
	if ended > 0 then
		insert into rouse_data.change values (pg_current_xact_id(), 'job', now(), hosts);
	end if;
	return ended;
end
$$;
comment on function rouse_data.end_local_boots is
	'Forgets the boot from the own disk that a machine has had, or, without one, those that never came. The daemons hear of it.';

create function rouse_data.expire_attempt(the_job bigint) returns boolean
language plpgsql as $$
declare
	lost bigint;
begin
	-- Everybody locks the job first and its attempt second. Who finds it locked leaves it to the other.
	perform from rouse_data.job j where j.id = the_job for update skip locked;
	if not found then
		return false;
	end if;
	-- A report that came in between is heard.
	select a.id into lost from rouse_data.attempt a
	where a.job_id = the_job and a.ended_at is null and a.lease_until < clock_timestamp();
	if lost is null then
		return false;
	end if;
	perform rouse_data.end_attempt(lost, 'failed', 'lost_client', 'the client was silent for longer than its lease');
	return true;
end
$$;
comment on function rouse_data.expire_attempt is 'Ends a job''s attempt if its client fell silent; says whether.';

create function rouse_data.clients_are_heard() returns boolean
language sql stable as $$
	select coalesce(max(d.seen_at) > clock_timestamp() - interval '25 seconds', true) from rouse_data.daemon d where d.daemon = 'menud'
$$;
comment on function rouse_data.clients_are_heard is
	'Whether a menud listens: one said hello in time, which it does every 10 s. True where there never was one.';

create function rouse_data.expire_attempts() returns int
language plpgsql as $$
declare
	late_job bigint;
	lost_count int := 0;
begin
	-- Nobody is silent whom nobody hears. A menud that comes back gives them all the time to speak: hello(). But what an
	-- operator has cancelled need not be heard out.
	for late_job in
		select a.job_id from rouse_data.attempt a join rouse_data.job j on j.id = a.job_id
		where a.ended_at is null and a.lease_until < clock_timestamp()
			and (j.state = 'cancelling' or rouse_data.clients_are_heard())
		order by a.job_id
	loop
		lost_count := lost_count + rouse_data.expire_attempt(late_job)::int;
	end loop;
	return lost_count;
end
$$;
comment on function rouse_data.expire_attempts is 'Ends the attempts whose client fell silent; says how many.';
