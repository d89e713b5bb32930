-- Columns that hold one of a few words, or a list of them: a constraint keeps them true and says in its name what is valid; this
-- says to who mistypes one which is nearest. The words are read from the constraints: a new one is not forgotten.

create function rouse_data.check_words() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	given constant jsonb := to_jsonb(new) -> tg_argv[0];
	valid constant text[] := tg_argv[2];
	wrong constant text := (select min(w) from jsonb_array_elements_text(
		case jsonb_typeof(given) when 'array' then given else jsonb_build_array(given) end) w where w <> all (valid));
begin
	if wrong is not null then
		raise exception using errcode = '23514', message = format('%s cannot be "%s"', tg_argv[0], wrong),
			detail = format('The rule is: %s.', tg_argv[1]), hint = rouse_data.nearest(wrong, valid);
	end if;
	return new;
end
$$;
comment on function rouse_data.check_words is 'Refuses a word that a column does not take, with those that it does.';

do $$
declare
	one record;
begin
	for one in
		select c.conrelid::regclass as relation, a.attname, c.conname, case when d.rule ~ '<@ ''{'
			then substring(d.rule from '<@ ''({[^}]*})''')::text[]
			else array(select w[1] from regexp_matches(d.rule, '''([^'']*)''::text', 'g') w) end as words
		from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum]
		cross join lateral (select pg_get_constraintdef(c.oid) as rule) d
		where c.contype = 'c' and c.connamespace = 'rouse_data'::regnamespace and d.rule ~ '= ANY \(ARRAY\[''|<@ ''{'
			-- what people write
			and exists (select from pg_trigger t where t.tgrelid = c.conrelid and t.tgname = 'note_audit')
	loop
		execute format('create trigger %I before insert or update of %I on %s for each row when (new.%2$I is not null) '
			'execute function rouse_data.check_words(%2$L, %4$L, %5$L)',
			'check_words_' || one.attname, one.attname, one.relation, one.conname, one.words);
	end loop;
end
$$;
