-- Offering a job to a machine that boots. Serving a script is not progress: an offer only counts
-- boots, so that a machine that never checks in is not sent into the same job for ever.

create function rouse_data.booted_mac(facts jsonb) returns macaddr
language plpgsql immutable as $$
declare
	booted macaddr := rouse_data.mac_of(facts ->> 'mac0');
begin
	if booted is null then
		perform rouse_data.field_error('mac0', 'is missing or no MAC', 'Send it as 52:54:00:00:00:01.');
	end if;
	return booted;
end
$$;
comment on function rouse_data.booted_mac is 'The card that booted, or an error.';

create function rouse_data.booted_since(the_host bigint, since timestamptz) returns boolean
language plpgsql stable as $$
begin
	return since <= clock_timestamp() - (select make_interval(mins => s.value::int) from rouse_data.setting s where s.name = 'offer_minutes')
		or exists (select from rouse_data.event e
			join rouse_data.nic n on n.mac = e.mac join rouse_data.host h on h.name = n.host
			where h.id = the_host and e.stage in ('fw_dhcp', 'tftp_nbp') and e.at > since);
end
$$;
comment on function rouse_data.booted_since is
	'Whether this machine has begun another boot since then: its firmware asked anew, or so long ago that it must have.';

create function rouse_data.open_offer(the_job bigint, the_host bigint) returns rouse_data.offer
language plpgsql as $$
declare
	latest record;
	new_offer rouse_data.offer;
begin
	select o, count(*) filter (where o.claimed_at is null) over () as unclaimed into latest
	from rouse_data.offer o where o.job_id = the_job order by o.id desc limit 1;
	if (latest.o).seed is not null and (latest.o).claimed_at is null
		and not rouse_data.booted_since(the_host, (latest.o).opened_at) then
		return latest.o;
	elsif latest.unclaimed > 0 and latest.unclaimed >= rouse_data.setting_int('loop_guard_offers') then
		return null;
	end if;
	insert into rouse_data.offer (job_id) values (the_job) returning * into new_offer;
	return new_offer;
end
$$;
comment on function rouse_data.open_offer is
	'The offer that this answer belongs to: that of the same boot, or a new one; null if there were too many.';

create function rouse_data.ticket_word(seed uuid, mac macaddr, uuid uuid) returns text
language sql stable as $$
	select left(encode(sha256(concat_ws(' ', seed, mac, uuid)::bytea), 'hex'), 32)
$$;
comment on function rouse_data.ticket_word is
	'The ticket of an offer for the MAC and UUID that ask: the same whenever this boot asks, and not to be guessed.';

create function rouse_data.issue_ticket(the_offer rouse_data.offer, who record) returns text
language plpgsql as $$
declare
	ticket text := rouse_data.ticket_word(the_offer.seed, who.mac, who.uuid);
begin
	insert into rouse_data.ticket (hash, job_id, offer_id, mac, uuid, expires_at)
	values (sha256(ticket::bytea), the_offer.job_id, the_offer.id, who.mac, who.uuid,
		clock_timestamp() + (select make_interval(mins => s.value::int) from rouse_data.setting s where s.name = 'ticket_minutes'))
	on conflict on constraint ticket_pkey do update set expires_at = excluded.expires_at;
	return ticket;
end
$$;
comment on function rouse_data.issue_ticket is
	'A ticket for an offer''s job, bound to the MAC and UUID that ask; only its hash is kept. That of the same boot gets new time.';

create function rouse_data.ticket_again(who record, out answer text, out reason text, out retry_seconds int,
	out the_job rouse_data.job, out ticket text, out once rouse_data.local_boot)
language plpgsql stable as $$
declare
	given record;
begin
	select j as of_job, o.opened_at, w.word into given from rouse_data.job j
	cross join lateral (select l.* from rouse_data.offer l where l.job_id = j.id order by l.id desc limit 1) o
	cross join lateral (select rouse_data.ticket_word(o.seed, who.mac, who.uuid) as word offset 0) w
	join rouse_data.ticket t on t.hash = sha256(w.word::bytea)
	where j.host_id = who.host_id and j.state = 'queued' and coalesce(j.deadline > now(), true)
		-- A ticket whose life is half over is worth new time.
		and o.seed is not null and o.claimed_at is null and t.expires_at - clock_timestamp() > clock_timestamp() - o.opened_at;
	if given.word is not null and who.conflict is null and not rouse_data.booted_since(who.host_id, given.opened_at) then
		answer := 'job';
		reason := 'the host has a live job';
		the_job := given.of_job;
		ticket := given.word;
	end if;
