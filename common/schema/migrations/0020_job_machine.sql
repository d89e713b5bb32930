-- The job machine says what it means: reasons with their meaning and advice, what has ended stays as
-- it ended, and a machine may go to its own disk once after its job.

create table rouse_data.reason (
	code text primary key
		constraint "a reason code is a lower-case word" check (code ~ '^[a-z][a-z0-9_]{0,31}$'),
	meaning text not null,
	hint text not null,
	retryable boolean not null default false
);
comment on table rouse_data.reason is
	'Why a job rests, failed, was cancelled or expired; whether the attempt is worth another one.';
insert into rouse_data.reason (code, retryable, meaning, hint) values
	('lost_client', true, 'the client said nothing for longer than its lease',
		'Look at its screen, its cable and select * from rouse.trace(host). A slow machine needs more attempt_lease_seconds.'),
	('net_error', true, 'the client could not reach the server for long',
		'Look at the network between them, and at table rouse.daemons.'),
	('hash_mismatch', true, 'what arrived, or was read back from the disk, is not what was published',
		'rouse-db verify --store DIR checks the image; if that is whole, suspect the machine''s memory, disk or cable.'),
	('client_error', true, 'the client system could not do its work',
		'Its own words are in column text; boot it with rouse_debug for a shell.'),
	('client_stopped', false, 'the client stopped though nobody had asked it to',
		'Somebody stopped it at the machine; select rouse.retry(job) does it again.'),
	('image_missing', false, 'the server has no file for the image''s version',
		'rouse-db verify --store DIR names the file; restore it or add the image again.'),
	('disk_missing', false, 'the client found no disk to write to',
		'Look at the firmware''s disk controller mode (AHCI, not RAID) and at data -> ''disks'' in rouse.inventories.'),
	('disk_too_small', false, 'no disk of the machine holds the image',
		'Compare disk_size in rouse.images with data -> ''disks'' in rouse.inventories.'),
	('write_error', false, 'the disk did not take what was written',
		'The disk is failing or write-protected: its own words are in column text. Replace it.'),
	('arch_mismatch', false, 'the image is for another architecture',
		'Deploy an image that was made for this one.'),
	('identity_conflict', false, 'the machine''s identifiers belong to different hosts',
		'table rouse.duplicates shows which; mend rouse.nics or the uuid in rouse.hosts.'),
	('operator_stop', false, 'an operator cancelled it', 'select rouse.retry(job) does it again.'),
	('deadline', false, 'it had not begun when its deadline came',
		'The machine did not boot into it in time: select * from rouse.trace(host).'),
	('loop_guard', false, 'the machine booted again and again with the job offered and never checked in',
		'Its screen shows where the client system stops; select * from rouse.trace(host), then select rouse.retry(job).');

-- What clients of before said stays readable.
insert into rouse_data.reason (code, meaning, hint)
select distinct r.code, 'a client''s own code: ' || r.code, 'Its words are in column text.'
from (select reason as code from rouse_data.job union select reason from rouse_data.attempt) r
where r.code is not null
on conflict (code) do nothing;
alter table rouse_data.job add constraint "a job's reason is a known code"
	foreign key (reason) references rouse_data.reason (code);
alter table rouse_data.attempt add constraint "an attempt's reason is a known code"
	foreign key (reason) references rouse_data.reason (code);

alter table rouse_data.job_history add text text;

alter table rouse_data.job
	drop constraint "after is reboot or poweroff",
	add constraint "after is reboot, poweroff or local" check (after in ('reboot', 'poweroff', 'local'));
create index job_retry on rouse_data.job (retry_of) where retry_of is not null;
create index job_slot on rouse_data.job (kind, state, priority desc, id)
	where state in ('waiting', 'running', 'cancelling');
create index attempt_open on rouse_data.attempt (lease_until) where ended_at is null;

update rouse_data.setting set choices = '{reboot,poweroff,local}',
	description = 'what a machine does after a job that does not say: reboot, poweroff, or local (reboot, and once to its own disk)'
where name = 'after_job';

create table rouse_data.local_boot (
	host_id bigint primary key references rouse_data.host on delete cascade,
	job_id bigint not null references rouse_data.job,
	valid_until timestamptz not null,
	served_at timestamptz
);
comment on table rouse_data.local_boot is
	'Machines that go to their own disk at their next boot, once, because their last job said so.';
