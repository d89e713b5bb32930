-- The kinds of jobs, and what an operator may say about each.

create view rouse.job_kinds as
	select kind, purpose, needs || case when takes_disk then '{disk}' else '{}'::text[] end
			|| case when modes <> '{}' then '{mode}' else '{}'::text[] end as takes, modes, destroys_data
	from rouse_data.job_kind order by kind;
call rouse_data.describe('rouse.job_kinds', 'What rouse.enqueue() and rouse.schedule() can have done.', '{
	"kind": "the word for it", "purpose": "what it does to the machine",
	"takes": "its own arguments: image, script and profile are needed, disk and mode may be left out",
	"modes": "values of mode; the first is meant where none is given",
	"destroys_data": "whether it may overwrite a disk: such a job is never given to a machine of doubtful identity"}');

create function rouse_data.refuse_argument(kind rouse_data.job_kind, argument text) returns void
language plpgsql stable as $$
begin
	raise exception using errcode = '22023', message = format('a job of kind %s has no %s', kind.kind, argument),
		detail = format('It %s.', kind.purpose), hint = format('Leave %s out, or say %s.', argument,
			(select string_agg(k.kind, ' or ' order by k.kind) from rouse.job_kinds k where argument = any (k.takes)));
end
$$;
comment on function rouse_data.refuse_argument is 'Refuses what is said of a kind of job that does not take it.';

create function rouse_data.check_job_arguments(wanted rouse_data.job, image text, kind rouse_data.job_kind) returns void
language plpgsql stable as $$
declare
	given record;
begin
	for given in select * from (values ('image', image), ('script', wanted.script), ('profile', wanted.profile::text)) g (argument, value) loop
		if given.value is not null and given.argument <> all (kind.needs) then
			perform rouse_data.refuse_argument(kind, given.argument);
		end if;
	end loop;
	if wanted.mode is not null and kind.modes = '{}' then
		perform rouse_data.refuse_argument(kind, 'mode');
	elsif wanted.disk <> 'auto' and not kind.takes_disk then
		perform rouse_data.refuse_argument(kind, 'disk');
	end if;
	perform rouse_data.one_of('mode', wanted.mode, kind.modes);
end
$$;
comment on function rouse_data.check_job_arguments is 'Refuses what does not belong to a kind of job.';

create function rouse_data.check_job(wanted rouse_data.job, image text) returns void
language plpgsql stable as $$
declare
	kind rouse_data.job_kind;
begin
	perform rouse_data.one_of('kind of job', coalesce(wanted.kind, ''), array(select k.kind from rouse_data.job_kind k));
	select k.* into kind from rouse_data.job_kind k where k.kind = wanted.kind;
	perform rouse_data.one_of('after-action', wanted.after, '{reboot,poweroff,local}');
	if not rouse_data.is_disk(wanted.disk) then
		raise exception using errcode = '22023', message = format('a disk cannot be "%s"', wanted.disk),
			detail = 'It is named as the client system sees it.',
			hint = format('It is auto, or a device such as /dev/%s.', coalesce(nullif(regexp_replace(wanted.disk, '^.*[^a-z0-9]', ''), ''), 'sda'));
	end if;
	perform rouse_data.check_job_arguments(wanted, image, kind);
	perform rouse_data.check_priority(wanted.priority);
	perform rouse_data.check_job_times(wanted.not_before, wanted.deadline);
end
$$;
comment on function rouse_data.check_job is 'Refuses what no job can be; of the row given, what an operator says counts.';

create function rouse_data.check_script(script text) returns text
language plpgsql immutable as $$
begin
	if coalesce(octet_length(script), 0) not between 1 and 65536 then
		raise exception using errcode = '22023', message = format('a script has 1 to 65536 bytes, not %s', coalesce(octet_length(script), 0)),
			detail = 'It is a shell script that the client system runs.',
			hint = 'Give it as script => ...; psql reads a file into a variable by: \set name `cat FILE`';
	end if;
	return script;
end
$$;
comment on function rouse_data.check_script is 'The script, or an error if it is none.';

create function rouse_data.refuse_image_name(word text) returns text
language sql immutable as $$
	select case when coalesce(word, '') !~ '^[a-z0-9][a-z0-9._-]{0,63}$' then format('an image cannot be called "%s"', coalesce(word, '')) end
$$;
comment on function rouse_data.refuse_image_name is 'Why an image cannot have this name; null if it can. As the domain rouse.image_name has it.';

create function rouse_data.check_image_name(word text) returns text
language plpgsql immutable as $$
begin
	if rouse_data.refuse_image_name(word) is not null then
		raise exception using errcode = '22023', message = rouse_data.refuse_image_name(word),
			detail = 'What is captured becomes the next version of the image of this name; there may be none of it yet.',
			hint = 'Use a-z, 0-9, dot, _ and -, beginning with a letter or digit: at most 64.';
	end if;
	return word;
end
$$;
comment on function rouse_data.check_image_name is 'The name of an image that may be new, or an error.';

create function rouse_data.profile_named(word text) returns text
language plpgsql stable as $$
begin
	if not exists (select from rouse_data.profile p where p.name = word) then
		raise exception using errcode = '42704', message = format('there is no profile "%s"', word),
			detail = 'A profile is something that can be booted, such as an installer.',
			hint = rouse_data.nearest(word, array(select p.name::text from rouse_data.profile p)) || ' See: table rouse.profiles';
	end if;
	return word;
end
$$;
comment on function rouse_data.profile_named is 'The name of a profile, or an error with names near it.';

create function rouse_data.complete_job(wanted rouse_data.job, image text) returns rouse_data.job
language plpgsql stable as $$
declare
	modes text[] := (select k.modes from rouse_data.job_kind k where k.kind = wanted.kind);
begin
	wanted.mode := coalesce(wanted.mode, modes[1]);
	case wanted.kind
		when 'deploy' then wanted.image_version_id := (rouse_data.image_named(coalesce(image, ''))).id;
		when 'capture' then wanted.image := rouse_data.check_image_name(image);
		when 'script' then wanted.script := rouse_data.check_script(wanted.script);
		when 'install', 'boot' then wanted.profile := rouse_data.profile_named(coalesce(wanted.profile, ''));
		when 'local' then wanted.after := 'local';
		else null;
	end case;
	return wanted;
end
$$;
comment on function rouse_data.complete_job is 'A job that was checked, with what its kind needs, found or refused.';

create function rouse_data.check_target(target text, kind text) returns void
language plpgsql as $$
begin
	if kind = 'capture' and (rouse_data.target_named(target)).group_name is not null then
		raise exception using errcode = '22023', message = format('"%s" is a group, and an image is captured from one machine', target),
			detail = 'Each of its machines would make a version of the same image.',
			hint = format('Name one of them: select name from rouse.hosts where group_name = %L', regexp_replace(target, '^group:', ''));
	end if;
end
$$;
comment on function rouse_data.check_target is 'Refuses a kind of job that makes no sense for a group.';
