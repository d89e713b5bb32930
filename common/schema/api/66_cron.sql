-- When is it time? Five cron fields and a time zone, also on the days when clocks are changed. Nothing
-- here reads a table: a time comes in, the next one goes out.
--
-- Fields whose hour is * go by the clock on the wall, minute by minute: in an hour that comes twice they match
-- twice, in one that does not exist never. Fixed hours match once a day: at the first of two equal
-- times, and for a time that does not exist at the same distance from midnight, as if the clock had not
-- been changed.

create function rouse_data.cron_number(word text, names text[], low int) returns int
language sql immutable as $$
	select case when word ~ '^[0-9]{1,4}$' then word::int
		else array_position(names, lower(word)) - 1 + low end
$$;
comment on function rouse_data.cron_number is 'A number, or the place of a name among names, the first being low; null for anything else.';

create function rouse_data.cron_part(part text, low int, high int, names text[]) returns int[]
language plpgsql immutable as $$
declare
	words text[] := regexp_match(part, '^(\*|[0-9a-zA-Z]+)(?:-([0-9a-zA-Z]+))?(?:/([0-9]{1,4}))?$');
	first int := low;
	last int := high;
	step int := coalesce(words[3]::int, 1);
begin
	if words[1] <> '*' then
		first := rouse_data.cron_number(words[1], names, low);
		-- 7/2 goes on to the end, as 7-high/2 does; 7 alone is 7.
		last := case when words[2] is not null then rouse_data.cron_number(words[2], names, low)
			when words[3] is null then first else high end;
		-- fri-sun ends with the week.
		last := case when first > last and last = 0 then 7 else last end;
	end if;
	if words is null or (words[1] = '*' and words[2] is not null) or first is null or last is null
		or not (first between low and high and last between first and high and step between 1 and high) then
		return null;
	end if;
	return array(select generate_series(first, last, step));
end
$$;
comment on function rouse_data.cron_part is 'The numbers that one member of a field''s list means; null if it means nothing.';

create function rouse_data.cron_field(field text, what text, low int, high int, names text[]) returns int[]
language plpgsql immutable as $$
declare
	found_numbers int[];
begin
	select case when bool_and(p.numbers is not null) then array_agg(distinct n % (case what when 'weekday' then 7 else 10000 end)) end
	into found_numbers
	from unnest(string_to_array(field, ',')) part
	cross join lateral (select rouse_data.cron_part(part, low, high, names) as numbers) p
	left join lateral unnest(p.numbers) n on true;
	if found_numbers is null then
		raise exception using errcode = '22023', message = format('the cron field for the %s cannot be "%s"', what, field),
			detail = 'Five fields are: minute, hour, day, month, weekday.',
			hint = format('It is %s to %s%s, or *, a list such as %s,%s, a range such as %s-%s, or steps such as */%s.', low, high,
				coalesce(' or ' || array_to_string(names, ' '), ''), low, low + 2, low, low + 4, low + 2);
	end if;
	return found_numbers;
end
$$;
comment on function rouse_data.cron_field is 'The numbers that a field means, or an error that says what it may be.';

create function rouse_data.cron_read(words text) returns rouse_data.cron
language plpgsql immutable as $$
declare
	fields text[] := regexp_split_to_array(trim(case words
		when '@hourly' then '0 * * * *' when '@daily' then '0 0 * * *' when '@weekly' then '0 0 * * 0'
		when '@monthly' then '0 0 1 * *' when '@yearly' then '0 0 1 1 *' else words end), '\s+');
	read_fields rouse_data.cron;
