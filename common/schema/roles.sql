-- Roles and schemas: the only part that needs CREATEROLE and CREATE on the database. Run by
-- `rouse-db init` before the migrations; everything after it runs as rouse_owner.
-- May be repeated: what exists is left as it is.

do $$
declare
	wanted record;
	may_become boolean;
begin
	for wanted in
		select * from (values
			('rouse_owner', false, 'owns the schemas of rouse; nobody logs in as it'),
			('rouse_viewer', false, 'may read everything in schema rouse'),
			('rouse_operator', false, 'may change the configuration and give jobs to machines'),
			('rouse_dhcpd', true, 'the dhcpd daemon'),
			('rouse_tftpd', true, 'the tftpd daemon'),
			('rouse_menud', true, 'the menud daemon')) as r (name, may_login, purpose)
	loop
		if not exists (select from pg_roles where rolname = wanted.name) then
			execute format('create role %I %s', wanted.name,
				case when wanted.may_login then 'login' else 'nologin' end);
			execute format('comment on role %I is %L', wanted.name, wanted.purpose);
		end if;
	end loop;
	-- Everything after this runs as rouse_owner. Since PostgreSQL 16 who makes a role is a member of it that may
	-- give it away, but not become it, before it is granted once more; a member by MEMBER may be one without SET.
	execute format('select pg_has_role(current_user, %L, %L)', 'rouse_owner',
		case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) into may_become;
	if not may_become then
		begin
			execute format('grant rouse_owner to %I', current_user);
		exception when insufficient_privilege then
			raise exception using errcode = '42501', message = format('%s may not become rouse_owner', current_user),
				detail = 'The role was made by somebody else.',
				hint = format('Who made it, or a superuser, has to say: grant rouse_owner to %I with admin option', current_user);
		end;
	end if;
	if not pg_has_role('rouse_operator', 'rouse_viewer', 'member') then
		grant rouse_viewer to rouse_operator;
	end if;
end
$$;

create schema if not exists rouse authorization rouse_owner;
create schema if not exists rouse_data authorization rouse_owner;
create schema if not exists rouse_daemon authorization rouse_owner;
