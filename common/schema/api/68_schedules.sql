-- Schedules: rows that people write, and what happens when their time comes.

create function rouse_data.check_schedule_target(wanted rouse_data.schedule) returns void
language plpgsql stable as $$
begin
	if num_nonnulls(wanted.host, wanted.group_name) <> 1 then
		raise exception using errcode = '23514', message = 'a schedule is for one host or for one group',
			detail = format('It names %s.', case when wanted.host is null then 'neither' else 'both' end),
			hint = 'Give either host or group_name.';
	elsif wanted.host is not null then
		perform rouse_data.host_named(wanted.host);
	elsif not exists (select from rouse.groups g where g.name = wanted.group_name) then
		raise exception using errcode = '42704', message = format('there is no group "%s"', wanted.group_name),
			detail = 'Column group_name of rouse.schedules names one.',
			hint = rouse_data.nearest(wanted.group_name, array(select g.name::text from rouse.groups g));
	end if;
end
$$;
comment on function rouse_data.check_schedule_target is 'Refuses a schedule for nobody, for two, or for who is not there.';

create function rouse_data.check_schedule() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	job rouse_data.job;
begin
	perform rouse_data.check_schedule_target(new);
	perform rouse_data.one_of('kind of schedule', coalesce(new.kind, ''),
		array(select k.kind from rouse_data.job_kind k) || 'wake'::text);
	perform rouse_data.one_of('way to treat what was missed', coalesce(new.missed, ''), '{skip,once}');
	if new.kind <> 'wake' then
		job.kind := new.kind;
		job.after := new.after;
		job.mode := new.mode;
		job.disk := new.disk;
		job.priority := new.priority;
		job.script := new.script;
		job.profile := new.profile;
		perform rouse_data.check_job(job, new.image);
		perform rouse_data.check_target(coalesce('group:' || new.group_name, 'host:' || new.host), new.kind);
		perform rouse_data.complete_job(job, new.image);
	elsif num_nonnulls(new.image, new.after, new.mode, new.script, new.profile, new.expires_after) > 0 then
		raise exception using errcode = '22023', message = 'waking has no image, after, mode, script, profile and expires_after',
			detail = 'A machine that is woken boots, and does what is queued for it.',
			hint = 'Leave them out, or say a kind of rouse.job_kinds.';
	end if;
	if tg_op = 'INSERT' then
		new.created_by := rouse_data.actor();
	end if;
	new.time_zone := rouse_data.zone_named(new.time_zone);
	new.next_at := rouse_data.next_time(new.at, new.time_zone, now());
	if new.next_at is null and new.enabled then
		raise exception using errcode = '22023', message = format('%s is over', new.at),
			detail = format('It is %s in %s now.', to_char(now() at time zone new.time_zone, 'YYYY-MM-DD HH24:MI'), new.time_zone),
			hint = 'Give a time that is to come, or five cron fields.';
	end if;
	return new;
end
$$;
comment on function rouse_data.check_schedule is 'Refuses a schedule that could not run, and finds out when it is due next.';
create trigger check_schedule before insert or update of host, group_name, kind, image, mode, disk, script, profile, priority, after, at,
		time_zone, missed, expires_after, enabled on rouse_data.schedule
	for each row execute function rouse_data.check_schedule();
create trigger guard_row before insert or delete or update of host, group_name, kind, image, mode, disk, script, profile, priority, after, wake,
		at, time_zone, missed, expires_after, enabled, comment on rouse_data.schedule
	for each row execute function rouse_data.guard_row('schedules');
create trigger note_audit after insert or delete or update of host, group_name, kind, image, mode, disk, script, profile, priority, after, wake,
		at, time_zone, missed, expires_after, enabled, comment on rouse_data.schedule
	for each row execute function rouse_data.note_audit('schedules', 'id');
create trigger refuse_change before update on rouse_data.schedule_run
	for each row execute function rouse_data.refuse_change('the list of a schedule''s runs');

