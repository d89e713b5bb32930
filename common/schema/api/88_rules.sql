-- What a table refuses, said to people in the words of the view that they wrote to. Constraints keep the rules, and their names
-- are sentences; but PostgreSQL's own errors name the table behind the view, and nothing of what would be right. These
-- triggers ask the same first. They are made of the constraints: a new one is not forgotten, and what a trigger might
-- miss the constraint refuses all the same.
--
-- Keys that are used twice stay PostgreSQL's to tell: a trigger that refused them would end "on conflict".

create function rouse_data.column_words(noun text, columns text[]) returns text
language plpgsql stable as $$
begin
	return format('\d+ rouse.%s says: %s.', noun, (select string_agg(c || ': ' || coalesce(
		(select col_description(a.attrelid, a.attnum) from pg_attribute a where a.attrelid = ('rouse.' || noun)::regclass and a.attname = c),
		'yours to fill'), '; ' order by n) from unnest(columns) with ordinality u (c, n)));
end
$$;
comment on function rouse_data.column_words is 'A hint: what the comments on these columns of a view say.';

create function rouse_data.refuse_row() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	noun constant text := tg_argv[0];
	rule constant text := tg_argv[1];
	columns constant text[] := tg_argv[2];
	-- Lists as they are written: {10.77.0.1}.
	given constant text := (select string_agg(c || case cardinality(columns) when 1 then ' cannot be ' else ' ' end || coalesce('"'
			|| case jsonb_typeof(to_jsonb(new) -> c) when 'array' then array(select jsonb_array_elements_text(to_jsonb(new) -> c))::text
				else to_jsonb(new) ->> c end || '"', 'null'), ', ' order by n)
		from unnest(columns) with ordinality u (c, n));
begin
	raise exception using errcode = '23514',
		message = case cardinality(columns) when 1 then given else 'these do not go together: ' || given end,
		detail = format('The rule is: %s.', rule), hint = rouse_data.column_words(noun, columns);
end
$$;
comment on function rouse_data.refuse_row is 'Refuses a row that breaks a rule of its table; called for those that do.';

create function rouse_data.refuse_null() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	raise exception using errcode = '23502', message = format('%s is missing', tg_argv[1]),
		detail = format('A row of rouse.%s needs it.', tg_argv[0]), hint = rouse_data.column_words(tg_argv[0], array[tg_argv[1]]);
end
$$;
comment on function rouse_data.refuse_null is 'Refuses a row without what each row has; called for those that lack it.';

create function rouse_data.refuse_in_use() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	-- The view of what is deleted and the column that names it; the rule; the view, table and column that may refer to it, the
	-- column here that they refer to, and how their rows are named.
	noun text := tg_argv[0]; key text := to_jsonb(old) ->> tg_argv[1]; rule text := tg_argv[2];
	user_noun text := tg_argv[3]; user_table text := tg_argv[4]; user_column text := tg_argv[5]; refers_to text := tg_argv[6];
	users text;
begin
	execute format('select string_agg(t.name, %L) from (select %s as name from %s where %I = %L order by 1 limit 8) t',
		', ', tg_argv[7], user_table, user_column, to_jsonb(old) ->> refers_to) into users;
	if users is not null then
		raise exception using errcode = '23503', message = format('"%s" of rouse.%s is in use', key, noun),
			detail = format('The rule is: %s. It is named in rouse.%s by: %s.', rule, user_noun, users),
			hint = case user_noun when 'jobs' then format('update rouse.%s set state = ''retired'' where name = %L', noun, key)
				else format('Change or delete these first: select * from rouse.%s where %s = %L', user_noun, user_column, key) end;
	end if;
	return null;
end
$$;
comment on function rouse_data.refuse_in_use is 'Refuses to delete what other rows name, and says which do.';

create function rouse_data.check_overlap() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	other text;
begin
	-- Two that begin alike are one given twice, which is for "on conflict" to see.
	if tg_table_name = 'subnet' then
		other := (select s.subnet from rouse_data.subnet s where s.subnet && new.subnet and s.id <> new.id and s.subnet <> new.subnet limit 1);
	else
		other := (select format('%s to %s', host(p.first), host(p.last)) from rouse_data.pool p where p.id <> new.id and p.first <> new.first
			and new.first <= new.last and rouse_data.address_range(p.first, p.last, '[]') && rouse_data.address_range(new.first, new.last, '[]') limit 1);
	end if;
	if other is not null then
		raise exception using errcode = '23P01', message = format('it overlaps with the %s %s', tg_table_name, other),
			detail = format('The rule is: %ss do not overlap.', tg_table_name),
			hint = format('Choose other addresses, or change that one first: table rouse.%ss', tg_table_name);
	end if;
	return new;
