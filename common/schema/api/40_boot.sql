-- The boot policy: rows that people read and write, and one query over them.

create view rouse.boot_files as
	select arch, http, product, file from rouse_data.boot_file order by arch, http, product;
call rouse_data.describe('rouse.boot_files', 'First stages by client architecture.', '{
	"arch": "DHCP option 93: 0 BIOS, 7 and 9 UEFI x64, 11 UEFI arm64, 16 UEFI x64 by HTTP",
	"http": "true: fetched by HTTP (class HTTPClient), false: by TFTP",
	"product": "only for this model; null: any", "file": "the file, below the daemons'' roots"}');

create view rouse.boot_rules as
	select position, name, stage, loader, host_state, job, firmware, arch, host, product,
		answer, argument, reason
	from rouse_data.boot_rule order by position;
call rouse_data.describe('rouse.boot_rules',
	'What a booting machine gets: the first rule whose conditions all hold decides. A condition is a list of values, or null for any.', '{
	"position": "order; leave room between", "name": "what the rule is called in logs",
	"stage": "dhcp, script or menu", "loader": "who asks: firmware, ipxe, grub, pxelinux or other",
	"host_state": "unknown, pending, active, disabled or retired", "job": "none or live",
	"firmware": "bios, efi, http, uboot or other", "arch": "i386, x86_64, arm32, arm64, riscv64 or other",
	"host": "names of hosts", "product": "models, exactly as the firmware says them",
	"answer": "nothing (an address and no boot answer), first_stage, script, job, menu, local, profile or refuse",
	"argument": "for profile: its name", "reason": "why, in words: shown in logs, on screens and by rouse.explain"}');

create view rouse.profiles as
	select name, title, kind, kernel, initrd, arguments, file, url, answers from rouse_data.profile order by name;
call rouse_data.describe('rouse.profiles', 'What can be booted, from the menu or by a job.', '{
	"name": "its key", "title": "as a menu shows it", "kind": "linux, efi, iso, chain or local",
	"kernel": "linux: the kernel, below the roots", "initrd": "linux: the initial disk, if any",
	"arguments": "kernel arguments; %answers% stands for the URL of its answers", "answers": "linux: for an installer, a name of rouse.answer_files; such an install job ends when the installer says so", "file": "efi, iso: the file, below the roots", "url": "chain, iso: where it is"}');

create view rouse.answer_files as
	select name, text, comment from rouse_data.answer_file order by name;
call rouse_data.describe('rouse.answer_files', 'What installers ask for: a preseed, a kickstart, an autoinstall file.', '{
	"name": "its key; column answers of rouse.profiles names it",
	"text": "the file; %host%, %mac%, %uuid%, %url% (of menud) and %done% (the URL to be fetched at the end) stand for the machine''s own",
	"comment": "your words"}');

create function rouse_data.holds(condition text[], fact text) returns boolean
language sql immutable as $$ select condition is null or coalesce(fact = any (condition), false) $$;
comment on function rouse_data.holds is 'Whether a rule''s condition holds: null is any, a missing fact matches no list.';

create function rouse.evaluate(stage text, loader text, host_state text, job text, firmware text,
	arch text, host text default null, product text default null)
returns table ("position" int, name text, answer text, argument text, reason text)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	perform rouse_data.one_of('stage', stage, '{dhcp,script,menu}');
	perform rouse_data.one_of('loader', loader, '{firmware,ipxe,grub,pxelinux,other}');
	perform rouse_data.one_of('state of a host', host_state, '{unknown,pending,active,disabled,retired}');
	perform rouse_data.one_of('value of job', job, '{none,live}');
	perform rouse_data.one_of('firmware', firmware, '{bios,efi,http,uboot,other}');
	perform rouse_data.one_of('architecture', arch, '{i386,x86_64,arm32,arm64,riscv64,other}');
	return query
	select r.position, r.name, r.answer, r.argument, r.reason from rouse_data.boot_rule r
	where rouse_data.holds(r.stage, evaluate.stage) and rouse_data.holds(r.loader, evaluate.loader)
		and rouse_data.holds(r.host_state, evaluate.host_state) and rouse_data.holds(r.job, evaluate.job)
		and rouse_data.holds(r.firmware, evaluate.firmware) and rouse_data.holds(r.arch, evaluate.arch)
		and rouse_data.holds(r.host, evaluate.host) and rouse_data.holds(r.product, evaluate.product)
	order by r.position limit 1;
	if not found then
		return query select null::int, null, 'nothing', null, 'no rule matches';
	end if;
