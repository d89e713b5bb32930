-- What people read about jobs.

create view rouse.jobs with (security_barrier) as
	select j.id, h.name as host, j.kind, j.state, coalesce(v.image, j.image) as image, v.number as image_version, j.mode,
		a.step, a.percent, j.reason, r.meaning, j.text, r.hint, j.attempts, j.attempts_max, j.retry_at,
		(select count(*) from rouse_data.offer o where o.job_id = j.id and o.claimed_at is null)::int as offers,
		j.priority, j.not_before, j.deadline, coalesce(j.after, (select s.value from rouse_data.setting s where s.name = 'after_job')) as after,
		j.disk, j.script, j.profile, j.wake, j.batch, j.retry_of, j.created_at, j.created_by, j.changed_at, j.ended_at
	from rouse_data.job j
	join rouse_data.host h on h.id = j.host_id
	left join rouse_data.image_version v on v.id = j.image_version_id
	left join rouse_data.reason r on r.code = j.reason
	left join lateral (select t.step, t.percent from rouse_data.attempt t where t.job_id = j.id
		order by t.number desc limit 1) a on true
	where case when (select rouse.my_groups()) is null then true else j.host_id in (select m.id from rouse_data.my_host m) end
	order by j.id desc;
call rouse_data.describe('rouse.jobs',
	'What shall be, is being and was done with machines, the newest first: table rouse.jobs limit 20. Change by rouse.enqueue and its short forms, cancel, retry.', '{
	"id": "the job''s number", "host": "the machine", "kind": "one of rouse.job_kinds",
	"state": "scheduled, backlog, queued, waiting, running, cancelling; ended: succeeded, failed, cancelled, expired",
	"image": "deploy, capture: the image", "image_version": "deploy: its version, chosen when the job was made",
	"mode": "register, wipe, test: as in rouse.job_kinds", "step": "what the client is doing, or did last", "percent": "how far that is",
	"reason": "why it failed, rests or was cancelled: a code of rouse.reasons", "meaning": "the same in words",
	"text": "what the client, or whoever cancelled it, said", "hint": "what to do about it",
	"attempts": "how often a client has claimed it", "attempts_max": "after so many it fails",
	"retry_at": "it rests until then after a failed attempt", "offers": "boots that got it offered and never checked in",
	"priority": "0 to 100, higher first", "not_before": "not offered before", "deadline": "expires if not begun by then",
	"after": "reboot, poweroff, or local: reboot, and once to its own disk", "disk": "a device, or auto: deploy, capture: the first that is large enough; wipe, test: every fixed one", "script": "script: what the client system runs", "profile": "boot, install: what is booted", "wake": "whether the machine is woken when it is queued",
	"batch": "the batch that it was given with, if any", "retry_of": "the job that this one repeats",
	"created_at": "when it was made", "created_by": "by whom", "changed_at": "when its state changed last",
	"ended_at": "when it ended"}');

create view rouse.attempts with (security_barrier) as
	select a.id, a.job_id as job, h.name as host, a.number, a.claimed_at, a.started_at, a.ended_at, a.outcome,
		a.reason, a.text, a.step, a.percent, a.bytes, a.total, a.lease_until, a.mac, a.address, a.facts
	from rouse_data.attempt a join rouse_data.host h on h.id = a.host_id
	where case when (select rouse.my_groups()) is null then true else a.host_id in (select m.id from rouse_data.my_host m) end
	order by a.id desc;
call rouse_data.describe('rouse.attempts', 'Each try of each job by a client that has checked in, the newest first.', '{
	"id": "the attempt''s number", "job": "the job", "host": "the machine", "number": "1 is the job''s first",
	"claimed_at": "when the client checked in", "started_at": "when it got a slot", "ended_at": "when it ended",
	"outcome": "succeeded, failed or cancelled", "reason": "why: a code", "text": "why, in the client''s words",
	"step": "what it does or did last", "percent": "how far that is", "bytes": "bytes done", "total": "of so many",
	"lease_until": "lost if it says nothing until then", "mac": "the card that booted", "address": "where it called from",
	"facts": "what it said about itself at check-in"}');

create view rouse.job_history with (security_barrier) as
	select g.job_id as job, h.name as host, g.at, g.from_state, g.to_state, g.who,
		-- Looked up, not joined: the list stays in the order of its index, which a hash join loses.
		case when g.from_state is null then 'it was made' else concat_ws(': ',
			(select t.rule from rouse_data.job_transition t where t.from_state = g.from_state and t.to_state = g.to_state),
			(select r.meaning from rouse_data.reason r where r.code = g.reason)) end as why,
		g.reason, g.text
	from rouse_data.job_history g join rouse_data.host h on h.id = g.host_id
	where case when (select rouse.my_groups()) is null then true else g.host_id in (select m.id from rouse_data.my_host m) end
	order by g.at desc, g.job_id desc;