end
$$;
comment on function rouse_data.check_overlap is 'Refuses a subnet or a pool that overlaps with another one, which it names.';
create trigger check_overlap before insert or update of subnet on rouse_data.subnet
	for each row execute function rouse_data.check_overlap();
create trigger check_overlap before insert or update of first, last on rouse_data.pool
	for each row execute function rouse_data.check_overlap();

-- What people write, with the name of its view and of the columns that name a row: those of the audit.
create view rouse_data.written as
	select t.tgrelid as relation, a.words[1] as noun, string_to_array(a.words[2], ' ') as key
	from pg_trigger t cross join lateral (select string_to_array(encode(t.tgargs, 'escape'), '\000') as words) a
	where t.tgname = 'note_audit';
comment on view rouse_data.written is 'The tables behind the views that people write to.';

create function rouse_data.as_new(relation regclass, rule text) returns text
language sql stable as $$
	-- A name behind :: is a type, one before ( a function; the others that columns have are columns.
	select string_agg(case when a.attname is not null and w.before is distinct from '::' and w.behind is distinct from '('
		then 'new.' || quote_ident(a.attname) else w.token end, ' ' order by w.n)
	from (select m[1] as token, n, lag(m[1]) over (order by n) as before, lead(m[1]) over (order by n) as behind
		from regexp_matches(rule, '(''(?:[^'']|'''')*''|"(?:[^"]|"")*"|::|[a-z_][a-z_0-9]*|[0-9.]+|[<>=!~*&|@#-]+|\S)', 'gi') with ordinality r (m, n)) w
	left join pg_attribute a on a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.attname = trim('"' from w.token)
		and w.token !~ ''''
$$;
comment on function rouse_data.as_new is 'A check''s expression about a table''s row, as the condition of a trigger has it.';

do $$
declare
	one record;
begin
	for one in
		select 1 as turn, w.relation::regclass, format('(%s) is false', rouse_data.as_new(w.relation, pg_get_expr(c.conbin, c.conrelid))) as condition,
			'refuse_row' as called, format('%L, %L, %L', w.noun, c.conname,
				(select array_agg(a.attname order by k.n) from unnest(c.conkey) with ordinality k (attnum, n)
				join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum)) as arguments,
			row_number() over (partition by w.relation order by c.oid) as number
		from rouse_data.written w join pg_constraint c on c.conrelid = w.relation and c.contype = 'c'
		union all
		select 0, w.relation::regclass, format('new.%I is null', a.attname), 'refuse_null', format('%L, %L', w.noun, a.attname), a.attnum
		from rouse_data.written w join pg_attribute a on a.attrelid = w.relation and a.attnum > 0 and a.attnotnull and a.attidentity = ''
	loop
		-- Behind all that fill in a column, and first what is missing: triggers fire in the order of their names.
		execute format('create trigger %I before insert or update on %s for each row when (%s) execute function rouse_data.%I(%s)',
			format('rule_%s_%s', one.turn, to_char(one.number, 'FM00')), one.relation, one.condition, one.called, one.arguments);
	end loop;
	for one in
		select w.relation::regclass, w.noun, w.key[1] as key, c.conname, coalesce(u.noun, 'jobs') as user_noun, c.conrelid::regclass as user_table,
			ua.attname as user_column, wa.attname as refers_to,
			case when u.key is null then 'id::text' else format('concat_ws(%L, %s)', ' ', array_to_string(u.key, ', ')) end as named,
			row_number() over (partition by w.relation order by c.oid) as number
		from rouse_data.written w join pg_constraint c on c.confrelid = w.relation and c.contype = 'f' and c.confdeltype in ('a', 'r')
		left join rouse_data.written u on u.relation = c.conrelid
		join pg_attribute ua on ua.attrelid = c.conrelid and ua.attnum = c.conkey[1]
		join pg_attribute wa on wa.attrelid = c.confrelid and wa.attnum = c.confkey[1]
		where c.conname ~ ' ' and (u.relation is not null or c.conrelid = 'rouse_data.job'::regclass)
	loop
		-- When the statement has deleted all that it deletes, and before the foreign key looks: by its name.
		execute format('create trigger %I after delete on %s for each row execute function rouse_data.refuse_in_use(%L, %L, %L, %L, %L, %L, %L, %L)',
			'0_in_use_' || one.number, one.relation, one.noun, one.key, one.conname, one.user_noun, one.user_table, one.user_column, one.refers_to, one.named);
	end loop;
end
$$;
