-- What clients say in words, what they are given in words, and the next job of a machine that has just ended one.

create function rouse_data.log_max() returns int language sql immutable as 'select 1048576';
comment on function rouse_data.log_max is 'So many bytes of a client''s log are kept.';

create function rouse_daemon.fos_log(fields jsonb, address inet)
returns table (answer text, reason text, message text, "position" int)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	attempt rouse_data.attempt := (rouse_data.lock_attempt(rouse_data.token_hash(fields))).attempt;
	start constant int := rouse_data.field(fields, 'position', '^[0-9]{1,9}$', 'It is how many bytes of the log were sent before.');
	piece constant text := rouse_data.field(fields, 'text', '.', 'It is a piece of the log, at most 4,096 bytes.');
begin
	select * into reason, message from rouse_data.refusal(attempt);
	answer := case when reason is not null then 'refused' when start >= rouse_data.log_max() then 'full' else 'ok' end;
	if answer = 'ok' then
		update rouse_data.attempt a set lease_until = rouse_data.renewed_lease() where a.id = attempt.id;
		-- Said again, it is there already.
		insert into rouse_data.attempt_log (attempt_id, position, text) values (attempt.id, start, left(piece, 4096))
		on conflict do nothing;
		position := start + octet_length(piece);
	end if;
	return next;
end
$$;
comment on function rouse_daemon.fos_log is 'A piece of a client''s log: kept (ok), over the limit (full), or refused.';

create view rouse.attempt_logs with (security_barrier) as
	select a.job_id as job, h.name as host, a.number as attempt, l.changed_at, l.text
	from rouse_data.attempt a
	join rouse_data.job j on j.id = a.job_id join rouse_data.host h on h.id = j.host_id
	join lateral (select max(p.at) as changed_at, string_agg(p.text, '' order by p.position) as text
		from rouse_data.attempt_log p where p.attempt_id = a.id) l on l.text is not null
	where case when (select rouse.my_groups()) is null then true else a.host_id in (select m.id from rouse_data.my_host m) end
	order by a.id desc;
call rouse_data.describe('rouse.attempt_logs', 'What the client system wrote on its screen, and what its programs and scripts said: select text from rouse.attempt_logs where job = 7.', '{
	"job": "the job", "host": "the machine", "attempt": "1 is the job''s first", "changed_at": "when the latest piece came",
	"text": "all of it, at most 1 MiB; kept as long as events are (setting event_days)"}');

create function rouse_data.is_for_client(kind text) returns boolean
language sql immutable as $$ select kind not in ('local', 'install', 'boot') $$;
comment on function rouse_data.is_for_client is 'Whether the client system does jobs of this kind; the others need a boot of their own.';

create function rouse_data.next_ticket(the_host bigint, facts jsonb, ended_job bigint) returns text
language plpgsql as $$
declare
	next_job rouse_data.job;
	the_offer rouse_data.offer;
	who record;
begin
	select j.* into next_job from rouse_data.job j
	where j.host_id = the_host and j.state = 'queued' and j.id <> ended_job and rouse_data.is_for_client(j.kind)
		and coalesce(j.retry_at <= clock_timestamp(), true) and coalesce(j.deadline > now(), true)
	-- Who holds it is claiming it: and nobody waits here, with the lock of the job that ends.
	for update skip locked;
	if next_job.id is null then
		return null;
	end if;
	who := rouse_data.identify(facts);
	if who.conflict is not null and rouse_data.destroys_data(next_job.kind) then
		return null;
	end if;
	the_offer := rouse_data.open_offer(next_job.id, the_host);
	return case when the_offer.id is not null then rouse_data.issue_ticket(the_offer, who) end;
end
$$;
comment on function rouse_data.next_ticket is
	'A ticket for the job that a machine can do now without another boot; null: there is none.';
