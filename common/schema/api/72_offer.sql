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
	return since <= clock_timestamp() - make_interval(mins => rouse_data.setting_int('offer_minutes'))
		or exists (select from rouse_data.event e
			join rouse_data.nic n on n.mac = e.mac join rouse_data.host h on h.name = n.host
			where h.id = the_host and e.stage in ('fw_dhcp', 'tftp_nbp') and e.at > since);
end
$$;
comment on function rouse_data.booted_since is
	'Whether this machine has begun another boot since then: its firmware asked anew, or so long ago that it must have.';

create function rouse_data.open_offer(the_job bigint, the_host bigint) returns bigint
language plpgsql as $$
declare
	latest rouse_data.offer;
	same_boot boolean;
begin
	select o.* into latest from rouse_data.offer o where o.job_id = the_job order by o.id desc limit 1;
	same_boot := latest.claimed_at is null and not rouse_data.booted_since(the_host, latest.opened_at);
	if same_boot then
		update rouse_data.offer o set answers = o.answers + 1 where o.id = latest.id;
		return latest.id;
	end if;
	if (select count(*) from rouse_data.offer o where o.job_id = the_job and o.claimed_at is null)
		>= rouse_data.setting_int('loop_guard_offers') then
		return null;
	end if;
	insert into rouse_data.offer (job_id) values (the_job) returning id into latest.id;
	return latest.id;
end
$$;
comment on function rouse_data.open_offer is
	'The offer that this answer belongs to: that of the same boot, or a new one; null if there were too many.';

create function rouse_data.issue_ticket(the_job bigint, the_offer bigint, facts jsonb) returns text
language plpgsql as $$
declare
	ticket text := replace(gen_random_uuid()::text, '-', '');
begin
	insert into rouse_data.ticket (hash, job_id, offer_id, mac, uuid, expires_at)
	values (sha256(ticket::bytea), the_job, the_offer, rouse_data.booted_mac(facts),
		rouse_data.uuid_of(facts ->> 'uuid'),
		clock_timestamp() + make_interval(mins => rouse_data.setting_int('ticket_minutes')));
	return ticket;
end
$$;
comment on function rouse_data.issue_ticket is 'A new ticket for a job, bound to the MAC and UUID that asked; only its hash is kept.';

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

create function rouse_daemon.offer(facts jsonb, address inet)
returns table (answer text, reason text, host text, job bigint, kind text, ticket text,
	kernel text, initrd text, arguments text, retry_seconds int, profile text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	booted macaddr := rouse_data.booted_mac(facts);
	who record := rouse_data.identify(facts);
	the_job rouse_data.job;
	the_offer bigint;
	once rouse_data.local_boot;
begin
	if who.host_id is null then
		answer := 'none';
		reason := 'the machine is unknown';
		return next; return;
	end if;
	-- A client that fell silent must not keep its machine from the next attempt.
	perform rouse_data.expire_attempt(j.id) from rouse_data.job j
	where j.host_id = who.host_id and j.state in ('waiting', 'running', 'cancelling');
	perform rouse_data.expire_install(who.host_id);
	select j.* into the_job from rouse_data.job j
	where j.host_id = who.host_id and j.state in ('queued', 'waiting', 'running', 'cancelling') for update;
	host := (select h.name from rouse_data.host h where h.id = who.host_id);
	if the_job.state = 'queued' and rouse_data.is_sent_only(the_job) and coalesce(the_job.deadline > now(), true)
		and (who.conflict is null or not rouse_data.destroys_data(the_job.kind)) then
		-- Nobody will check in from there: to be sent is all of this job.
		perform rouse_data.send_once(the_job);
		the_job := null;
	end if;
	job := the_job.id;
	kind := the_job.kind;
	select o.* into answer, reason, retry_seconds from rouse_data.obstacle(the_job, who.conflict) o;
	if the_job.id is null then
		once := rouse_data.serve_once(who.host_id);
		if once.job_id is not null then
			job := once.job_id;
			profile := once.profile;
			answer := case when profile is null then 'local' else 'profile' end;
			reason := case when profile is null then format('job %s said: afterwards to the local disk', job)
				else format('job %s said: to %s, once', job, profile) end;
			return next; return;
		end if;
	end if;
	if answer is null then
		the_offer := rouse_data.open_offer(the_job.id, who.host_id);
		if the_offer is null then
			answer := 'local';
			reason := 'loop_guard';
			update rouse_data.job j set state = 'failed', reason = 'loop_guard',
				text = 'the machine booted with this job offered and never checked in' where j.id = the_job.id;
		end if;
	end if;
	if answer = 'local' then
		perform rouse_data.note_event('script', reason, who.host_id, booted, offer.address, kind,
			case reason when 'loop_guard' then 'too many boots without a check-in' else who.conflict end, facts);
	elsif answer is null then
		answer := 'job';
		reason := 'the host has a live job';
		ticket := rouse_data.issue_ticket(the_job.id, the_offer, facts);
		select k.kernel, k.initrd, k.arguments into kernel, initrd, arguments from rouse_data.kernel_of(the_job) k;
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
