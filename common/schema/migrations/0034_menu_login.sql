-- Who works at a machine can log in from its menu, and then sees the items that are for operators.

alter table rouse_data.menu_item
	drop constraint "action is one of those that rouse.menu lists",
	add constraint "action is one of those that rouse.menu lists"
		check (action in ('local', 'profile', 'menu', 'register_quick', 'register_full', 'inventory',
			'identify', 'shell', 'login', 'reboot'));

-- A site that has an item of such a name or at such a place keeps its own.
insert into rouse_data.menu_item (key, title, position, action, hotkey) values ('login', 'Log in', 165, 'login', 'g')
on conflict do nothing;
