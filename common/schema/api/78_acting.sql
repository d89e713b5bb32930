-- How menud does what an operator asks of it: it names the operator in each call, and gets no more than
-- that operator might have in psql.

create function rouse_data.act_as(operator text) returns text
language plpgsql as $$
declare
	the_role text := (select o.role from rouse_data.operator o where o.name = operator);
begin
	if the_role is null then
		raise exception using errcode = '42501', message = format('there is no operator "%s"', operator),
			detail = 'menud acts for the people in rouse.operators only.',
			hint = 'Whoever has no limit adds one: insert into rouse.operators (name, groups) values (...)';
	end if;
	perform set_config('rouse.operator', operator, true);
	return the_role;
end
$$;
comment on function rouse_data.act_as is 'From here to the end of this call, menud acts for this operator; returns viewer or operator.';

create function rouse_data.verb_named(verb text, the_role text, given text[]) returns pg_proc
language plpgsql stable as $$
declare
	found_verb pg_proc;
	takes text[];
	grantee text := 'rouse_' || the_role;
begin
	select p.* into found_verb from pg_proc p
	where p.pronamespace = 'rouse'::regnamespace and p.proname = verb and has_function_privilege(grantee, p.oid, 'execute')
	order by given <@ coalesce(p.proargnames[1:p.pronargs], '{}') desc, p.pronargs desc limit 1;
	if found_verb.oid is null then
		raise exception using errcode = '42883', message = format('there is no verb "%s" for a %s', verb, the_role),
			detail = 'A verb is a function of schema rouse that this role may execute.',
			hint = rouse_data.nearest(verb, array(select distinct p.proname::text from pg_proc p
				where p.pronamespace = 'rouse'::regnamespace and p.prokind = 'f' and p.pronargs > 0
					and has_function_privilege(grantee, p.oid, 'execute')));
	end if;
	-- What takes nothing has no names either: null, by which nothing could be refused.
	takes := coalesce(found_verb.proargnames[1:found_verb.pronargs], '{}');
	if not (given <@ takes and takes[1:found_verb.pronargs - found_verb.pronargdefaults] <@ given) then
		raise exception using errcode = '22023', message = format('%s does not take these arguments: %s', verb,
				coalesce(nullif(array_to_string(given, ', '), ''), 'none')),
			detail = 'Arguments go by their names; none may be unknown, and those without a default must be there.',
			hint = format('It takes %s', (select coalesce(string_agg(a || case when n > found_verb.pronargs - found_verb.pronargdefaults
					then ' (may be left out)' else '' end, ', ' order by n), 'none')
				from unnest(takes) with ordinality as t (a, n)));
	end if;
	return found_verb;
end
$$;
comment on function rouse_data.verb_named is 'The function of schema rouse that a viewer or operator may call with arguments of these names.';

create function rouse_daemon.act(operator text, verb text, arguments jsonb) returns jsonb
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_verb pg_proc := rouse_data.verb_named(verb, rouse_data.act_as(operator), array(select jsonb_object_keys(arguments) order by 1));
	answer jsonb;
begin
	execute format('select coalesce(jsonb_agg(to_jsonb(r)), ''[]'') from rouse.%I(%s) r', the_verb.proname,
		(select string_agg(format('%I => %L::%s', e.key, e.value, format_type(the_verb.proargtypes[n - 1], null)), ', ')
		from unnest(the_verb.proargnames[1:the_verb.pronargs]) with ordinality as t (name, n)
		join jsonb_each_text(arguments) e on e.key = t.name)) into answer;
	perform set_config('rouse.operator', '', true);
	return answer;
end
$$;
comment on function rouse_daemon.act is
	'Does for an operator what they could do in psql: a function of schema rouse with arguments by name. Returns its rows as an array.';

create function rouse_daemon.read(operator text, noun text, equal jsonb, most int) returns jsonb
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_role text := rouse_data.act_as(operator);
	columns text[] := array(select a.attname::text from pg_attribute a join pg_class c on c.oid = a.attrelid
		where c.relnamespace = 'rouse'::regnamespace and c.relkind = 'v' and c.relname = noun and a.attnum > 0);
	strange text := (select min(k) from jsonb_object_keys(equal) k where k <> all (columns));
	answer jsonb;
begin
	if columns = '{}' then
		raise exception using errcode = '42P01', message = format('there is no view "%s"', noun),
			detail = 'What can be read are the views of schema rouse.',
			hint = rouse_data.nearest(noun, array(select c.relname::text from pg_class c
				where c.relnamespace = 'rouse'::regnamespace and c.relkind = 'v'));
	elsif strange is not null then
		raise exception using errcode = '42703', message = format('view %s has no column "%s"', noun, strange),
			detail = 'Rows are asked for by values of the view''s columns.',
			hint = rouse_data.nearest(strange, columns);
	end if;
	execute format('select coalesce(jsonb_agg(to_jsonb(r)), ''[]'') from (select * from rouse.%I where true%s limit %s) r', noun,
		(select string_agg(format(' and %I = %L', e.key, e.value), '') from jsonb_each_text(equal) e),
		least(greatest(most, 0), 10000)) into answer;
	perform set_config('rouse.operator', '', true);
	return answer;
end
$$;
comment on function rouse_daemon.read is
	'The rows of a view of schema rouse that an operator may see, as an array: those that are equal in these columns, so many at most.';
