-- DHCP options: a value is checked by its type when it is written; dhcpd checks it again when it reads it.

create function rouse_data.dhcp_number(word text, low bigint, high bigint) returns boolean
language sql immutable as $$
	select case when word ~ '^-?(0|[1-9][0-9]{0,9})$' then word::bigint between low and high else false end
$$;
comment on function rouse_data.dhcp_number is 'Whether a word is a whole number within these limits.';

create function rouse_data.dhcp_address(word text) returns boolean
language sql immutable as $$ select coalesce(family(rouse_data.inet_of(word)) = 4, false) $$;
comment on function rouse_data.dhcp_address is 'Whether a word is an IPv4 address.';

create function rouse_data.dhcp_net(word text) returns boolean
language sql immutable as $$
	select case when word ~ '^[0-9.]+/(3[0-2]|[12]?[0-9])$' and rouse_data.dhcp_address(split_part(word, '/', 1))
		then network(word::inet) = word::inet else false end
$$;
comment on function rouse_data.dhcp_net is 'Whether a word is an IPv4 network without host bits.';

create function rouse_data.dhcp_words(value text) returns text[]
language sql immutable as $$ select string_to_array(trim(regexp_replace(value, '[[:space:],]+', ' ', 'g')), ' ') $$;
comment on function rouse_data.dhcp_words is 'The members of a list, which commas or blanks part.';

create function rouse_data.dhcp_value_is(type text, value text) returns boolean
language sql immutable as $$
	select case type
		when 'address' then rouse_data.dhcp_address(value)
		when 'u8' then rouse_data.dhcp_number(value, 0, 255)
		when 'u16' then rouse_data.dhcp_number(value, 0, 65535)
		when 'u32' then rouse_data.dhcp_number(value, 0, 4294967295)
		when 'i32' then rouse_data.dhcp_number(value, -2147483648, 2147483647)
		when 'flag' then value in ('true', 'false')
		when 'text' then value ~ '^[^[:cntrl:]]+$' and octet_length(value) <= 1020
		when 'hex' then value ~ '^(([0-9a-fA-F]{2}:?)*[0-9a-fA-F]{2}|"[^[:cntrl:]]*")$' and octet_length(value) <= 1020
		else cardinality(words) between 1 and case type when 'addresses' then 255 else 100 end
			and (type not in ('pairs', 'routes') or cardinality(words) % 2 = 0)
			and (select bool_and(case
				when type = 'u16s' then rouse_data.dhcp_number(w, 0, 65535)
				when type = 'names' then length(w) <= 253
					and w ~ '^([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$'
				when type = 'routes' and n % 2 = 1 then rouse_data.dhcp_net(w)
				else rouse_data.dhcp_address(w) end)
				from unnest(words) with ordinality u (w, n)) end
	from rouse_data.dhcp_words(value) words
$$;
comment on function rouse_data.dhcp_value_is is 'Whether a value is of an option''s type.';

create function rouse_data.find_dhcp_option(option text) returns rouse_data.dhcp_option_type
language plpgsql stable as $$
declare
	found_type rouse_data.dhcp_option_type;
begin
	select * into found_type from rouse_data.dhcp_option_type t
	where t.name = lower(option) or t.code::text = option;
	if found_type.code is null and option ~ '^[0-9]{1,3}$' and option::int between 1 and 254 then
		found_type := (option::int, option, 'hex', 'octets');
	end if;
	if found_type.code is null then
		raise exception using errcode = '42704', message = format('there is no DHCP option "%s"', option),
			detail = 'An option is named as in rouse.dhcp_option_types, or by its number on the wire.',
			hint = rouse_data.nearest(option, array(select t.name from rouse_data.dhcp_option_type t where t.type <> 'none'))
				|| ' Or give its code, from 1 to 254.';
	end if;
	if found_type.type = 'none' then
		raise exception using errcode = '22023', message = format('option "%s" cannot be set', found_type.name),
			detail = 'dhcpd writes it itself.', hint = format('About it: %s.', found_type.description);
	end if;
	return found_type;
