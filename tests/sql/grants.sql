-- Who may do what, cell by cell: what is not written here must not be allowed.
begin;
select plan(13);

create temp table expected_routine (role text, routine text);
insert into expected_routine
select role, routine from (values
	('rouse_dhcpd', 'changed_since changes_since hello record tick wake_claim wake_sent lease_load lease_find lease_grant lease_end lease_in_use lease_origin'
		' lease_changes lease_reassert timeline dhcp_here foreign_seen boot_servers_asked'),
	('rouse_tftpd', 'changed_since changes_since hello record tick wake_claim wake_sent lease_mac machine_arch offer'),
	('rouse_menud', 'changed_since changes_since hello record tick wake_claim wake_sent offer choose fos_checkin fos_progress fos_inventory'
		' fos_register fos_finish fos_image fos_disk fos_part fos_manifest fos_upload fos_stored image_garbage image_collected fos_script fos_log install_answers install_done act read operator_password session_keys openapi')) g (role, routines)
cross join lateral unnest(string_to_array(routines, ' ')) routine;

create temp table expected_view (role text, relation text);
insert into expected_view
select role, relation || '_now' from (values
	('rouse_dhcpd', 'settings subnets pools reservations dhcp_options hosts boot_files boot_rules'),
	('rouse_tftpd', 'settings subnets hosts boot_files boot_rules profiles menu boot_defaults'),
	('rouse_menud', 'settings subnets hosts boot_files boot_rules profiles menu boot_defaults')) g (role, relations)
cross join lateral unnest(string_to_array(relations, ' ')) relation;

select set_eq($$
	select r.rolname::text, p.proname::text from pg_proc p
	join pg_roles r on r.rolname in ('rouse_dhcpd', 'rouse_tftpd', 'rouse_menud')
	where p.pronamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace, 'rouse_data'::regnamespace)
		and has_function_privilege(r.oid, p.oid, 'execute')
		-- What belongs to a range type is PostgreSQL's own and harmless.
		and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
	$$, 'select role, routine from expected_routine', 'each daemon may execute exactly its functions');
select set_eq($$
	select r.rolname::text, c.relname::text from pg_class c
	join pg_roles r on r.rolname in ('rouse_dhcpd', 'rouse_tftpd', 'rouse_menud')
	where c.relnamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace, 'rouse_data'::regnamespace)
		and c.relkind in ('r', 'p', 'v') and has_table_privilege(r.oid, c.oid, 'select')
	$$, 'select role, relation from expected_view', 'each daemon may read exactly its views');
select is_empty($$
	select r.rolname, c.oid::regclass, w from pg_class c
	join pg_roles r on r.rolname in ('rouse_dhcpd', 'rouse_tftpd', 'rouse_menud', 'rouse_viewer')
	cross join unnest('{insert,update,delete,truncate,references,trigger}'::text[]) w
	where c.relnamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace, 'rouse_data'::regnamespace)
		and c.relkind in ('r', 'p', 'v') and has_table_privilege(r.oid, c.oid, w)
	$$, 'no daemon and no viewer may write any table or view');
select is_empty($$
	select r.rolname, c.oid::regclass from pg_class c
	join pg_roles r on r.rolname in ('rouse_viewer', 'rouse_operator')
	where c.relnamespace in ('rouse_daemon'::regnamespace, 'rouse_data'::regnamespace)
		and c.relkind in ('r', 'p', 'v') and has_table_privilege(r.oid, c.oid, 'select')
	$$, 'people read nothing outside schema rouse');
select set_eq($$
	select c.relname::text from pg_class c where c.relnamespace = 'rouse'::regnamespace
		and c.relkind = 'v' and has_table_privilege('rouse_operator', c.oid, 'insert')
	$$, $$ select unnest('{groups,hosts,nics,subnets,pools,reservations,boot_files,boot_rules,causes,profiles,answer_files,menu,boot_defaults,dhcp_options,operators,schedules,event_retention}'::text[]) $$,
	'an operator writes exactly the views of the configuration');
