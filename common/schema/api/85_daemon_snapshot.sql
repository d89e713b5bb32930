-- What the daemons read: the whole configuration, in the shape that their row reader wants.

create view rouse_daemon.settings_now as
	select name, value from rouse_data.setting order by name;
call rouse_data.describe('rouse_daemon.settings_now', 'Settings.', '{"name": "the setting", "value": "its value"}');

create view rouse_daemon.subnets_now as
	select s.id, s.subnet,
		(select string_agg(host(r), ' ' order by n) from unnest(s.routers) with ordinality as u (r, n)) as routers,
		(select string_agg(host(d), ' ' order by n) from unnest(s.dns) with ordinality as u (d, n)) as dns,
		s.domain_name, s.next_server, s.lease_seconds, s.menud_urls,
		s.loop_breaker, s.lease_seconds_min, s.lease_seconds_max, s.shared_network, s.probe
	from rouse_data.subnet s order by s.id;
call rouse_data.describe('rouse_daemon.subnets_now', 'Subnets.', '{
	"id": "number", "subnet": "network", "routers": "addresses joined by spaces", "dns": "addresses joined by spaces",
	"domain_name": "domain", "next_server": "tftpd", "lease_seconds": "length of a lease", "menud_urls": "URLs joined by spaces",
	"lease_seconds_min": "shortest by wish", "lease_seconds_max": "longest by wish", "shared_network": "name of the link", "probe": "off, arp, icmp or auto",
	"loop_breaker": "whether iPXE asking for its own binary gets its script"}');

create view rouse_daemon.pools_now as
	select p.id, s.id as subnet_id, p.first, p.last
	from rouse_data.pool p join rouse_data.subnet s on s.subnet = p.subnet order by p.first;
call rouse_data.describe('rouse_daemon.pools_now', 'Pools.', '{
	"id": "number", "subnet_id": "its subnet", "first": "first address", "last": "last address"}');

create view rouse_daemon.reservations_now as
	select r.mac, r.address, n.host::text as host
	from rouse_data.reservation r left join rouse_data.nic n on n.mac = r.mac order by r.address;
call rouse_data.describe('rouse_daemon.reservations_now', 'Reservations.', '{
	"mac": "the card", "address": "its address", "host": "the machine that owns the card"}');

create view rouse_daemon.hosts_now as
	select h.id, h.name::text as name, h.state, h.uuid::text as uuid, h.product,
		(select string_agg(n.mac::text, ' ' order by n.kind = 'primary' desc, n.mac)
			from rouse_data.nic n where n.host = h.name) as macs,
		exists (select from rouse_data.job j where j.host_id = h.id
			and j.state in ('queued', 'waiting', 'running', 'cancelling'))
			or exists (select from rouse_data.local_boot b where b.host_id = h.id) as live_job,
		g.id as group_id
	from rouse_data.host h left join rouse_data.host_group g on g.name = h.group_name order by h.id;
call rouse_data.describe('rouse_daemon.hosts_now', 'Hosts.', '{
	"id": "number", "name": "name", "state": "state", "uuid": "SMBIOS UUID", "product": "model",
	"macs": "joined by spaces, primary first", "live_job": "whether there is something to offer: a job in queued to cancelling, or the own disk after a job", "group_id": "the id of its group, or null"}');

create view rouse_daemon.boot_files_now as
	select arch, http, product, file::text as file from rouse_data.boot_file order by arch, http, product;
call rouse_data.describe('rouse_daemon.boot_files_now', 'First stages.', '{
	"arch": "DHCP option 93", "http": "by HTTP or TFTP", "product": "null: any model", "file": "path below the roots"}');

create view rouse_daemon.boot_rules_now as
	select position, name, array_to_string(stage, ' ') as stage, array_to_string(loader, ' ') as loader,
		array_to_string(host_state, ' ') as host_state, array_to_string(job, ' ') as job,
		array_to_string(firmware, ' ') as firmware, array_to_string(arch, ' ') as arch,
		array_to_string(host, e'\n') as host, array_to_string(product, e'\n') as product,
		answer, argument, reason
	from rouse_data.boot_rule order by position;
call rouse_data.describe('rouse_daemon.boot_rules_now', 'The boot policy, in order.', '{
	"position": "order", "name": "name", "stage": "null or values joined by spaces", "loader": "as stage",
	"host_state": "as stage", "job": "as stage", "firmware": "as stage", "arch": "as stage",
	"host": "null or names joined by newlines", "product": "as host", "answer": "answer", "argument": "argument", "reason": "why"}');

create view rouse_daemon.profiles_now as
	select name::text as name, title, kind, kernel::text as kernel, initrd::text as initrd, arguments,
		file::text as file, url
	from rouse_data.profile order by name;
call rouse_data.describe('rouse_daemon.profiles_now', 'Profiles.', '{
	"name": "key", "title": "title", "kind": "kind", "kernel": "path", "initrd": "path",
	"arguments": "kernel arguments", "file": "path", "url": "URL"}');