end
$$;
comment on function rouse_data.find_dhcp_option is 'The option of this name or code, if operators may set it.';

create function rouse_data.check_dhcp_option() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	found_type rouse_data.dhcp_option_type := rouse_data.find_dhcp_option(new.option);
begin
	new.scope := case when new.host is not null then 'host' when new.group_name is not null then 'group'
		when new.class is not null then 'class' when new.subnet is not null then 'subnet' else 'global' end;
	new.option := found_type.name;
	new.code := found_type.code;
	new.type := found_type.type;
	if rouse_data.dhcp_value_is(new.type, new.value) is not true then
		raise exception using errcode = '22023',
			message = format('option "%s" cannot be "%s"', new.option, new.value),
			detail = format('Its values are of the type %s.', new.type),
			hint = format('It is %s.', (select v.hint from rouse_data.dhcp_value_type v where v.type = new.type));
	end if;
	if new.type in ('addresses', 'pairs', 'u16s', 'names', 'routes') then
		new.value := array_to_string(rouse_data.dhcp_words(new.value), ' ');
	end if;
	return new;
end
$$;
comment on function rouse_data.check_dhcp_option is 'Names an option and its scope in full and refuses a value that is not of its type.';
create trigger check_dhcp_option before insert or update on rouse_data.dhcp_option
	for each row execute function rouse_data.check_dhcp_option();

create view rouse.dhcp_option_types as
	select o.code, o.name, o.type, v.hint as value, o.description
	from rouse_data.dhcp_option_type o join rouse_data.dhcp_value_type v on v.type = o.type order by o.code;
call rouse_data.describe('rouse.dhcp_option_types', 'DHCP options that have a name. Others are set by their code.', '{
	"code": "its number on the wire", "name": "its name in rouse.dhcp_options", "type": "none: dhcpd writes it itself",
	"value": "how a value is written", "description": "what it is for"}');

create view rouse.dhcp_options with (security_barrier) as
	select id, scope, subnet, class, group_name, host, option, value, always, comment, code
	from rouse_data.dhcp_option o
	where (select rouse.my_groups()) is null or (host is null and group_name is null)
		or coalesce(group_name, (select h.group_name from rouse_data.host h where h.name = o.host))
			= any ((select rouse.my_groups())::text[])
	order by array_position('{global,subnet,class,group,host}', scope), subnet, class, group_name, host, code;
call rouse_data.describe('rouse.dhcp_options',
	'Values of DHCP options; of several the most special one is sent: global < subnet (and the columns of rouse.subnets) < class < group < host.', '{
	"id": "number, made by the database", "scope": "global, subnet, class, group or host: which of the next four is given; filled in by the database",
	"subnet": "for clients of this network",
	"class": "for firmware, http, ipxe, uboot or os; or the beginning of a vendor class (60), or a user class (77)",
	"group_name": "for the machines of this group", "host": "for this machine", "option": "a name of rouse.dhcp_option_types, or a code from 1 to 254",
	"value": "as rouse.dhcp_option_types says; of an option without a name: octets such as 0a:0b, or text in double quotes",
	"always": "whether to send it also to clients that do not ask for it", "comment": "your words",
	"code": "the option''s number, filled in by the database"}');

create view rouse_daemon.dhcp_options_now as
	select o.id, o.scope, coalesce(s.id, g.id, h.id, 0) as owner, o.class, o.code, o.type, o.value, o.always
	from rouse_data.dhcp_option o
	left join rouse_data.subnet s on s.subnet = o.subnet left join rouse_data.host_group g on g.name = o.group_name
	left join rouse_data.host h on h.name = o.host order by o.id;
call rouse_data.describe('rouse_daemon.dhcp_options_now', 'DHCP options.', '{
	"id": "number", "scope": "global, subnet, class, group or host", "owner": "the subnet''s, group''s or host''s id, or 0", "class": "a class",
	"code": "the option", "type": "how value is written", "value": "members joined by spaces", "always": "also unasked"}');
