-- What everything else stands on: domains, settings, and the list of changes that tells a daemon
-- whether its snapshot of the configuration is still good.

comment on schema rouse is
	'What people use: views to read and change, functions to act. \d+ rouse.* is the manual.';
comment on schema rouse_data is
	'The tables. Nobody''s business: read and change them through schema rouse.';
comment on schema rouse_daemon is
	'What dhcpd, tftpd and menud call, and nothing that a person would type.';

create domain rouse.host_name as text
	constraint "a host name has labels of a-z, 0-9 and inner hyphens"
		check (value ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$')
	constraint "a host name has at most 253 characters" check (length(value) <= 253);
comment on domain rouse.host_name is
	'A machine''s name: lower-case labels of letters, digits and inner hyphens, joined by dots (RFC 1123).';

create domain rouse.relative_path as text
	constraint "a path is relative, without .. and control characters"
		check (value ~ '^[^/[:cntrl:]\\][^[:cntrl:]\\]*$' and value !~ '(^|/)\.\.?(/|$)'
			and value !~ '//')
	constraint "a path has at most 512 bytes" check (octet_length(value) <= 512);
comment on domain rouse.relative_path is
	'A file below the daemons'' roots, such as fos/bzImage: no leading slash, no .. and no backslash.';

create domain rouse.key as text
	constraint "a key is a lower-case word of letters, digits, _ and -"
		check (value ~ '^[a-z][a-z0-9_-]{0,63}$');
comment on domain rouse.key is
	'A short name that is also typed or sent on the wire: a menu item, a profile.';

create domain rouse.image_name as text
	constraint "an image name has lower-case letters, digits, dot, _ and -"
		check (value ~ '^[a-z0-9][a-z0-9._-]{0,63}$');
comment on domain rouse.image_name is
	'The name of an image; also the name of its folder in the store.';

create table rouse_data.setting (
	name text primary key,
	value text not null,
	"default" text not null,
	kind text not null
		constraint "a setting is text, integer, boolean, choice, path, address, urls or template"
		check (kind in ('text', 'integer', 'boolean', 'choice', 'path', 'address', 'urls', 'template')),
	minimum bigint,
	maximum bigint,
	choices text[],
	description text not null
);
comment on table rouse_data.setting is 'What an operator may set while the daemons run.';

create table rouse_data.change (
	xid8 xid8 not null,
	relation text not null,
	at timestamptz not null
);
create index change_xid8 on rouse_data.change (xid8);
comment on table rouse_data.change is
	'Append-only: one row for each statement that changed the configuration, with its transaction.';

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, choices, description)
select name, "default", "default", kind, minimum, maximum, choices, description
from (values
	('menud_urls', '', 'urls', null::bigint, null::bigint, null::text[],
		'where iPXE finds menud: URLs joined by spaces, tried in turn; empty: http://NEXT_SERVER:8080'),
	('next_server', '', 'address', null, null, null,
		'the address of tftpd (siaddr) where a subnet names none; empty: the address that dhcpd answers from'),
	('menu_timeout_seconds', '10', 'integer', 0, 3600, null,
		'how long the menu waits before it takes its default; 0: for ever'),
	('menu_default', 'local', 'text', null, null, null, 'the key of the menu item that is taken by itself'),
	('loop_guard_offers', '3', 'integer', 1, 100, null,
		'after so many boots with an offered job and no check-in the job fails with loop_guard'),
	('ticket_minutes', '15', 'integer', 1, 1440, null, 'how long a ticket may wait for its check-in'),
	('offer_minutes', '5', 'integer', 1, 1440, null, 'answers within this time belong to one boot'),
	('attempt_lease_seconds', '60', 'integer', 5, 86400, null,
		'a client that says nothing for so long has lost its job'),
	('attempts_max', '3', 'integer', 1, 100, null, 'how often a job is tried before it fails'),
	('registration_open', 'true', 'boolean', null, null, null,
		'whether an unknown machine may register itself from the menu'),
	('registered_hosts_become', 'active', 'choice', null, null, '{active,pending}',
		'the state of a machine that has registered itself; pending ones wait for rouse.approve()'),
	('decline_quarantine_seconds', '3600', 'integer', 0, 604800, null,
		'how long an address that a client declined is given to nobody'),
	('lease_grace_seconds', '60', 'integer', 0, 86400, null,
		'how long after its expiry a lease''s address is still kept for its client'),
	('deploy_slots', '10', 'integer', 1, 10000, null, 'how many machines may be written at the same time'),
	('one_machine_one_address', 'true', 'boolean', null, null, null,
		'whether a machine keeps its address whatever client identifier firmware, iPXE and system send'),
	('ipv6_router_advertisement', 'true', 'boolean', null, null, null,
		'whether dhcpd ends iPXE''s wait for an IPv6 router (saves 15 s where there is none)'),
	('fos_kernel', 'fos/bzImage', 'path', null, null, null, 'the client system''s kernel'),
	('fos_initrd', 'fos/init.xz', 'path', null, null, null, 'the client system''s initial disk'),
	('fos_arguments', 'console=tty0 console=ttyS0,115200 quiet loglevel=4 panic=30', 'text', null, null, null,
		'the client system''s kernel arguments; ticket and URL are added to them'),
	('after_job', 'reboot', 'choice', null, null, '{reboot,poweroff}',
		'what a machine does after a job that does not say'),
	('event_days', '30', 'integer', 1, 3650, null, 'how many days of events are kept'),
	('host_name_template', 'pc-%mac%', 'template', null, null, null,
		'the name of a machine that registers without one; %mac% becomes the MAC''s 12 digits')
) as s (name, "default", kind, minimum, maximum, choices, description);
