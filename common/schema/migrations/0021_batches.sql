-- Jobs for groups, and waking machines.

create table rouse_data.batch (
	id bigint primary key default nextval('rouse_data.job_id_seq'),
	target text not null,
	retry_of bigint references rouse_data.batch,
	created_at timestamptz not null default now(),
	created_by text not null
);
comment on table rouse_data.batch is
	'Jobs that were given together. Numbered with the jobs, so that a number means one thing.';

alter table rouse_data.job
	add batch bigint references rouse_data.batch,
	add wake boolean not null default false;
create index job_batch on rouse_data.job (batch) where batch is not null;

create table rouse_data.wake (
	id bigint generated always as identity primary key,
	host_id bigint not null references rouse_data.host on delete cascade,
	job_id bigint references rouse_data.job,
	ordered_at timestamptz not null default clock_timestamp(),
	ordered_by text not null
);
create index wake_host on rouse_data.wake (host_id, ordered_at);
comment on table rouse_data.wake is 'Orders to wake machines.';
