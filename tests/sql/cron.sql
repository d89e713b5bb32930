-- When a schedule is due: the fields, and the days on which clocks are changed.
begin;
select plan(54);
create function pg_temp.next(at text, zone text, after text, times int default 1) returns text language plpgsql as $$
declare
	t timestamptz := after::timestamptz;
	said text[];
begin
	for n in 1 .. times loop
		t := rouse_data.next_time(at, zone, t);
		said := said || (to_char(t at time zone zone, 'MM-DD HH24:MI') || to_char(t at time zone 'UTC', ' (HH24:MI)'));
	end loop;
	return array_to_string(said, ', ');
end $$;
create function pg_temp.day(at text, after text, times int default 1) returns text language plpgsql as $$
declare
	t timestamptz := after::timestamptz;
	said text[];
begin
	for n in 1 .. times loop
		t := rouse_data.next_time(at, 'UTC', t);
		said := said || to_char(t at time zone 'UTC', 'YYYY-MM-DD HH24:MI');
	end loop;
	return array_to_string(said, ', ');
end $$;
set local timezone = 'UTC';

-- Fields.
select is(pg_temp.day('30 3 * * *', '2026-01-01 03:29'), '2026-01-01 03:30', 'later on the same day');
select is(pg_temp.day('30 3 * * *', '2026-01-01 03:30'), '2026-01-02 03:30', 'the present minute is over');
select is(pg_temp.day('*/20 8-9 * * *', '2026-01-01 08:10', 6), '2026-01-01 08:20, 2026-01-01 08:40, 2026-01-01 09:00, 2026-01-01 09:20, 2026-01-01 09:40, 2026-01-02 08:00', 'steps and ranges');
select is(pg_temp.day('5,10-12,50/5 0 * * *', '2026-01-01', 7), '2026-01-01 00:05, 2026-01-01 00:10, 2026-01-01 00:11, 2026-01-01 00:12, 2026-01-01 00:50, 2026-01-01 00:55, 2026-01-02 00:05', 'lists');
select is(pg_temp.day('0 0 * * mon-fri', '2026-01-02', 2), '2026-01-05 00:00, 2026-01-06 00:00', 'names of weekdays');
select is(pg_temp.day('0 0 * * fri-sun', '2026-01-01', 4), '2026-01-02 00:00, 2026-01-03 00:00, 2026-01-04 00:00, 2026-01-09 00:00', 'up to Sunday');
select is(pg_temp.day('0 0 * * 7', '2026-01-01'), pg_temp.day('0 0 * * 0', '2026-01-01'), 'Sunday is 0 and 7');
select is(pg_temp.day('0 0 1 JAN,Jul *', '2026-01-01', 2), '2026-07-01 00:00, 2027-01-01 00:00', 'names of months in any case');
select is(pg_temp.day('0 0 13 * fri', '2026-03-01', 3), '2026-03-06 00:00, 2026-03-13 00:00, 2026-03-20 00:00', 'day and weekday both given: either');
select is(pg_temp.day('0 0 * * fri', '2026-03-01', 2), '2026-03-06 00:00, 2026-03-13 00:00', 'only the weekday given: that');
select is(pg_temp.day('0 0 29 2 *', '2026-01-01', 2), '2028-02-29 00:00, 2032-02-29 00:00', 'leap years');
select is(pg_temp.day('0 0 29 2 *', '2096-03-01'), '2104-02-29 00:00', 'eight years apart');
select is(pg_temp.day('0 0 31 * *', '2026-03-31', 2), '2026-05-31 00:00, 2026-07-31 00:00', 'months without a 31st');
select is(pg_temp.day('@hourly', '2026-01-01') || pg_temp.day('@daily', '2026-01-01') || pg_temp.day('@weekly', '2026-01-01') || pg_temp.day('@monthly', '2026-01-01') || pg_temp.day('@yearly', '2026-01-01'),
	'2026-01-01 01:002026-01-02 00:002026-01-04 00:002026-02-01 00:002027-01-01 00:00', 'words');
