-- Check-in: the only way to claim a job. The ticket says which job, the token says who has it.

create function rouse_data.free_slot(the_job rouse_data.job) returns boolean
language plpgsql as $$
begin
	if the_job.kind <> 'deploy' then
		return true;
	end if;
	-- One at a time, so that two clients cannot both take the last slot.
	perform pg_advisory_xact_lock(hashtextextended('rouse.deploy_slots', 0));
	return rouse_data.slot_position(the_job) <= 0;
end
$$;
comment on function rouse_data.free_slot is 'Whether a job may begin now, or has to wait for others of its kind.';

create function rouse_data.slot_position(the_job rouse_data.job) returns int
language plpgsql volatile as $$
begin
	-- One that is cancelled while it waits never had a slot.
	return (select count(*) from rouse_data.job j join rouse_data.attempt a on a.job_id = j.id and a.ended_at is null
			where j.kind = 'deploy' and j.state in ('running', 'cancelling') and a.started_at is not null)::int
		+ (select count(*) from rouse_data.job j where j.kind = 'deploy' and j.state = 'waiting'
			and (j.priority > the_job.priority or (j.priority = the_job.priority and j.id < the_job.id)))::int
		+ 1 - rouse_data.setting_int('deploy_slots');
end
$$;
comment on function rouse_data.slot_position is 'A job''s place in the queue for a slot: 1 is next, 0 and less may begin.';

create function rouse_data.refuse_ticket(ticket rouse_data.ticket, the_job rouse_data.job, token_hash bytea, facts jsonb,
	out reason text, out message text)
language plpgsql stable as $$
declare
	conflict text;
	shown uuid := rouse_data.uuid_of(facts ->> 'uuid');
begin
	if ticket.hash is null then
		reason := 'ticket_unknown';
		message := 'This ticket is not known. Boot again to get a new one.';
	elsif ticket.mac <> all (rouse_data.macs_of(facts)) then
		reason := 'identity_conflict';
		message := 'This ticket was given to another network card.';
	elsif ticket.uuid is not null and shown is not null
		and ticket.uuid not in (shown, rouse_data.uuid_swapped(shown)) then
		reason := 'identity_conflict';
		message := 'This ticket was given to a machine with another UUID.';
	elsif ticket.attempt_id is not null then
		if exists (select from rouse_data.attempt a where a.id = ticket.attempt_id and a.token_hash <> refuse_ticket.token_hash) then
			reason := 'identity_conflict';
			message := 'This ticket was used by another client.';
		end if;
	elsif ticket.expires_at <= clock_timestamp() then
		reason := 'ticket_expired';
		message := 'This ticket has expired. Boot again to get a new one.';
	elsif the_job.state in ('cancelled', 'cancelling') then
		reason := 'operator_stop';
		message := 'The job was cancelled.';
	elsif the_job.state <> 'queued' then
		reason := 'ticket_expired';
		message := format('Job %s is %s. Boot again.', the_job.id, the_job.state);
	elsif rouse_data.destroys_data(the_job.kind) then
		conflict := (rouse_data.identify(facts)).conflict;
		if conflict is not null then
			reason := 'identity_conflict';
			message := format('This machine is not surely the right one: %s.', conflict);
		end if;
	end if;
end
$$;
comment on function rouse_data.refuse_ticket is 'Why this ticket for this job does not let this client in; null if it does.';

create function rouse_data.claim(ticket rouse_data.ticket, the_job rouse_data.job, hash bytea, facts jsonb, address inet) returns bigint
language plpgsql as $$
declare
	begins boolean := rouse_data.free_slot(the_job);
	new_attempt bigint;
