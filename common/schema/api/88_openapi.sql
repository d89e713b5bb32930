-- The description of menud's /api/v1, made from the catalog and its comments: it cannot differ from what is there.

create function rouse_data.openapi_type(type regtype) returns jsonb
language sql stable as $$
	select case
		when t.typcategory = 'A' then jsonb_build_object('type', 'array', 'items', '{}'::jsonb)
		when t.oid = 'boolean'::regtype then '{"type": "boolean"}'
		when t.oid in ('int'::regtype, 'bigint'::regtype) then '{"type": "integer"}'
		when t.typcategory = 'N' then '{"type": "number"}'
		when t.oid = 'timestamptz'::regtype then '{"type": "string", "format": "date-time"}'
		when t.oid = 'jsonb'::regtype then '{}'
		else '{"type": "string"}' end
	from pg_type t where t.oid = type
$$;
comment on function rouse_data.openapi_type is 'A type of PostgreSQL''s as JSON has it.';

create function rouse_data.openapi_answers(row_type jsonb) returns jsonb
language sql immutable as $$
	select jsonb_object_agg(a.status, jsonb_build_object('description', a.means, 'content', jsonb_build_object('application/json',
		jsonb_build_object('schema', case a.status when '200' then jsonb_build_object('type', 'array', 'items', row_type)
			else '{"$ref": "#/components/schemas/error"}' end))))
	from (values ('200', 'rows'), ('400', 'a column or an argument is wrong'), ('401', 'no session: log in by /login'),
		('403', 'not within this operator''s limits'), ('404', 'there is no such thing'),
		('409', 'not in this state'), ('413', 'the fields are too long'), ('503', 'the database is away')) a (status, means)
$$;
comment on function rouse_data.openapi_answers is 'What a path of the API answers, by status.';

create function rouse_data.openapi_views() returns jsonb
language sql stable as $$
	select jsonb_object_agg('/api/v1/' || c.relname, jsonb_build_object('get', jsonb_build_object(
		'summary', obj_description(c.oid, 'pg_class'), 'x-role', 'viewer',
		'parameters', k.parameters || '[{"name": "limit", "in": "query", "description": "rows at most; 1000", "schema": {"type": "integer", "maximum": 10000}}]'::jsonb,
		'responses', rouse_data.openapi_answers(jsonb_build_object('type', 'object', 'properties', k.columns)))))
	from pg_class c cross join lateral (
		select jsonb_agg(jsonb_build_object('name', a.attname, 'in', 'query', 'schema', '{"type": "string"}'::jsonb) order by a.attnum) as parameters,
			jsonb_object_agg(a.attname, rouse_data.openapi_type(a.atttypid)
				|| jsonb_build_object('nullable', true, 'description', col_description(c.oid, a.attnum))) as columns
		from pg_attribute a where a.attrelid = c.oid and a.attnum > 0) k
	where c.relnamespace = 'rouse'::regnamespace and c.relkind = 'v'
$$;
comment on function rouse_data.openapi_views is 'The views of schema rouse as paths to GET: fields are columns and what they must be equal to.';

create function rouse_data.openapi_verbs() returns jsonb
language sql stable as $$
	with verb as (
		select p.oid, p.proname, coalesce(p.proargnames[1:p.pronargs], '{}') as names, p.proargtypes, p.pronargs - p.pronargdefaults as needed
		from pg_proc p where p.pronamespace = 'rouse'::regnamespace and p.prokind = 'f'
			and has_function_privilege('rouse_operator', p.oid, 'execute')
	), argument as (
		-- Of one name there may be several functions: what one of them can do without may be left out.
		select v.proname, a.name, min(a.n) as n, (array_agg(rouse_data.openapi_type(v.proargtypes[a.n - 1]::regtype) order by v.oid))[1] as type,
			bool_and(a.n <= v.needed) and count(*) = (select count(*) from verb o where o.proname = v.proname) as is_needed
		from verb v cross join unnest(v.names) with ordinality a (name, n) group by v.proname, a.name
	)
	select jsonb_object_agg('/api/v1/' || v.proname, jsonb_build_object('post', jsonb_strip_nulls(jsonb_build_object(
		'summary', v.summary, 'x-role', case when v.is_for_viewers then 'viewer' else 'operator' end,
		'requestBody', jsonb_build_object('content', jsonb_build_object('application/x-www-form-urlencoded', jsonb_build_object('schema',
			jsonb_build_object('type', 'object', 'additionalProperties', false, 'properties', coalesce(a.properties, '{}'), 'required', a.needed)))),
		'responses', rouse_data.openapi_answers('{}')))))
	from (select f.proname, string_agg(obj_description(f.oid, 'pg_proc'), e'\n\n' order by f.oid) as summary,
			bool_or(has_function_privilege('rouse_viewer', f.oid, 'execute')) as is_for_viewers
		from verb f group by f.proname) v
	cross join lateral (select jsonb_object_agg(g.name, g.type) as properties,
			jsonb_agg(g.name order by g.n) filter (where g.is_needed) as needed
		from argument g where g.proname = v.proname) a
$$;
comment on function rouse_data.openapi_verbs is 'The functions of schema rouse as paths to POST: fields are arguments by name.';

create function rouse_daemon.openapi() returns jsonb
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select jsonb_build_object('openapi', '3.0.3',
		'info', jsonb_build_object('title', 'rouse', 'version', rouse_data.contract_version()::text,
			'description', 'The views and functions of schema rouse, as in psql, within the limits of the operator who has logged in.'),
		'security', '[{"session": []}]'::jsonb,
		'components', '{
			"securitySchemes": {"session": {"type": "http", "scheme": "bearer"}, "password": {"type": "http", "scheme": "basic"}},
			"schemas": {"error": {"type": "object", "required": ["error"],
				"properties": {"error": {"type": "string"}, "hint": {"type": "string"}}}}}'::jsonb,
		'paths', rouse_data.openapi_views() || rouse_data.openapi_verbs() || '{
			"/login": {"get": {"summary": "Begins a session of 15 minutes.", "security": [{"password": []}], "responses": {
				"200": {"description": "the session", "content": {"application/json": {"schema": {"type": "object", "properties": {
					"session": {"type": "string"}, "operator": {"type": "string"}, "role": {"type": "string"}, "seconds": {"type": "integer"}}}}}},
				"401": {"description": "name or password is wrong"}, "429": {"description": "too many attempts"},
				"503": {"description": "the database is away, or others log in: ask again"}}}}}'::jsonb)
$$;
comment on function rouse_daemon.openapi is 'The description of menud''s /api/v1, as OpenAPI 3.';