select is(pg_temp.day('  30   3 * * *  ', '2026-01-01'), '2026-01-01 03:30', 'blanks');
select is(pg_temp.day('2026-12-24 20:00', '2026-01-01'), '2026-12-24 20:00', 'once');
select is(rouse_data.next_time('2026-12-24 20:00', 'Asia/Tokyo', '2026-01-01'), '2026-12-24 11:00+00', 'in its time zone');
select is(rouse_data.next_time('2026-12-24T20:00:30', 'UTC', '2026-12-24 20:00:30'), null, 'and never again');

-- Refusals.
create function pg_temp.refused(at text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(format('select rouse_data.next_time(%L, ''UTC'', now())', at)), words, coalesce(nullif(at, ''), 'nothing')) $$;
select pg_temp.refused('60 3 * * *', '22023 \| the cron field for the minute cannot be "60" \| It is 0 to 59, or \*, a list');
select pg_temp.refused('0 24 * * *', 'for the hour cannot be "24" \| It is 0 to 23');
select pg_temp.refused('0 0 0 * *', 'for the day cannot be "0" \| It is 1 to 31');
select pg_temp.refused('0 0 * 13 *', 'for the month cannot be "13" \| It is 1 to 12 or jan feb');
select pg_temp.refused('0 0 * * mo', 'for the weekday cannot be "mo" \| It is 0 to 7 or sun mon tue');
select pg_temp.refused('0 0 * * 8', 'weekday');
select pg_temp.refused('5-1 0 * * *', 'minute');
select pg_temp.refused('*/0 0 * * *', 'minute');
select pg_temp.refused('*-5 0 * * *', 'minute');
select pg_temp.refused('1,,2 0 * * *', 'minute');
select pg_temp.refused(', 0 * * *', 'minute');
select pg_temp.refused('-1 0 * * *', 'minute');
select pg_temp.refused('99999999999999999999 0 * * *', 'minute');
select pg_temp.refused('0 0 * *', 'is neither five cron fields nor a time');
select pg_temp.refused('0 0 * * * *', 'is neither five cron fields nor a time');
select pg_temp.refused('', 'is neither');
select pg_temp.refused('tomorrow', 'is neither');
select pg_temp.refused('@reboot', 'is neither');
select pg_temp.refused('0 0 30 2 *', '22023 \| "0 0 30 2 \*" never comes \| Look at day and month');
select pg_temp.refused('2026-13-24 20:00', 'is no time \| Such as');
select pg_temp.refused('2026-12-24 20:00+02', 'is no time');
select pg_temp.refused('2026-12-24', 'is no time');
select matches(pg_temp.error($$select * from rouse.next_times('0 0 * * *', 'Europe/Wien')$$), '22023 \| there is no time zone "Europe/Wien" \| Like it are: .*Europe/', 'a mistyped time zone');
select results_eq($$select count(*), min("time" at time zone 'europe/vienna') = min(wall) from rouse.next_times('0 3 * * *', 'europe/vienna', 9)$$, $$values (9::bigint, true)$$, 'next_times shows them');

