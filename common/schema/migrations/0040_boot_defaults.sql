-- What a menu does by itself, whether it is shown, and how a machine gets to its own disk: for the site by settings, for
-- the machines of a group, of a model, or for one machine by rows.

create domain rouse.menu_key as text
	constraint "a menu key is none, any, esc, a letter or a digit" check (value ~ '^(none|any|esc|[a-z0-9])$');
comment on domain rouse.menu_key is 'The key that shows a hidden menu; none: the menu is not hidden.';

create domain rouse.exits as text
	constraint "an exit is one to four of: exit, sanboot, a loader such as refind/refind_x64.efi" check (value ~
		'^(exit|sanboot|[A-Za-z0-9_+-]+([./][A-Za-z0-9_+-]+)+)( (exit|sanboot|[A-Za-z0-9_+-]+([./][A-Za-z0-9_+-]+)+)){0,3}$')
	constraint "exits have at most 120 characters" check (length(value) <= 120);
comment on domain rouse.exits is
	'How a machine gets to its own disk: words that are tried in turn. A loader is a file below the daemons'' roots.';

alter table rouse_data.setting
	drop constraint "a setting is text, integer, boolean, choice, path, address, urls or template",
	add constraint "a setting's kind is one that check_setting() knows" check (kind in ('text', 'integer', 'boolean',
		'choice', 'path', 'address', 'urls', 'template', 'menu_key', 'exits'));
insert into rouse_data.setting (name, value, "default", kind, description) values
	('menu_key', 'none', 'none', 'menu_key',
		'a key that must be pressed within menu_timeout_seconds for the menu to be shown: esc, any, a letter or a digit; none: it is shown'),
	('exit_bios', 'sanboot exit', 'sanboot exit', 'exits',
		'how a machine with BIOS gets to its own disk, tried in turn: sanboot (its first disk), exit (back to the firmware), or a loader'),
	('exit_efi', 'exit', 'exit', 'exits',
		'the same for all other firmware: exit lets UEFI go to its next boot option');

create table rouse_data.boot_default (
	id bigint generated always as identity primary key,
	group_name rouse.key constraint "boot defaults are for a known group"
		references rouse_data.host_group (name) on update cascade on delete cascade,
	product text constraint "boot defaults name a model" check (product <> '' and product !~ '[[:cntrl:]]'),
	host rouse.host_name constraint "boot defaults are for a known host"
		references rouse_data.host (name) on update cascade on delete cascade,
	menu_default rouse.key constraint "boot defaults name a known menu item"
		references rouse_data.menu_item (key) on update cascade on delete restrict,
	menu_timeout_seconds int constraint "a menu waits 0 to 3600 seconds" check (menu_timeout_seconds between 0 and 3600),
	menu_key rouse.menu_key,
	exit_bios rouse.exits,
	exit_efi rouse.exits,
	comment text,
	constraint "boot defaults are for one group, one model or one host" check (num_nonnulls(group_name, product, host) = 1),
	constraint "one row of boot defaults for each group, model and host" unique nulls not distinct (group_name, product, host)
);
comment on table rouse_data.boot_default is 'Menu defaults and exits that are not those of the whole site.';
