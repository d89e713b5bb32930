-- Sub-menus, more conditions on who sees an item, and words to type before an item is carried out.

alter table rouse_data.menu_item
	add parent rouse.key constraint "a menu item's parent is a known sub-menu"
		references rouse_data.menu_item (key) on update cascade on delete restrict,
	add arch text[] constraint "a menu's arch is i386, x86_64, arm32, arm64, riscv64 or other"
		check (arch <@ '{i386,x86_64,arm32,arm64,riscv64,other}' and cardinality(arch) > 0),
	add group_name rouse.key constraint "a menu item's group is known"
		references rouse_data.host_group (name) on update cascade on delete restrict,
	add role text constraint "a menu item is for a viewer or an operator" check (role in ('viewer', 'operator')),
	add confirm text constraint "a word to type has 1 to 16 letters a-z or digits" check (confirm ~ '^[a-z0-9]{1,16}$'),
	drop constraint "action is local, profile, register_quick or register_full",
	add constraint "action is one of those that rouse.menu lists"
		check (action in ('local', 'profile', 'menu', 'register_quick', 'register_full', 'inventory',
			'identify', 'shell', 'reboot')),
	add constraint "a sub-menu asks for no word" check (action <> 'menu' or confirm is null);

-- A site that has an item of such a name or at such a place keeps its own.
insert into rouse_data.menu_item (key, title, position, action, hotkey, host_state, role) values
	('inventory', 'Take the inventory of this machine', 150, 'inventory', 'i', '{pending,active}', null),
	('identify', 'Show what is known of this machine', 160, 'identify', 'c', null, null),
	('tools', 'Tools', 170, 'menu', 't', null, 'operator')
on conflict do nothing;
insert into rouse_data.menu_item (key, parent, title, position, action, hotkey)
select v.* from (values
	('shell'::rouse.key, 'tools'::rouse.key, 'Command line of the boot loader', 171, 'shell', 's'),
	('reboot', 'tools', 'Restart', 172, 'reboot', 'r')) v
where exists (select from rouse_data.menu_item m where m.key = 'tools' and m.action = 'menu')
on conflict do nothing;
