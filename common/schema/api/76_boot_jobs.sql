-- Jobs that need a boot of their own: boot (any profile, once), install (an installer that fetches its answers from
-- menud, and says at its end that it is done), local.

create function rouse_data.is_sent_only(the_job rouse_data.job) returns boolean
language plpgsql stable as $$
begin
	return the_job.kind in ('local', 'boot') or (the_job.kind = 'install'
		and not exists (select from rouse_data.profile p where p.name = the_job.profile and p.answers is not null));
end
$$;
comment on function rouse_data.is_sent_only is
	'Whether a job is done when its machine has been sent: nobody there says that it ended. An installer with answers says so.';

create function rouse_data.send_once(the_job rouse_data.job) returns void
language plpgsql as $$
begin
	if the_job.kind = 'local' then
		perform rouse_data.order_local_boot(the_job);
	elsif not exists (select from rouse_data.profile p where p.name = the_job.profile) then
		update rouse_data.job j set state = 'failed', reason = 'profile_missing', text = the_job.profile where j.id = the_job.id;
		return;
	else
		insert into rouse_data.local_boot (host_id, job_id, valid_until, profile)
		values (the_job.host_id, the_job.id, now() + interval '30 minutes', the_job.profile)
		on conflict on constraint local_boot_pkey do update set job_id = excluded.job_id,
			valid_until = excluded.valid_until, served_at = null, profile = excluded.profile;
	end if;
	update rouse_data.job j set state = 'succeeded' where j.id = the_job.id;
end
$$;
comment on function rouse_data.send_once is 'Ends a job whose machine is sent somewhere, and has it sent.';

create function rouse_data.kernel_of(the_job rouse_data.job, out kernel text, out initrd text, out arguments text)
language plpgsql stable as $$
begin
	if the_job.kind = 'install' then
		select p.kernel, p.initrd, p.arguments into kernel, initrd, arguments
		from rouse_data.profile p where p.name = the_job.profile;
	else
		select max(s.value) filter (where s.name = 'fos_kernel'), max(s.value) filter (where s.name = 'fos_initrd'),
			max(s.value) filter (where s.name = 'fos_arguments') into kernel, initrd, arguments
		from rouse_data.setting s where s.name in ('fos_kernel', 'fos_initrd', 'fos_arguments');
	end if;
end
$$;
comment on function rouse_data.kernel_of is 'What a machine starts for its job: the client system, or an installer.';

create function rouse_data.install_token(ticket text) returns text
language sql immutable as $$ select encode(sha256(convert_to('install ' || ticket, 'UTF8')), 'hex') $$;
comment on function rouse_data.install_token is
	'The token of an installer, which can make none of its own: the same for each fetch with one ticket.';

create function rouse_data.fill_answers(template text, the_job rouse_data.job, mac macaddr, url text, ticket text) returns text
language sql stable as $$
	-- Names come last: what one of them holds is not filled in again.
	select replace(replace(replace(replace(replace(template, '%done%', url || '/answers/' || ticket || '/done'), '%url%', url),
		'%mac%', mac::text), '%uuid%', coalesce(h.uuid::text, '')), '%host%', h.name)
	from rouse_data.host h where h.id = the_job.host_id
$$;
comment on function rouse_data.fill_answers is 'An answer file with what is the machine''s own.';

create function rouse_data.claim_install(ticket rouse_data.ticket, the_job rouse_data.job, hash bytea, address inet) returns text
language plpgsql as $$
declare
	facts constant jsonb := jsonb_strip_nulls(jsonb_build_object('mac0', ticket.mac, 'uuid', ticket.uuid));
	the_attempt rouse_data.attempt;
	why text := (select r.reason from rouse_data.refuse_ticket(ticket, the_job, hash, facts) r);
begin
	if why is null and ticket.attempt_id is null then
		the_attempt.id := rouse_data.claim(ticket, the_job, hash, facts, address);
		-- It tells of nothing until its end.
		update rouse_data.attempt a set step = 'install',
			lease_until = clock_timestamp() + make_interval(mins => rouse_data.setting_int('install_minutes')) where a.id = the_attempt.id;
	elsif why is null then
		the_attempt := (rouse_data.lock_attempt(hash)).attempt;
		why := (select r.reason from rouse_data.refusal(the_attempt) r);
	end if;
	return why;
end
$$;
comment on function rouse_data.claim_install is 'An installer fetches its answers: that claims its job. Why it may not, or null.';

create function rouse_daemon.install_answers(ticket text, url text, address inet) returns table (body text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	the_ticket rouse_data.ticket;
	the_job rouse_data.job;
	why text;
begin
	select j.* into the_job from rouse_data.job j where j.id = (select t.job_id from rouse_data.ticket t
		where t.hash = sha256(convert_to(install_answers.ticket, 'UTF8'))) for update;
	select t.* into the_ticket from rouse_data.ticket t where t.hash = sha256(convert_to(install_answers.ticket, 'UTF8'));
	if coalesce(the_job.kind <> 'install', true) then
		return;
	end if;
	why := rouse_data.claim_install(the_ticket, the_job, sha256(rouse_data.install_token(install_answers.ticket)::bytea), address);
	perform rouse_data.note_event('fos', case when why is null then 'answers' else 'refused' end, the_job.host_id,
		the_ticket.mac, install_answers.address, the_job.profile::text, why);
	if why is null then
		return query select rouse_data.fill_answers(f.text, the_job, the_ticket.mac, install_answers.url, install_answers.ticket)
			from rouse_data.profile p join rouse_data.answer_file f on f.name = p.answers where p.name = the_job.profile;
	end if;
end
$$;
comment on function rouse_daemon.install_answers is
	'The answers for the installer that was started with this ticket; the first fetch claims the job. No row: not allowed.';

create function rouse_daemon.install_done(ticket text, address inet) returns table (body text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(sha256(rouse_data.install_token(ticket)::bytea));
	attempt rouse_data.attempt := found_attempt.attempt;
	job rouse_data.job := found_attempt.job;
begin
	if attempt.id is null or attempt.reason = 'lost_client' then
		return;
	end if;
	if attempt.ended_at is null then
		perform rouse_data.end_attempt(attempt.id, 'succeeded', null, 'the installer says that it is done');
		perform rouse_data.note_event('report', 'succeeded', job.host_id, attempt.mac, install_done.address, job.kind, null);
	end if;
	body := e'ok\n';
	return next;
end
$$;
comment on function rouse_daemon.install_done is 'The installer that was started with this ticket has come to its end. No row: not allowed.';

create function rouse_data.expire_install(the_host bigint) returns boolean
language plpgsql as $$
declare
	lost bigint;
begin
	select a.id into lost from rouse_data.job j join rouse_data.attempt a on a.job_id = j.id and a.ended_at is null
	where j.host_id = the_host and j.kind = 'install' and rouse_data.booted_since(the_host, a.claimed_at);
	if lost is null then
		return false;
	end if;
	perform rouse_data.end_attempt(lost, 'failed', 'lost_client', 'the machine booted anew before its installer said that it was done');
	return true;
end
$$;
comment on function rouse_data.expire_install is 'Ends an installation whose machine is at its boot loader again: nobody else would notice for hours. Says whether.';
