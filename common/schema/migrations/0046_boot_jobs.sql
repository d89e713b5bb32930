-- What is booted once by a job: anything (boot), and an installer that fetches its answers from us (install).

create table rouse_data.answer_file (
	name rouse.key primary key,
	text text not null constraint "an answer file has 1 to 65536 bytes" check (octet_length(text) between 1 and 65536),
	comment text
);
comment on table rouse_data.answer_file is 'Answers for installers, with places for what is the machine''s own.';

alter table rouse_data.profile
	add column answers rouse.key constraint "a profile names a known answer file"
		references rouse_data.answer_file (name) on update cascade,
	add constraint "only a linux profile has answers" check (answers is null or kind = 'linux');

-- Where a machine goes once: to its own disk, or to a profile.
alter table rouse_data.local_boot add column profile rouse.key;

insert into rouse_data.job_kind (kind, needs, takes_disk, modes, destroys_data, purpose) values
	('boot', '{profile}', false, '{}', false, 'boots a profile, once: a kernel, an EFI program, an ISO, another loader');
alter table rouse_data.job
	drop constraint "install needs a profile, no other kind has one",
	add constraint "boot and install need a profile, no other kind has one" check ((kind in ('boot', 'install')) = (profile is not null));
update rouse_data.job_transition set rule = 'the machine was sent to its own disk, or to a profile, where nobody checks in'
where from_state = 'queued' and to_state = 'succeeded';

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('install_minutes', '120', '120', 'integer', 5, 1440, 'how long an installer may take from fetching its answers to saying that it is done');
