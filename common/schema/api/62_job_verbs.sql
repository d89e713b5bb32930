-- What an operator does with jobs.

create function rouse_data.one_of(what text, word text, valid text[]) returns void
language plpgsql immutable as $$
begin
	if word is not null and word <> all (valid) then
		raise exception using errcode = '22023', message = format('there is no %s "%s"', what, word),
			hint = rouse_data.nearest(word, valid);
	end if;
end
$$;
comment on function rouse_data.one_of is 'Refuses a word that is not one of the valid ones.';

create function rouse_data.add_job(host_id bigint, kind text, image_version_id bigint, priority int,
	not_before timestamptz, deadline timestamptz, after text, mode text, disk text, retry_of bigint)
returns bigint
language plpgsql as $$
#variable_conflict use_column
declare
	new_id bigint;
	live boolean;
begin
	-- One queue per host: two sessions that give it jobs do so one after the other.
	perform from rouse_data.host h where h.id = add_job.host_id for no key update;
	live := exists (select from rouse_data.job j where j.host_id = add_job.host_id
		and j.state in ('queued', 'waiting', 'running', 'cancelling'));
	insert into rouse_data.job (host_id, kind, state, image_version_id, mode, disk, priority,
		not_before, deadline, after, attempts_max, retry_of)
	values (add_job.host_id, add_job.kind,
		case when add_job.not_before > now() then 'scheduled' when live then 'backlog' else 'queued' end,
		add_job.image_version_id, add_job.mode, add_job.disk, add_job.priority, add_job.not_before,
		add_job.deadline, add_job.after, rouse_data.setting_int('attempts_max'), add_job.retry_of)
	returning id into new_id;
	return new_id;
end
$$;
comment on function rouse_data.add_job is 'Adds a job: scheduled if not yet due, backlog if its host has a live one, else queued.';

create function rouse_data.check_takes_jobs(the_host rouse_data.host) returns void
language plpgsql stable as $$
begin
	if the_host.state in ('disabled', 'retired') then
		raise exception using errcode = '55000',
			message = format('host "%s" is %s and gets no jobs', the_host.name, the_host.state),
			hint = format('To use it again: update rouse.hosts set state = ''active'' where name = %L', the_host.name);
	end if;
end
$$;
comment on function rouse_data.check_takes_jobs is 'Refuses a host that is out of service.';

create function rouse.enqueue(target text, kind text, image text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, after text default null,
	mode text default null, disk text default 'auto')
returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_host rouse_data.host;
	version_id bigint;
begin
	perform rouse_data.one_of('kind of job', coalesce(kind, ''), '{deploy,inventory,register}');
	perform rouse_data.one_of('after-action', after, '{reboot,poweroff,local}');
	perform rouse_data.one_of('mode', mode, '{quick,full}');
	the_host := rouse_data.host_named(coalesce(target, ''));
	perform rouse_data.check_takes_jobs(the_host);
	if kind = 'deploy' then
		version_id := (rouse_data.image_named(coalesce(image, ''))).id;
	elsif image is not null then
		raise exception using errcode = '22023', message = format('a job of kind %s has no image', kind),
			hint = 'Leave image out, or say deploy.';
	end if;
	if deadline <= now() then
		raise exception using errcode = '22023', message = 'the deadline has passed already',
			detail = format('It is %s now.', now()), hint = 'Give a later one, such as now() + interval ''1 day''.';
	end if;
	return rouse_data.add_job(the_host.id, kind, version_id, coalesce(priority, 50), not_before, deadline,
		after, case when kind = 'register' then coalesce(mode, 'quick') end, coalesce(disk, 'auto'), null);
end
$$;
comment on function rouse.enqueue is
	'Gives a machine (named by its name or a MAC) a job: deploy, inventory or register. Returns the job''s number.';

create function rouse.deploy(host text, image text, after text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, disk text default 'auto')
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.enqueue(host, 'deploy', image, priority, not_before, deadline, after, disk => disk)
$$;
comment on function rouse.deploy is
	'Writes an image to a machine''s disk at its next boot: select rouse.deploy(''lab-01'', ''tiny-debian'').';

create function rouse.inventory(host text, after text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null)
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.enqueue(host, 'inventory', null, priority, not_before, deadline, after)
$$;
comment on function rouse.inventory is 'Asks a machine for its hardware at its next boot.';

create function rouse_data.job_numbered(number bigint) returns rouse_data.job
language plpgsql as $$
declare
	the_job rouse_data.job;
begin
	select j.* into the_job from rouse_data.job j where j.id = number for update;
	if the_job.id is null then
		raise exception using errcode = '42704', message = format('there is no job %s', number),
			hint = coalesce((select format('Jobs go up to %s; the open ones are: %s. See: table rouse.jobs', max(j.id),
				coalesce((select string_agg(o.id::text, ', ' order by o.id) from (select k.id from rouse_data.job k
					where k.ended_at is null order by k.id desc limit 8) o), 'none'))
				from rouse_data.job j having max(j.id) is not null), 'There is none yet: select rouse.deploy(host, image)');
	end if;
	return the_job;