begin
	insert into rouse_data.attempt (job_id, host_id, number, token_hash, mac, address, facts, started_at, lease_until)
	values (the_job.id, the_job.host_id, the_job.attempts + 1, hash, ticket.mac, address, facts,
		case when begins then clock_timestamp() end, rouse_data.renewed_lease())
	returning id into new_attempt;
	if the_job.kind = 'capture' then
		perform rouse_data.begin_capture(new_attempt, the_job);
	end if;
	update rouse_data.job j set state = case when begins then 'running' else 'waiting' end,
		attempts = j.attempts + 1, reason = null, text = null, retry_at = null where j.id = the_job.id;
	delete from rouse_data.local_boot b where b.host_id = the_job.host_id;
	-- The claim kills the job's other tickets, and ends the guard's count: the machine gets through.
	update rouse_data.ticket t set attempt_id = case when t.hash = ticket.hash then new_attempt else t.attempt_id end,
		expires_at = case when t.hash = ticket.hash then t.expires_at else least(t.expires_at, clock_timestamp()) end
	where t.job_id = the_job.id;
	update rouse_data.offer o set claimed_at = clock_timestamp()
	where o.job_id = the_job.id and o.claimed_at is null;
	return new_attempt;
end
$$;
comment on function rouse_data.claim is 'A client claims a job: a new attempt, running or waiting for a slot.';

create function rouse_data.clock_detail(clock text) returns jsonb
-- Written so that it is inlined: as a query of its own it was planned at each check-in.
language sql volatile as $$
	select case when clock ~ '^[0-9]{1,12}$'
		then jsonb_build_object('clock_off', clock::bigint - round(extract(epoch from clock_timestamp()))::bigint) end
$$;
comment on function rouse_data.clock_detail is 'By how many seconds a client''s clock is off, for its event; null if it does not tell the time.';

