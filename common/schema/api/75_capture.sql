-- Capture, as the client system and menud say it: a staging version for each attempt, its disks and parts, what is stored, and
-- what nobody will publish any more. And the manifest, by which a client deploys.

create function rouse_data.begin_capture(new_attempt bigint, the_job rouse_data.job) returns void
language plpgsql as $$
declare
	number int := rouse_data.next_version(the_job.image, null);
begin
	insert into rouse_data.image_version (image, number, type, state, path, attempt_id, created_by)
	-- A folder of its own: rouse-db image add makes one by the number, and may be adding that very version.
	values (the_job.image, number, the_job.mode, 'staging', format('images/%s/captured-%s', the_job.image, number), new_attempt, the_job.created_by);
end
$$;
comment on function rouse_data.begin_capture is 'A staging version for an attempt to capture.';

create function rouse_data.captured_version(attempt rouse_data.attempt, out version rouse_data.image_version, out reason text, out message text)
language plpgsql stable as $$
begin
	select r.reason, r.message into reason, message from rouse_data.refusal(attempt) r;
	if reason is not null then
		return;
	end if;
	select v.* into version from rouse_data.image_version v where v.attempt_id = attempt.id and v.state = 'staging';
	if version.id is null then
		reason := 'identity_conflict';
		message := 'This machine''s job captures nothing.';
	end if;
end
$$;
comment on function rouse_data.captured_version is 'The staging version of an attempt, or why it may not add to one.';

create function rouse_data.number_field(fields jsonb, name text, pattern text, needed boolean default true) returns bigint
language sql immutable as $$
	select rouse_data.field(fields, name, pattern, 'It is a number: see docs/reference/fos-protocol.md.', needed)::bigint
$$;
comment on function rouse_data.number_field is 'A field of a call that is a number, or an error that names it.';