end
$$;
comment on function rouse_data.job_numbered is 'The job of this number, locked, or an error.';

create function rouse.cancel(job bigint, why text default null) returns text
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_job rouse_data.job := rouse_data.job_numbered(job);
	new_state text;
begin
	new_state := case
		when the_job.state in ('scheduled', 'backlog', 'queued') then 'cancelled'
		when the_job.state in ('waiting', 'running') then 'cancelling' end;
	if new_state is null then
		raise exception using errcode = '55000',
			message = format('job %s is %s already', the_job.id, the_job.state),
			hint = case the_job.state when 'cancelling'
				then 'It ends with the client''s next report, or when its lease runs out.'
				else 'What has ended cannot be cancelled.' end;
	end if;
	update rouse_data.job j set state = new_state, reason = 'operator_stop', text = why where j.id = the_job.id;
	-- note_job() speaks when a job stops being live; this one is still, but is offered no more.
	if new_state = 'cancelling' then
		perform pg_notify('rouse_job', the_job.host_id::text);
	end if;
	return new_state;
end
$$;
comment on function rouse.cancel is
	'Cancels a job, with a word why if you like; a running one is told at its next report. Returns cancelled or cancelling.';

create function rouse.retry(job bigint) returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_job rouse_data.job := rouse_data.job_numbered(job);
	again bigint;
	version rouse_data.image_version;
begin
	if the_job.ended_at is null then
		raise exception using errcode = '55000', message = format('job %s has not ended: it is %s', job, the_job.state),
			hint = format('To begin anew: select rouse.cancel(%s), then rouse.retry(%s)', job, job);
	end if;
	select max(j.id) into again from rouse_data.job j where j.retry_of = the_job.id and j.ended_at is null;
	if again is not null then
		raise exception using errcode = '55000', message = format('job %s is being done again already: job %s', job, again),
			hint = format('To begin that one anew: select rouse.cancel(%s), then rouse.retry(%s)', again, again);
	end if;
	perform rouse_data.check_takes_jobs(h) from rouse_data.host h where h.id = the_job.host_id;
	select v.* into version from rouse_data.image_version v where v.id = the_job.image_version_id;
	if version.state <> 'published' then
		raise exception using errcode = '55000',
			message = format('version %s of image "%s" is %s', version.number, version.image, version.state),
			hint = format('Deploy another: select rouse.deploy(%L, %L)',
				(select h.name from rouse_data.host h where h.id = the_job.host_id), version.image);
	end if;
	return rouse_data.add_job(the_job.host_id, the_job.kind, the_job.image_version_id, the_job.priority,
		null, null, the_job.after, the_job.mode, the_job.disk, the_job.id);
end
$$;
comment on function rouse.retry is 'Does an ended job again, as a new one with the same image version; returns its number.';

create view rouse.jobs as
	select j.id, h.name as host, j.kind, j.state, v.image, v.number as image_version, j.mode,
		a.step, a.percent, j.reason, r.meaning, j.text, r.hint, j.attempts, j.attempts_max, j.retry_at,
		(select count(*) from rouse_data.offer o where o.job_id = j.id and o.claimed_at is null)::int as offers,
		j.priority, j.not_before, j.deadline, coalesce(j.after, (select s.value from rouse_data.setting s where s.name = 'after_job')) as after,
		j.disk, j.retry_of, j.created_at, j.created_by, j.changed_at, j.ended_at
	from rouse_data.job j
	join rouse_data.host h on h.id = j.host_id
	left join rouse_data.image_version v on v.id = j.image_version_id
	left join rouse_data.reason r on r.code = j.reason
	left join lateral (select t.step, t.percent from rouse_data.attempt t where t.job_id = j.id
		order by t.number desc limit 1) a on true
	order by j.id;
call rouse_data.describe('rouse.jobs',
	'What shall be, is being and was done with machines. Change by rouse.deploy, inventory, enqueue, cancel, retry.', '{
	"id": "the job''s number", "host": "the machine", "kind": "deploy, inventory or register",
	"state": "scheduled, backlog, queued, waiting, running, cancelling; ended: succeeded, failed, cancelled, expired",
	"image": "deploy: the image", "image_version": "deploy: its version, chosen when the job was made",
	"mode": "register: quick or full", "step": "what the client is doing, or did last", "percent": "how far that is",
	"reason": "why it failed, rests or was cancelled: a code of rouse.reasons", "meaning": "the same in words",
	"text": "what the client, or whoever cancelled it, said", "hint": "what to do about it",
	"attempts": "how often a client has claimed it", "attempts_max": "after so many it fails",
	"retry_at": "it rests until then after a failed attempt", "offers": "boots that got it offered and never checked in",
	"priority": "0 to 100, higher first", "not_before": "not offered before", "deadline": "expires if not begun by then",
	"after": "reboot, poweroff, or local: reboot, and once to its own disk", "disk": "auto: the first that is large enough; or a device", "retry_of": "the job that this one repeats",
	"created_at": "when it was made", "created_by": "by whom", "changed_at": "when its state changed last",
	"ended_at": "when it ended"}');