create view rouse.schedules with (security_barrier) as
	select id, host, group_name, kind, image, at, time_zone, enabled, next_at,
		(select concat_ws(' ', r.outcome, to_char(r.due_at, 'YYYY-MM-DD HH24:MI')) from rouse_data.schedule_run r
			where r.schedule_id = s.id order by r.due_at desc limit 1) as last_run,
		missed, expires_after, priority, after, mode, disk, script, profile, wake, comment, created_at, created_by
	from rouse_data.schedule s
	where (select rouse.my_groups()) is null
		or coalesce(group_name, (select h.group_name from rouse_data.host h where h.name = s.host)) = any ((select rouse.my_groups())::text[])
	order by next_at, id;
call rouse_data.describe('rouse.schedules', 'What shall be done when. Make one by rouse.schedule() or an insert; update enabled, or delete it.', '{
	"id": "number, made by the database", "host": "for this machine", "group_name": "or for those of this group",
	"kind": "one of rouse.job_kinds, or wake", "image": "deploy, capture: the image; its version is that of the day",
	"at": "minute hour day month weekday, such as 30 3 * * mon-fri; @hourly, @daily, @weekly, @monthly, @yearly; or once, such as 2030-12-24 20:00",
	"time_zone": "whose clock that is, such as Europe/Vienna", "enabled": "false: it rests",
	"next_at": "when it is due next; null: it is over", "last_run": "what became of the last time: run, skipped or failed, and when that was",
	"missed": "what was missed while no daemon was there: skip, or once: do it once, however often it was missed",
	"expires_after": "the jobs'' deadline, counted from their making", "priority": "of the jobs: 0 to 100, higher first",
	"after": "reboot, poweroff or local; null: as in rouse.settings", "mode": "register, wipe, test: as in rouse.job_kinds",
	"disk": "auto or a device", "script": "script: what the client system runs", "profile": "install: what is booted", "wake": "whether the machines are woken for the job", "comment": "your words",
	"created_at": "when it was made", "created_by": "by whom: it runs within the limits of this operator"}');

create view rouse.schedule_runs with (security_barrier) as
	select r.schedule_id as schedule, r.due_at, r.at, r.outcome, r.number, r.text, r.by
	from rouse_data.schedule_run r
	where (select rouse.my_groups()) is null or r.schedule_id in (select s.id from rouse.schedules s)
	order by r.due_at desc, r.schedule_id desc;
call rouse_data.describe('rouse.schedule_runs', 'Each time of each schedule that has come.', '{
	"schedule": "the schedule", "due_at": "when it was due", "at": "when a daemon saw to it",
	"outcome": "run, skipped (it was missed) or failed", "number": "the job or the batch that it made; wake: how many machines",
	"text": "why it was skipped or failed", "by": "the daemon''s role"}');

create function rouse.schedule(target text, kind text, at text, image text default null, time_zone text default null,
	missed text default 'once', expires_after interval default null, priority int default 50, after text default null,
	mode text default null, disk text default 'auto', wake boolean default true, comment text default null, script text default null,
	profile text default null)
returns bigint
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	found_target record := rouse_data.target_named(coalesce(target, ''));
	new_id bigint;
begin
	insert into rouse_data.schedule (host, group_name, kind, image, at, time_zone, missed, expires_after, priority, after,
		mode, disk, wake, comment, script, profile)
	values (case when found_target.group_name is null then (found_target.host).name end, found_target.group_name, kind, image, at,
		coalesce(time_zone, current_setting('TimeZone')), missed, expires_after, coalesce(priority, 50), after, mode,
		coalesce(disk, 'auto'), coalesce(wake, true), comment, script, profile)
	returning id into new_id;
	return new_id;
