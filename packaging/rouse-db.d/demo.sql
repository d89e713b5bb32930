-- What rouse-db demo puts into an empty database, as rouse_owner and in one transaction. Machines do
-- here what they do in life: they are offered a job, check in, report. Only the boots' times are set.

insert into rouse.groups (name, comment) values
	('lab', 'the computer room'), ('kiosks', 'the entrance hall'), ('office', 'the second floor');
insert into rouse.subnets (subnet, routers, domain_name) values
	('10.77.0.0/24', '{10.77.0.1}', 'lab.example'), ('10.78.0.0/24', '{10.78.0.1}', 'office.example');
insert into rouse.pools (subnet, first, last) values
	('10.77.0.0/24', '10.77.0.100', '10.77.0.199'), ('10.78.0.0/24', '10.78.0.50', '10.78.0.99');

insert into rouse.hosts (name, group_name, manufacturer, product)
select format('lab-%s', lpad(n::text, 2, '0')), 'lab', 'QEMU', 'Standard PC (Q35)' from generate_series(1, 10) n;
insert into rouse.hosts (name, group_name, product) values
	('kiosk-1', 'kiosks', 'Kiosk 3'), ('kiosk-2', 'kiosks', 'Kiosk 3'), ('office-1', 'office', 'OptiPlex 7090');
insert into rouse.hosts (name, state) values ('pc-5254000000fe', 'pending'), ('old-printer', 'retired');
insert into rouse.nics (mac, host)
select ('52:54:00:00:00:' || lpad(to_hex(row_number() over (order by name)), 2, '0'))::macaddr, name from rouse.hosts;
insert into rouse.reservations (address, mac)
select '10.78.0.10', n.mac from rouse.nics n where n.host = 'office-1';

select rouse.publish_image(i.name, 1, 'images/' || i.name || '/1/disk.raw.zst', i.size, encode(sha256(i.name::bytea), 'hex'),
	i.disk_size, encode(sha256(('disk ' || i.name)::bytea), 'hex'), title => i.title)
from (values ('debian-12', 812646400, 8589934592, 'Debian 12, desktop'),
	('kiosk', 301989888, 4294967296, 'The kiosk''s browser')) i (name, size, disk_size, title);
select rouse.setting('deploy_slots', '2');

-- A machine's way through its job, as menud and the client system drive it.
create function pg_temp.mac(machine text) returns text language sql as $$
	select n.mac::text from rouse_data.nic n where n.host = machine $$;
create function pg_temp.facts(machine text) returns jsonb language sql as $$
	select jsonb_build_object('mac0', pg_temp.mac(machine)) $$;
create function pg_temp.token(machine text) returns text language sql as $$
	select encode(sha256(('demo ' || machine)::bytea), 'hex') $$;
create function pg_temp.check_in(machine text) returns text language sql as $$
	select c.answer from rouse_daemon.offer(pg_temp.facts(machine), '10.77.0.100') o,
		rouse_daemon.fos_checkin(pg_temp.facts(machine)
			|| jsonb_build_object('ticket', o.ticket, 'token', pg_temp.token(machine)), '10.77.0.100') c $$;
create function pg_temp.progress(machine text, percent int) returns text language sql as $$
	select p.answer from rouse_daemon.fos_progress(jsonb_build_object('token', pg_temp.token(machine), 'step', 'write',
		'percent', percent::text, 'bytes', (percent * 85899345::bigint)::text, 'total', '8589934592'), '10.77.0.100') p $$;
create function pg_temp.finish(machine text, outcome text, reason text, words text) returns text language sql as $$
	select f.answer from rouse_daemon.fos_finish(jsonb_strip_nulls(jsonb_build_object('token', pg_temp.token(machine),
		'outcome', outcome, 'reason', reason, 'text', words)), '10.77.0.100') f $$;

