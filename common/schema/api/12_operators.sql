-- Who may see and do what, beyond what their role in PostgreSQL allows: limits by group of hosts. And who
-- has changed what.
--
-- Each view that shows hosts, or what is theirs, is a security barrier with the same condition:
--
--	case when (select rouse.my_groups()) is null then true else host_id in (select m.id from rouse_data.my_host m) end
--
-- The sub-select is there so that the question is asked once and not for each row; the case, so that PostgreSQL expects
-- half of the hosts to pass: of an `or` it expects one in 200, and reads a million rows to sort a few. The caller's hosts are
-- hashed once; a row is judged by its own column, before it is joined with anything. Functions ask
-- rouse_data.may_group(); tables are guarded by the triggers at the end.

create function rouse.my_groups() returns text[]
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	me rouse_data.operator;
begin
	select o.* into me from rouse_data.operator o where o.name = rouse_data.actor();
	-- Who logs in to PostgreSQL needs no row here; who comes by menud does.
	if me.name is null and rouse_data.actor() <> session_user then
		raise exception using errcode = '42501', message = format('there is no operator "%s"', rouse_data.actor()),
			detail = 'menud names the operator for whom it asks; a name that rouse.operators does not have may nothing.',
			hint = 'Whoever has no limit adds one: insert into rouse.operators (name, groups) values (...)';
	end if;
	return me.groups;
end
$$;
comment on function rouse.my_groups is 'The groups of hosts that you are limited to; null: all hosts are yours.';

create view rouse_data.my_host as
	select h.id, h.name from rouse_data.host h where h.group_name = any ((select rouse.my_groups())::text[]);
comment on view rouse_data.my_host is 'The hosts of a caller who is limited; none for who is not.';

create view rouse_data.my_card as
	select n.mac from rouse_data.nic n join rouse_data.my_host m on m.name = n.host;
comment on view rouse_data.my_card is 'The network cards of a caller who is limited; none for who is not.';

create function rouse.me() returns text
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select rouse_data.actor()
$$;
comment on function rouse.me is 'By which name you are known here: in rouse.audit, rouse.job_history and rouse.operators.';

create function rouse_data.may_group(group_name text) returns boolean
language plpgsql stable as $$
declare
	mine text[] := rouse.my_groups();
begin
	return mine is null or coalesce(group_name = any (mine), false);
end
$$;
comment on function rouse_data.may_group is 'Whether the hosts of this group are the caller''s to see and run.';

create function rouse.may(host text) returns boolean
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select exists (select from rouse_data.host h where h.name = lower(may.host) and rouse_data.may_group(h.group_name))
		or exists (select from rouse_data.nic n join rouse_data.host h on h.name = n.host
			where n.mac = rouse_data.mac_of(may.host) and rouse_data.may_group(h.group_name))
$$;
comment on function rouse.may is 'Whether this host, by its name or a MAC, is yours to see and run.';

create function rouse_data.check_may_mac(the_mac macaddr) returns boolean
language plpgsql stable as $$
begin
	if rouse.my_groups() is not null then
		perform rouse_data.host_named(the_mac::text);
	end if;
	return true;
end
$$;
comment on function rouse_data.check_may_mac is 'True, or an error as for an unknown host if the caller is limited and the machine is not theirs.';

create view rouse.operators with (security_barrier) as
	select name, role, groups, comment, created_at, created_by,
		(select p.set_at from rouse_data.operator_password p where p.operator = name) as password_set_at
	from rouse_data.operator
	where (select rouse.my_groups()) is null or name = (select rouse.me());
call rouse_data.describe('rouse.operators',
	'Operators that are limited to groups of hosts, or who work by menud''s page. Who logs in to PostgreSQL and is not here has no limit.', '{
	"name": "the role in PostgreSQL, or the name on menud''s page",
	"role": "on menud''s page: viewer (reads) or operator; in PostgreSQL the role''s own grants say that",
	"groups": "sees and runs the hosts of these groups only, and changes nothing that concerns others; null: no limit",
	"comment": "your words", "created_at": "since when", "created_by": "who made this row",
	"password_set_at": "since when they can log in to menud with the present password; null: not at all. Set by: rouse-db operator passwd NAME"}');