select set_eq($$
	select p.proname::text from pg_proc p where p.pronamespace = 'rouse'::regnamespace
		and has_function_privilege('rouse_viewer', p.oid, 'execute')
	$$, $$ select unnest('{setting,explain,evaluate,trace,me,my_groups,may,next_times,why,explain_code,dhcp_snippet}'::text[]) $$, 'a viewer executes only what reads');
select set_eq($$
	select distinct p.proname::text from pg_proc p where p.pronamespace = 'rouse'::regnamespace
		and has_function_privilege('rouse_operator', p.oid, 'execute')
	$$, $$ select unnest('{setting,explain,evaluate,trace,me,my_groups,may,next_times,why,explain_code,set_password,enqueue,deploy,inventory,cancel,retry,wake,approve,schedule,publish_image,image_rollback,image_retire,capture,wipe,dhcp_snippet}'::text[]) $$,
	'an operator executes these as well');
select set_eq($$
	select r.rolname::text, p.proname::text from pg_proc p join pg_roles r on r.rolname in ('rouse_viewer', 'rouse_operator')
	where p.pronamespace in ('rouse_daemon'::regnamespace, 'rouse_data'::regnamespace) and has_function_privilege(r.oid, p.oid, 'execute')
		and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
	$$, $$ select r, f from unnest('{rouse_viewer,rouse_operator}'::text[]) r, unnest('{uuid_swapped,mac_of,begins_boot,boot_outcome,is_stop,json_leaves}'::text[]) f $$,
	'people execute nothing outside schema rouse, but what views need');
create function pg_temp.unreadable(reader text) returns text language plpgsql as $$
declare
	one record;
begin
	for one in select c.relname, c.oid::regclass as relation from pg_class c where c.relnamespace = 'rouse'::regnamespace and c.relkind = 'v' loop
		execute format('set local role %I', reader);
		execute format('select * from %s limit 1', one.relation);
		reset role;
	end loop;
	return null;
end $$;
select lives_ok($$select pg_temp.unreadable('rouse_viewer')$$, 'a viewer reads each view, with the functions in it');
select lives_ok($$select pg_temp.unreadable('rouse_operator')$$, 'so does an operator');
select set_eq($$
	select r.rolname::text, c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
	join pg_roles r on r.rolname in ('rouse_viewer', 'rouse_operator') join unnest('{insert,update,references}'::text[]) w on true
	where c.relnamespace = 'rouse'::regnamespace and has_column_privilege(r.oid, c.oid, a.attnum, w)
		and not has_table_privilege('rouse_operator', c.oid, 'insert')
	$$, $$ values ('rouse_operator', 'settings.value') $$, 'of a single column an operator writes but this');
select set_eq($$
	select r.rolname::text, n.nspname::text from pg_namespace n
	join pg_roles r on r.rolname like 'rouse\_%' and r.rolname <> 'rouse_owner'
	cross join unnest('{usage,create}'::text[]) w
	where n.nspname ~ '^rouse' and has_schema_privilege(r.oid, n.oid, w)
	$$, $$ values ('rouse_viewer', 'rouse'), ('rouse_operator', 'rouse'), ('rouse_dhcpd', 'rouse_daemon'),
		('rouse_tftpd', 'rouse_daemon'), ('rouse_menud', 'rouse_daemon') $$, 'each role enters its schema only');
select is_empty($$
	select p.oid::regprocedure from pg_proc p
	where p.pronamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace)
		and (not p.prosecdef or pg_get_userbyid(p.proowner) <> 'rouse_owner'
			or not coalesce(array_to_string(p.proconfig, ' ') ~ 'search_path=.*pg_temp$|search_path=.*pg_temp ', false))
	$$, 'every callable function is the owner''s, security definer, with a pinned search_path');

select * from finish();
rollback;