end
$$;
comment on function rouse.schedule is
	'Gives a job to a machine or a group by time: select rouse.schedule(''kiosks'', ''deploy'', ''30 3 * * mon-fri'', ''tiny-debian'', ''Europe/Vienna''). Returns the schedule''s number.';

create function rouse_data.check_owner(one rouse_data.schedule) returns void
language plpgsql stable as $$
declare
	the_group text := coalesce(one.group_name, (select h.group_name from rouse_data.host h where h.name = one.host));
	owner rouse_data.operator;
begin
	select o.* into owner from rouse_data.operator o where o.name = one.created_by;
	if owner.groups is not null and not coalesce(the_group = any (owner.groups), false) then
		raise exception using errcode = '42501',
			message = format('operator "%s", who made this schedule, may not run this target any more', owner.name),
			detail = format('Theirs are the hosts of: %s.', coalesce(nullif(array_to_string(owner.groups, ', '), ''), 'no group')),
			hint = format('Whoever may run it makes it anew and deletes this one: delete from rouse.schedules where id = %s', one.id);
	end if;
end
$$;
comment on function rouse_data.check_owner is 'Refuses to run what the schedule''s maker could not do now.';

create function rouse_data.run_schedule(one rouse_data.schedule) returns bigint
language plpgsql as $$
declare
	target text := coalesce('host:' || one.host, 'group:' || one.group_name);
	maker text := format('schedule %s of %s', one.id, one.created_by);
	wanted rouse_data.job;
begin
	perform rouse_data.check_owner(one);
	if one.kind = 'wake' then
		return rouse_data.wake_target(target, maker);
	end if;
	wanted.kind := one.kind;
	wanted.mode := one.mode;
	wanted.script := one.script;
	wanted.profile := one.profile;
	wanted.priority := one.priority;
	wanted.after := one.after;
	wanted.disk := one.disk;
	wanted.wake := one.wake;
	wanted.deadline := now() + one.expires_after;
	wanted.created_by := maker;
	return rouse_data.add_jobs(target, rouse_data.complete_job(wanted, one.image));
end
$$;
comment on function rouse_data.run_schedule is 'Does what a schedule says, now; returns the number of the job or batch, or of machines woken.';

create function rouse_data.run_due(one rouse_data.schedule) returns boolean
language plpgsql as $$
declare
	late boolean := now() - one.next_at > make_interval(mins => rouse_data.setting_int('schedule_late_minutes'));
	done rouse_data.schedule_run;
begin
	done.outcome := case when late and one.missed = 'skip' then 'skipped' else 'run' end;
	if late then
		done.text := 'no daemon could run it in time';
	end if;
	begin
		if done.outcome = 'run' then
			done.number := rouse_data.run_schedule(one);
		end if;
	exception
		when lock_not_available or deadlock_detected or serialization_failure then
			-- Somebody is in the way for the moment: the next tick tries again.
			return false;
		when others then
			done.outcome := 'failed';
			done.text := sqlerrm;
	end;
	insert into rouse_data.schedule_run (schedule_id, due_at, outcome, number, text)
	values (one.id, one.next_at, done.outcome, done.number, done.text);
	update rouse_data.schedule s set next_at = rouse_data.next_time(s.at, s.time_zone, now()) where s.id = one.id;
	return true;
end
$$;
comment on function rouse_data.run_due is 'Runs a schedule that is due, or passes over it, and writes down which; false if it has to wait for a lock.';

create function rouse_data.run_schedules() returns int
language plpgsql as $$
declare
	one rouse_data.schedule;
	done int := 0;
begin
	-- Whoever locks the row has the claim; the others pass over it.
	for one in
		select s.* from rouse_data.schedule s where s.enabled and s.next_at <= now()
		order by s.next_at, s.id limit 100 for update skip locked
	loop
		done := done + rouse_data.run_due(one)::int;
	end loop;
	return done;
end
$$;
comment on function rouse_data.run_schedules is 'Runs the schedules that are due; says how many. Any number of sessions may do so at once.';
