-- Small things that the rest of the API uses. None of them is callable by anybody but the owner.
--
-- House rules of all API files: a function that others may call is `security definer` with a pinned
-- search_path; errors carry errcode, message, detail and a hint that lists the valid values. What is
-- called often and cannot be inlined is PL/pgSQL: it keeps its plans for the whole session, whereas
-- an SQL function is planned anew by every statement that calls it. What each machine calls at each boot has its plans
-- forced to be generic: no value of theirs is worth a plan of its own, and PostgreSQL would go on making some.

create procedure rouse_data.describe(relation text, what text, columns jsonb)
language plpgsql as $$
declare
	one record;
begin
	execute format('comment on view %s is %L', relation::regclass, what);
	for one in select * from jsonb_each_text(columns) loop
		execute format('comment on column %s.%I is %L', relation::regclass, one.key, one.value);
	end loop;
end
$$;
comment on procedure rouse_data.describe is 'Comments a view and its columns.';

create function rouse_data.setting_text(setting text) returns text
language plpgsql stable as $$
begin
	return (select s.value from rouse_data.setting s where s.name = setting);
end
$$;
comment on function rouse_data.setting_text is 'A setting''s value as text.';

create function rouse_data.setting_int(setting text) returns int
language plpgsql stable as $$
begin
	return (select s.value::int from rouse_data.setting s where s.name = setting);
end
$$;
comment on function rouse_data.setting_int is 'A setting''s value as a number.';

create function rouse_data.setting_bool(setting text) returns boolean
language plpgsql stable as $$
begin
	return (select s.value::boolean from rouse_data.setting s where s.name = setting);
end
$$;
comment on function rouse_data.setting_bool is 'A setting''s value as yes or no.';

create function rouse_data.mac_of(word text) returns macaddr
language sql immutable as $$
	select case when lower(word) ~
		'^([0-9a-f]{12}|[0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{2}(-[0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$'
		then word::macaddr end
$$;
comment on function rouse_data.mac_of is 'The MAC that a word spells, or null.';

create function rouse_data.uuid_of(word text) returns uuid
language sql immutable as $$
	select case when lower(word) ~ '^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$'
			and translate(lower(word), '-', '') not in (
				'00000000000000000000000000000000', 'ffffffffffffffffffffffffffffffff',
				'03000200040005000006000700080009', '00020003000400050006000700080009',
				'12345678123456789012123456789012', '123456781234567890abcdeffedcba98')
		then word::uuid end
$$;
comment on function rouse_data.uuid_of is
	'The UUID that a word spells; null for anything else and for the values that boards come with.';

create function rouse_data.uuid_swapped(value uuid) returns uuid
language plpgsql immutable strict as $$
declare
	h text := translate(value::text, '-', '');
begin
	return substr(h, 7, 2) || substr(h, 5, 2) || substr(h, 3, 2) || substr(h, 1, 2)
		|| substr(h, 11, 2) || substr(h, 9, 2) || substr(h, 15, 2) || substr(h, 13, 2) || substr(h, 17);
end
$$;
comment on function rouse_data.uuid_swapped is
	'The same SMBIOS UUID read in the other byte order: firmware and systems disagree about it.';

create function rouse_data.serial_of(word text) returns text
language sql immutable as $$
	select left(trim(word), 128) where trim(word) <> '' and trim(word) !~* '^((x|0|\.|-|_|\?| )+|0*123456789a?b?c?d?e?f?|none|n/?a|null|unknown|invalid|empty|default string|not (specified|applicable|available)|no enclosure|(system|chassis|board|base board|mb) ?serial( ?number)?|serial( ?number)?|to be filled by o\.?e\.?m\.?|oem|o\.e\.m\.)$'
$$;
comment on function rouse_data.serial_of is
	'The serial number that a machine shows; null for nothing and for the words that boards come with.';

create function rouse_data.inet6_of(word text) returns inet
language plpgsql immutable as $$
begin
	return case when word ~ '^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$' then word::inet end;
exception when invalid_text_representation then
	return null;
end
$$;
comment on function rouse_data.inet6_of is 'The IPv6 address that a word spells, or null.';

create function rouse_data.inet_of(word text) returns inet
language sql immutable as $$
	-- The exception handler of inet6_of costs a subtransaction, which the common case does without.
	select case
		when word ~ '^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(?!$)|$)){4}$' then word::inet
		when word like '%:%' then rouse_data.inet6_of(word) end
$$;
comment on function rouse_data.inet_of is 'The address that a word spells, or null.';

create function rouse_data.nearest(word text, candidates text[]) returns text
language sql immutable as $$
	with asked as (
		select distinct substr('^' || lower(word), i, 2) as pair from generate_series(1, length(word)) i
	), judged as (
		select c, (select count(*) from asked
			where position(asked.pair in '^' || lower(c)) > 0)::float
			/ greatest(length(word), length(c)) as likeness
		from unnest(candidates) c
	), best as (
		select c from judged order by likeness desc, c limit 8
	)
	select case
		when cardinality(candidates) = 0 or candidates is null then 'There is none yet.'
		when cardinality(candidates) <= 8
			then 'There is: ' || (select string_agg(c, ', ' order by c) from unnest(candidates) c) || '.'
		else 'Like it are: ' || (select string_agg(c, ', ') from best) || '.' end