create function rouse_data.check_operator() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	unknown text := (select min(g) from unnest(new.groups) g
		where not exists (select from rouse_data.host_group k where k.name = g));
begin
	if unknown is not null then
		raise exception using errcode = '23503', message = format('there is no group "%s"', unknown),
			detail = 'Column groups of rouse.operators names the groups whose hosts an operator is limited to.',
			hint = rouse_data.nearest(unknown, array(select k.name::text from rouse_data.host_group k));
	elsif array_position(new.groups, null) is not null then
		raise exception using errcode = '22023', message = 'groups holds a null',
			detail = 'A null within the list would be a group without a name.',
			hint = 'For no limit the whole column is null; for no host at all it is ''{}''.';
	end if;
	return new;
end
$$;
comment on function rouse_data.check_operator is 'Refuses groups that are not there.';
create trigger check_operator before insert or update on rouse_data.operator
	for each row execute function rouse_data.check_operator();

create function rouse_data.follow_group() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if tg_op = 'DELETE' then
		update rouse_data.operator o set groups = array_remove(o.groups, old.name::text) where old.name = any (o.groups);
	elsif new.name <> old.name then
		update rouse_data.operator o set groups = array_replace(o.groups, old.name::text, new.name::text)
		where old.name = any (o.groups);
	end if;
	return null;
end
$$;
comment on function rouse_data.follow_group is 'Operators keep a group that is renamed, and lose one that is deleted.';
create trigger follow_group after update or delete on rouse_data.host_group
	for each row execute function rouse_data.follow_group();

create function rouse_data.refuse_limited(what text) returns void
language plpgsql as $$
begin
	raise exception using errcode = '42501', message = format('operator "%s" may not change %s', rouse_data.actor(), what),
		detail = 'It is not, or not only, about the hosts that this operator is limited to.',
		hint = coalesce('Yours are the hosts of: ' || nullif(array_to_string(rouse.my_groups(), ', '), ''), 'No group is yours')
			|| '. To change that: update rouse.operators set groups = ... by somebody who has no limit.';
end
$$;
comment on function rouse_data.refuse_limited is 'Says to a limited operator that this is not theirs.';

create function rouse_data.guard_site() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if rouse.my_groups() is not null then
		perform rouse_data.refuse_limited('rouse.' || tg_argv[0]);
	end if;
	return null;
end
$$;
comment on function rouse_data.guard_site is 'Keeps limited operators from what concerns the whole site.';

create function rouse_data.group_of(noun text, changed jsonb) returns text
language sql stable as $$
	select case noun
		when 'hosts' then changed ->> 'group_name'
		when 'nics' then (select h.group_name from rouse_data.host h where h.name = changed ->> 'host')
		when 'reservations' then (select h.group_name from rouse_data.nic n join rouse_data.host h on h.name = n.host
			where n.mac = (changed ->> 'mac')::macaddr)
		when 'boot_defaults' then coalesce(changed ->> 'group_name',
			(select h.group_name from rouse_data.host h where h.name = changed ->> 'host'))
		when 'dhcp_options' then coalesce(changed ->> 'group_name',
			(select h.group_name from rouse_data.host h where h.name = changed ->> 'host'))
		when 'schedules' then coalesce(changed ->> 'group_name',
			(select h.group_name from rouse_data.host h where h.name = changed ->> 'host')) end
$$;
comment on function rouse_data.group_of is 'The group whose hosts a row of this view is about; null: none, or more than one.';