call rouse_data.describe('rouse.job_history', 'Each step of each job, the newest first: when, by whom and why.', '{
	"job": "the job", "host": "the machine", "at": "when", "from_state": "null: it was made", "to_state": "its new state",
	"who": "the role that did it, or the operator for whom menud did it", "why": "in words",
	"reason": "a code of rouse.reasons", "text": "what the client or the operator said"}');

create view rouse.reasons as
	select code, meaning, hint, retryable from rouse_data.reason order by code;
call rouse_data.describe('rouse.reasons', 'Why jobs rest, fail, are cancelled or expire.', '{
	"code": "the code, as in rouse.jobs", "meaning": "what happened", "hint": "what to do about it",
	"retryable": "whether the attempt is worth another one, as long as attempts are left"}');

create view rouse.queue with (security_barrier) as
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
		coalesce(v.image, j.image) as image, j.priority, a.step, a.percent, j.attempts, j.deadline, j.created_by, j.created_at, j.changed_at
	from rouse_data.job j
	join rouse_data.host h on h.id = j.host_id
	left join rouse_data.image_version v on v.id = j.image_version_id
	left join rouse_data.attempt a on a.job_id = j.id and a.ended_at is null
	where j.state in ('scheduled', 'backlog', 'queued', 'waiting', 'running', 'cancelling')
		and (case when (select rouse.my_groups()) is null then true else j.host_id in (select m.id from rouse_data.my_host m) end)
	order by array_position('{running,cancelling,waiting,queued,backlog,scheduled}', j.state), j.priority desc, j.id;
call rouse_data.describe('rouse.queue', 'The jobs that have not ended: what runs first, and what each waits for.', '{
	"id": "the job''s number", "host": "the machine", "kind": "as in rouse.jobs", "state": "as in rouse.jobs",
	"place": "waiting: its place in the queue for a slot; backlog: its place behind its host''s live job; 1 is next",
	"waits_for": "what must happen before it goes on; null: it is running", "image": "deploy, capture: the image",
	"priority": "0 to 100, higher first", "step": "what the client is doing", "percent": "how far that is",
	"attempts": "how often a client has claimed it", "deadline": "expires if not begun by then",
	"created_by": "who made it", "created_at": "when it was made", "changed_at": "when its state changed last"}');

create view rouse.job_transitions as
	select from_state, to_state, rule from rouse_data.job_transition order by from_state, to_state;
call rouse_data.describe('rouse.job_transitions', 'Every step that a job may take.', '{
	"from_state": "from", "to_state": "to", "rule": "when"}');

create view rouse.batches with (security_barrier) as
	select b.id, b.target, j.kind, j.image, coalesce(j.jobs, 0) as jobs, j.open, j.succeeded, j.failed, j.cancelled, j.expired,
		b.retry_of, b.created_at, b.created_by
	from rouse_data.batch b
	left join lateral (
		select max(j.kind) as kind, max(coalesce(v.image, j.image)) as image, count(*)::int as jobs,
			count(*) filter (where j.ended_at is null)::int as open,
			count(*) filter (where j.state = 'succeeded')::int as succeeded,
			count(*) filter (where j.state = 'failed')::int as failed,
			count(*) filter (where j.state = 'cancelled')::int as cancelled,
			count(*) filter (where j.state = 'expired')::int as expired
		from rouse_data.job j left join rouse_data.image_version v on v.id = j.image_version_id
		where j.batch = b.id) j on true
	where (select rouse.my_groups()) is null or b.target = any ((select rouse.my_groups())::text[])
	order by b.id desc;
call rouse_data.describe('rouse.batches', 'Jobs that were given to a group together. Its jobs: batch in rouse.jobs.', '{
	"id": "the batch''s number: of one counting with the jobs'', for rouse.cancel and rouse.retry", "target": "the group",
	"kind": "of its jobs", "image": "deploy: the image", "jobs": "how many", "open": "of these: not ended",
	"succeeded": "ended well", "failed": "ended with a reason", "cancelled": "cancelled by an operator",
	"expired": "not begun by their deadline", "retry_of": "the batch that this one repeats",
	"created_at": "when it was made", "created_by": "by whom"}');
