-- Images and their versions.

create view rouse.images as
	select i.name, i.title, v.number as version, v.format, v.disk_size, v.size, i.created_at, i.created_by
	from rouse_data.image i left join rouse_data.image_version v on v.id = i.current_version
	order by i.name;
call rouse_data.describe('rouse.images', 'Images that can be deployed. New ones: rouse-db image add.', '{
	"name": "the image", "title": "your words", "version": "the version that a new job deploys",
	"format": "raw.zst: a whole disk, compressed", "disk_size": "bytes that a disk must have",
	"size": "bytes sent to each machine", "created_at": "when its first version was published",
	"created_by": "who published it"}');

create view rouse.image_versions as
	select id, image, number, state, format, path, size, sha256, disk_size, disk_sha256, created_at, created_by
	from rouse_data.image_version order by image, number;
call rouse_data.describe('rouse.image_versions', 'Each published content of each image; it never changes.', '{
	"id": "number, made by the database", "image": "the image", "number": "1 is the oldest",
	"state": "published, deprecated or deleted", "format": "raw.zst: a whole disk, compressed",
	"path": "the file, below the store", "size": "its bytes", "sha256": "its SHA-256",
	"disk_size": "bytes of the disk, uncompressed", "disk_sha256": "SHA-256 of the disk''s contents",
	"created_at": "when it was published", "created_by": "who published it"}');

create function rouse.publish_image(name text, number int, path text, size bigint, sha256 text,
	disk_size bigint, disk_sha256 text, format text default 'raw.zst', title text default null)
returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	next_number int;
	version_id bigint;
begin
	insert into rouse_data.image as i (name, title) values (publish_image.name, publish_image.title)
	on conflict on constraint image_pkey do update set title = coalesce(publish_image.title, i.title);
	next_number := 1 + coalesce((select max(v.number) from rouse_data.image_version v
		where v.image = publish_image.name), 0);
	if publish_image.number is distinct from next_number then
		raise exception using errcode = '55000',
			message = format('version %s of image "%s" cannot be published', number, name),
			detail = format('Its next version is %s.', next_number),
			hint = 'Somebody else has published one meanwhile; add the image again.';
	end if;
	insert into rouse_data.image_version (image, number, format, path, size, sha256, disk_size, disk_sha256)
	values (name, next_number, format, path, size, sha256, disk_size, disk_sha256)
	returning id into version_id;
	update rouse_data.image i set current_version = version_id where i.name = publish_image.name;
	return version_id;
end
$$;
comment on function rouse.publish_image is
	'Makes a file that is complete in the store the newest version of an image; used by rouse-db image add.';

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
