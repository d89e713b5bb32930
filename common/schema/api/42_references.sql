-- Names that rows give of other rows. The foreign keys keep them true; these triggers say what would
-- have been right, which a constraint cannot.

create function rouse_data.is_known(noun text, word text) returns boolean
language plpgsql stable as $$
begin
	return case noun
		when 'host' then exists (select from rouse_data.host h where h.name = word)
		when 'group' then exists (select from rouse_data.host_group g where g.name = word)
		when 'subnet' then exists (select from rouse_data.subnet s where s.subnet = word::cidr)
		when 'profile' then exists (select from rouse_data.profile p where p.name = word)
		when 'answer file' then exists (select from rouse_data.answer_file f where f.name = word)
		when 'menu item' then exists (select from rouse_data.menu_item m where m.key = word) end;
end
$$;
comment on function rouse_data.is_known is 'Whether there is a host, group, subnet, profile, answer file or menu item of this name.';

create function rouse_data.known_names(noun text) returns text[]
language plpgsql stable as $$
begin
	return case noun
		when 'host' then array(select h.name::text from rouse.hosts h)
		when 'group' then array(select g.name::text from rouse.groups g)
		when 'subnet' then array(select s.subnet::text from rouse.subnets s)
		when 'profile' then array(select p.name::text from rouse.profiles p)
		when 'answer file' then array(select f.name::text from rouse.answer_files f)
		when 'menu item' then array(select m.key::text from rouse.menu m) end;
end
$$;
comment on function rouse_data.known_names is 'The names of all hosts, groups, subnets, profiles, answer files or menu items that the caller may see.';

create function rouse_data.check_reference() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	noun constant text := tg_argv[1];
	word text := to_jsonb(new) ->> tg_argv[0];
begin
	if word is not null and not rouse_data.is_known(noun, word) then
		raise exception using errcode = '23503', message = format('there is no %s "%s"', noun, word),
			detail = format('Column %s of rouse.%s names one.', tg_argv[0], tg_argv[2]),
			hint = rouse_data.nearest(word, rouse_data.known_names(noun)) || format(' See: table rouse.%s', case noun when 'menu item' then 'menu' else replace(noun, ' ', '_') || 's' end);
	end if;
	return new;
end
$$;
comment on function rouse_data.check_reference is 'Refuses a name of something that is not there, with names near it.';

do $$
declare
	one record;
begin
	for one in
		select * from (values ('nic', 'host', 'host', 'nics'), ('host', 'group_name', 'group', 'hosts'),
			('pool', 'subnet', 'subnet', 'pools'), ('menu_item', 'profile', 'profile', 'menu'), ('profile', 'answers', 'answer file', 'profiles'),
			('menu_item', 'group_name', 'group', 'menu'), ('dhcp_option', 'host', 'host', 'dhcp_options'),
			('dhcp_option', 'group_name', 'group', 'dhcp_options'), ('dhcp_option', 'subnet', 'subnet', 'dhcp_options'),
			('boot_default', 'host', 'host', 'boot_defaults'), ('boot_default', 'group_name', 'group', 'boot_defaults'),
			('boot_default', 'menu_default', 'menu item', 'boot_defaults')) r (relation, refers, noun, shown)
	loop
		execute format('create trigger %I before insert or update of %I on rouse_data.%I for each row '
			'when (new.%2$I is not null) execute function rouse_data.check_reference(%2$L, %4$L, %5$L)',
			'check_' || one.refers || '_known', one.refers, one.relation, one.noun, one.shown);
	end loop;
end
$$;
