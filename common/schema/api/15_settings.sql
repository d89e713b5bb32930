-- Settings: a value is checked by its type before anybody reads it.

create function rouse_data.is_exits(word text) returns boolean
language plpgsql immutable as $$
begin
	return word::rouse.exits is not null;
exception when check_violation then
	return false;
end
$$;
comment on function rouse_data.is_exits is 'Whether this says how a machine gets to its own disk.';

create function rouse_data.check_setting() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	valid boolean;
	expected text;
begin
	case new.kind
		when 'integer' then
			valid := case when new.value ~ '^-?[0-9]{1,15}$'
				then new.value::bigint between new.minimum and new.maximum else false end;
			expected := format('a whole number from %s to %s', new.minimum, new.maximum);
		when 'boolean' then
			valid := new.value in ('true', 'false');
			expected := 'true or false';
		when 'choice' then
			valid := new.value = any (new.choices);
			expected := array_to_string(new.choices, ' or ');
		when 'path' then
			valid := new.value ~ '^[^/[:cntrl:][:space:]\\][^[:cntrl:][:space:]\\]*$'
				and new.value !~ '(^|/)\.\.?(/|$)';
			expected := 'a relative path such as ' || new."default";
		when 'address' then
			valid := new.value = '' or family(rouse_data.inet_of(new.value)) = 4;
			expected := 'an IPv4 address, or nothing';
		when 'urls' then
			valid := new.value ~ '^(https?://[^[:space:]]+( +https?://[^[:space:]]+)*)?$';
			expected := 'URLs that begin with http:// or https://, joined by spaces, or nothing';
		when 'template' then
			valid := replace(new.value, '%mac%', '525400000001')
				~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' and new.value like '%\%mac\%%';
			expected := 'a host name that contains %mac%, such as ' || new."default";
		when 'menu_key' then
			valid := new.value ~ '^(none|any|esc|[a-z0-9])$';
			expected := 'none, any, esc, a letter or a digit';
		when 'macs' then
			valid := new.value ~ '^(([0-9a-f]{2}:){5}[0-9a-f]{2}( ([0-9a-f]{2}:){5}[0-9a-f]{2}){0,15})?$';
			expected := 'up to 16 MACs such as 52:54:00:00:00:01, joined by spaces, or nothing';
		when 'exits' then
			valid := rouse_data.is_exits(new.value);
			expected := 'one to four of exit, sanboot and loaders such as refind/refind_x64.efi, joined by spaces';
		else
			valid := new.value !~ '[[:cntrl:]]';
			expected := 'one line of text';
	end case;
	if new.name = 'menu_default' and valid then
		valid := exists (select from rouse_data.menu_item m where m.key = new.value);
		expected := 'the key of a menu item. ' || rouse_data.nearest(new.value,
			array(select m.key::text from rouse_data.menu_item m));
	end if;
	if valid is not true then
		raise exception using errcode = '22023',
			message = format('setting "%s" cannot be "%s"', new.name, new.value),
			detail = new.description, hint = 'It is ' || expected;
	end if;
	return new;
end
$$;
comment on function rouse_data.check_setting is 'Refuses a value that is not of the setting''s type.';
create trigger check_setting before insert or update on rouse_data.setting
	for each row execute function rouse_data.check_setting();

create view rouse.settings as
	select name, value, "default", description from rouse_data.setting order by name;
call rouse_data.describe('rouse.settings', 'What can be set while the daemons run. Change: update value.', '{
	"name": "the setting", "value": "its value now", "default": "its value at the beginning",
	"description": "what it is for"}');

create function rouse.setting(name text) returns text
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	found_value text := (select s.value from rouse_data.setting s where s.name = setting.name);
begin
	if found_value is null then
		raise exception using errcode = '42704', message = format('there is no setting "%s"', name),
			detail = 'The settings are made by rouse itself: table rouse.settings has all of them.',
			hint = rouse_data.nearest(name, array(select s.name from rouse_data.setting s));
	end if;
	return found_value;
end
$$;
comment on function rouse.setting(text) is 'The value of a setting: select rouse.setting(''deploy_slots'').';

create function rouse.setting(name text, value text) returns text
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	perform rouse.setting(name);
	update rouse_data.setting s set value = setting.value where s.name = setting.name;
	return value;
end
$$;
comment on function rouse.setting(text, text) is
	'Sets a setting: select rouse.setting(''deploy_slots'', ''20'').';
