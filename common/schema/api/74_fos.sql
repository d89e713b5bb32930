-- What the client system says. Each function answers one row, whose non-null columns menud prints
-- as key=value lines in their order. The same words give the same answer, any number of times.

create function rouse_data.field(fields jsonb, name text, pattern text, remedy text, needed boolean default true)
returns text
language plpgsql immutable as $$
declare
	value text := fields ->> name;
begin
	if value is null or value = '' then
		if needed then
			perform rouse_data.field_error(name, 'is missing', remedy);
		end if;
		return null;
	end if;
	if value !~ pattern then
		perform rouse_data.field_error(name, 'is malformed', remedy);
	end if;
	return value;
end
$$;
comment on function rouse_data.field is 'A field of a call, or an error that names it.';

create function rouse_data.token_hash(fields jsonb) returns bytea
language sql immutable as $$
	select sha256(rouse_data.field(fields, 'token', '^[0-9a-f]{64}$', 'It is 64 lower-case hex digits.')::bytea)
$$;
comment on function rouse_data.token_hash is 'The hash of the client''s token.';

create function rouse_data.lock_attempt(hash bytea, out attempt rouse_data.attempt, out job rouse_data.job)
language plpgsql as $$
declare
	locked record;
begin
	-- The job first, then its attempt: the order that everybody keeps.
	select j as the_job, a as the_attempt into locked from rouse_data.job j join rouse_data.attempt a on a.job_id = j.id
	where a.token_hash = hash for update;
	job := locked.the_job;
	attempt := locked.the_attempt;
	if attempt.ended_at is null and attempt.lease_until < clock_timestamp() then
		perform rouse_data.end_attempt(attempt.id, 'failed', 'lost_client',
			'the client was silent for longer than its lease');
		select j.* into job from rouse_data.job j where j.id = job.id;
		select a.* into attempt from rouse_data.attempt a where a.id = attempt.id;
	end if;
end
$$;
comment on function rouse_data.lock_attempt is 'The attempt of a token and its job, both locked, judged by the clock first.';

create function rouse_data.refusal(attempt rouse_data.attempt, out reason text, out message text)
language plpgsql immutable as $$
begin
	if attempt.id is null then
		reason := 'token_unknown';
		message := 'No attempt has this token. Boot again.';
	elsif attempt.reason = 'lost_client' then
		reason := 'lost_client';
		message := 'This machine was silent for too long and has lost its job. Boot again.';
	elsif attempt.ended_at is not null then
		reason := 'attempt_ended';
		message := 'This attempt has ended. Boot again.';
	end if;
end
$$;
comment on function rouse_data.refusal is 'Why an attempt may not go on; null if it may.';

create function rouse_data.renewed_lease() returns timestamptz
language sql volatile as $$
	select clock_timestamp() + make_interval(secs => rouse_data.setting_int('attempt_lease_seconds'))
$$;
comment on function rouse_data.renewed_lease is 'Until when an attempt lives whose client has just spoken.';

create function rouse_data.hear_clients_out() returns void
language sql as $$
	update rouse_data.attempt a set lease_until = greatest(a.lease_until, rouse_data.renewed_lease()) where a.ended_at is null
$$;
comment on function rouse_data.hear_clients_out is
	'Gives every client a whole lease to speak in, since until now no menud could hear it.';

