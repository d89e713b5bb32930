-- Jobs (what shall be done), attempts (one try each), and how a machine is let in: an offer is one
-- boot, a ticket is the right to claim.

create table rouse_data.job (
	id bigint generated always as identity primary key,
	host_id bigint not null
		constraint "a host with jobs is retired, not deleted" references rouse_data.host,
	kind text not null constraint "a job is register, inventory or deploy"
		check (kind in ('register', 'inventory', 'deploy')),
	state text not null
		constraint "a job's state is one of the state machine's"
		check (state in ('scheduled', 'backlog', 'queued', 'waiting', 'running', 'cancelling',
			'succeeded', 'failed', 'cancelled', 'expired')),
	image_version_id bigint references rouse_data.image_version,
	mode text constraint "mode is quick or full" check (mode in ('quick', 'full')),
	disk text not null default 'auto' constraint "disk is auto or a device below /dev"
		check (disk ~ '^(auto|/dev/[a-zA-Z0-9_/-]+)$' and disk !~ '//'),
	priority int not null default 50 constraint "a priority is 0 to 100, higher first"
		check (priority between 0 and 100),
	not_before timestamptz,
	deadline timestamptz,
	after text constraint "after is reboot or poweroff" check (after in ('reboot', 'poweroff')),
	attempts_max int not null constraint "a job has at least one attempt" check (attempts_max >= 1),
	attempts int not null default 0,
	retry_at timestamptz,
	reason text,
	text text,
	retry_of bigint references rouse_data.job,
	created_at timestamptz not null default now(),
	created_by text not null default session_user,
	changed_at timestamptz not null default now(),
	ended_at timestamptz,
	constraint "deploy needs an image, no other kind has one"
		check ((kind = 'deploy') = (image_version_id is not null)),
	constraint "register needs a mode, no other kind has one" check ((kind = 'register') = (mode is not null)),
	constraint "a deadline comes after the earliest start" check (deadline > not_before),
	constraint "a job that has ended says when"
		check ((state in ('succeeded', 'failed', 'cancelled', 'expired')) = (ended_at is not null)),
	constraint "a failed job says why" check (state <> 'failed' or reason is not null)
);
create unique index "a host has one live job" on rouse_data.job (host_id)
	where state in ('queued', 'waiting', 'running', 'cancelling');
create index job_open on rouse_data.job (priority desc, id)
	where state in ('scheduled', 'backlog', 'queued', 'waiting', 'running', 'cancelling');
create index job_host on rouse_data.job (host_id, id);
comment on table rouse_data.job is 'What shall be done with a machine.';

create table rouse_data.job_transition (
	from_state text not null,
	to_state text not null,
	rule text not null,
	primary key (from_state, to_state)
);
comment on table rouse_data.job_transition is 'Every step that a job may take; a trigger refuses all others.';
insert into rouse_data.job_transition values
	('scheduled', 'queued', 'it is due and the host has no live job'),
	('backlog', 'queued', 'the job before it has ended'),
	('queued', 'waiting', 'FOS checked in; all slots are taken'),
	('queued', 'running', 'FOS checked in'),
	('waiting', 'running', 'a slot became free'),
	('waiting', 'queued', 'the lease ran out; it is tried again'),
	('running', 'queued', 'the lease ran out or an error is worth a retry'),
	('running', 'succeeded', 'FOS reported success'),
	('cancelling', 'succeeded', 'FOS had finished before it heard of the cancellation'),
	('queued', 'failed', 'the loop guard'),
	('waiting', 'failed', 'the last attempt was lost'),
	('running', 'failed', 'the last attempt failed or was lost'),
	('cancelling', 'failed', 'FOS failed before it heard of the cancellation'),
	('scheduled', 'cancelled', 'an operator, at once'),
	('backlog', 'cancelled', 'an operator, at once'),
	('queued', 'cancelled', 'an operator, at once'),
	('waiting', 'cancelling', 'an operator; FOS has to hear of it'),
	('running', 'cancelling', 'an operator; FOS has to hear of it'),
	('cancelling', 'cancelled', 'FOS stopped, or its lease ran out'),
	('scheduled', 'expired', 'the deadline passed'),
	('backlog', 'expired', 'the deadline passed'),
	('queued', 'expired', 'the deadline passed');

create table rouse_data.job_history (
	job_id bigint not null references rouse_data.job on delete cascade,
	at timestamptz not null,
	from_state text,
	to_state text not null,
	who text not null,
	reason text
);
create index job_history_job on rouse_data.job_history (job_id, at);
comment on table rouse_data.job_history is 'Each step of each job: when, by whom and why.';

create table rouse_data.attempt (
	id bigint generated always as identity primary key,
	job_id bigint not null references rouse_data.job on delete cascade,
	number int not null,
	token_hash bytea not null constraint "a token belongs to one attempt" unique,
	mac macaddr not null,
	address inet,
	facts jsonb not null,
	claimed_at timestamptz not null default now(),
	started_at timestamptz,
	lease_until timestamptz not null,
	step text,
	percent int constraint "a percentage is 0 to 100" check (percent between 0 and 100),
	bytes bigint,
	total bigint,
	ended_at timestamptz,
	outcome text constraint "an outcome is succeeded, failed or cancelled"
		check (outcome in ('succeeded', 'failed', 'cancelled')),
	reason text,
	text text,
	seconds int,
	constraint "an attempt that has ended has an outcome" check ((ended_at is null) = (outcome is null)),
	constraint "attempts of a job are numbered" unique (job_id, number)
) with (fillfactor = 80);
create unique index "a job has one open attempt" on rouse_data.attempt (job_id) where ended_at is null;
comment on table rouse_data.attempt is 'One try of a job by a client that has checked in; the token is kept as its hash.';

create table rouse_data.offer (
	id bigint generated always as identity primary key,
	job_id bigint not null references rouse_data.job on delete cascade,
	opened_at timestamptz not null default clock_timestamp(),
	answers int not null default 1,
	claimed_at timestamptz
);
create index offer_job on rouse_data.offer (job_id, id);
comment on table rouse_data.offer is 'One boot to which a job was offered; the loop guard counts those without a check-in.';

create table rouse_data.ticket (
	hash bytea primary key,
	job_id bigint not null references rouse_data.job on delete cascade,
	offer_id bigint not null references rouse_data.offer on delete cascade,
	mac macaddr not null,
	uuid uuid,
	expires_at timestamptz not null,
	attempt_id bigint references rouse_data.attempt on delete cascade
);
create index ticket_job on rouse_data.ticket (job_id);
comment on table rouse_data.ticket is 'The right to claim a job once, kept as its SHA-256.';
