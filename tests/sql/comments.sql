-- The database documents itself: nothing public is without a comment.
begin;
select plan(7);

select is_empty($$
	select c.oid::regclass from pg_class c
	where c.relnamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace, 'rouse_data'::regnamespace)
		and c.relkind in ('r', 'p', 'v') and obj_description(c.oid, 'pg_class') is null
	$$, 'every view and table has a comment');
select is_empty($$
	select format('%s.%s', c.oid::regclass, a.attname) from pg_class c join pg_attribute a on a.attrelid = c.oid
	where c.relnamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace)
		and c.relkind = 'v' and a.attnum > 0 and col_description(c.oid, a.attnum) is null
	$$, 'every column of a view has a comment');
select is_empty($$
	select p.oid::regprocedure from pg_proc p
	where p.pronamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace, 'rouse_data'::regnamespace)
		and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
		and obj_description(p.oid, 'pg_proc') is null
	$$, 'every function has a comment');
select is_empty($$
	select t.oid::regtype from pg_type t
	where t.typnamespace in ('rouse'::regnamespace, 'rouse_data'::regnamespace)
		and t.typtype in ('d', 'r') and obj_description(t.oid, 'pg_type') is null
	$$, 'every domain and type has a comment');
select is_empty($$
	select n.nspname from pg_namespace n
	where n.nspname ~ '^rouse' and obj_description(n.oid, 'pg_namespace') is null
	$$, 'every schema has a comment');

select is_empty($$
	select p.oid::regprocedure, a from pg_proc p cross join unnest(p.proargnames) a
	where p.pronamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace) and obj_description(p.oid, 'pg_proc') !~ format('\n  (-> )?%s: \S', a)
	$$, 'every argument of a function for people or daemons, and every column that it returns, is in its comment');
select is_empty($$
	select format('%s.%s', c.oid::regclass, a.attname) from pg_class c join pg_attribute a on a.attrelid = c.oid
	where c.relnamespace = 'rouse_data'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
		and a.attnum > 0 and not a.attisdropped and coalesce(col_description(c.oid, a.attnum), '') = ''
	$$, 'every column of a table has a comment');

select * from finish();
rollback;
