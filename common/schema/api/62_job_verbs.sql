-- What an operator does with jobs.

create function rouse_data.add_job(wanted rouse_data.job) returns bigint
language plpgsql as $$
declare
	new_id bigint;
	live boolean;
begin
	-- One queue per host: two sessions that give it jobs do so one after the other.
	perform from rouse_data.host h where h.id = wanted.host_id for no key update;
	live := exists (select from rouse_data.job j where j.host_id = wanted.host_id
		and j.state in ('queued', 'waiting', 'running', 'cancelling'));
	insert into rouse_data.job (host_id, kind, state, image_version_id, image, mode, script, profile, disk, priority,
		not_before, deadline, after, wake, attempts_max, retry_of, batch, created_by)
	values (wanted.host_id, wanted.kind,
		case when wanted.not_before > now() then 'scheduled' when live then 'backlog' else 'queued' end,
		wanted.image_version_id, wanted.image, wanted.mode, wanted.script, wanted.profile, coalesce(wanted.disk, 'auto'), coalesce(wanted.priority, 50),
		wanted.not_before, wanted.deadline, wanted.after, coalesce(wanted.wake, false),
		rouse_data.setting_int('attempts_max'), wanted.retry_of, wanted.batch, coalesce(wanted.created_by, rouse_data.actor()))
	returning id into new_id;
	return new_id;
end
$$;
comment on function rouse_data.add_job is
	'Adds a job: scheduled if not yet due, backlog if its host has a live one, else queued. What it is and for whom is taken from the row given.';

create function rouse_data.takes_jobs(the_host rouse_data.host) returns boolean
language sql immutable as $$ select the_host.state not in ('disabled', 'retired') $$;
comment on function rouse_data.takes_jobs is 'Whether a host is in service.';

create function rouse_data.check_takes_jobs(the_host rouse_data.host) returns void
language plpgsql stable as $$
begin
	if not rouse_data.takes_jobs(the_host) then
		raise exception using errcode = '55000',
			message = format('host "%s" is %s and gets no jobs', the_host.name, the_host.state),
			detail = 'A host that is disabled or retired is booted by nobody.',
			hint = format('To use it again: update rouse.hosts set state = ''active'' where name = %L', the_host.name);
	end if;
end
$$;
comment on function rouse_data.check_takes_jobs is 'Refuses a host that is out of service.';

create function rouse_data.make_batch(the_group text, retry_of bigint, maker text) returns bigint
language sql as $$
	insert into rouse_data.batch (target, retry_of, created_by)
	values (the_group, make_batch.retry_of, coalesce(maker, rouse_data.actor())) returning id
$$;
comment on function rouse_data.make_batch is 'A new batch, without jobs yet; returns its number.';

create function rouse_data.add_jobs(target text, wanted rouse_data.job) returns bigint
language plpgsql as $$
declare
	found_target record := rouse_data.target_named(target);
	one rouse_data.host;
	given int := 0;
begin
	if found_target.group_name is null then
		perform rouse_data.check_takes_jobs(found_target.host);
		wanted.host_id := (found_target.host).id;
		return rouse_data.add_job(wanted);
	end if;
	wanted.batch := rouse_data.make_batch(found_target.group_name, null, wanted.created_by);
	-- In one order for everybody, so that two who give jobs to one group do not wait for each other in a ring.
	for one in select h.* from rouse_data.host h where h.group_name = found_target.group_name order by h.id loop
		if rouse_data.takes_jobs(one) then
			wanted.host_id := one.id;
			perform rouse_data.add_job(wanted);
			given := given + 1;
		else
			raise notice 'host "%" is % and gets no job', one.name, one.state;
		end if;
	end loop;
	if given = 0 then
		raise exception using errcode = '55000',
			message = format('no host of group "%s" can get a job', found_target.group_name),
			detail = 'It has no hosts, or all of them are disabled or retired.',
			hint = format('To put one in: update rouse.hosts set group_name = %L where name = ...', found_target.group_name);
	end if;
	return wanted.batch;
end
$$;
comment on function rouse_data.add_jobs is
	'Gives this job to a host, or to each host in service of a group. Returns the number of the job, or of the batch.';

create function rouse_data.check_job_times(not_before timestamptz, deadline timestamptz) returns void
language plpgsql stable as $$
begin
	if deadline <= now() then
		raise exception using errcode = '22023', message = 'the deadline has passed already',
			detail = format('It is %s now.', now()), hint = 'Give a later one, such as now() + interval ''1 day''.';
	elsif deadline <= not_before then
		raise exception using errcode = '22023', message = 'the deadline is before the earliest start',
			detail = format('It would not begin before %s.', not_before), hint = 'Give a later deadline, or an earlier not_before.';
	end if;
end
$$;
comment on function rouse_data.check_job_times is 'Refuses a job that could never begin.';