-- Vienna: on 29 March 2026 there is no 02:00 to 03:00, on 25 October it comes twice.
select is(pg_temp.next('30 2 * * *', 'Europe/Vienna', '2026-03-28', 3), '03-28 02:30 (01:30), 03-29 03:30 (01:30), 03-30 02:30 (00:30)', 'a time that does not exist: as if the clock had not been changed');
select is(pg_temp.next('30 2 * * *', 'Europe/Vienna', '2026-10-24', 3), '10-24 02:30 (00:30), 10-25 02:30 (00:30), 10-26 02:30 (01:30)', 'a time that comes twice: the first');
select is(pg_temp.next('30 2,3 * * *', 'Europe/Vienna', '2026-03-29', 2), '03-29 03:30 (01:30), 03-30 02:30 (00:30)', 'two that fall together are one');
select is(pg_temp.next('30 * * * *', 'Europe/Vienna', '2026-03-29 00:00', 3), '03-29 01:30 (00:30), 03-29 03:30 (01:30), 03-29 04:30 (02:30)', 'each hour: none is missed');
select is(pg_temp.next('30 * * * *', 'Europe/Vienna', '2026-10-25 00:00', 4), '10-25 02:30 (00:30), 10-25 02:30 (01:30), 10-25 03:30 (02:30), 10-25 04:30 (03:30)', 'each hour: also the one that comes twice');
select is(pg_temp.next('*/30 * * * *', 'Australia/Lord_Howe', '2026-04-04 14:00', 4), '04-05 01:30 (14:30), 04-05 01:30 (15:00), 04-05 02:00 (15:30), 04-05 02:30 (16:00)', 'a change by half an hour');
select is(pg_temp.next('0 0 * * *', 'America/Havana', '2026-03-07 12:00', 2), '03-08 01:00 (05:00), 03-09 00:00 (04:00)', 'a midnight that does not exist');
select is(pg_temp.next('2026-03-29 02:30', 'Europe/Vienna', '2026-01-01'), '03-29 03:30 (01:30)', 'once, at a time that does not exist');
select is(pg_temp.next('0 12 * * *', 'Pacific/Apia', '2011-12-29', 3), '12-29 12:00 (22:00), 12-31 12:00 (22:00), 01-01 12:00 (22:00)', 'a day that does not exist');

-- An oracle: the half hours of the days around changes, looked at one by one.
create temp table span as select * from (values (timestamptz '2026-03-07', timestamptz '2026-03-10'), ('2026-03-28', '2026-03-30'), ('2026-04-04', '2026-04-06'),
	('2026-10-03', '2026-10-05'), ('2026-10-24', '2026-10-26'), ('2026-10-31', '2026-11-02')) s (first, last);
create temp table minute as select z, t, t at time zone z as wall
	from unnest('{Europe/Vienna,Australia/Lord_Howe,America/Havana}'::text[]) z, span, generate_series(first, last, interval '30 minutes') t;
create function pg_temp.times(at text, zone text, first timestamptz, last timestamptz) returns setof timestamptz language plpgsql as $$
declare t timestamptz := first - interval '1 second';
begin loop t := rouse_data.next_time(at, zone, t); exit when t > last; return next t; end loop; end $$;
select set_eq($$select z, t from minute where extract(minute from wall) = 0$$,
	$$select z, t from unnest('{Europe/Vienna,Australia/Lord_Howe,America/Havana}'::text[]) z, span, pg_temp.times('0 * * * *', z, first, last) t$$,
	'each hour, as the clocks show it');
select is_empty($$
	select z, h, m, day, count(t) from unnest('{Europe/Vienna,Australia/Lord_Howe,America/Havana}'::text[]) z, unnest('{0,1,2,3,12}'::int[]) h, unnest('{0,30}'::int[]) m
	cross join unnest('{2026-03-07,2026-03-08,2026-03-09,2026-03-29,2026-04-05,2026-10-04,2026-10-25,2026-11-01}'::date[]) day
	left join lateral pg_temp.times(format('%s %s %s %s *', m, h, extract(day from day), extract(month from day)), z, day::timestamptz - interval '1 day', day::timestamptz + interval '2 days') t on true
	group by 1, 2, 3, 4 having count(t) <> 1$$, 'fixed hours: once for each day, also when clocks are changed');
select is_empty($$
	select * from (select z, t, wall, min(t) over (partition by z, wall) as first from minute where extract(hour from wall) in (1, 2) and extract(minute from wall) = 30) o
	where t = first and not exists (select from pg_temp.times('30 1,2 * * *', o.z, o.t, o.t) x)$$, 'at the first of two equal times');
select * from finish();
rollback;
