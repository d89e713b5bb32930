-- :events events of 5,000 machines over 20 days, in boots of 20 events as a UEFI machine with a job gives them; the newest
-- boot of every machine stops at its first stage. The indexes are made afterwards: it takes a third of the time.
select replace(indexdef, ' ON ONLY ', ' ON ') as make from pg_indexes where tablename = 'event' and schemaname = 'rouse_data' order by 1 limit 1 \gset a_
select replace(indexdef, ' ON ONLY ', ' ON ') as make from pg_indexes where tablename = 'event' and schemaname = 'rouse_data' order by 1 offset 1 limit 1 \gset b_
select replace(indexdef, ' ON ONLY ', ' ON ') as make from pg_indexes where tablename = 'event' and schemaname = 'rouse_data' order by 1 offset 2 limit 1 \gset c_
do $$
declare
	one record;
begin
	for one in select indexname from pg_indexes where tablename = 'event' and schemaname = 'rouse_data' loop
		execute format('drop index rouse_data.%I', one.indexname);
	end loop;
	for day in 1..20 loop
		execute format('create table if not exists rouse_data.event_%s partition of rouse_data.event for values from (%L) to (%L)',
			to_char(current_date - day, 'YYYYMMDD'), (current_date - day)::timestamptz, (current_date - day + 1)::timestamptz);
	end loop;
end
$$;
alter table rouse_data.host disable trigger user;
alter table rouse_data.nic disable trigger user;
insert into rouse_data.host (name, product) select 'h' || n, 'Model ' || n % 20 from generate_series(1, 5000) n;
insert into rouse_data.nic (mac, host) select ('52' || lpad(to_hex(n), 10, '0'))::macaddr, 'h' || n from generate_series(1, 5000) n;
alter table rouse_data.host enable trigger user;
alter table rouse_data.nic enable trigger user;
create temp table step (n serial, seconds float8, daemon text, stage text, kind text, name text, reason text, detail jsonb);
insert into step (seconds, daemon, stage, kind, name, reason, detail) values
	(0, 'dhcpd', 'fw_dhcp', 'discover', null, null, '{"xid":"6d1aeb9c","arch":7,"class":"firmware","interface":"eth0"}'),
	(0, 'dhcpd', 'fw_dhcp', 'offer', 'ipxe.efi', 'firmware needs a first stage for its architecture', '{"xid":"6d1aeb9c","arch":7,"class":"firmware","interface":"eth0"}'),
	(3.8, 'dhcpd', 'fw_dhcp', 'request', null, null, '{"xid":"6d1aeb9c","arch":7,"class":"firmware","interface":"eth0"}'),
	(3.81, 'dhcpd', 'fw_dhcp', 'ack', 'ipxe.efi', 'firmware needs a first stage for its architecture', '{"xid":"6d1aeb9c","arch":7,"class":"firmware","lease_seconds":3600}'),
	(3.9, 'tftpd', 'tftp_nbp', 'probe', 'ipxe.efi', 'User aborted the transfer', '{"bytes":0,"size":850528,"blksize":1468,"windowsize":4,"retransmits":0,"client":"edk2"}'),
	(4.2, 'tftpd', 'tftp_nbp', 'sent', 'ipxe.efi', null, '{"bytes":850528,"size":850528,"blksize":1468,"windowsize":4,"retransmits":0,"client":"edk2","type":"efi-x86_64"}'),
	(7.3, 'dhcpd', 'ipxe_dhcp', 'discover', null, null, '{"arch":7,"class":"ipxe"}'), (7.3, 'dhcpd', 'ipxe_dhcp', 'offer', 'default.ipxe', 'iPXE is running and needs its script', '{"arch":7,"class":"ipxe"}'),
	(7.31, 'dhcpd', 'ipxe_dhcp', 'request', null, null, '{"arch":7,"class":"ipxe"}'), (7.32, 'dhcpd', 'ipxe_dhcp', 'ack', 'default.ipxe', 'iPXE is running and needs its script', '{"arch":7,"class":"ipxe"}'),
	(7.4, 'tftpd', 'script', 'sent', 'default.ipxe', null, '{"bytes":1286,"size":1286,"client":"ipxe"}'), (7.5, 'menud', 'script', 'job', null, 'job 1: deploy', '{"firmware":"efi","arch":"x86_64"}'),
	(8, 'menud', 'kernel', 'sent', 'fos/bzImage', null, '{"status":200,"bytes":14186432}'), (8.3, 'menud', 'initrd', 'sent', 'fos/init.xz', null, '{"status":200,"bytes":2836228}'),
	(15, 'dhcpd', 'os_dhcp', 'ack', null, 'the client chose this offer', '{"class":"os","lease_seconds":3600}'), (15.5, 'database', 'fos', 'checkin', 'deploy', null, null),
	(16, 'database', 'work', 'step', 'disk', null, null), (18, 'database', 'work', 'step', 'write', null, null),
	(40, 'database', 'work', 'step', 'verify', null, null), (41, 'database', 'report', 'succeeded', 'deploy', null, '{"bytes":67108864,"seconds":25}');
-- boot by boot as they came, so that the table lies in the order of time as it does in life
insert into rouse_data.event (at, daemon, instance, stage, kind, mac, address, host, name, reason, detail)
select b.began + s.seconds * interval '1 second', s.daemon, s.daemon || '/1', s.stage, s.kind, ('52' || lpad(to_hex(b.m), 10, '0'))::macaddr,
	'10.77.0.100', 'h' || b.m, s.name, s.reason, s.detail
from (select i, i % 5000 + 1 as m, now() - interval '20 days' + (i + 1) * (interval '20 days' - interval '5 minutes') / (:events / 20) as began
	from generate_series(0, :events / 20 - 1) i) b
cross join step s
where s.n <= 6 or b.i < :events / 20 - 5000
order by b.i, s.n;
:a_make;
:b_make;
:c_make;
vacuum analyze;
select count(*), count(distinct mac) from rouse_data.event;
