-- Images and their versions: what can be deployed, what it is made of, which version a name means.

create view rouse_data.image_line as
	select d.version_id, 1 as section, d.number, concat_ws(' ', 'disk', d.number, d.size, coalesce(d.sector_size::text, '-'), d.floor,
		coalesce(d.label, '-')) as line
	from rouse_data.image_disk d
	union all
	select p.version_id, 2, p.number, concat_ws(' ', 'part', p.number, p.disk, p.partition, p.kind, coalesce(p.filesystem, '-'), p.place,
		coalesce(p.size::text, '-'), coalesce(p.sha256, '-'), coalesce(p.content_size::text, '-'), coalesce(p.content_sha256, '-'),
		case when p.grow then 'grow' else '-' end)
	from rouse_data.image_part p;
comment on view rouse_data.image_line is
	'The manifest of each version, line by line: what the client system reads. The SHA-256 of all its lines stands for everything in it.';

create view rouse.image_versions as
	select v.id, v.image, v.number, v.state, v.type, i.current_version is not distinct from v.id as is_current, v.path, p.parts, p.size,
		(select encode(sha256(string_agg(l.line || e'\n', '' order by l.section, l.number)::bytea), 'hex')
			from rouse_data.image_line l where l.version_id = v.id) as sha256, d.disks, d.disk_size, a.job_id as captured_by,
		v.created_at, v.created_by, v.collected_at
	from rouse_data.image_version v
	join rouse_data.image i on i.name = v.image
	left join rouse_data.attempt a on a.id = v.attempt_id
	left join lateral (select count(*)::int as parts, sum(p.size)::bigint as size from rouse_data.image_part p where p.version_id = v.id) p on true
	left join lateral (select count(*)::int as disks, max(d.floor) filter (where d.number = 1) as disk_size
		from rouse_data.image_disk d where d.version_id = v.id) d on true
	order by v.image, v.number;
call rouse_data.describe('rouse.image_versions', 'Each content of each image. A published one never changes.', '{
	"id": "number, made by the database", "image": "the image", "number": "1 is the oldest",
	"state": "staging: being captured; published; retired: nobody can deploy it any more",
	"type": "resizable: one disk, of which a partition grows; fixed: one disk as it was; disks: several as they were; raw: every byte of one",
	"is_current": "whether a new deploy of the image writes it", "path": "its file or folder, below the store", "parts": "of how many parts it is",
	"size": "bytes sent to each machine", "sha256": "of its manifest, and so of all that it holds", "disks": "how many disks it needs",
	"disk_size": "bytes that the first of them must have", "captured_by": "the job that captured it; null: rouse-db image add",
	"created_at": "when it was begun", "created_by": "who made it", "collected_at": "when the files of a retired one were removed"}');

create view rouse.images as
	select i.name, i.title, v.number as version, v.type, v.disks, v.disk_size, v.size, i.created_at, i.created_by
	from rouse_data.image i join rouse.image_versions v on v.id = i.current_version
	order by i.name;
call rouse_data.describe('rouse.images', 'Images that can be deployed. New ones: rouse-db image add, or rouse.capture().', '{
	"name": "the image", "title": "your words", "version": "the version that a new job deploys: rouse.image_rollback() changes it",
	"type": "as in rouse.image_versions", "disks": "how many disks it needs", "disk_size": "bytes that the first of them must have",
	"size": "bytes sent to each machine", "created_at": "when its first version was made", "created_by": "who made it"}');

create view rouse.image_disks as
	select v.image, v.number as version, d.number as disk, d.size, d.floor, d.sector_size, d.label
	from rouse_data.image_disk d join rouse_data.image_version v on v.id = d.version_id order by v.image, v.number, d.number;
call rouse_data.describe('rouse.image_disks', 'The disks that a version of an image was made of.', '{
	"image": "the image", "version": "its version", "disk": "their order is that of the machine''s disks", "size": "bytes of the disk that was captured",
	"floor": "bytes that a disk must have to take it", "sector_size": "bytes of a logical sector, which must be the same; null: any",
	"label": "the kind of partition table: gpt, dos or none"}');

create view rouse.image_parts as
	select v.image, v.number as version, p.number as part, p.disk, p.partition, p.kind, p.filesystem, p.place, p.grow, p.path, p.size,
		p.sha256, p.content_size, p.content_sha256
	from rouse_data.image_part p join rouse_data.image_version v on v.id = p.version_id order by v.image, v.number, p.number;
call rouse_data.describe('rouse.image_parts', 'What a version of an image is made of. Each part is one file of the store, a zstd stream.', '{
	"image": "the image", "version": "its version", "part": "in the order in which they are written", "disk": "the disk that it belongs to",
	"partition": "the partition; 0: the disk itself", "kind": "table: what sfdisk --dump says; boot: the disk''s first bytes; filesystem: by partclone; raw: as it is",
	"filesystem": "what lies in the partition", "place": "bytes that it takes on the disk", "grow": "whether a resizable image gives it the room that a larger disk has",
	"path": "the file, below the store", "size": "its bytes; null: not stored yet", "sha256": "its SHA-256",
	"content_size": "bytes of the stream, unpacked", "content_sha256": "their SHA-256"}');