create function rouse_data.is_disk(word text) returns boolean
language sql immutable as $$ select word ~ '^(auto|/dev/[a-zA-Z0-9_/-]+)$' and word !~ '//' $$;
comment on function rouse_data.is_disk is 'Whether a word is auto or a device below /dev.';

create function rouse_data.check_priority(priority int) returns void
language plpgsql immutable as $$
begin
	if not priority between 0 and 100 then
		raise exception using errcode = '22023', message = format('a priority is 0 to 100, not %s', priority),
			detail = 'Of the jobs that wait for a slot, and of those in a host''s backlog, the highest goes first.',
			hint = 'Higher goes first; 50 is usual.';
	end if;
end
$$;
comment on function rouse_data.check_priority is 'Refuses a number that is no priority.';

create function rouse_data.number_unknown(number bigint) returns void
language plpgsql stable as $$
begin
	raise exception using errcode = '42704', message = format('there is no job %s', number),
		detail = 'A number names a job or a batch; those of hosts that are not yours are not there for you.',
		hint = coalesce((select format('Jobs go up to %s; the open ones are: %s. See: table rouse.queue', max(j.id),
			coalesce((select string_agg(o.id::text, ', ' order by o.id) from (select k.id from rouse.queue k
				order by k.id desc limit 8) o), 'none'))
			from rouse_data.job j having max(j.id) is not null), 'There is none yet: select rouse.deploy(host, image)');
end
$$;
comment on function rouse_data.number_unknown is 'Says that no job and no batch has this number.';

create function rouse_data.jobs_numbered(number bigint, out is_batch boolean, out jobs rouse_data.job[])
language plpgsql as $$
begin
	is_batch := exists (select from rouse.batches b where b.id = number);
	-- Locked in the order that everybody keeps.
	select array_agg(locked.j) into jobs from (select j from rouse_data.job j
		where case when is_batch then j.batch = number else j.id = number end
			and exists (select from rouse_data.host h where h.id = j.host_id and rouse_data.may_group(h.group_name))
		order by j.id for update) locked;
	if jobs is null then
		perform rouse_data.number_unknown(number);
	end if;
end
$$;
comment on function rouse_data.jobs_numbered is 'The job of this number, or all of the batch of this number, locked; or an error.';

create function rouse_data.cancel_job(the_job rouse_data.job, why text) returns text
language plpgsql as $$
declare
	new_state text := case
		when the_job.state in ('scheduled', 'backlog', 'queued') then 'cancelled'
		when the_job.state in ('waiting', 'running') then 'cancelling' end;
begin
	update rouse_data.job j set state = new_state, reason = 'operator_stop', text = why
	where j.id = the_job.id and new_state is not null;
	-- note_job() speaks when a job stops being live; this one is still, but is offered no more.
	if new_state = 'cancelling' then
		perform pg_notify('rouse_job', the_job.host_id::text);
	end if;
	return new_state;
end
$$;
comment on function rouse_data.cancel_job is 'Cancels a job: cancelled or cancelling; null if it is one of these already, or has ended.';

create function rouse.cancel(job bigint, why text default null) returns text
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	found_jobs record := rouse_data.jobs_numbered(job);
	first_job rouse_data.job := found_jobs.jobs[1];
	said text;
begin
	select case when found_jobs.is_batch then string_agg(format('%s %s', c.n, c.state), ', ' order by c.state)
		else max(c.state) end into said
	from (select t.state, count(*) as n from (select rouse_data.cancel_job(j, why) as state
		from unnest(found_jobs.jobs) j) t where t.state is not null group by t.state) c;
	if said is null and found_jobs.is_batch then
		raise exception using errcode = '55000', message = format('all jobs of batch %s have ended or are being cancelled', job),
			detail = 'None of them can be cancelled once more.',
			hint = format('select host, state from rouse.jobs where batch = %s', job);
	elsif said is null then
		raise exception using errcode = '55000',
			message = format('job %s is %s already', first_job.id, first_job.state),
			detail = format('It has been so since %s.', to_char(first_job.changed_at, 'YYYY-MM-DD HH24:MI:SS')),
			hint = case first_job.state when 'cancelling'
				then 'It ends with the client''s next report, or when its lease runs out.'
				else 'What has ended cannot be cancelled.' end;
	end if;
	return said;
end
$$;
comment on function rouse.cancel is
	'Cancels a job, or all of a batch, with a word why if you like; a running one is told at its next report. Returns cancelled or cancelling.';

create function rouse_data.check_retry(the_job rouse_data.job) returns void
language plpgsql as $$
declare
	again bigint;
	version rouse_data.image_version;
	the_host rouse_data.host;