end
$$;
comment on function rouse_data.ticket_again is
	'The decision of decide_offer() for a boot that has its ticket and shall have it again; no ticket: anything else.';

create function rouse_data.obstacle(the_job rouse_data.job, conflict text,
	out answer text, out reason text, out retry_seconds int)
language plpgsql stable as $$
declare
	free_at timestamptz;
begin
	if the_job.id is null then
		answer := 'none';
		reason := 'the host has no live job';
	elsif the_job.state = 'cancelling' then
		answer := 'none';
		reason := 'the job is being cancelled';
	elsif the_job.state = 'queued' and the_job.deadline <= now() then
		answer := 'none';
		reason := 'the job''s deadline has passed';
	elsif conflict is not null and rouse_data.destroys_data(the_job.kind) then
		answer := 'local';
		reason := 'identity_conflict';
	elsif the_job.state in ('waiting', 'running') then
		answer := 'busy';
		reason := 'another client is doing this job';
		free_at := (select a.lease_until from rouse_data.attempt a
			where a.job_id = the_job.id and a.ended_at is null);
	elsif the_job.retry_at > clock_timestamp() then
		answer := 'busy';
		reason := 'the job rests after a failed attempt';
		free_at := the_job.retry_at;
	end if;
	if answer = 'busy' then
		retry_seconds := least(greatest(ceil(extract(epoch from free_at - clock_timestamp()))::int, 1), 30);
	end if;
end
$$;
comment on function rouse_data.obstacle is 'Why a host''s live job cannot be offered now; all null if it can.';

create function rouse_data.serve_once(the_host bigint) returns rouse_data.local_boot
language plpgsql as $$
declare
	ordered rouse_data.local_boot;
begin
	select b.* into ordered from rouse_data.local_boot b where b.host_id = the_host for update;
	if ordered.valid_until > now() and (ordered.served_at is null
		or not rouse_data.booted_since(the_host, ordered.served_at)) then
		update rouse_data.local_boot b set served_at = coalesce(b.served_at, clock_timestamp()) where b.host_id = the_host;
		return ordered;
	end if;
	perform rouse_data.end_local_boots(the_host);
	return null;
end
$$;
comment on function rouse_data.serve_once is
	'Where this machine goes now, once, because a job said so: a profile, or its own disk; null: it has been there, or no job said so.';

create function rouse_data.lock_live_job(the_host bigint) returns rouse_data.job
language plpgsql as $$
declare
	the_job rouse_data.job;
begin
	-- Once more, if its client was silent for too long: that must not keep the machine from the next attempt.
	for try in 1 .. 2 loop
		select j.* into the_job from rouse_data.job j
		where j.host_id = the_host and j.state in ('queued', 'waiting', 'running', 'cancelling') for update;
		exit when the_job.id is null or the_job.state = 'queued'
			or not (rouse_data.expire_attempt(the_job.id) or rouse_data.expire_install(the_host));
	end loop;
	return the_job;
end
$$;
comment on function rouse_data.lock_live_job is 'The live job of a host, locked, judged by the clock first; null: it has none.';

create function rouse_data.decide_offer(who record, address inet, facts jsonb, out answer text, out reason text, out retry_seconds int,
	out the_job rouse_data.job, out ticket text, out once rouse_data.local_boot)
language plpgsql as $$
declare
	obstacle record;
	the_offer rouse_data.offer;