end
$$;
comment on function rouse.evaluate is
	'The rule that decides for these facts; the daemons judge the same rows in the same way.';

create function rouse_data.boot_state(the_mac macaddr)
returns table (host_id bigint, host text, host_state text, job text, product text)
language sql stable as $$
	select h.id, h.name::text, coalesce(h.state, 'unknown'),
		case when exists (select from rouse_data.job j where j.host_id = h.id
			and j.state in ('queued', 'waiting', 'running', 'cancelling'))
			or exists (select from rouse_data.local_boot lb where lb.host_id = h.id) then 'live' else 'none' end,
		h.product
	from (select) as always
	left join rouse_data.nic n on n.mac = the_mac
	left join rouse_data.host h on h.name = n.host
$$;
comment on function rouse_data.boot_state is 'The facts that the database knows of a MAC.';

create function rouse_data.client_archs() returns table (code int, firmware text, arch text)
language sql immutable as $$
	values (0, 'bios', 'i386'), (6, 'efi', 'i386'), (7, 'efi', 'x86_64'), (9, 'efi', 'x86_64'), (10, 'efi', 'arm32'),
		(11, 'efi', 'arm64'), (15, 'http', 'i386'), (16, 'http', 'x86_64'), (18, 'http', 'arm32'), (19, 'http', 'arm64'),
		(20, 'http', 'i386'), (21, 'uboot', 'arm32'), (22, 'uboot', 'arm64'), (27, 'efi', 'riscv64'), (28, 'http', 'riscv64')
$$;
comment on function rouse_data.client_archs is 'DHCP option 93 as core/arch reads it: a test holds the two against each other.';

create function rouse_data.first_stage(firmware text, arch text, product text, out file text, out problem text)
language plpgsql stable as $$
declare
	-- A BIOS says nothing of its processor.
	codes int[] := array(select c.code from rouse_data.client_archs() c where c.firmware = first_stage.firmware
		and (c.arch = first_stage.arch or (c.firmware = 'bios' and first_stage.arch = 'x86_64')) order by c.code);
begin
	-- U-Boot brings its own names and needs no more than the server.
	if firmware <> 'uboot' then
		file := (select f.file from rouse_data.boot_file f
			where (f.product is null or f.product = first_stage.product) and f.http = (firmware = 'http') and f.arch = any (codes)
			order by f.product nulls last, f.arch limit 1);
		if file is null then
			problem := format('no boot file for architecture %s%s: insert one into rouse.boot_files',
				coalesce(codes[1]::text, format('%s %s', firmware, arch)), case firmware when 'http' then ' by HTTP' else '' end);
		end if;
	end if;
end
$$;
comment on function rouse_data.first_stage is 'The first stage that dhcpd names for this firmware and architecture, or in dhcpd''s words why it has none.';

create function rouse_data.client_arch(code text, out firmware text, out arch text)
language sql immutable as $$
	select coalesce(k.firmware, 'other'), coalesce(k.arch, 'other')
	from (select) as always left join rouse_data.client_archs() k on k.code::text = client_arch.code
$$;
comment on function rouse_data.client_arch is 'DHCP''s client architecture (option 93) in the words of the boot rules.';

