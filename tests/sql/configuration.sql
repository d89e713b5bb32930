-- What an operator may write, what is refused and in which words, and that the daemons are told.
begin;
select plan(51);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
insert into rouse.subnets (subnet, routers, dns) values ('10.77.0.0/24', '{10.77.0.1}', '{10.77.0.1,9.9.9.9}');
insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.100', '10.77.0.199');

create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;

select pg_temp.refused($$insert into rouse.hosts (name) values ('Lab_02')$$, 'a host name has labels');
select pg_temp.refused($$insert into rouse.hosts (name) values ('lab-01')$$, 'a host name is used once');
select pg_temp.refused($$insert into rouse.hosts (name, state) values ('x', 'on')$$, 'state cannot be "on" \| There is: active, disabled, pending, retired, unknown');
select pg_temp.refused($$insert into rouse.nics values ('01:00:5e:00:00:01', 'lab-01', 'extra')$$, 'a MAC names one card');
select pg_temp.refused($$insert into rouse.nics values ('00:00:00:00:00:00', 'lab-01', 'extra')$$, 'a MAC names one card');
select pg_temp.refused($$insert into rouse.nics values ('52:54:00:00:00:02', 'lab-01', 'primary')$$, 'a host has one primary');
select pg_temp.refused($$insert into rouse.nics values ('52:54:00:00:00:02', 'lab-02', 'primary')$$, 'there is no host "lab-02" \| There is: lab-01');
select pg_temp.refused($$insert into rouse.nics values ('52:54:00:00:00:02', 'lab-01', 'shared')$$, 'only shared and ignored');
select pg_temp.refused($$insert into rouse.nics values ('52:54:00:00:00:02', null, 'extra')$$, 'only shared and ignored');
select pg_temp.refused($$insert into rouse.subnets (subnet) values ('10.77.0.0/16')$$, 'subnets do not overlap');
select pg_temp.refused($$insert into rouse.subnets (subnet) values ('fe80::/64')$$, 'a subnet is IPv4');
select pg_temp.refused($$insert into rouse.subnets (subnet, routers) values ('10.78.0.0/24', '{10.77.0.1}')$$, 'routers lie inside');
select pg_temp.refused($$insert into rouse.subnets (subnet, lease_seconds) values ('10.78.0.0/24', 1)$$, 'from 60 seconds to a year');
select pg_temp.refused($$update rouse.subnets set probe = 'on'$$, 'probe cannot be "on" \| There is: arp, auto, icmp, off');
select pg_temp.refused($$insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.150', '10.77.0.210')$$, 'pools do not overlap');
select pg_temp.refused($$insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.78.0.1', '10.78.0.9')$$, 'a pool (lies inside|leaves out)');
select pg_temp.refused($$insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.250', '10.77.0.255')$$, 'leaves out');
select pg_temp.refused($$insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.30', '10.77.0.20')$$, 'from its first to its last');
select pg_temp.refused($$insert into rouse.reservations (mac, address) values ('52:54:00:00:00:01', '10.77.0.0/24')$$, 'a single IPv4 address');
select pg_temp.refused($$insert into rouse.boot_files (arch, file) values (6, '/etc/passwd')$$, 'a path is relative');
select pg_temp.refused($$insert into rouse.boot_files (arch, file) values (6, 'a/../../b')$$, 'a path is relative');
select pg_temp.refused($$insert into rouse.boot_files (arch, file) values (7, 'other.efi')$$, 'one first stage for each');
select pg_temp.refused($$insert into rouse.boot_rules (position, name, stage, answer, reason) values (10, 'x', '{boot}', 'menu', 'y')$$, 'stage cannot be "boot" \| There is: dhcp, menu, script');
select pg_temp.refused($$insert into rouse.boot_rules (position, name, stage, answer, reason) values (10, 'x', '{}', 'menu', 'y')$$, 'stage is dhcp, script or menu');
select pg_temp.refused($$insert into rouse.boot_rules (position, name, answer, reason) values (10, 'x', 'profile', 'y')$$, 'the answer profile names it');
select pg_temp.refused($$insert into rouse.boot_rules (position, name, answer, reason) values (100, 'x', 'menu', 'y')$$, 'a position of the boot rules is used once');
select pg_temp.refused($$insert into rouse.profiles (name, title, kind) values ('x', 'X', 'linux')$$, 'linux needs a kernel');
select pg_temp.refused($$insert into rouse.menu (key, title, position, action) values ('x', 'X', 99, 'profile')$$, 'the action profile names one');
select pg_temp.refused($$insert into rouse.menu (key, title, position, action, profile) values ('x', 'X', 99, 'profile', 'nix')$$, 'there is no profile "nix" \| There is: memtest');
select pg_temp.refused($$select rouse.setting('deploy_slot')$$, '42704.*there is no setting "deploy_slot" \| Like it are: deploy_slots,');
select pg_temp.refused($$select rouse.setting('deploy_slots', '0')$$, '22023.*a whole number from 1 to 10000');
select pg_temp.refused($$select rouse.setting('deploy_slots', '99999999999999999999')$$, '22023.*a whole number from 1 to 10000');
select pg_temp.refused($$update rouse.settings set value = 'stay' where name = 'after_job'$$, 'reboot or poweroff');
select pg_temp.refused($$select rouse.setting('menu_default', 'locl')$$, 'the key of a menu item.*local');
select pg_temp.refused($$select rouse.setting('host_name_template', 'Pc_%mac%')$$, 'a host name that contains %mac%');
select pg_temp.refused($$select rouse.setting('next_server', '10.0.0.300')$$, 'an IPv4 address');
select pg_temp.refused($$select rouse.setting('menud_urls', 'ftp://x')$$, 'begin with http:// or https://');
do $$ begin perform rouse.setting('deploy_slots', '3'); end $$;
select is(rouse.setting('deploy_slots'), '3', 'a good value is taken');

select results_eq($$select routers, dns, next_server from rouse_daemon.subnets_now$$,
	$$values ('10.77.0.1', '10.77.0.1 9.9.9.9', null::inet)$$, 'lists are joined by spaces, in their order');
update rouse.boot_rules set host = '{lab-01,lab-02}', stage = '{dhcp,menu}' where position = 100;
select results_eq($$select stage, host, job from rouse_daemon.boot_rules_now where position = 100$$,
	$$values ('dhcp menu', e'lab-01\nlab-02', null)$$, 'conditions go out as words and lines');

insert into rouse.nics (mac, host, kind) select format('52:54:00:00:09:0%s', n)::macaddr, 'lab-01', 'extra'
from generate_series(1, 8 - (select count(*)::int from rouse.nics where host = 'lab-01')) n;
select is((select count(*) from rouse.nics where host = 'lab-01'), 8::bigint, 'a host may have eight cards');
select pg_temp.refused($$insert into rouse.nics values ('52:54:00:00:09:99', 'lab-01', 'extra')$$, 'has 8 network cards already');

update rouse.hosts set name = 'lab-99' where name = 'lab-01';
select is((select host from rouse.nics where mac = '52:54:00:00:00:01'), 'lab-99', 'a renamed host keeps its cards');

set local role rouse_operator;
insert into rouse.groups (name) values ('kiosks');
update rouse.hosts set group_name = 'kiosks' where name = 'lab-99';
update rouse.groups set name = 'signage' where name = 'kiosks';
select results_eq($$select h.group_name::text, g.created_by = session_user from rouse.hosts h join rouse.groups g on g.name = h.group_name where h.name = 'lab-99'$$,
	$$values ('signage', true)$$, 'a host is in a group, also after this was renamed');
reset role;
select ok((select n.group_id = g.id from rouse_daemon.hosts_now n, rouse.groups g where n.name = 'lab-99' and g.name = 'signage'),
	'the daemons see it');
select pg_temp.refused($$update rouse.hosts set group_name = 'lab' where name = 'lab-99'$$, 'there is no group "lab" \| There is: signage');
select pg_temp.refused($$delete from rouse.groups where name = 'signage'$$, 'stays while a host is in it');
select pg_temp.refused($$insert into rouse.groups (name) values ('Lab 1')$$, 'a key is a lower-case word');
select isnt_empty($$select from rouse_data.change where relation = 'host_group'$$, 'a change of a group is told');

-- In this transaction the change has our own number, which no earlier snapshot could see.
select ok((select changed from rouse_daemon.changed_since(pg_snapshot_xmin(pg_current_snapshot()))),
	'changed_since tells of a change');
select ok((select not changed from rouse_daemon.changed_since((pg_current_xact_id()::text::bigint + 1)::text::xid8)),
	'changed_since tells of none after the last');
select * from finish();
rollback;
