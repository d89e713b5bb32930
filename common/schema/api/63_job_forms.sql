-- enqueue and its short forms: how an operator gives machines something to do.

create function rouse.enqueue(target text, kind text, image text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, after text default null,
	mode text default null, disk text default 'auto', wake boolean default false, script text default null,
	profile text default null)
returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	wanted rouse_data.job;
begin
	wanted.kind := kind;
	wanted.priority := priority;
	wanted.not_before := not_before;
	wanted.deadline := deadline;
	wanted.after := after;
	wanted.mode := mode;
	wanted.disk := disk;
	wanted.wake := wake;
	wanted.script := script;
	wanted.profile := profile;
	perform rouse_data.check_job(wanted, image);
	perform rouse_data.check_target(coalesce(target, ''), kind);
	return rouse_data.add_jobs(coalesce(target, ''), rouse_data.complete_job(wanted, image));
end
$$;
comment on function rouse.enqueue is
	'Gives a machine (by its name or a MAC), or each machine of a group, a job: table rouse.job_kinds has the kinds. Returns the job''s number, for a group the batch''s.';

create function rouse.deploy(target text, image text, after text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, disk text default 'auto',
	wake boolean default false, mode text default null)
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.enqueue(target, 'deploy', image, priority, not_before, deadline, after, mode, disk, wake)
$$;
comment on function rouse.deploy is
	'Writes an image to a machine''s disk, or to those of a group, at the next boot: select rouse.deploy(''lab-01'', ''tiny-debian'').';

create function rouse.capture(target text, image text, after text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, disk text default 'auto',
	wake boolean default false, mode text default null)
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.enqueue(target, 'capture', image, priority, not_before, deadline, after, mode, disk, wake)
$$;
comment on function rouse.capture is
	'Reads a machine''s disk at its next boot and makes it a version of an image: select rouse.capture(''lab-01'', ''lab-room'').';

create function rouse.wipe(target text, mode text default null, after text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, disk text default 'auto',
	wake boolean default false)
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.enqueue(target, 'wipe', null, priority, not_before, deadline, after, mode, disk, wake)
$$;
comment on function rouse.wipe is
	'Makes the contents of a machine''s disk unreadable at its next boot: select rouse.wipe(''lab-01'', ''full'').';

create function rouse.inventory(target text, after text default null, priority int default 50,
	not_before timestamptz default null, deadline timestamptz default null, wake boolean default false)
returns bigint
language sql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse.enqueue(target, 'inventory', null, priority, not_before, deadline, after, null, null, wake)
$$;
comment on function rouse.inventory is 'Asks a machine, or those of a group, for the hardware at the next boot.';
