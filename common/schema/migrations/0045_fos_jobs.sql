-- What the client system does besides images: its log, wiping and testing by other words, reasons of their own.

create table rouse_data.attempt_log (
	attempt_id bigint not null references rouse_data.attempt on delete cascade,
	position int not null constraint "a piece of a log begins at 0 or later" check (position >= 0),
	at timestamptz not null default clock_timestamp(),
	text text not null constraint "a piece of a log has 1 to 4096 characters" check (length(text) between 1 and 4096),
	primary key (attempt_id, position)
);
create index attempt_log_at on rouse_data.attempt_log (at);
comment on table rouse_data.attempt_log is 'What clients wrote on their screens and what their programs said, piece by piece.';

-- A disk's hours and temperature change from day to day: they are kept with the latest inventory, and make no new one.
alter table rouse_data.host_inventory add column seen_at timestamptz;
update rouse_data.host_inventory set seen_at = at;
alter table rouse_data.host_inventory alter column seen_at set not null, alter column seen_at set default now();

update rouse_data.job_kind set modes = '{fast,normal,full}', purpose =
	'makes a disk''s contents unreadable: where systems look first; by the disk''s own erasure, or else every block; both, and every block read back'
where kind = 'wipe';
update rouse_data.job set mode = case mode when 'quick' then 'fast' else 'normal' end
where kind = 'wipe' and mode in ('quick', 'secure') and ended_at is null;
update rouse_data.schedule set mode = case mode when 'quick' then 'fast' else 'normal' end
where kind = 'wipe' and mode in ('quick', 'secure');
alter table rouse_data.menu_item drop constraint "a mode is of wipe: quick, full or secure; of test: all, memory or disk";
update rouse_data.menu_item set mode = case mode when 'quick' then 'fast' when 'secure' then 'normal' else mode end where action = 'wipe';
alter table rouse_data.menu_item add constraint "a mode is of wipe: fast, normal or full; of test: all, memory, disk, smart or network"
	check (case action when 'wipe' then mode in ('fast', 'normal', 'full') when 'test' then mode in ('all', 'memory', 'disk', 'smart', 'network')
		else mode is null end);
update rouse_data.job_kind set modes = '{all,memory,disk,smart,network}', purpose =
	'tries memory, every block of the disks, what the disks say of themselves, and the network; writes nothing' where kind = 'test';
update rouse_data.job_kind set purpose = 'gives a shell at the machine, until its exit' where kind = 'debug';
update rouse_data.job_kind set purpose = 'gives a shell at the machine, with its disks made read-only, until its exit' where kind = 'rescue';

insert into rouse_data.reason (code, retryable, meaning, hint) values
	('memory_error', false, 'the memory gave back other bytes than were written',
		'select text from rouse.attempt_logs where job = ... names the address; try the modules one by one'),
	('disk_error', false, 'a part of the disk cannot be read', 'select text from rouse.attempt_logs where job = ... names the places; replace the disk'),
	('smart_failing', false, 'a disk says of itself that it is failing', 'save what is on it, and replace the disk'),
	('wipe_failed', false, 'after a wipe the disk still had what was on it', 'select text from rouse.attempt_logs where job = ...; wipe it in another mode, or destroy the disk');
