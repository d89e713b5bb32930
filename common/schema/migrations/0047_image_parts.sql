-- A version of an image is made of disks and parts. One that is being captured is staging; published, it never changes; retired,
-- nobody can deploy it any more and its files are collected.

alter table rouse_data.image_version
	add column type text not null default 'raw'
		constraint "an image is resizable, fixed, disks or raw" check (type in ('resizable', 'fixed', 'disks', 'raw')),
	add column attempt_id bigint references rouse_data.attempt,
	add column collected_at timestamptz,
	drop constraint "an image version is published, deprecated or deleted",
	drop constraint "an image is a whole disk as raw.zst";
alter table rouse_data.image_version alter column type drop default;

create table rouse_data.image_disk (
	version_id bigint not null references rouse_data.image_version,
	number int not null constraint "disks are numbered from 1" check (number between 1 and 64),
	size bigint not null constraint "a captured disk has bytes" check (size > 0),
	floor bigint not null constraint "a disk's floor is what is used of it" check (floor > 0 and floor <= size),
	sector_size int constraint "a sector has 512 or 4096 bytes" check (sector_size in (512, 4096)),
	label text constraint "a partition table is gpt, dos or none" check (label in ('gpt', 'dos', 'none')),
	primary key (version_id, number)
);
comment on table rouse_data.image_disk is 'The disks of a version, in their order. Without a sector size it fits any.';

create table rouse_data.image_part (
	version_id bigint not null,
	number int not null constraint "parts are numbered from 1" check (number between 1 and 1024),
	disk int not null,
	partition int not null default 0 constraint "a partition is 1 to 256, or 0 for the disk" check (partition between 0 and 256),
	kind text not null constraint "a part is table, boot, filesystem or raw" check (kind in ('table', 'boot', 'filesystem', 'raw')),
	filesystem text constraint "a file system is one lower-case word" check (filesystem ~ '^[a-z0-9_]{1,32}$'),
	place bigint not null constraint "a part takes bytes of its disk" check (place > 0),
	grow boolean not null default false,
	path rouse.relative_path not null constraint "a part's path in the store is used once" unique,
	size bigint constraint "a part's stream has bytes" check (size > 0),
	sha256 text constraint "a part's SHA-256 has 64 lower-case hex digits" check (sha256 ~ '^[0-9a-f]{64}$'),
	content_size bigint constraint "a part's content has bytes" check (content_size > 0),
	content_sha256 text constraint "a content's SHA-256 has 64 lower-case hex digits" check (content_sha256 ~ '^[0-9a-f]{64}$'),
	primary key (version_id, number),
	constraint "a part lies on a disk of its version" foreign key (version_id, disk) references rouse_data.image_disk,
	constraint "a part is stored whole or not at all" check ((size is null) = (sha256 is null)),
	constraint "a content's size and hash are known together" check ((content_size is null) = (content_sha256 is null)),
	constraint "only a filesystem part is said to be one" check (kind <> 'filesystem' or filesystem is not null)
);
comment on table rouse_data.image_part is
	'What a version is made of: each part a zstd stream in a file of its own. size and sha256 are null until it is stored.';

insert into rouse_data.image_disk (version_id, number, size, floor)
	select id, 1, disk_size, disk_size from rouse_data.image_version;
insert into rouse_data.image_part (version_id, number, disk, kind, place, path, size, sha256, content_size, content_sha256)
	select id, 1, 1, 'raw', disk_size, path, size, sha256, disk_size, disk_sha256 from rouse_data.image_version;
-- Files of what was withdrawn before are left alone: nobody had been told that they would go.
update rouse_data.image_version set collected_at = now() where state <> 'published';
update rouse_data.image_version set state = 'retired' where state <> 'published';
alter table rouse_data.image_version
	drop column format, drop column size, drop column sha256, drop column disk_size, drop column disk_sha256,
	add constraint "an image version is staging, published or retired" check (state in ('staging', 'published', 'retired')),
	add constraint "a version is staging for one attempt" unique (attempt_id);
create index image_version_unpublished on rouse_data.image_version (id) where state <> 'published' and collected_at is null;

-- Which kinds have a mode is said by rouse.job_kinds alone.
alter table rouse_data.job drop constraint if exists "register, wipe and test need a mode, no other kind has one";
update rouse_data.job_kind set modes = '{resizable,fixed,disks,raw}' where kind = 'capture';
update rouse_data.job_kind set modes = '{plain,verify}' where kind = 'deploy';
update rouse_data.job set mode = case kind when 'capture' then 'resizable' else 'plain' end
	where kind in ('deploy', 'capture') and mode is null and ended_at is null;

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('image_gib_max', '2048', '2048', 'integer', 1, 1048576, 'GiB that the parts of one captured image may have together, as they are stored');

insert into rouse_data.reason (code, retryable, meaning, hint) values
	('store_full', false, 'the image store has no room for what is captured',
		'Make room below images/ of menud''s image_store, or retire versions: select rouse.image_retire(...)'),
	('image_too_large', false, 'what is captured is larger than an image may be', 'select * from rouse.settings where name = ''image_gib_max'''),
	('image_incomplete', false, 'not all parts of the captured image were stored', 'select rouse.retry(job) captures it again.'),
	('disk_mismatch', false, 'the machine''s disks are not like those of the image',
		'Compare rouse.image_disks with data -> ''disks'' in rouse.inventories: their number and their sector size count.'),
	('unclean_filesystem', false, 'a file system was not closed properly, or sleeps',
		'Boot the machine, shut it down (no hibernation, no fast start-up) and capture it again.');