create function rouse_data.guard_row() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if rouse.my_groups() is null then
		return coalesce(new, old);
	end if;
	if (tg_op <> 'INSERT' and not rouse_data.may_group(rouse_data.group_of(tg_argv[0], to_jsonb(old))))
		or (tg_op <> 'DELETE' and not rouse_data.may_group(rouse_data.group_of(tg_argv[0], to_jsonb(new)))) then
		perform rouse_data.refuse_limited(format('this row of rouse.%s', tg_argv[0]));
	end if;
	return coalesce(new, old);
end
$$;
comment on function rouse_data.guard_row is 'Keeps limited operators from rows about the hosts of others.';

create function rouse_data.differing(one jsonb, other jsonb) returns jsonb
language sql immutable as $$
	select jsonb_object_agg(e.key, e.value) from jsonb_each(one) e where other -> e.key is distinct from e.value
$$;
comment on function rouse_data.differing is 'The members of one object that the other has not, or has with another value.';

create function rouse_data.note_audit() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
	is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
begin
	-- Writing down again what is there already is no change.
	if was is distinct from is_now then
		insert into rouse_data.audit (at, who, via, noun, what, key, before, after)
		values (clock_timestamp(), rouse_data.actor(), session_user, tg_argv[0], lower(tg_op),
			(select string_agg(coalesce(was, is_now) ->> k, ' ') from unnest(string_to_array(tg_argv[1], ' ')) k),
			case tg_op when 'UPDATE' then rouse_data.differing(was, is_now) else was end,
			case tg_op when 'UPDATE' then rouse_data.differing(is_now, was) else is_now end);
	end if;
	return null;
end
$$;
comment on function rouse_data.note_audit is 'Writes down who has changed a row, and what it was before.';
create trigger refuse_change before update or delete on rouse_data.audit
	for each row execute function rouse_data.refuse_change('the audit');

do $$
declare
	guarded record;
begin
	for guarded in
		select * from (values
			('setting', 'settings', 'name', false), ('host_group', 'groups', 'name', false),
			('host', 'hosts', 'name', true), ('nic', 'nics', 'mac', true),
			('subnet', 'subnets', 'subnet', false), ('pool', 'pools', 'first', false),
			('reservation', 'reservations', 'address', true), ('dhcp_option', 'dhcp_options', 'scope option', true),
			('boot_file', 'boot_files', 'arch', false), ('boot_rule', 'boot_rules', 'position', false),
			('profile', 'profiles', 'name', false), ('answer_file', 'answer_files', 'name', false), ('menu_item', 'menu', 'key', false),
			('boot_default', 'boot_defaults', 'group_name product host', true),
			('image', 'images', 'name', false), ('image_version', 'image_versions', 'image number', false),
			('event_retention', 'event_retention', 'kind', false), ('operator', 'operators', 'name', false)) t (relation, noun, key, by_row)
	loop
		if guarded.by_row then
			execute format('create trigger guard_row before insert or update or delete on rouse_data.%I '
				'for each row execute function rouse_data.guard_row(%L)', guarded.relation, guarded.noun);
		else
			execute format('create trigger guard_site before insert or update or delete on rouse_data.%I '
				'for each statement execute function rouse_data.guard_site(%L)', guarded.relation, guarded.noun);
		end if;
		execute format('create trigger note_audit after insert or update or delete on rouse_data.%I '
			'for each row execute function rouse_data.note_audit(%L, %L)', guarded.relation, guarded.noun, guarded.key);
	end loop;
end
$$;

create view rouse.audit with (security_barrier) as
	select id, at, who, via, noun, what, key, before, after from rouse_data.audit
	where (select rouse.my_groups()) is null or who = (select rouse.me()) order by id desc;
call rouse_data.describe('rouse.audit', 'Who changed what, and when. Nothing of it is ever changed or deleted.', '{
	"id": "number", "at": "when", "who": "the role that logged in, or the operator for whom menud did it",
	"via": "the role that was connected", "noun": "the view of schema rouse", "what": "insert, update or delete",
	"key": "which row", "before": "the row that was deleted, or of an update what it changed",
	"after": "the row that was inserted, or of an update what it changed to"}');
