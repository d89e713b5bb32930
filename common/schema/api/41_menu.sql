-- The boot menu: rows that people read and write, and what a constraint cannot say of them.

create view rouse.menu as
	select key, title, position, action, profile, hotkey, host_state, firmware, parent, arch, group_name, role, confirm, mode
	from rouse_data.menu_item order by position;
call rouse_data.describe('rouse.menu', 'The boot menu. A machine sees, and may choose, the items all of whose conditions hold, in sub-menus that it sees.', '{
	"key": "the item''s short name", "title": "what the screen shows", "position": "order in the menu",
	"action": "local, profile, menu (a sub-menu), register_quick, register_full, inventory, identify (show what is known), shell (of the boot loader), login (as one of rouse.operators), reboot, test; for operators: deploy and capture (an image is chosen), wipe, debug, rescue, approve or delete",
	"profile": "for the action profile: which", "hotkey": "a key that chooses it; of two items shown together the first has it",
	"host_state": "only for hosts in these states; null: any", "firmware": "only on this firmware; null: any",
	"parent": "the sub-menu that it is in; null: the first menu", "arch": "only on these architectures; null: any",
	"group_name": "only for hosts of this group; null: any", "role": "only if somebody has logged in at the machine: viewer or operator; null: anybody",
	"confirm": "a word that must be typed before it is carried out; null: none",
	"mode": "wipe: fast, normal or full; test: all, memory, disk, smart or network; null for all else"}');

create function rouse_data.menu_ancestors(item text) returns setof rouse_data.menu_item
language sql stable as $$
	with recursive above as (
		select m.* from rouse_data.menu_item m where m.key = item
		union select m.* from rouse_data.menu_item m join above a on m.key = a.parent)
	select a.* from above a
$$;
comment on function rouse_data.menu_ancestors is 'A menu item, and the sub-menus that it is in.';

create function rouse_data.check_menu_tree() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	above constant rouse_data.menu_item := (select m from rouse_data.menu_item m where m.key = new.parent);
	sub_menus constant text[] := array(select m.key::text from rouse_data.menu_item m where m.action = 'menu');
begin
	-- Of two sessions that hang two sub-menus below each other, the second sees what the first did.
	perform pg_advisory_xact_lock(hashtextextended('rouse.menu', 0));
	if new.parent is not null and above.action is distinct from 'menu' then
		raise exception using errcode = '23503', message = format('there is no sub-menu "%s"', new.parent),
			detail = 'Column parent of rouse.menu names an item whose action is menu.',
			hint = rouse_data.nearest(new.parent, sub_menus);
	elsif exists (select from rouse_data.menu_ancestors(new.parent) a where a.key = new.key) then
		raise exception using errcode = '23514', message = format('the sub-menu "%s" would lie in itself', new.key),
			detail = format('"%s" is "%s" itself, or lies below it.', new.parent, new.key),
			hint = 'The parent of a sub-menu is one that is not below it, or null.';
	elsif (select count(*) from rouse_data.menu_ancestors(new.parent)) >= rouse_data.menu_depth_max() then
		raise exception using errcode = '23514', message = format('the item "%s" would lie too deep', new.key),
			detail = format('Its sub-menu "%s" is the last one that loaders are given.', new.parent),
			hint = format('Sub-menus lie in each other %s deep at most.', rouse_data.menu_depth_max());
	elsif new.action <> 'menu' and exists (select from rouse_data.menu_item m where m.parent = new.key) then
		raise exception using errcode = '23514', message = format('the sub-menu "%s" has items', new.key),
			detail = 'Nobody could reach them any more.',
			hint = format('Give them another parent first: update rouse.menu set parent = null where parent = %L', new.key);
	end if;
	return new;
end
$$;
comment on function rouse_data.check_menu_tree is 'Refuses a parent that is no sub-menu, a circle, and a sub-menu that stops to be one while it has items.';
create function rouse_data.menu_depth_max() returns int language sql immutable as 'select 8';
comment on function rouse_data.menu_depth_max is 'How deep sub-menus lie in each other: MENU_DEPTH_MAX of the daemons.';
create trigger check_parent_known before insert or update on rouse_data.menu_item
	for each row execute function rouse_data.check_menu_tree();
