-- Schedules: what is given to hosts and groups by time, once or again and again.

create table rouse_data.schedule (
	id bigint generated always as identity primary key,
	host rouse.host_name constraint "a schedule's host is known"
		references rouse_data.host (name) on update cascade on delete cascade,
	group_name rouse.key constraint "a schedule's group is known"
		references rouse_data.host_group (name) on update cascade on delete cascade,
	kind text not null constraint "a schedule's kind is deploy, inventory, register or wake"
		check (kind in ('deploy', 'inventory', 'register', 'wake')),
	image rouse.image_name constraint "a schedule's image is known"
		references rouse_data.image (name) on update cascade,
	mode text,
	disk text not null default 'auto' constraint "a schedule's disk is auto or a device below /dev"
		check (disk ~ '^(auto|/dev/[a-zA-Z0-9_/-]+)$' and disk !~ '//'),
	priority int not null default 50
		constraint "a schedule's priority is 0 to 100, higher first" check (priority between 0 and 100),
	after text,
	wake boolean not null default true,
	at text not null,
	time_zone text not null default current_setting('TimeZone'),
	missed text not null default 'once' constraint "what was missed is skip or once"
		check (missed in ('skip', 'once')),
	expires_after interval
		constraint "a scheduled job expires after some time" check (expires_after > interval '0'),
	enabled boolean not null default true,
	next_at timestamptz,
	comment text,
	created_at timestamptz not null default now(),
	created_by text not null default session_user,
	constraint "a schedule is for one host or for one group" check (num_nonnulls(host, group_name) = 1)
);
create index schedule_due on rouse_data.schedule (next_at) where enabled;
comment on table rouse_data.schedule is 'What shall be done when.';

-- The primary key is the promise that a schedule runs once for each time, whoever runs it.
create table rouse_data.schedule_run (
	schedule_id bigint not null references rouse_data.schedule on delete cascade,
	due_at timestamptz not null,
	at timestamptz not null default clock_timestamp(),
	outcome text not null constraint "a run was run, skipped or failed"
		check (outcome in ('run', 'skipped', 'failed')),
	number bigint,
	text text,
	by text not null default session_user,
	primary key (schedule_id, due_at)
);
comment on table rouse_data.schedule_run is 'Each time of each schedule that has come, and what became of it.';

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('schedule_late_minutes', '5', '5', 'integer', 1, 1440,
		'a schedule''s time counts as missed when no daemon could run it for so long');

create type rouse_data.cron as (minutes int[], hours int[], days int[], months int[], weekdays int[],
	each_hour boolean, either_day boolean);
comment on type rouse_data.cron is
	'Five fields, read. each_hour: hours is *. either_day: days and weekdays are both given, and one of them is enough.';