create function rouse_daemon.fos_checkin(fields jsonb, address inet)
returns table (answer text, reason text, message text, "position" int, retry_seconds int,
	job bigint, attempt int, kind text, mode text, host text, after text, report_seconds int,
	image_name text, image_version int, image_type text, image_url text, image_size bigint, disk_size bigint, disk text, script_url text, script_size int, script_sha256 text,
	profile text, profile_kind text, kernel_url text, initrd_url text, arguments text, file_url text, test_url text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	ticket_hash bytea := sha256(rouse_data.field(fields, 'ticket', '^[0-9a-f]{32}$',
		'It is 32 lower-case hex digits, from rouse_ticket= in /proc/cmdline.')::bytea);
	hash bytea := rouse_data.token_hash(fields);
	facts jsonb := fields - '{ticket,token}'::text[];
	shown record;
	ticket rouse_data.ticket;
	the_job rouse_data.job;
	the_attempt rouse_data.attempt;
begin
	perform rouse_data.field(fields, 'mac0', '^[0-9A-Fa-f:.-]{12,17}$', 'Send it as 52:54:00:00:00:01.');
	-- The job is locked first, and the ticket is read as it is then.
	select j as of_job, t as of_hash into shown from rouse_data.job j join rouse_data.ticket t on t.job_id = j.id
	where t.hash = ticket_hash for update;
	the_job := shown.of_job;
	ticket := shown.of_hash;
	answer := 'refused';
	select * into reason, message from rouse_data.refuse_ticket(ticket, the_job, hash, facts);
	if reason is null and ticket.attempt_id is not null then
		the_attempt := (rouse_data.lock_attempt(hash)).attempt;
		select * into reason, message from rouse_data.refusal(the_attempt);
	end if;
	if reason is not null then
		perform rouse_data.note_event('fos', 'refused', the_job.host_id, (rouse_data.macs_of(facts))[1],
			fos_checkin.address, the_job.kind, reason);
		return next; return;
	end if;
	if ticket.attempt_id is null then
		begin
			the_attempt.id := rouse_data.claim(ticket, the_job, hash, facts, fos_checkin.address);
		exception when unique_violation then
			reason := 'identity_conflict';
			message := 'This token belongs to another attempt. Boot again to make a new one.';
			return next; return;
		end;
		perform rouse_data.note_event('fos', 'checkin', the_job.host_id, ticket.mac, fos_checkin.address,
			the_job.kind, null, rouse_data.clock_detail(facts ->> 'clock'));
	else
		perform rouse_data.resume_attempt(the_attempt.id);
	end if;
	return query select d.* from rouse_data.describe_attempt(the_attempt.id) d;
end
$$;
comment on function rouse_daemon.fos_checkin is 'A client shows its ticket and claims its job: run, wait or refused.';

create function rouse_data.resume_attempt(the_attempt bigint) returns void
language plpgsql as $$
declare
	the_job rouse_data.job;
begin
	select j.* into the_job from rouse_data.job j
	where j.id = (select a.job_id from rouse_data.attempt a where a.id = the_attempt);
	if the_job.state = 'waiting' and rouse_data.free_slot(the_job) then
		update rouse_data.job j set state = 'running' where j.id = the_job.id;
		update rouse_data.attempt a set started_at = clock_timestamp() where a.id = the_attempt;
	end if;
	update rouse_data.attempt a set lease_until = rouse_data.renewed_lease() where a.id = the_attempt;
end
$$;
comment on function rouse_data.resume_attempt is 'A client that has checked in says so again: its lease is extended, it may get its slot.';

create function rouse_data.file_url(path text) returns text
language sql immutable strict as $$
	select '/files/' || string_agg(case when c ~ '[A-Za-z0-9._~/-]' then c
		else regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\1', 'g') end, '' order by n)
	from regexp_split_to_table(path, '') with ordinality as t (c, n)
$$;
comment on function rouse_data.file_url is 'Where menud gives out this file of its roots: a path for below its URL.';

create function rouse_data.describe_attempt(the_attempt bigint)
returns table (answer text, reason text, message text, "position" int, retry_seconds int,
	job bigint, attempt int, kind text, mode text, host text, after text, report_seconds int,
	image_name text, image_version int, image_type text, image_url text, image_size bigint, disk_size bigint, disk text, script_url text, script_size int, script_sha256 text,
	profile text, profile_kind text, kernel_url text, initrd_url text, arguments text, file_url text, test_url text)
language plpgsql volatile as $$
declare
	described record;
	the_job rouse_data.job;
begin
	select j as of_job, a.number, h.name::text as host_name, k.takes_disk into described
	from rouse_data.attempt a join rouse_data.job j on j.id = a.job_id
	join rouse_data.host h on h.id = j.host_id join rouse_data.job_kind k on k.kind = j.kind
	where a.id = the_attempt;
	the_job := described.of_job;
	job := the_job.id;
	attempt := described.number;
	if the_job.state = 'waiting' then
		answer := 'wait';
		"position" := greatest(rouse_data.slot_position(the_job), 1);
		retry_seconds := 5;
		return next; return;
	end if;
	-- A job that is being cancelled is described as ever: the client hears of it at its first report.
	answer := 'run';
	kind := the_job.kind;
	mode := the_job.mode;
	host := described.host_name;
	after := replace(rouse_data.after_job(the_job), 'local', 'reboot');
	report_seconds := greatest(1, least(5, rouse_data.setting_int('attempt_lease_seconds') / 4));
	disk := case when described.takes_disk then the_job.disk end;
	if num_nonnulls(the_job.image_version_id, the_job.image) > 0 then
		select v.image, v.number, v.type, '/fos/image/' || v.id, v.size, v.disk_size
		into image_name, image_version, image_type, image_url, image_size, disk_size
		from rouse.image_versions v where v.id = coalesce(the_job.image_version_id,
			(select c.id from rouse_data.image_version c where c.attempt_id = the_attempt));
	end if;
	if the_job.script is not null then
		script_url := '/fos/script/' || the_job.id;
		script_size := octet_length(the_job.script);
		script_sha256 := encode(sha256(convert_to(the_job.script, 'UTF8')), 'hex');
	elsif the_job.profile is not null then
		profile := the_job.profile;
		select p.kind, rouse_data.file_url(p.kernel), rouse_data.file_url(p.initrd), p.arguments, coalesce(rouse_data.file_url(p.file), p.url)
		into profile_kind, kernel_url, initrd_url, arguments, file_url
		from rouse_data.profile p where p.name = the_job.profile;
	elsif the_job.kind = 'test' then
		test_url := rouse_data.file_url(rouse_data.setting_text('fos_initrd'));
	end if;
	return next;
end
$$;
comment on function rouse_data.describe_attempt is 'What check-in answers about an attempt.';