$$;
comment on function rouse_data.nearest is
	'A hint: all candidates if they are few, else those that look most like the word.';

create function rouse_data.one_of(what text, word text, valid text[]) returns void
language plpgsql immutable as $$
begin
	if word is not null and word <> all (valid) then
		raise exception using errcode = '22023', message = format('there is no %s "%s"', what, word),
			detail = 'Words are taken as they are written: small letters, nothing left out.',
			hint = rouse_data.nearest(word, valid);
	end if;
end
$$;
comment on function rouse_data.one_of is 'Refuses a word that is not one of the valid ones.';

create function rouse_data.field_error(field text, problem text, remedy text) returns void
language plpgsql as $$
begin
	raise exception using errcode = '22023', message = format('field "%s" %s', field, problem),
		detail = 'Nothing of this call was done.',
		hint = remedy, column = field;
end
$$;
comment on function rouse_data.field_error is 'Refuses a call because of one of its fields.';

create function rouse_data.actor() returns text
language sql stable as $$
	-- Anybody can set the parameter; only menud's word is taken, and it sets it for each call.
	select coalesce(case when session_user = 'rouse_menud' then nullif(current_setting('rouse.operator', true), '') end,
		session_user::text)
$$;
comment on function rouse_data.actor is 'Who does this: the role that logged in, or the operator for whom menud does it.';

create function rouse_data.refuse_change() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	raise exception using errcode = '55000', message = format('%s is only added to', tg_argv[0]),
		detail = 'What has happened is neither changed nor deleted.', hint = 'A correction is a new row.';
end
$$;
comment on function rouse_data.refuse_change is 'Keeps a table append-only.';

create function rouse_data.note_change() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	insert into rouse_data.change values (pg_current_xact_id(), tg_table_name, now());
	perform pg_notify('rouse_changed', tg_table_name);
	return null;
end
$$;
comment on function rouse_data.note_change is
	'After each statement that changed configuration: a row for changes_since() and a notification.';

create function rouse_data.note_hosts(relation text, changed bigint[]) returns void
language plpgsql as $$
begin
	if changed is null then
		return; -- A statement that found no row.
	end if;
	insert into rouse_data.change
	values (pg_current_xact_id(), relation, now(), case when cardinality(changed) <= 20000 then changed end);
	perform pg_notify('rouse_changed', relation);
end
$$;
comment on function rouse_data.note_hosts is 'These hosts were changed; very many are told as: any.';

create function rouse_data.note_host_change() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	perform rouse_data.note_hosts('host', (select array_agg(c.id) from changed c));
	return null;
end
$$;
comment on function rouse_data.note_host_change is 'After a statement that changed hosts: says which.';

create function rouse_data.note_nic_change() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	names text[];
begin
	if tg_op = 'UPDATE' then
		names := array(select c.host from changed c union select b.host from before b);
	else
		names := array(select distinct c.host from changed c);
	end if;
	-- A card without a host, or one that goes with its host, is told by an empty list.
	if cardinality(names) > 0 then
		perform rouse_data.note_hosts('nic', array(select h.id from rouse_data.host h where h.name = any (names)));
	end if;
	return null;
end
$$;
comment on function rouse_data.note_nic_change is 'After a statement that changed network cards: says whose.';

do $$
declare
	configured text;
begin
	foreach configured in array array['setting', 'host_group', 'subnet', 'pool', 'reservation',
		'boot_file', 'boot_rule', 'profile', 'menu_item', 'boot_default', 'dhcp_option']
	loop
		execute format('create trigger note_change after insert or update or delete or truncate '
			'on rouse_data.%I for each statement execute function rouse_data.note_change()', configured);
	end loop;
end
$$;

create trigger note_change_truncate after truncate on rouse_data.host for each statement execute function rouse_data.note_change();
create trigger note_change_insert after insert on rouse_data.host referencing new table as changed
	for each statement execute function rouse_data.note_host_change();
create trigger note_change_update after update on rouse_data.host referencing new table as changed
	for each statement execute function rouse_data.note_host_change();
create trigger note_change_delete after delete on rouse_data.host referencing old table as changed
	for each statement execute function rouse_data.note_host_change();
create trigger note_change_truncate after truncate on rouse_data.nic for each statement execute function rouse_data.note_change();
create trigger note_change_insert after insert on rouse_data.nic referencing new table as changed
	for each statement execute function rouse_data.note_nic_change();
create trigger note_change_update after update on rouse_data.nic referencing old table as before new table as changed
	for each statement execute function rouse_data.note_nic_change();
create trigger note_change_delete after delete on rouse_data.nic referencing old table as changed
	for each statement execute function rouse_data.note_nic_change();