create function rouse_data.next_version(name text, title text) returns int
language plpgsql as $$
begin
	-- Who makes a version of an image waits here for whoever makes another.
	insert into rouse_data.image as i (name, title) values (next_version.name, next_version.title)
	on conflict on constraint image_pkey do update set title = coalesce(next_version.title, i.title);
	return 1 + coalesce((select max(v.number) from rouse_data.image_version v where v.image = next_version.name), 0);
end
$$;
comment on function rouse_data.next_version is 'The number that the next version of an image has; its name is made if need be.';

create function rouse.publish_image(name text, number int, path text, disks jsonb, parts jsonb, type text default 'raw', title text default null)
returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	next_number int := rouse_data.next_version(name, title);
	version_id bigint;
begin
	perform rouse_data.one_of('type of image', type, '{resizable,fixed,disks,raw}');
	if publish_image.number is distinct from next_number then
		raise exception using errcode = '55000',
			message = format('version %s of image "%s" cannot be published', number, name),
			detail = format('Its next version is %s.', next_number),
			hint = 'Somebody else has published one meanwhile; add the image again.';
	end if;
	insert into rouse_data.image_version (image, number, path, type, state) values (name, next_number, path, type, 'staging')
	returning id into version_id;
	insert into rouse_data.image_disk (version_id, number, size, floor, sector_size, label)
		select version_id, d.number, d.size, coalesce(d.floor, d.size), d.sector_size, d.label
		from jsonb_to_recordset(disks) d (number int, size bigint, floor bigint, sector_size int, label text);
	insert into rouse_data.image_part (version_id, number, disk, partition, kind, filesystem, place, grow, path, size, sha256, content_size, content_sha256)
		select version_id, p.number, p.disk, coalesce(p.partition, 0), p.kind, p.filesystem, p.place, coalesce(p.grow, false), p.path, p.size, p.sha256,
			p.content_size, p.content_sha256
		from jsonb_to_recordset(parts) p (number int, disk int, partition int, kind text, filesystem text, place bigint, grow boolean,
			path text, size bigint, sha256 text, content_size bigint, content_sha256 text);
	if not rouse_data.publish_version(version_id) then
		raise exception using errcode = '22023', message = format('version %s of image "%s" has a part that is not stored, or none', number, name),
			detail = 'Only what is complete in the store is published.', hint = 'Each part needs its size and sha256.';
	end if;
	return version_id;
end
$$;
comment on function rouse.publish_image(text, int, text, jsonb, jsonb, text, text) is
	'Makes files that are complete in the store the newest version of an image; used by rouse-db image add. disks and parts are arrays of objects with the columns of rouse.image_disks (the disk as number) and rouse.image_parts (the part as number).';

create function rouse.publish_image(name text, number int, path text, size bigint, sha256 text,
	disk_size bigint, disk_sha256 text, title text default null)
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.publish_image(name, number, path, jsonb_build_array(jsonb_build_object('number', 1, 'size', disk_size)),
		jsonb_build_array(jsonb_build_object('number', 1, 'disk', 1, 'kind', 'raw', 'place', disk_size, 'path', path, 'size', size,
			'sha256', sha256, 'content_size', disk_size, 'content_sha256', disk_sha256)), 'raw', title)
$$;
comment on function rouse.publish_image(text, int, text, bigint, text, bigint, text, text) is
	'The same for a whole disk in one file, compressed by zstd.';

create function rouse_data.publish_version(version_id bigint) returns boolean
language plpgsql as $$
begin
	if not exists (select from rouse_data.image_disk d where d.version_id = publish_version.version_id)
		or exists (select from rouse_data.image_disk d where d.version_id = publish_version.version_id
			and not exists (select from rouse_data.image_part p where p.version_id = d.version_id and p.disk = d.number))
		or exists (select from rouse_data.image_part p where p.version_id = publish_version.version_id and p.size is null) then
		return false;
	end if;
	update rouse_data.image_version v set state = 'published' where v.id = version_id;
	update rouse_data.image i set current_version = version_id
	where i.name = (select v.image from rouse_data.image_version v where v.id = version_id);
	return true;
end
$$;
comment on function rouse_data.publish_version is 'Makes a staging version what its image''s name means, if it has parts of each of its disks and every one is stored; says whether.';

create function rouse_data.guard_image_version() returns trigger
language plpgsql as $$
begin
	if tg_op = 'DELETE' or (new.id, new.image, new.number, new.type, new.path, new.attempt_id) is distinct from
			(old.id, old.image, old.number, old.type, old.path, old.attempt_id)
		or (old.state, new.state) not in (('staging', 'staging'), ('staging', 'published'), ('staging', 'retired'),
			('published', 'published'), ('published', 'retired'), ('retired', 'retired')) then
		raise exception using errcode = '55000', message = format('version %s of image "%s" stays as it is: %s', old.number, old.image, old.state),
			detail = 'A version is staging, then published, then retired, and nothing else of it changes.',
			hint = format('Make another one, or go back to an older: select rouse.image_rollback(%L)', old.image);
	end if;
	return new;