create view rouse_daemon.menu_now as
	select m.key::text as key, m.title, m.position, m.action, m.profile::text as profile, m.hotkey,
		array_to_string(m.host_state, ' ') as host_state, array_to_string(m.firmware, ' ') as firmware,
		m.parent::text as parent, array_to_string(m.arch, ' ') as arch, g.id as group_id, m.role, m.confirm
	from rouse_data.menu_item m left join rouse_data.host_group g on g.name = m.group_name order by m.position;
call rouse_data.describe('rouse_daemon.menu_now', 'The menu, in order.', '{
	"key": "key", "title": "title", "position": "order", "action": "action", "profile": "profile", "hotkey": "key to press",
	"host_state": "null or values joined by spaces", "firmware": "null or values joined by spaces",
	"parent": "key of the sub-menu, or null", "arch": "null or values joined by spaces", "group_id": "the id of a group, or null",
	"role": "viewer, operator or null", "confirm": "word to type, or null"}');

create view rouse_daemon.boot_defaults_now as
	select d.id, concat(d.group_name, d.product, d.host) as owner, g.id as group_id, d.product, d.host::text as host,
		d.menu_default::text as menu_default, d.menu_timeout_seconds, d.menu_key::text as menu_key,
		d.exit_bios::text as exit_bios, d.exit_efi::text as exit_efi
	from rouse_data.boot_default d left join rouse_data.host_group g on g.name = d.group_name
	order by d.host is not null, d.product is not null, d.id;
call rouse_data.describe('rouse_daemon.boot_defaults_now', 'Menu defaults and exits that are not those of the whole site, the most special ones last.', '{
	"id": "number", "owner": "the name of a group, model or machine", "group_id": "the id of a group, or null", "product": "a model, or null", "host": "a machine''s name, or null",
	"menu_default": "key of a menu item; null here and below: as before", "menu_timeout_seconds": "how long the menu waits",
	"menu_key": "the key that shows the menu, or none", "exit_bios": "words joined by spaces", "exit_efi": "words joined by spaces"}');

create function rouse_daemon.changed_since(xmin xid8) returns table (changed boolean, xmin xid8)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select changed_since.xmin is null
		or exists (select from rouse_data.change c where c.xid8 >= changed_since.xmin),
		pg_snapshot_xmin(pg_current_snapshot())
$$;
comment on function rouse_daemon.changed_since is
	'Whether configuration changed in a transaction that a snapshot with this xmin could not see; and the xmin now.';

create function rouse_data.views_of(relation text) returns text[]
language sql immutable as $$
	select case relation
		when 'setting' then '{settings_now}'::text[]
		when 'host' then '{hosts_now}' -- A new name is passed on to the tables that refer to it, which tell of it themselves.
		when 'nic' then '{hosts_now,reservations_now}'
		when 'job' then '{hosts_now}'
		when 'host_group' then '{hosts_now}'
		when 'subnet' then '{subnets_now,pools_now,dhcp_options_now}'
		when 'pool' then '{pools_now}'
		when 'reservation' then '{reservations_now}'
		when 'boot_file' then '{boot_files_now}'
		when 'boot_rule' then '{boot_rules_now}'
		when 'profile' then '{profiles_now}'
		when 'menu_item' then '{menu_now}'
		when 'boot_default' then '{boot_defaults_now}'
		when 'dhcp_option' then '{dhcp_options_now}' end
$$;
comment on function rouse_data.views_of is 'The views of rouse_daemon that a change of this table may change; null: all.';

-- So many hosts are read anew one by one; for more, the view is read whole.
create function rouse_daemon.changes_since(xmin xid8) returns table (xmin xid8, views text, hosts text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	with changed as (
		select distinct on (c.relation, c.hosts) c.relation, rouse_data.views_of(c.relation) as views, c.hosts
		from rouse_data.change c where c.xid8 >= changes_since.xmin
	), host as (
		select distinct h.id from changed c cross join unnest(c.hosts) h (id) order by 1 limit 20001
	)
	select pg_snapshot_xmin(pg_current_snapshot()),
		case when changes_since.xmin is not null and not exists (select from changed c where c.views is null)
			then coalesce((select string_agg(distinct v, ' ') from changed c cross join unnest(c.views) v), '') end,
		case when changes_since.xmin is not null and (select count(*) from host) <= 20000
				and not exists (select from changed c where c.hosts is null and (c.views is null or 'hosts_now' = any (c.views)))
			then (select coalesce(string_agg(h.id::text, ' ' order by h.id), '') from host h) end
$$;
comment on function rouse_daemon.changes_since is
	'What a daemon that has read everything in a snapshot of this xmin must read again: the views (null: all), and of hosts_now only these hosts (null: all of them); and the xmin now.';