begin
	if cardinality(fields) <> 5 then
		raise exception using errcode = '22023', message = format('"%s" is neither five cron fields nor a time', words),
			detail = format('It has %s words.', cardinality(fields)),
			hint = 'Such as 30 3 * * mon-fri (minute hour day month weekday), @hourly, @daily, @weekly, @monthly, @yearly, or 2030-12-24 20:00.';
	end if;
	read_fields.minutes := rouse_data.cron_field(fields[1], 'minute', 0, 59, null);
	read_fields.hours := rouse_data.cron_field(fields[2], 'hour', 0, 23, null);
	read_fields.days := rouse_data.cron_field(fields[3], 'day', 1, 31, null);
	read_fields.months := rouse_data.cron_field(fields[4], 'month', 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
	read_fields.weekdays := rouse_data.cron_field(fields[5], 'weekday', 0, 7, '{sun,mon,tue,wed,thu,fri,sat}');
	read_fields.each_hour := fields[2] like '*%';
	read_fields.either_day := fields[3] not like '*%' and fields[5] not like '*%';
	return read_fields;
end
$$;
comment on function rouse_data.cron_read is 'Five cron fields, or a word such as @daily, read; or an error that says which field is wrong.';

create function rouse_data.cron_day(fields rouse_data.cron, the_day date) returns boolean
language sql immutable as $$
	select extract(month from the_day)::int = any (fields.months) and case when fields.either_day
		then extract(day from the_day)::int = any (fields.days) or extract(dow from the_day)::int = any (fields.weekdays)
		else extract(day from the_day)::int = any (fields.days) and extract(dow from the_day)::int = any (fields.weekdays) end
$$;
comment on function rouse_data.cron_day is 'Whether a day matches.';

create function rouse_data.instants(wall timestamp, zone text, each_hour boolean) returns timestamptz[]
language plpgsql stable as $$
declare
	as_utc timestamptz := wall at time zone 'UTC';
	-- 26 hours is further than any two zones are apart: these are surely before and after.
	before_change timestamptz := as_utc - ((as_utc - interval '26 hours') at time zone zone - (as_utc - interval '26 hours') at time zone 'UTC');
	after_change timestamptz := as_utc - ((as_utc + interval '26 hours') at time zone zone - (as_utc + interval '26 hours') at time zone 'UTC');
	found_instants timestamptz[];
begin
	if before_change = after_change then
		return array[before_change];
	end if;
	found_instants := array(select t from unnest(array[before_change, after_change]) t where t at time zone zone = wall order by t);
	return case when each_hour then found_instants else array[coalesce(found_instants[1], before_change)] end;
end
$$;
comment on function rouse_data.instants is
	'When the clock on the wall of a time zone shows this: once, twice or never; the first or the nearest if not each hour counts.';

create function rouse_data.cron_next(fields rouse_data.cron, zone text, after timestamptz) returns timestamptz
language plpgsql stable as $$
declare
	wall timestamp := after at time zone zone;
	the_day date;
	next_time timestamptz;
begin
	-- 29 February may be eight years away.
	for the_day in
		select d::date from generate_series(wall::date - 1, wall::date + 366 * 8, interval '1 day') d
		where rouse_data.cron_day(fields, d::date)
	loop
		select min(i) into next_time
		from unnest(fields.hours) h cross join unnest(fields.minutes) m
		cross join lateral (select the_day + make_interval(hours => h, mins => m) as at) t
		cross join lateral unnest(rouse_data.instants(t.at, zone, fields.each_hour)) i
		where t.at > wall - interval '26 hours' and i > cron_next.after;
		exit when next_time is not null;
	end loop;
	return next_time;
end
$$;
comment on function rouse_data.cron_next is 'The first time after this one; null if there is none in eight years, such as for 30 February.';

create function rouse_data.zone_named(word text) returns text
language plpgsql stable as $$
declare
	found_name text := (select z.name from pg_timezone_names z where lower(z.name) = lower(word) limit 1);
begin
	if found_name is null then
		raise exception using errcode = '22023', message = format('there is no time zone "%s"', word),
			detail = 'A time zone has a name of the IANA database; an abbreviation would not know of summer time.',
			hint = rouse_data.nearest(word, array(select z.name from pg_timezone_names z where z.name !~ '^posix'));
	end if;
	return found_name;
end
$$;
comment on function rouse_data.zone_named is 'The time zone that a word names, or an error with names near it.';

create function rouse_data.next_time(at text, zone text, after timestamptz) returns timestamptz
language plpgsql stable as $$
declare
	once timestamptz;
	next_one timestamptz;
begin
	if at is null then
		raise exception using errcode = '22023', message = 'a schedule has no time',
			detail = 'Column at says when it is due.',
			hint = 'Such as 30 3 * * mon-fri, @daily, or 2030-12-24 20:00.';
	elsif at ~ '^\s*\d{4}-\d{1,2}-\d{1,2}' then
		begin
			if at ~ '^\s*\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}(:\d{2})?\s*$' then
				once := (rouse_data.instants(at::timestamp, zone, false))[1];
			end if;
		exception when datetime_field_overflow then
			null; -- Such as 30 February.
		end;
		if once is null then
			raise exception using errcode = '22023', message = format('"%s" is no time', at),
				detail = 'One time is a date that there is, and hour and minute.',
				hint = 'Such as 2030-12-24 20:00, in the time zone that stands beside it.';
		end if;
		return case when once > after then once end;
	end if;
	next_one := rouse_data.cron_next(rouse_data.cron_read(at), zone, after);
	if next_one is null then
		raise exception using errcode = '22023', message = format('"%s" never comes', at),
			detail = 'None of the days of the next eight years is one of these.',
			hint = 'Look at day and month: no month has such a day.';
	end if;
	return next_one;
end
$$;
comment on function rouse_data.next_time is 'When a schedule is due next after a time: of five cron fields, or of one time; null if that is over.';

create function rouse.next_times(at text, time_zone text default null, times int default 5)
returns table (wall timestamp, "time" timestamptz)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	zone text := rouse_data.zone_named(coalesce(time_zone, current_setting('TimeZone')));
begin
	"time" := now();
	for n in 1 .. least(times, 1000) loop
		"time" := rouse_data.next_time(at, zone, "time");
		exit when "time" is null;
		wall := "time" at time zone zone;
		return next;
	end loop;
end
$$;
comment on function rouse.next_times is
	'When a schedule would be due: select * from rouse.next_times(''30 3 * * mon-fri'', ''Europe/Vienna'').';
