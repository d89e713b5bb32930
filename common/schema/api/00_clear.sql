-- The API is dropped and made anew, in one transaction, each time its files have changed. Nothing
-- is dropped with `cascade`: a view of somebody else's that hangs on ours stops this with its name,
-- instead of vanishing.

do $$
declare
	statement text;
begin
	for statement in
		select format('drop view %s', string_agg(c.oid::regclass::text, ', '))
		from pg_class c
		where c.relkind = 'v'
			and c.relnamespace in ('rouse'::regnamespace, 'rouse_data'::regnamespace,
				'rouse_daemon'::regnamespace)
		having count(*) > 0
		union all
		select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass)
		from pg_trigger t join pg_class c on c.oid = t.tgrelid
		where c.relnamespace = 'rouse_data'::regnamespace and not t.tgisinternal and t.tgparentid = 0
		union all
		select format('drop routine %s', string_agg(p.oid::regprocedure::text, ', '))
		from pg_proc p
		where p.pronamespace in ('rouse'::regnamespace, 'rouse_data'::regnamespace,
				'rouse_daemon'::regnamespace)
			and not exists (select from pg_depend d
				where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
		having count(*) > 0
	loop
		execute statement;
	end loop;
end
$$;