create function rouse.explain(mac macaddr, firmware text default null, arch text default null)
returns table (stage text, loader text, host text, host_state text, job text, firmware text, arch text,
	"position" int, rule text, answer text, argument text, reason text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select s.stage, s.loader, b.host, b.host_state, b.job, t.firmware, t.arch,
		e.position, e.name, e.answer, coalesce(e.argument, case
			when way.is_first_stage then fs.file
			when e.answer = 'menu' then rouse_data.menu_words(rouse_data.boot_defaults_of(b.host, b.product), f.firmware)
			when e.answer = 'local' then rouse_data.exit_words(rouse_data.boot_defaults_of(b.host, b.product), f.firmware)
			when e.answer = 'job' then coalesce((select format('%s %s, %s', j.kind, j.id, j.state) from rouse_data.job j
				where j.host_id = b.host_id
					and j.state in ('queued', 'waiting', 'running', 'cancelling')),
				(select format('local disk, once, after job %s', lb.job_id) from rouse_data.local_boot lb
				where lb.host_id = b.host_id)) end),
		case when way.is_first_stage then coalesce(fs.problem, e.reason) else e.reason end
	from rouse_data.boot_state(explain.mac) b
	cross join lateral (
		select coalesce(explain.firmware, given.firmware, seen.firmware, 'efi') as firmware,
			coalesce(given.arch, explain.arch, seen.arch, 'x86_64') as arch
		from (select) as always
		left join lateral rouse_data.client_arch(explain.arch) given on explain.arch ~ '^[0-9]+$'
		left join lateral (
			-- dhcpd records the client's number, menud iPXE's words.
			select coalesce(said.firmware, ev.detail ->> 'firmware') as firmware, coalesce(said.arch, ev.detail ->> 'arch') as arch
			from rouse_data.event ev
			left join lateral rouse_data.client_arch(ev.detail ->> 'arch') said on jsonb_typeof(ev.detail -> 'arch') = 'number'
			where ev.mac = explain.mac and (said.arch <> 'other' or ev.detail ->> 'firmware' in ('bios', 'efi', 'http', 'uboot', 'other')
				and ev.detail ->> 'arch' in ('i386', 'x86_64', 'arm32', 'arm64', 'riscv64', 'other'))
			order by ev.at desc limit 1) seen on true) f
	cross join (values (1, 'dhcp', 'firmware'), (2, 'dhcp', 'ipxe'), (3, 'script', 'ipxe'), (4, 'menu', 'ipxe'))
		as s (step, stage, loader)
	-- A request by TFTP does not say what machine it comes from.
	cross join lateral (select case s.stage when 'script' then 'other' else f.firmware end as firmware,
		case s.stage when 'script' then 'other' else f.arch end as arch) t
	cross join lateral rouse.evaluate(s.stage, s.loader, b.host_state, b.job, t.firmware, t.arch,
		b.host, b.product) e
	cross join lateral rouse_data.first_stage(f.firmware, f.arch, b.product) fs
	-- What menud gives has its way there by DHCP: for iPXE its script, for firmware its first stage.
	cross join lateral (select e.answer = 'first_stage' or (s.stage = 'dhcp' and s.loader = 'firmware'
		and e.answer in ('script', 'job', 'menu', 'profile')) as is_first_stage) way
	where rouse_data.check_may_mac(explain.mac)
	order by s.step
$$;
comment on function rouse.explain(macaddr, text, text) is
	'What this machine would get now at each step of its boot, and by which rule. Firmware and arch are those of its last boot, or efi and x86_64, if not given; arch is a word such as x86_64, or DHCP''s number, such as 7.';

create function rouse.explain(host text)
returns table (stage text, loader text, host_state text, job text, firmware text, arch text,
	"position" int, rule text, answer text, argument text, reason text)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	the_mac macaddr := rouse_data.mac_named(host);
begin
	return query select e.stage, e.loader, e.host_state, e.job, e.firmware, e.arch, e."position",
		e.rule, e.answer, e.argument, e.reason from rouse.explain(the_mac) e;
end
$$;
comment on function rouse.explain(text) is 'The same for a host by its name.';

create function rouse_data.mac_named(word text) returns macaddr
language plpgsql stable as $$
declare
	the_mac macaddr := rouse_data.mac_of(word);
	the_host rouse_data.host;
begin
	if the_mac is not null then
		return the_mac;
	end if;
	the_host := rouse_data.host_named(word);
	select n.mac into the_mac from rouse_data.nic n where n.host = the_host.name
	order by n.kind = 'primary' desc, n.mac limit 1;
	if the_mac is null then
		raise exception using errcode = '55000', message = format('host "%s" has no network card', the_host.name),
			detail = 'A machine is known on the network by its cards only.',
			hint = format('Add one: insert into rouse.nics (mac, host) values (''52:54:00:...'', %L)', the_host.name);
	end if;
	return the_mac;
end
$$;
comment on function rouse_data.mac_named is 'The MAC that a word spells, or that of the host which it names.';
