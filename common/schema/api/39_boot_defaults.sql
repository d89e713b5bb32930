-- What a menu does by itself, and how a machine gets to its own disk: global < group < model < host. What holds for the
-- whole site are settings of the columns' names.

create view rouse.boot_defaults with (security_barrier) as
	select id, group_name, product, host, menu_default, menu_timeout_seconds, menu_key, exit_bios, exit_efi, comment
	from rouse_data.boot_default d
	where (select rouse.my_groups()) is null
		or coalesce(group_name, (select h.group_name from rouse_data.host h where h.name = d.host))
			= any ((select rouse.my_groups())::text[])
	order by host is not null, product is not null, group_name, product, host;
call rouse_data.describe('rouse.boot_defaults',
	'Where menu and local disk differ from the settings of these names: for a group, a model or a machine. Of several that say something the most special one holds: group < model < host.', '{
	"id": "number, made by the database", "group_name": "for the machines of this group", "product": "for machines of this model, exactly as the firmware says it",
	"host": "for this machine", "menu_default": "the menu item that is taken by itself; null here and below: as without this row",
	"menu_timeout_seconds": "how long the menu, or its key, is waited for; 0: for ever, or not at all if the menu is hidden",
	"menu_key": "esc, any, a letter or a digit: the menu is hidden until this key is pressed; none: it is shown",
	"exit_bios": "how to get to the own disk with BIOS, tried in turn: sanboot (its first disk), exit (back to the firmware), or a loader such as refind/refind_x64.efi",
	"exit_efi": "the same for all other firmware", "comment": "your words"}');

create function rouse_data.boot_defaults_of(the_host text, the_product text) returns jsonb
language plpgsql stable as $$
declare
	found_defaults jsonb := (select jsonb_object_agg(s.name, s.value) from rouse_data.setting s
		where s.name in ('menu_default', 'menu_timeout_seconds', 'menu_key', 'exit_bios', 'exit_efi'));
	one rouse_data.boot_default;
begin
	for one in
		select d.* from rouse_data.boot_default d
		where d.host = the_host or d.product = the_product
			or d.group_name = (select h.group_name from rouse_data.host h where h.name = the_host)
		order by d.host is not null, d.product is not null
	loop
		found_defaults := found_defaults || jsonb_strip_nulls(to_jsonb(one));
	end loop;
	return found_defaults;
end
$$;
comment on function rouse_data.boot_defaults_of is 'What holds for this machine: the most special value of each.';

create function rouse_data.exit_words(defaults jsonb, firmware text) returns text
language sql immutable as $$
	select 'disk by ' || replace(defaults ->> case firmware when 'bios' then 'exit_bios' else 'exit_efi' end, ' ', ', else ')
$$;
comment on function rouse_data.exit_words is 'How a machine gets to its own disk, in words.';

create function rouse_data.menu_words(defaults jsonb, firmware text) returns text
language sql stable as $$
	select case
		when defaults ->> 'menu_timeout_seconds' = '0' and defaults ->> 'menu_key' = 'none' then 'waits for a choice'
		when defaults ->> 'menu_timeout_seconds' = '0' then defaults ->> 'menu_default' || ' at once'
		else format('%s after %s s', defaults ->> 'menu_default', defaults ->> 'menu_timeout_seconds')
			|| case defaults ->> 'menu_key' when 'none' then '' when 'any' then ', unless a key is pressed'
				else format(', unless %s is pressed', defaults ->> 'menu_key') end end
		|| case when exists (select from rouse_data.menu_item m where m.key = defaults ->> 'menu_default' and m.action = 'local')
			then '; ' || rouse_data.exit_words(defaults, firmware) else '' end
$$;
comment on function rouse_data.menu_words is 'What a menu does by itself, in words.';
