-- What an operator who works at a machine can have done there, from its menu: deploy and capture (of an image that is
-- chosen), wipe, debug, rescue and test jobs, to approve the machine, and to forget it.

alter table rouse_data.menu_item
	add mode text,
	drop constraint "action is one of those that rouse.menu lists",
	add constraint "action is one of those that rouse.menu lists"
		check (action in ('local', 'profile', 'menu', 'register_quick', 'register_full', 'inventory', 'identify', 'shell',
			'login', 'reboot', 'deploy', 'capture', 'wipe', 'debug', 'rescue', 'test', 'approve', 'delete')),
	add constraint "a mode is of wipe: quick, full or secure; of test: all, memory or disk"
		check (case action when 'wipe' then mode in ('quick', 'full', 'secure') when 'test' then mode in ('all', 'memory', 'disk')
			else mode is null end),
	add constraint "what gives jobs or changes a machine is for the role operator"
		check (action not in ('deploy', 'capture', 'wipe', 'debug', 'rescue', 'approve', 'delete') or coalesce(role, '') = 'operator'),
	add constraint "an item that wipes wants a word typed" check (action <> 'wipe' or confirm is not null);

-- A site that has an item of such a name or at such a place keeps its own.
insert into rouse_data.menu_item (key, title, position, action, hotkey, host_state, role, confirm, mode) values
	('approve', 'Approve this machine', 152, 'approve', 'a', '{pending}', 'operator', null, null),
	('deploy', 'Write an image to this machine', 154, 'deploy', 'd', '{active}', 'operator', null, null),
	('capture', 'Make an image of this machine', 156, 'capture', 'p', '{active}', 'operator', 'capture', null),
	('wipe', 'Wipe the disk of this machine', 158, 'wipe', 'w', '{active}', 'operator', 'wipe', 'quick')
on conflict do nothing;
insert into rouse_data.menu_item (key, parent, title, position, action, hotkey, host_state, role, confirm)
select v.* from (values
	('debug'::rouse.key, 'tools'::rouse.key, 'Shell of the client system', 173, 'debug', 'd', '{active}'::text[], 'operator', null),
	('delete', 'tools', 'Forget this machine', 174, 'delete', 'x', '{pending,active}', 'operator', 'delete')) v
where exists (select from rouse_data.menu_item m where m.key = 'tools' and m.action = 'menu')
on conflict do nothing;