-- Jobs that end: well, for want of room, by the loop guard, by an operator, by their deadline.
select rouse.deploy('lab-01', 'debian-12');
select pg_temp.check_in('lab-01');
select pg_temp.progress('lab-01', 60);
select pg_temp.finish('lab-01', 'succeeded', null, null);
select rouse.deploy('lab-02', 'debian-12');
select pg_temp.check_in('lab-02');
select pg_temp.finish('lab-02', 'failed', 'disk_too_small', 'largest disk: sda, 4 GiB; the image wants 8 GiB');
select rouse.deploy('lab-03', 'debian-12');
insert into rouse_data.offer (job_id, opened_at)
select (select max(j.id) from rouse.jobs j), now() - interval '1 hour' from generate_series(1, 3);
select answer from rouse_daemon.offer(pg_temp.facts('lab-03'), '10.77.0.103');
select rouse.inventory('lab-04');
select rouse.cancel((select max(id) from rouse.jobs), 'wrong room');
select rouse.inventory('lab-05', deadline => now() + interval '1 second');
update rouse_data.job set deadline = now() - interval '1 minute' where id = (select max(id) from rouse.jobs);
select * from rouse_daemon.tick();

-- Jobs that have not: two run and keep a third waiting, one stops, one has another behind it, one is for tonight.
select rouse.deploy('lab-06', 'debian-12');
select pg_temp.check_in('lab-06');
select pg_temp.progress('lab-06', 42);
select rouse.deploy('lab-07', 'debian-12');
select pg_temp.check_in('lab-07');
select rouse.cancel((select max(id) from rouse.jobs), 'the disk is being replaced');
select rouse.deploy('lab-08', 'debian-12');
select pg_temp.check_in('lab-08');
select rouse.deploy('lab-09', 'debian-12');
select rouse.inventory('lab-09');
select rouse.deploy('lab-10', 'debian-12', not_before => now() + interval '8 hours', wake => true);
select rouse.schedule('kiosks', 'deploy', '30 3 * * mon-fri', 'kiosk', 'Europe/Vienna');

-- Boots: those of the machines that checked in just now; one whose client system was not heard of, one that
-- found no first stage, and one whose menu was out of reach.
create function pg_temp.boot(machine text, began interval, words text[]) returns void language sql as $$
	insert into rouse_data.event (at, daemon, instance, stage, kind, mac, host, address, name, reason)
	select now() - began + w[5]::interval, w[1], 'demo', w[2], w[3], pg_temp.mac(machine)::macaddr, machine, '10.77.0.100',
		nullif(w[4], ''), nullif(w[6], '')
	from (select string_to_array(one, ' | ') as w from unnest(words) one) e $$;
select pg_temp.boot(machine, began, array[
	'dhcpd | fw_dhcp | offer | ipxe.efi | 0 s | firmware gets a first stage', 'tftpd | tftp_nbp | sent | ipxe.efi | 1.2 s | ',
	'dhcpd | ipxe_dhcp | offer | default.ipxe | 3.1 s | iPXE gets its script', 'tftpd | script | sent | default.ipxe | 3.3 s | ',
	'menud | script | job | deploy | 3.5 s | the host has a live job', 'menud | kernel | sent | fos/bzImage | 4.4 s | ',
	'menud | initrd | sent | fos/init.xz | 4.9 s | '])
from (values ('lab-01', interval '8 s'), ('lab-02', '9 s'), ('lab-03', '70 minutes'), ('lab-06', '7 s'), ('lab-07', '8 s'),
	('lab-08', '9 s')) b (machine, began);
select pg_temp.boot('kiosk-1', '30 minutes', array[
	'dhcpd | fw_dhcp | offer | ipxe.efi | 0 s | firmware gets a first stage', 'tftpd | tftp_nbp | refused | ipxe.efi | 1.1 s | no such file']);
select pg_temp.boot('office-1', '10 minutes', array[
	'dhcpd | fw_dhcp | offer | ipxe.efi | 0 s | firmware gets a first stage', 'tftpd | tftp_nbp | sent | ipxe.efi | 0.9 s | ',
	'dhcpd | ipxe_dhcp | offer | default.ipxe | 2.7 s | iPXE gets its script',
	'tftpd | script | failed | http://10.78.0.2:8080/boot | 3.3 s | connection timed out']);
