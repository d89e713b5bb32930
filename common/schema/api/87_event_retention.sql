-- How long events are kept: a partition for each day, made ahead and dropped when nothing in it is wanted any more; within it,
-- kinds that go before the others are deleted, a day of a kind at a time.

create view rouse.event_retention as
	select kind, days from rouse_data.event_retention order by kind;
call rouse_data.describe('rouse.event_retention', 'Kinds of events that are kept longer than the setting event_days says, or not so long.', '{
	"kind": "the kind, as in rouse.events", "days": "for so many days, 1 to 3650"}');

create function rouse_data.event_days_max() returns int
language plpgsql stable as $$
begin
	return greatest(rouse_data.setting_int('event_days'), (select max(r.days) from rouse_data.event_retention r));
end
$$;
comment on function rouse_data.event_days_max is 'After so many days no event is kept, of whatever kind.';

-- Days are those of UTC: sessions of different time zones would make partitions that overlap.
create function rouse_data.keep_partitions() returns void
language plpgsql set timezone = 'UTC' as $$
declare
	day date;
	old record;
	made text;
	oldest date := current_date - rouse_data.event_days_max();
begin
	for day in select d::date from generate_series(current_date, current_date + 2, interval '1 day') d loop
		made := 'event_' || to_char(day, 'YYYYMMDD');
		-- A day that has rows in the default partition already stays there: nothing is moved.
		continue when to_regclass('rouse_data.' || made) is not null
			or exists (select from rouse_data.event_default e where e.at >= day and e.at < day + 1);
		begin
			execute format('create table rouse_data.%I partition of rouse_data.event for values from (%L) to (%L)',
				made, day::timestamptz, (day + 1)::timestamptz);
			execute format('comment on table rouse_data.%I is %L', made, 'Events of ' || day);
		exception when invalid_object_definition then
			null; -- It overlaps one that was made by another clock: the default partition takes the rest of that day.
		end;
	end loop;
	for old in
		select c.oid::regclass as partition from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'rouse_data.event'::regclass and c.relname ~ '^event_[0-9]{8}$'
			and to_date(right(c.relname, 8), 'YYYYMMDD') < oldest
	loop
		execute format('drop table %s', old.partition);
	end loop;
	delete from rouse_data.event_default e where e.at < oldest;
end
$$;
comment on function rouse_data.keep_partitions is 'Makes the partitions of the days to come and drops those that are too old.';

create function rouse_data.forget_events() returns int
language plpgsql set timezone = 'UTC' as $$
declare
	one record;
	gone int;
	forgotten int := 0;
begin
	for one in
		-- The first time there is nothing before the oldest event.
		select k.kind, coalesce(g.before, (select min(e.at)::date from rouse_data.event e), current_date) as day, current_date - k.days as before
		from (select r.kind, r.days from rouse_data.event_retention r union all select '*', rouse_data.setting_int('event_days')) k
		left join rouse_data.event_gone g on g.kind = k.kind order by k.kind
	loop
		continue when one.day >= one.before;
		delete from rouse_data.event e
		where e.at >= one.day and e.at < one.day + 1 and case one.kind when '*'
			then not exists (select from rouse_data.event_retention r where r.kind = e.kind) else e.kind = one.kind end;
		get diagnostics gone = row_count;
		forgotten := forgotten + gone;
		insert into rouse_data.event_gone (kind, before) values (one.kind, one.day + 1)
		on conflict on constraint event_gone_pkey do update set before = excluded.before;
	end loop;
	return forgotten;
end
$$;
comment on function rouse_data.forget_events is
	'Deletes of each kind whose time has come one day, so that no tick lasts long; says how many events.';

create function rouse_data.forget_anew() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	delete from rouse_data.event_gone g where g.kind in ('*', old.kind);
	return null;
end
$$;
comment on function rouse_data.forget_anew is 'A kind that is kept like the others again is looked for on all days that are kept.';
create trigger forget_anew after delete or update of kind on rouse_data.event_retention
	for each row execute function rouse_data.forget_anew();

select rouse_data.keep_partitions();
