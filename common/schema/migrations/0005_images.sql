-- Disk images. A version is written once and never changes.

create table rouse_data.image (
	name rouse.image_name primary key,
	title text,
	current_version bigint,
	created_at timestamptz not null default now(),
	created_by text not null default session_user
);
comment on table rouse_data.image is 'Images by name; current_version is what a new job deploys.';

create table rouse_data.image_version (
	id bigint generated always as identity primary key,
	image rouse.image_name not null references rouse_data.image (name) on update cascade,
	number int not null constraint "versions are numbered from 1" check (number >= 1),
	state text not null default 'published'
		constraint "an image version is published, deprecated or deleted"
		check (state in ('published', 'deprecated', 'deleted')),
	format text not null constraint "an image is a whole disk as raw.zst" check (format in ('raw.zst')),
	path rouse.relative_path not null constraint "a path in the store is used once" unique,
	size bigint not null constraint "a stream has bytes" check (size > 0),
	sha256 text not null constraint "a stream's SHA-256 has 64 lower-case hex digits"
		check (sha256 ~ '^[0-9a-f]{64}$'),
	disk_size bigint not null constraint "a disk has bytes" check (disk_size > 0),
	disk_sha256 text not null constraint "a disk's SHA-256 has 64 lower-case hex digits"
		check (disk_sha256 ~ '^[0-9a-f]{64}$'),
	created_at timestamptz not null default now(),
	created_by text not null default session_user,
	constraint "a version number is used once per image" unique (image, number)
);
comment on table rouse_data.image_version is 'Published contents of images.';

alter table rouse_data.image add constraint "an image's current version exists"
	foreign key (current_version) references rouse_data.image_version;
