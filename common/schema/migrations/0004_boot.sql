-- What a machine gets when it boots: first stages, rules, profiles, the menu.

create table rouse_data.boot_file (
	arch int not null constraint "an architecture is 0 to 65535 (RFC 4578)" check (arch between 0 and 65535),
	http boolean not null default false,
	product text,
	file rouse.relative_path not null,
	constraint "one first stage for each architecture, transport and product"
		unique nulls not distinct (arch, http, product)
);
comment on table rouse_data.boot_file is 'First stages by client architecture (DHCP option 93).';

create table rouse_data.boot_rule (
	position int primary key constraint "a rule's position is 1 or more" check (position >= 1),
	name text not null constraint "a rule's name is used once" unique,
	stage text[] constraint "stage is dhcp, script or menu"
		check (stage <@ '{dhcp,script,menu}' and cardinality(stage) > 0),
	loader text[] constraint "loader is firmware, ipxe, grub, pxelinux or other"
		check (loader <@ '{firmware,ipxe,grub,pxelinux,other}' and cardinality(loader) > 0),
	host_state text[] constraint "host_state is unknown, pending, active, disabled or retired"
		check (host_state <@ '{unknown,pending,active,disabled,retired}' and cardinality(host_state) > 0),
	job text[] constraint "job is none or live"
		check (job <@ '{none,live}' and cardinality(job) > 0),
	firmware text[] constraint "firmware is bios, efi, http, uboot or other"
		check (firmware <@ '{bios,efi,http,uboot,other}' and cardinality(firmware) > 0),
	arch text[] constraint "arch is i386, x86_64, arm32, arm64, riscv64 or other"
		check (arch <@ '{i386,x86_64,arm32,arm64,riscv64,other}' and cardinality(arch) > 0),
	host text[] constraint "host lists names without line breaks"
		check (cardinality(host) > 0 and array_to_string(host, '') !~ '[[:cntrl:]]'),
	product text[] constraint "product lists names without line breaks"
		check (cardinality(product) > 0 and array_to_string(product, '') !~ '[[:cntrl:]]'),
	answer text not null
		constraint "answer is nothing, first_stage, script, job, menu, local, profile or refuse"
		check (answer in ('nothing', 'first_stage', 'script', 'job', 'menu', 'local', 'profile', 'refuse')),
	argument text,
	reason text not null constraint "a rule gives its reason in words" check (reason <> ''),
	constraint "the answer profile names it as argument, no other has one"
		check ((answer = 'profile') = (argument is not null)),
	constraint "a rule's values are not null" check (
		array_position(stage, null) is null and array_position(loader, null) is null
		and array_position(host_state, null) is null and array_position(job, null) is null
		and array_position(firmware, null) is null and array_position(arch, null) is null
		and array_position(host, null) is null and array_position(product, null) is null)
);
comment on table rouse_data.boot_rule is 'The boot policy: the first rule that matches decides.';

create table rouse_data.profile (
	name rouse.key primary key,
	title text not null constraint "a profile has a title" check (title <> '' and title !~ '[[:cntrl:]]'),
	kind text not null constraint "a profile is linux, efi, iso, chain or local"
		check (kind in ('linux', 'efi', 'iso', 'chain', 'local')),
	kernel rouse.relative_path,
	initrd rouse.relative_path,
	arguments text constraint "arguments are one line" check (arguments !~ '[[:cntrl:]]'),
	file rouse.relative_path,
	url text constraint "a url begins with http://, https:// or tftp://"
		check (url ~ '^(https?|tftp)://[^[:space:]]+$'),
	constraint "linux needs a kernel, efi and iso a file, chain a url" check (case kind
		when 'linux' then kernel is not null and file is null and url is null
		when 'efi' then file is not null and kernel is null and initrd is null
		when 'iso' then (file is null) <> (url is null) and kernel is null and initrd is null
		when 'chain' then url is not null and kernel is null and initrd is null and file is null
		else kernel is null and initrd is null and file is null and url is null end)
);
comment on table rouse_data.profile is 'What can be booted besides a job.';

create table rouse_data.menu_item (
	key rouse.key primary key,
	title text not null constraint "a menu item has a title" check (title <> '' and title !~ '[[:cntrl:]]'),
	position int not null constraint "a menu position is used once" unique,
	action text not null
		constraint "action is local, profile, register_quick or register_full"
		check (action in ('local', 'profile', 'register_quick', 'register_full')),
	profile rouse.key
		constraint "a menu item names a known profile"
		references rouse_data.profile (name) on update cascade,
	hotkey text constraint "a hotkey is one letter or digit" check (hotkey ~ '^[a-z0-9]$'),
	host_state text[] constraint "a menu's host_state is unknown, pending, active, disabled or retired"
		check (host_state <@ '{unknown,pending,active,disabled,retired}' and cardinality(host_state) > 0),
	firmware text[] constraint "a menu's firmware is bios, efi, http, uboot or other"
		check (firmware <@ '{bios,efi,http,uboot,other}' and cardinality(firmware) > 0),
	constraint "the action profile names one, no other does"
		check ((action = 'profile') = (profile is not null))
);
comment on table rouse_data.menu_item is 'The boot menu.';

insert into rouse_data.boot_file (arch, http, file) values
	(0, false, 'undionly.kpxe'), (7, false, 'ipxe.efi'), (9, false, 'ipxe.efi'), (16, true, 'ipxe.efi');

insert into rouse_data.boot_rule (position, name, stage, loader, host_state, job, answer, reason) values
	(100, 'hosts out of service', null, null, '{disabled,retired}', null, 'nothing',
		'the host is disabled or retired'),
	(200, 'iPXE asks by DHCP', '{dhcp}', '{ipxe}', null, null, 'script',
		'iPXE is running and needs its script'),
	(300, 'firmware asks by DHCP', '{dhcp}', null, null, null, 'first_stage',
		'firmware needs a first stage for its architecture'),
	(400, 'the script is fetched', '{script}', null, null, null, 'script',
		'the script leads to menud'),
	(500, 'a job waits', '{menu}', null, null, '{live}', 'job', 'the host has a live job'),
	(600, 'nothing to do', '{menu}', null, null, null, 'menu', 'the host has no live job');

insert into rouse_data.profile (name, title, kind, kernel) values
	('memtest', 'Memory test', 'linux', 'memtest/memtest86+x64.bin'),
	('memtest_efi', 'Memory test', 'linux', 'memtest/memtest86+x64.efi');

insert into rouse_data.menu_item (key, title, position, action, profile, hotkey, host_state, firmware) values
	('local', 'Boot from the local disk', 1, 'local', null, 'l', null, null),
	('register_quick', 'Register this machine, quickly', 10, 'register_quick', null, 'q', '{unknown}', null),
	('register_full', 'Register this machine and name it', 20, 'register_full', null, 'f', '{unknown}', null),
	('memtest', 'Test the memory', 30, 'profile', 'memtest', 'm', null, '{bios}'),
	('memtest_efi', 'Test the memory', 31, 'profile', 'memtest_efi', 'm', null, '{efi,http}');