create view rouse.attempts as
	select a.id, a.job_id as job, h.name as host, a.number, a.claimed_at, a.started_at, a.ended_at, a.outcome,
		a.reason, a.text, a.step, a.percent, a.bytes, a.total, a.lease_until, a.mac, a.address, a.facts
	from rouse_data.attempt a
	join rouse_data.job j on j.id = a.job_id join rouse_data.host h on h.id = j.host_id
	order by a.id;
call rouse_data.describe('rouse.attempts', 'Each try of each job by a client that has checked in.', '{
	"id": "the attempt''s number", "job": "the job", "host": "the machine", "number": "1 is the job''s first",
	"claimed_at": "when the client checked in", "started_at": "when it got a slot", "ended_at": "when it ended",
	"outcome": "succeeded, failed or cancelled", "reason": "why: a code", "text": "why, in the client''s words",
	"step": "what it does or did last", "percent": "how far that is", "bytes": "bytes done", "total": "of so many",
	"lease_until": "lost if it says nothing until then", "mac": "the card that booted", "address": "where it called from",
	"facts": "what it said about itself at check-in"}');

create view rouse.job_history as
	select g.job_id as job, h.name as host, g.at, g.from_state, g.to_state, g.who,
		case when g.from_state is null then 'it was made' else concat_ws(': ', t.rule, r.meaning) end as why,
		g.reason, g.text
	from rouse_data.job_history g
	join rouse_data.job j on j.id = g.job_id join rouse_data.host h on h.id = j.host_id
	left join rouse_data.job_transition t on t.from_state = g.from_state and t.to_state = g.to_state
	left join rouse_data.reason r on r.code = g.reason
	order by g.at, g.job_id;
call rouse_data.describe('rouse.job_history', 'Each step of each job: when, by whom and why.', '{
	"job": "the job", "host": "the machine", "at": "when", "from_state": "null: it was made", "to_state": "its new state",
	"who": "the role that did it, or the operator for whom menud did it", "why": "in words",
	"reason": "a code of rouse.reasons", "text": "what the client or the operator said"}');

create view rouse.reasons as
	select code, meaning, hint, retryable from rouse_data.reason order by code;
call rouse_data.describe('rouse.reasons', 'Why jobs rest, fail, are cancelled or expire.', '{
	"code": "the code, as in rouse.jobs", "meaning": "what happened", "hint": "what to do about it",
	"retryable": "whether the attempt is worth another one, as long as attempts are left"}');

create view rouse.queue as
	select j.id, h.name as host, j.kind, j.state,
		case j.state
			when 'waiting' then (select count(*) + 1 from rouse_data.job o where o.kind = j.kind and o.state = 'waiting'
				and (o.priority, -o.id) > (j.priority, -j.id))
			when 'backlog' then (select count(*) from rouse_data.job o where o.host_id = j.host_id
				and o.state = 'backlog' and (o.priority, -o.id) >= (j.priority, -j.id))
		end::int as place,
		case j.state
			when 'scheduled' then 'its time: ' || to_char(j.not_before, 'YYYY-MM-DD HH24:MI:SS TZ')
			when 'backlog' then 'job ' || (select o.id from rouse_data.job o where o.host_id = j.host_id
				and o.state in ('queued', 'waiting', 'running', 'cancelling'))
			when 'queued' then case when j.retry_at > now() then 'the end of its rest after a failed attempt'
				else 'the machine to boot and check in' end
			when 'waiting' then 'a free slot (setting deploy_slots)'
			when 'cancelling' then 'the client to hear that it shall stop' end as waits_for,
		v.image, j.priority, a.step, a.percent, j.attempts, j.deadline, j.created_by, j.created_at, j.changed_at
	from rouse_data.job j
	join rouse_data.host h on h.id = j.host_id
	left join rouse_data.image_version v on v.id = j.image_version_id
	left join rouse_data.attempt a on a.job_id = j.id and a.ended_at is null
	where j.state in ('scheduled', 'backlog', 'queued', 'waiting', 'running', 'cancelling')
	order by array_position('{running,cancelling,waiting,queued,backlog,scheduled}', j.state), j.priority desc, j.id;
call rouse_data.describe('rouse.queue', 'The jobs that have not ended: what runs first, and what each waits for.', '{
	"id": "the job''s number", "host": "the machine", "kind": "as in rouse.jobs", "state": "as in rouse.jobs",
	"place": "waiting: its place in the queue for a slot; backlog: its place behind its host''s live job; 1 is next",
	"waits_for": "what must happen before it goes on; null: it is running", "image": "deploy: the image",
	"priority": "0 to 100, higher first", "step": "what the client is doing", "percent": "how far that is",
	"attempts": "how often a client has claimed it", "deadline": "expires if not begun by then",
	"created_by": "who made it", "created_at": "when it was made", "changed_at": "when its state changed last"}');

create view rouse.job_transitions as
	select from_state, to_state, rule from rouse_data.job_transition order by from_state, to_state;
call rouse_data.describe('rouse.job_transitions', 'Every step that a job may take.', '{
	"from_state": "from", "to_state": "to", "rule": "when"}');