begin
	if the_job.ended_at is null then
		raise exception using errcode = '55000', message = format('job %s has not ended: it is %s', the_job.id, the_job.state),
			detail = 'Only a job that is over can be done again.',
			hint = format('To begin anew: select rouse.cancel(%s), then rouse.retry(%s)', the_job.id, the_job.id);
	end if;
	select max(j.id) into again from rouse_data.job j where j.retry_of = the_job.id and j.ended_at is null;
	if again is not null then
		raise exception using errcode = '55000', message = format('job %s is being done again already: job %s', the_job.id, again),
			detail = format('Job %s repeats it and has not ended.', again),
			hint = format('To begin that one anew: select rouse.cancel(%s), then rouse.retry(%s)', again, again);
	end if;
	select h.* into the_host from rouse_data.host h where h.id = the_job.host_id;
	perform rouse_data.check_takes_jobs(the_host);
	select v.* into version from rouse_data.image_version v where v.id = the_job.image_version_id;
	if version.state <> 'published' then
		raise exception using errcode = '55000',
			message = format('version %s of image "%s" is %s', version.number, version.image, version.state),
			detail = 'A repeated job takes the same version, and this one is not given out any more.',
			hint = format('Deploy another: select rouse.deploy(%L, %L)', the_host.name, version.image);
	end if;
end
$$;
comment on function rouse_data.check_retry is 'Refuses to do a job again that is being done, or cannot be done any more.';

create function rouse_data.retry_job(the_job rouse_data.job, new_batch bigint) returns bigint
language plpgsql as $$
begin
	perform rouse_data.check_retry(the_job);
	the_job.retry_of := the_job.id;
	the_job.batch := new_batch;
	the_job.created_by := null;
	the_job.not_before := null;
	the_job.deadline := null;
	return rouse_data.add_job(the_job);
end
$$;
comment on function rouse_data.retry_job is 'Does a job again, as a new one; returns its number.';

create function rouse.retry(job bigint) returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	found_jobs record := rouse_data.jobs_numbered(job);
	one record;
	new_batch bigint;
begin
	if not found_jobs.is_batch then
		return rouse_data.retry_job(found_jobs.jobs[1], null);
	end if;
	if not exists (select from unnest(found_jobs.jobs) j where j.ended_at is not null and j.state <> 'succeeded') then
		raise exception using errcode = '55000', message = format('no job of batch %s has failed, expired or been cancelled', job),
			detail = 'A batch is done again for those of its hosts whose job ended without success.',
			hint = format('select host, state from rouse.jobs where batch = %s', job);
	end if;
	new_batch := rouse_data.make_batch((select b.target from rouse_data.batch b where b.id = job), job, null);
	for one in
		select j, h from unnest(found_jobs.jobs) j join rouse_data.host h on h.id = j.host_id
		where j.ended_at is not null and j.state <> 'succeeded' order by h.id
	loop
		if rouse_data.takes_jobs(one.h) then
			perform rouse_data.retry_job(one.j, new_batch);
		else
			raise notice 'host "%" is % and gets no job', (one.h).name, (one.h).state;
		end if;
	end loop;
	return new_batch;
end
$$;
comment on function rouse.retry is
	'Does an ended job again, as a new one with the same image version; of a batch, all that ended without success. Returns the new number.';

create function rouse_data.order_wake(the_host bigint, the_job bigint, maker text) returns void
language plpgsql as $$
begin
	insert into rouse_data.wake (host_id, job_id, ordered_by) values (the_host, the_job, coalesce(maker, rouse_data.actor()));
	perform pg_notify('rouse_wake', the_host::text);
end
$$;
comment on function rouse_data.order_wake is 'Orders that a machine be woken, for a job or for itself.';

create function rouse_data.wake_target(target text, maker text) returns int
language plpgsql as $$
declare
	found_target record := rouse_data.target_named(target);
	one record;
	ordered int := 0;
begin
	for one in
		select h.id, h.name, exists (select from rouse_data.nic n where n.host = h.name) as has_card from rouse_data.host h
		where case when found_target.group_name is null then h.id = (found_target.host).id
			else h.group_name = found_target.group_name and rouse_data.takes_jobs(h) end
		order by h.id
	loop
		if one.has_card then
			perform rouse_data.order_wake(one.id, null, maker);
			ordered := ordered + 1;
		elsif found_target.group_name is null then
			perform rouse_data.mac_named(one.name);
		else
			raise notice 'host "%" has no network card and is not woken', one.name;
		end if;
	end loop;
	if ordered = 0 then
		raise exception using errcode = '55000', message = format('no host of group "%s" can be woken', found_target.group_name),
			detail = 'It has no hosts, or none that is in service and has a network card.',
			hint = format('select name, state from rouse.hosts where group_name = %L', found_target.group_name);
	end if;
	return ordered;
end
$$;
comment on function rouse_data.wake_target is 'What wake() does, for whoever ordered it.';

create function rouse.wake(target text) returns int
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse_data.wake_target(coalesce(target, ''), null)
$$;
comment on function rouse.wake is
	'Orders that a machine, or those of a group, be woken by Wake-on-LAN; says how many. See table rouse.wakes.';