end
$$;
comment on function rouse_data.guard_image_version is 'Keeps versions as they are: staging, then published, then retired.';
create trigger guard_image_version before update or delete on rouse_data.image_version
	for each row execute function rouse_data.guard_image_version();

create function rouse_data.guard_image_content() returns trigger
language plpgsql as $$
declare
	version rouse_data.image_version;
begin
	select v.* into version from rouse_data.image_version v
	where v.id = case tg_op when 'DELETE' then old.version_id else new.version_id end;
	if version.state <> 'staging' then
		raise exception using errcode = '55000', message = format('version %s of image "%s" is %s: what it holds stays as it is',
				version.number, version.image, version.state), detail = 'Machines may have it, and others may be getting it.',
			hint = 'Capture or add another version.';
	end if;
	return coalesce(new, old);
end
$$;
comment on function rouse_data.guard_image_content is 'Keeps the disks and parts of a version that was published.';
create trigger guard_image_content before insert or update or delete on rouse_data.image_disk
	for each row execute function rouse_data.guard_image_content();
create trigger guard_image_content before insert or update or delete on rouse_data.image_part
	for each row execute function rouse_data.guard_image_content();

create function rouse_data.image_named(word text) returns rouse_data.image_version
language plpgsql stable as $$
declare
	version rouse_data.image_version;
begin
	select v.* into version from rouse_data.image i
	join rouse_data.image_version v on v.id = i.current_version
	where i.name = word and v.state = 'published';
	if version.id is null then
		raise exception using errcode = '42704', message = format('there is no image "%s"', word),
			detail = 'Only an image with a published version can be deployed.',
			hint = rouse_data.nearest(word, array(select i.name::text from rouse_data.image i
				join rouse_data.image_version v on v.id = i.current_version where v.state = 'published'))
				|| ' A new one is added by: rouse-db image add NAME FILE';
	end if;
	return version;
end
$$;
comment on function rouse_data.image_named is 'The published version of an image, or an error with names near it.';

create function rouse_data.version_named(image text, version int) returns rouse_data.image_version
language plpgsql as $$
declare
	found_version rouse_data.image_version;
begin
	-- Held until the end of the transaction: what is meant or withdrawn now is not withdrawn or wanted by somebody else meanwhile.
	select v.* into found_version from rouse_data.image_version v where v.image = version_named.image and v.number = version_named.version
	for no key update;
	if found_version.state is distinct from 'published' then
		raise exception using errcode = case when found_version.id is null then '42704' else '55000' end,
			message = format('version %s of image "%s" is %s', version, image, coalesce(found_version.state, 'not there')),
			detail = 'Only a published version can be deployed, meant or withdrawn.',
			hint = coalesce((select 'Published are: ' || string_agg(v.number::text, ', ' order by v.number) from rouse_data.image_version v
				where v.image = version_named.image and v.state = 'published'), 'table rouse.image_versions shows what there is.');
	end if;
	return found_version;
end
$$;
comment on function rouse_data.version_named is 'A published version of an image, or an error that names those there are.';

create function rouse.image_rollback(image text, version int default null) returns int
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	now_version rouse_data.image_version := rouse_data.image_named(coalesce(image, ''));
	wanted int := coalesce(version, (select max(v.number) from rouse_data.image_version v
		where v.image = image_rollback.image and v.state = 'published' and v.number < now_version.number));
begin
	if wanted is null then
		raise exception using errcode = '55000', message = format('image "%s" has no published version before %s', image, now_version.number),
			detail = 'It is the oldest that is left.', hint = 'table rouse.image_versions shows what there is.';
	end if;
	update rouse_data.image i set current_version = (rouse_data.version_named(image, wanted)).id where i.name = image_rollback.image;
	return wanted;
end
$$;
comment on function rouse.image_rollback is
	'Lets an image mean an older version again (or a newer one): the one before the present, or the one that is named. Jobs that were made keep theirs. Returns the version.';

create function rouse.image_retire(image text, version int) returns void
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	wanted rouse_data.image_version := rouse_data.version_named(coalesce(image, ''), version);
	user_job bigint;
begin
	if exists (select from rouse_data.image i where i.current_version = wanted.id) then
		raise exception using errcode = '55000', message = format('version %s is what image "%s" means now', version, image),
			detail = 'A new deploy of the image would write it.',
			hint = format('Let it mean another first: select rouse.image_rollback(%L, ...)', image);
	end if;
	select min(j.id) into user_job from rouse_data.job j where j.image_version_id = wanted.id and j.ended_at is null;
	if user_job is not null then
		raise exception using errcode = '55000', message = format('version %s of image "%s" is still wanted by job %s', version, image, user_job),
			detail = 'A job keeps the version that it was made with.',
			hint = format('Let it end, or: select rouse.cancel(%s)', user_job);
	end if;
	update rouse_data.image_version v set state = 'retired' where v.id = wanted.id;
end
$$;
comment on function rouse.image_retire is
	'Withdraws a version of an image for good: nobody can deploy it any more, and menud removes its files.';