create function rouse_daemon.fos_disk(fields jsonb, address inet)
returns table (answer text, reason text, message text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
	captured record := rouse_data.captured_version(found_attempt.attempt);
begin
	reason := captured.reason;
	message := captured.message;
	answer := case when reason is null then 'ok' else 'refused' end;
	if reason is null then
		begin
			insert into rouse_data.image_disk (version_id, number, size, floor, sector_size, label)
			values ((captured.version).id, rouse_data.number_field(fields, 'number', '^[0-9]{1,2}$'),
				rouse_data.number_field(fields, 'size', '^[0-9]{1,18}$'), rouse_data.number_field(fields, 'floor', '^[0-9]{1,18}$'),
				rouse_data.number_field(fields, 'sector_size', '^(512|4096)$'),
				rouse_data.field(fields, 'label', '^(gpt|dos|none)$', 'It is gpt, dos or none.'))
			on conflict on constraint image_disk_pkey do update set size = excluded.size, floor = excluded.floor,
				sector_size = excluded.sector_size, label = excluded.label;
		exception when check_violation then
			perform rouse_data.field_error('floor', 'is not between 1 and size, or number not 1 to 64', 'It is what is used of the disk, in bytes.');
		end;
	end if;
	return next;
end
$$;
comment on function rouse_daemon.fos_disk is 'A client that captures describes a disk; said again, it counts anew.';

create function rouse_data.keep_part(version rouse_data.image_version, fields jsonb) returns int
language plpgsql as $$
declare
	part int := rouse_data.number_field(fields, 'number', '^[0-9]{1,4}$');
begin
	if part > 1 + coalesce((select max(p.number) from rouse_data.image_part p where p.version_id = version.id), 0) then
		perform rouse_data.field_error('number', 'leaves one out', 'Parts are numbered from 1, in the order in which they are written.');
	end if;
	insert into rouse_data.image_part as p (version_id, number, disk, partition, kind, filesystem, place, grow, path, content_size, content_sha256)
	values (version.id, part, rouse_data.number_field(fields, 'disk', '^[0-9]{1,2}$'),
		coalesce(rouse_data.number_field(fields, 'partition', '^[0-9]{1,3}$', false), 0),
		rouse_data.field(fields, 'kind', '^(table|boot|filesystem|raw)$', 'It is table, boot, filesystem or raw.'),
		rouse_data.field(fields, 'filesystem', '^[a-z0-9_]{1,32}$', 'It is a lower-case word.', false),
		rouse_data.number_field(fields, 'place', '^[0-9]{1,18}$'),
		version.type = 'resizable' and coalesce(fields ->> 'grow' = '1', false), format('%s/%s.zst', version.path, part),
		rouse_data.number_field(fields, 'content_size', '^[0-9]{1,18}$', false),
		rouse_data.field(fields, 'content_sha256', '^[0-9a-f]{64}$', 'It is 64 lower-case hex digits.', false))
	on conflict on constraint image_part_pkey do update set
		content_size = coalesce(excluded.content_size, p.content_size), content_sha256 = coalesce(excluded.content_sha256, p.content_sha256)
	where (p.disk, p.partition, p.kind, p.filesystem, p.place, p.grow)
		is not distinct from (excluded.disk, excluded.partition, excluded.kind, excluded.filesystem, excluded.place, excluded.grow);
	if not found then
		perform rouse_data.field_error('number', 'is that of another part', 'Where a part belongs is said once; say the same again.');
	end if;
	return part;
exception
	when check_violation then
		perform rouse_data.field_error('number', 'or another number is out of its range', 'See table rouse_data.image_part.');
	when foreign_key_violation then
		perform rouse_data.field_error('disk', 'is none that was described', 'Say /fos/disk first.');
end
$$;
comment on function rouse_data.keep_part is 'Keeps what a client says of a part: first where it belongs, and at its end what it holds.';

create function rouse_daemon.fos_part(fields jsonb, address inet)
returns table (answer text, reason text, message text, part_url text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
	captured record := rouse_data.captured_version(found_attempt.attempt);
begin
	reason := captured.reason;
	message := captured.message;
	answer := case when reason is null then 'ok' else 'refused' end;
	if reason is null then
		part_url := format('/fos/image/%s/%s', (captured.version).id, rouse_data.keep_part(captured.version, fields));
	end if;
	return next;
end
$$;
comment on function rouse_daemon.fos_part is 'A client that captures describes a part, and is told where its stream goes.';

create function rouse_daemon.fos_manifest(fields jsonb, address inet)
returns table (answer text, reason text, message text, disk text, part text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	found_attempt record := rouse_data.lock_attempt(rouse_data.token_hash(fields));
begin
	select r.reason, r.message into reason, message from rouse_data.refusal(found_attempt.attempt) r;
	if reason is null and (found_attempt.job).image_version_id is null then
		reason := 'identity_conflict';
		message := 'This machine''s job writes no image.';
	end if;
	answer := case when reason is null then 'ok' else 'refused' end;
	return next;
	if reason is null then
		return query select null, null, null, case l.section when 1 then substr(l.line, 6) end,
			case l.section when 2 then substr(l.line, 6) end
		from rouse_data.image_line l where l.version_id = (found_attempt.job).image_version_id order by l.section, l.number;
	end if;
end
$$;
comment on function rouse_daemon.fos_manifest is 'What a client that deploys has to write: a row for each disk and each part.';

create function rouse_daemon.fos_image(version bigint, part bigint, token text, address inet)
returns table (path text, size bigint, etag text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select p.path::text, p.size, p.sha256
	from rouse_data.attempt a
	join rouse_data.job j on j.id = a.job_id
	join rouse_data.image_version v on v.id = j.image_version_id
	join rouse_data.image_part p on p.version_id = v.id
	where a.token_hash = sha256(convert_to(fos_image.token, 'UTF8')) and a.ended_at is null
		and j.state = 'running' and v.id = fos_image.version and p.number = fos_image.part
$$;
comment on function rouse_daemon.fos_image is
	'The file of a part of an image version, for a token whose running job writes it; no row: not allowed.';

create function rouse_daemon.fos_upload(version bigint, part int, token text, address inet)
returns table (path text, stored_size bigint, room bigint)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select p.path::text, p.size, rouse_data.setting_int('image_gib_max')::bigint * 1073741824
		- (select coalesce(sum(o.size), 0)::bigint from rouse_data.image_part o where o.version_id = v.id and o.number <> p.number)
	from rouse_data.attempt a
	join rouse_data.job j on j.id = a.job_id
	join rouse_data.image_version v on v.attempt_id = a.id
	join rouse_data.image_part p on p.version_id = v.id
	where a.token_hash = sha256(convert_to(fos_upload.token, 'UTF8')) and a.ended_at is null
		and j.state = 'running' and v.id = fos_upload.version and v.state = 'staging' and p.number = fos_upload.part
		-- One at a time: of a part that is on its way nobody knows here how large it has become.
		and not exists (select from rouse_data.image_part o where o.version_id = v.id and o.number < p.number and o.size is null)
$$;
comment on function rouse_daemon.fos_upload is
	'Where the stream of a part is to be stored, and how large it may become, for a token whose running job captures it; no row: not allowed.';

create function rouse_daemon.fos_stored(version bigint, part int, token text, size bigint, sha256 text) returns boolean
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	update rouse_data.image_part p set size = fos_stored.size, sha256 = fos_stored.sha256
	from rouse_data.image_version v join rouse_data.attempt a on a.id = v.attempt_id
	where a.token_hash = pg_catalog.sha256(convert_to(fos_stored.token, 'UTF8')) and a.ended_at is null and v.id = fos_stored.version
		and v.state = 'staging' and p.version_id = v.id and p.number = fos_stored.part and fos_stored.size > 0
		and (p.size is null or (p.size, p.sha256) = (fos_stored.size, fos_stored.sha256));
	return found;
end
$$;
comment on function rouse_daemon.fos_stored is 'The stream of a part lies whole and synchronised in the store; false: its attempt is over.';

create function rouse_data.finish_capture(attempt bigint) returns boolean
language sql as $$
	select coalesce((select rouse_data.publish_version(v.id) from rouse_data.image_version v where v.attempt_id = attempt and v.state = 'staging'), false)
$$;
comment on function rouse_data.finish_capture is 'Publishes what an attempt captured, if all of it is stored; says whether.';

create function rouse_daemon.image_garbage() returns table (version bigint, path text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select v.id, v.path::text from rouse_data.image_version v
	left join rouse_data.attempt a on a.id = v.attempt_id
	where v.collected_at is null and (v.state = 'retired' or (v.state = 'staging' and a.ended_at is not null))
	order by v.id
$$;
comment on function rouse_daemon.image_garbage is
	'Versions whose files nobody needs: retired ones, and captures whose attempt has ended without publishing them.';

create function rouse_daemon.image_collected(version bigint) returns void
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	update rouse_data.image_version v set state = 'retired', collected_at = clock_timestamp()
	where v.id = image_collected.version and v.collected_at is null and v.state <> 'published'
$$;
comment on function rouse_daemon.image_collected is 'The files of such a version are removed.';