create function rouse_daemon.fos_progress(fields jsonb, address inet)
returns table (answer text, reason text, message text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
	attempt rouse_data.attempt := found_attempt.attempt;
	new_step text := rouse_data.field(fields, 'step', '^[a-z_]{1,32}$', 'It is a lower-case word.', false);
	new_percent int := rouse_data.field(fields, 'percent', '^([0-9]{1,2}|100)$', 'It is 0 to 100.', false);
	new_bytes bigint := rouse_data.field(fields, 'bytes', '^[0-9]{1,18}$', 'It is a number of bytes.', false);
	new_total bigint := rouse_data.field(fields, 'total', '^[0-9]{1,18}$', 'It is a number of bytes.', false);
begin
	select * into reason, message from rouse_data.refusal(attempt);
	if reason is not null then
		answer := 'refused';
		return next; return;
	end if;
	update rouse_data.attempt a set lease_until = rouse_data.renewed_lease(), step = coalesce(new_step, a.step),
		percent = coalesce(new_percent, a.percent), bytes = coalesce(new_bytes, a.bytes),
		total = coalesce(new_total, a.total), text = left(coalesce(fields ->> 'text', a.text), 1000)
	where a.id = attempt.id;
	if new_step is distinct from attempt.step and new_step is not null then
		perform rouse_data.note_event('work', 'step', (found_attempt.job).host_id, attempt.mac,
			fos_progress.address, new_step, null);
	end if;
	answer := case (found_attempt.job).state when 'cancelling' then 'cancel' else 'continue' end;
	return next;
end
$$;
comment on function rouse_daemon.fos_progress is 'A client is alive: extends its lease and says whether to go on.';

create function rouse_daemon.fos_inventory(fields jsonb, address inet)
returns table (answer text, reason text, message text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
	attempt rouse_data.attempt := found_attempt.attempt;
	inventory jsonb;
begin
	begin
		inventory := rouse_data.field(fields, 'json', '.', 'It is one JSON object.')::jsonb;
	exception when invalid_text_representation or untranslatable_character then
		perform rouse_data.field_error('json', 'is malformed', 'It is one JSON object.');
	end;
	if jsonb_typeof(inventory) <> 'object' then
		perform rouse_data.field_error('json', 'is no object', 'It is one JSON object.');
	end if;
	select * into reason, message from rouse_data.refusal(attempt);
	answer := case when reason is null then 'ok' else 'refused' end;
	if reason is null then
		update rouse_data.attempt a set lease_until = rouse_data.renewed_lease() where a.id = attempt.id;
		perform rouse_data.keep_inventory((found_attempt.job).host_id, attempt.id, inventory);
		perform rouse_data.note_event('work', 'inventory', (found_attempt.job).host_id, attempt.mac,
			fos_inventory.address, inventory ->> 'product', null);
	end if;
	return next;
end
$$;
comment on function rouse_daemon.fos_inventory is 'What a client found out about its machine.';

create function rouse_data.keep_inventory(the_host bigint, attempt_id bigint, inventory jsonb) returns void
language plpgsql as $$
declare
	host_name text;
	latest rouse_data.host_inventory;
begin
	select i.* into latest from rouse_data.host_inventory i where i.host_id = the_host order by i.number desc limit 1;
	-- What changes by itself (hours, temperatures) makes no new version: the latest one is brought up to date.
	if latest.data - 'health' is distinct from inventory - 'health' then
		insert into rouse_data.host_inventory (host_id, number, attempt_id, data)
		values (the_host, coalesce(latest.number, 0) + 1, attempt_id, inventory);
	else
		update rouse_data.host_inventory i set seen_at = now(), data = inventory
		where i.host_id = the_host and i.number = latest.number;
	end if;
	update rouse_data.host h set
		uuid = coalesce(rouse_data.uuid_of(inventory ->> 'uuid'), h.uuid),
		serial = coalesce(rouse_data.serial_of(inventory ->> 'serial'), h.serial),
		manufacturer = coalesce(nullif(inventory ->> 'manufacturer', ''), h.manufacturer),
		product = coalesce(nullif(inventory ->> 'product', ''), h.product)
	where h.id = the_host returning h.name into host_name;
	-- A card that is somebody else's already stays there: duplicates are seen, never merged silently.
	-- Cards beyond those that can name a host are in the inventory only.
	insert into rouse_data.nic (mac, host, kind)
	select distinct m.mac, host_name, 'extra' from (
		select rouse_data.mac_of(n ->> 'mac') as mac from jsonb_array_elements(
			case jsonb_typeof(inventory -> 'nics') when 'array' then inventory -> 'nics' else '[]' end) n) m
	where (m.mac & '01:00:00:00:00:00') = '00:00:00:00:00:00' and m.mac <> '00:00:00:00:00:00'
		and not exists (select from rouse_data.nic known where known.mac = m.mac)
	order by m.mac
	limit greatest(0, rouse_data.cards_max() - (select count(*) from rouse_data.nic n where n.host = host_name))
	on conflict (mac) do nothing;
end
$$;
comment on function rouse_data.keep_inventory is 'Keeps an inventory if it differs from the latest, and what it says about the host.';

create function rouse_daemon.fos_register(fields jsonb, address inet)
returns table (answer text, reason text, message text, host text, state text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
	attempt rouse_data.attempt := found_attempt.attempt;
	job rouse_data.job := found_attempt.job;
	name text := lower(nullif(fields ->> 'name', ''));
begin
	select * into reason, message from rouse_data.refusal(attempt);
	if reason is null and job.kind <> 'register' then
		reason := 'identity_conflict';
		message := format('This machine''s job is %s, not register.', job.kind);
	end if;
	if reason is not null then
		answer := 'refused';
		return next; return;
	end if;
	update rouse_data.attempt a set lease_until = rouse_data.renewed_lease() where a.id = attempt.id;
	if name is not null then
		begin
			update rouse_data.host h set name = fos_register_name.word
			from (select name as word) fos_register_name
			where h.id = job.host_id and h.name <> fos_register_name.word;
		exception
			when unique_violation then
				message := format('The name %s is taken. Choose another.', name);
			when check_violation then
				message := 'A name has the letters a-z, digits and inner hyphens, at most 63 of them.';
		end;
	end if;
	if message is not null then
		answer := 'retry';
		return next; return;
	end if;
	perform rouse_data.settle_host(job.host_id);
	answer := 'ok';
	select h.name, h.state into host, state from rouse_data.host h where h.id = job.host_id;
	perform rouse_data.note_event('work', 'register', job.host_id, attempt.mac, fos_register.address, host, null);
	return next;
end
$$;
comment on function rouse_daemon.fos_register is 'A machine registers, with a name of its own or that of the template.';

create function rouse_data.settle_host(the_host bigint) returns void
language sql as $$
	update rouse_data.host h set state = rouse_data.setting_text('registered_hosts_become')
	where h.id = the_host and h.state = 'pending' and h.state <> rouse_data.setting_text('registered_hosts_become')
$$;
comment on function rouse_data.settle_host is 'Gives a host that has registered the state that the settings say.';

create function rouse_daemon.fos_finish(fields jsonb, address inet)
returns table (answer text, reason text, message text, state text, after text, ticket text, hint text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
	attempt rouse_data.attempt := found_attempt.attempt;
	job rouse_data.job := found_attempt.job;
	outcome text := rouse_data.field(fields, 'outcome', '^(succeeded|failed|cancelled)$',
		'It is succeeded, failed or cancelled.');
	why text := rouse_data.field(fields, 'reason', '^[a-z][a-z0-9_]{0,31}$', 'It is a reason code.', outcome = 'failed');
	new_bytes bigint := rouse_data.field(fields, 'bytes', '^[0-9]{1,18}$', 'It is a number of bytes.', false);
	new_seconds int := rouse_data.field(fields, 'seconds', '^[0-9]{1,9}$', 'It is a number of seconds.', false);
begin
	if attempt.id is null or attempt.reason = 'lost_client' then
		select 'refused', r.reason, r.message into answer, reason, message from rouse_data.refusal(attempt) r;
		return next; return;
	end if;
	if attempt.ended_at is null then
		update rouse_data.attempt a set bytes = coalesce(new_bytes, a.bytes), seconds = new_seconds
		where a.id = attempt.id;
		-- A client that stops of its own accord, unasked, has failed.
		if outcome = 'cancelled' and job.state <> 'cancelling' then
			outcome := 'failed';
			why := coalesce(why, 'client_stopped');
		elsif outcome = 'succeeded' and job.kind = 'capture' and not rouse_data.finish_capture(attempt.id) then
			outcome := 'failed';
			why := 'image_incomplete';
		end if;
		perform rouse_data.end_attempt(attempt.id, outcome, case outcome when 'failed' then why end,
			left(fields ->> 'text', 1000));
		if outcome = 'succeeded' and job.kind = 'register' then
			perform rouse_data.settle_host(job.host_id);
		end if;
		perform rouse_data.note_event('report', outcome, job.host_id, attempt.mac, fos_finish.address,
			job.kind, why, jsonb_strip_nulls(jsonb_build_object('bytes', new_bytes, 'seconds', new_seconds)));
	end if;
	answer := 'ok';
	select j.state, r.hint into state, hint
	from rouse_data.job j left join rouse_data.reason r on r.code = j.reason where j.id = job.id;
	-- To the client local is a reboot; the machine's next boot is answered accordingly.
	after := replace(rouse_data.after_job(job), 'local', 'reboot');
	if rouse_data.after_job(job) = 'reboot' then
		ticket := rouse_data.next_ticket(job.host_id, attempt.facts, job.id);
		after := case when ticket is null then after else 'next' end;
	end if;
	return next;
end
$$;
comment on function rouse_daemon.fos_finish is 'The end of an attempt; said again, it gets the same answer.';

create function rouse_daemon.fos_script(job bigint, token text, address inet)
returns table (script text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select j.script
	from rouse_data.attempt a join rouse_data.job j on j.id = a.job_id
	where a.token_hash = sha256(convert_to(fos_script.token, 'UTF8')) and a.ended_at is null
		and j.state = 'running' and j.id = fos_script.job and j.script <> ''
$$;
comment on function rouse_daemon.fos_script is
	'The script of a job, for the token that runs it; no row: not allowed.';
