-- The kinds of jobs are rows: what each does, what it takes, and whether it overwrites a disk. What a
-- client system cannot do it refuses with a reason of its own.

create table rouse_data.job_kind (
	kind text primary key constraint "a kind of job is a lower-case word" check (kind ~ '^[a-z]{1,16}$'),
	purpose text not null,
	needs text[] not null default '{}'
		constraint "a kind needs image, script or profile" check (needs <@ '{image,script,profile}'),
	takes_disk boolean not null default false,
	modes text[] not null default '{}',
	destroys_data boolean not null default false
);
comment on table rouse_data.job_kind is 'What jobs there are. The first of the modes is what is meant where none is given.';
insert into rouse_data.job_kind (kind, needs, takes_disk, modes, destroys_data, purpose) values
	('deploy', '{image}', true, '{}', true, 'writes an image to a disk'),
	('capture', '{image}', true, '{}', false, 'reads a disk and makes it a new version of an image'),
	('wipe', '{}', true, '{quick,full,secure}', true,
		'makes a disk''s contents unreadable: where systems look first, every block, or by the disk''s own erasure'),
	('install', '{profile}', false, '{}', true, 'boots an installer, once'),
	('inventory', '{}', false, '{}', false, 'finds out what the machine is made of'),
	('register', '{}', false, '{quick,full}', false, 'asks the machine for what it is, and full a person for its name'),
	('test', '{}', true, '{all,memory,disk}', false, 'tries memory and disk, and writes nothing'),
	('debug', '{}', false, '{}', false, 'gives a shell at the machine before and after what the client system does'),
	('rescue', '{}', false, '{}', false, 'gives a shell at the machine, with the disks left alone'),
	('script', '{script}', false, '{}', true, 'runs a shell script of yours in the client system'),
	('local', '{}', false, '{}', false, 'lets the machine boot from its own disk, once, without a menu');

alter table rouse_data.job
	add column image rouse.image_name,
	add column script text constraint "a script has 1 to 65536 bytes" check (octet_length(script) between 1 and 65536),
	add column profile rouse.key,
	drop constraint "a job is register, inventory or deploy",
	drop constraint "mode is quick or full",
	drop constraint "register needs a mode, no other kind has one",
	add constraint "a job's kind is one of rouse.job_kinds" foreign key (kind) references rouse_data.job_kind,
	add constraint "capture names an image, no other kind does" check ((kind = 'capture') = (image is not null)),
	add constraint "register, wipe and test need a mode, no other kind has one"
		check ((kind in ('register', 'wipe', 'test')) = (mode is not null)),
	add constraint "script needs a script, no other kind has one" check ((kind = 'script') = (script is not null)),
	add constraint "install needs a profile, no other kind has one" check ((kind = 'install') = (profile is not null));

alter table rouse_data.schedule
	add column script text,
	add column profile rouse.key constraint "a schedule's profile is known"
		references rouse_data.profile (name) on update cascade,
	drop constraint "a schedule's kind is deploy, inventory, register or wake",
	drop constraint "a schedule's image is known";

insert into rouse_data.job_transition values
	('queued', 'succeeded', 'kind local: the machine was sent to its own disk, where nobody checks in');
insert into rouse_data.reason (code, retryable, meaning, hint) values
	('unsupported', false, 'the client system does not carry out jobs of this kind',
		'table rouse.job_kinds says what each kind is for; a newer client system may know it: docs/reference/fos.md');