begin
	the_job := rouse_data.lock_live_job(who.host_id);
	if the_job.state = 'queued' and rouse_data.is_sent_only(the_job) and coalesce(the_job.deadline > now(), true)
		and (who.conflict is null or not rouse_data.destroys_data(the_job.kind)) then
		-- Nobody will check in from there: to be sent is all of this job.
		perform rouse_data.send_once(the_job);
		the_job := null;
	end if;
	obstacle := rouse_data.obstacle(the_job, who.conflict);
	answer := coalesce(obstacle.answer, 'job');
	reason := coalesce(obstacle.reason, 'the host has a live job');
	retry_seconds := obstacle.retry_seconds;
	if the_job.id is null then
		once := rouse_data.serve_once(who.host_id);
	elsif answer = 'job' then
		the_offer := rouse_data.open_offer(the_job.id, who.host_id);
		if the_offer.id is not null then
			ticket := rouse_data.issue_ticket(the_offer, who);
		else
			answer := 'local';
			reason := 'loop_guard';
			update rouse_data.job j set state = 'failed', reason = 'loop_guard',
				text = 'the machine booted with this job offered and never checked in' where j.id = the_job.id;
		end if;
	end if;
	if answer = 'local' then
		perform rouse_data.note_event('script', reason, who.host_id, who.mac, address, the_job.kind,
			case reason when 'loop_guard' then 'too many boots without a check-in' else who.conflict end, facts);
	end if;
end
$$;
comment on function rouse_data.decide_offer is
	'What a known machine shall do about its job, which is locked and may get an offer or end by this; or where it is sent once.';

create function rouse_daemon.offer(facts jsonb, address inet)
returns table (answer text, reason text, host text, job bigint, kind text, ticket text,
	kernel text, initrd text, arguments text, retry_seconds int, profile text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	who record := rouse_data.identify(facts);
	decision record;
	starts record;
begin
	if who.mac is null then
		perform rouse_data.booted_mac(facts); -- It says what is wrong.
	elsif who.host_id is null then
		answer := 'none';
		reason := 'the machine is unknown';
		return next; return;
	end if;
	-- Who asks twice in one boot is answered without writing anything.
	decision := rouse_data.ticket_again(who);
	if decision.ticket is null then
		decision := rouse_data.decide_offer(who, offer.address, facts);
	end if;
	answer := decision.answer;
	reason := decision.reason;
	host := who.host_name;
	job := (decision.the_job).id;
	kind := (decision.the_job).kind;
	ticket := decision.ticket;
	retry_seconds := decision.retry_seconds;
	if ticket is not null then
		starts := rouse_data.kernel_of(decision.the_job);
		kernel := starts.kernel;
		initrd := starts.initrd;
		arguments := starts.arguments;
	elsif (decision.once).job_id is not null then
		job := (decision.once).job_id;
		profile := (decision.once).profile;
		answer := case when profile is null then 'local' else 'profile' end;
		reason := case when profile is null then format('job %s said: afterwards to the local disk', job)
			else format('job %s said: to %s, once', job, profile) end;
	end if;
	return next;
end
$$;
comment on function rouse_daemon.offer is
	'What the machine with these facts shall do about its job: job (with a ticket), busy, none, local, or profile (once).';

create function rouse_data.new_host(facts jsonb) returns bigint
language plpgsql as $$
declare
	macs macaddr[] := rouse_data.macs_of(facts);
	wanted text := replace(rouse_data.setting_text('host_name_template'), '%mac%', replace(macs[1]::text, ':', ''));
	host_name text := wanted;
	new_id bigint;
begin
	while exists (select from rouse_data.host h where h.name = host_name) loop
		host_name := wanted || '-' || substr(md5(random()::text), 1, 4);
	end loop;
	insert into rouse_data.host (name, state, uuid, serial, manufacturer, product)
	values (host_name, 'pending', rouse_data.uuid_of(facts ->> 'uuid'), rouse_data.serial_of(facts ->> 'serial'),
		facts ->> 'manufacturer', facts ->> 'product')
	returning id into new_id;
	insert into rouse_data.nic (mac, host, kind)
	select m.mac, host_name, case m.rank when 1 then 'primary' else 'extra' end
	from unnest(macs) with ordinality as m (mac, rank)
	where (m.mac & '01:00:00:00:00:00') = '00:00:00:00:00:00' and m.mac <> '00:00:00:00:00:00'
	order by m.mac
	on conflict (mac) do nothing;
	return new_id;
end
$$;
comment on function rouse_data.new_host is 'Makes a pending host of a machine that registers itself.';
