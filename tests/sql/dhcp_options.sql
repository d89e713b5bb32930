-- DHCP options: by name and by code, every type, what is refused and in which words.
begin;
select plan(52);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
insert into rouse.subnets (subnet) values ('10.77.0.0/24');

create function pg_temp.given(option text, value text) returns text language plpgsql as $$
begin
	insert into rouse.dhcp_options (option, value) values ($1, $2);
	return (select d.code || ' ' || d.type || ' ' || d.value from rouse_daemon.dhcp_options_now d order by id desc limit 1);
end $$;
create function pg_temp.refused(option text, value text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(format('insert into rouse.dhcp_options (option, value) values (%L, %L)', option, value)),
		words, option || ' ' || left(value, 40)) $$;

select is(pg_temp.given('ntp-servers', '10.77.0.4,  10.77.0.5'), '42 addresses 10.77.0.4 10.77.0.5', 'a list, joined by spaces');
select is(pg_temp.given('26', '9000'), '26 u16 9000', 'a known code has its type');
select is((select option from rouse.dhcp_options where code = 26), 'interface-mtu', 'and gets its name');
select is(pg_temp.given('224', '0a:0B:ff'), '224 hex 0a:0B:ff', 'any other code has octets');
select is(pg_temp.given('225', '"words, and blanks"'), '225 hex "words, and blanks"', 'or text in quotes');
select is(pg_temp.given('Time-Offset', '-3600'), '2 i32 -3600', 'names in any case');
select is(pg_temp.given('ip-forwarding', 'false'), '19 flag false', 'flag');
select is(pg_temp.given('default-ip-ttl', '64'), '23 u8 64', 'u8');
select is(pg_temp.given('arp-cache-timeout', '4294967295'), '35 u32 4294967295', 'u32');
select is(pg_temp.given('path-mtu-plateau-table', '68 296'), '25 u16s 68 296', 'u16s');
select is(pg_temp.given('root-path', 'iscsi:10.0.0.1::::iqn.x'), '17 text iscsi:10.0.0.1::::iqn.x', 'text');
select is(pg_temp.given('swap-server', '10.0.0.1'), '16 address 10.0.0.1', 'address');
select is(pg_temp.given('static-routes', '10.9.0.0 10.77.0.1'), '33 pairs 10.9.0.0 10.77.0.1', 'pairs');
select is(pg_temp.given('domain-search', 'lab.example, example.org'), '119 names lab.example example.org', 'names');
select is(pg_temp.given('classless-static-routes', '10.0.0.0/8 10.77.0.1, 0.0.0.0/0 10.77.0.1'),
	'121 routes 10.0.0.0/8 10.77.0.1 0.0.0.0/0 10.77.0.1', 'routes');

select pg_temp.refused('ntp-server', '1.1.1.1', '42704.*no DHCP option "ntp-server" \| Like it are: ntp-servers,.*1 to 254');
select pg_temp.refused('0', '00', 'there is no DHCP option "0"');
select pg_temp.refused('255', '00', 'there is no DHCP option "255"');
select pg_temp.refused('lease-time', '5', 'option "lease-time" cannot be set \| About it: see lease_seconds');
select pg_temp.refused('82', '00', 'cannot be set');
select pg_temp.refused('ntp-servers', '10.77.0.300', '22023.*cannot be "10.77.0.300" \| It is IPv4 addresses');
select pg_temp.refused('ntp-servers', '', 'It is IPv4 addresses');
select pg_temp.refused('ntp-servers', 'fe80::1', 'It is IPv4 addresses');
select pg_temp.refused('swap-server', '10.0.0.1 10.0.0.2', 'It is an IPv4 address');
select pg_temp.refused('26', '65536', 'from 0 to 65535');
select pg_temp.refused('26', '-1', 'from 0 to 65535');
select pg_temp.refused('26', '007', 'from 0 to 65535');
select pg_temp.refused('23', '256', 'from 0 to 255');
select pg_temp.refused('2', '2147483648', 'from -2147483648');
select pg_temp.refused('ip-forwarding', 'yes', 'true or false');
select pg_temp.refused('root-path', '', 'one line of text');
select pg_temp.refused('root-path', e'a\nb', 'one line of text');
select pg_temp.refused('root-path', repeat('x', 1021), 'one line of text');
select pg_temp.refused('224', '0a0', 'octets such as');
select pg_temp.refused('224', '0a:', 'octets such as');
select pg_temp.refused('224', '"open', 'octets such as');
select pg_temp.refused('static-routes', '10.9.0.0', 'pairs of IPv4');
select pg_temp.refused('domain-search', 'lab..example', 'domain names');
select pg_temp.refused('domain-search', repeat('x', 64) || '.example', 'domain names');
select pg_temp.refused('classless-static-routes', '10.0.0.1/8 10.77.0.1', 'each with its gateway');
select pg_temp.refused('classless-static-routes', '10.0.0.0/33 10.77.0.1', 'each with its gateway');
select pg_temp.refused('classless-static-routes', '10.0.0.0/8', 'each with its gateway');
select pg_temp.refused('26', '1500', 'a scope has one value of an option');

insert into rouse.dhcp_options (subnet, option, value) values ('10.77.0.0/24', 'interface-mtu', '1500');
insert into rouse.dhcp_options (class, option, value) values ('ipxe', 'interface-mtu', '1400');
insert into rouse.groups (name) values ('kiosks');
insert into rouse.dhcp_options (group_name, option, value) values ('kiosks', 'interface-mtu', '1350');
insert into rouse.dhcp_options (host, option, value, always) values ('lab-01', 'interface-mtu', '1300', true);
select results_eq($$select scope, owner <> 0, class, value, always from rouse_daemon.dhcp_options_now where code = 26 order by id$$,
	$$values ('global', false, null, '9000', false), ('subnet', true, null, '1500', false),
		('class', false, 'ipxe', '1400', false), ('group', true, null, '1350', false), ('host', true, null, '1300', true)$$, 'five scopes');
update rouse.groups set name = 'signage' where name = 'kiosks';
select results_eq($$select scope, group_name::text, value from rouse.dhcp_options where code = 26 and scope in ('group', 'host')$$,
	$$values ('group', 'signage', '1350'), ('host', null, '1300')$$, 'a renamed group keeps its options; the least special first');
select matches(pg_temp.error($$insert into rouse.dhcp_options (host, class, option, value) values ('lab-01', 'os', '26', '1')$$),
	'a subnet, a class, a group, a host or for all', 'one scope a row');
select matches(pg_temp.error($$insert into rouse.dhcp_options (subnet, option, value) values ('10.9.0.0/24', '26', '1')$$),
	'there is no subnet "10.9.0.0/24" \| There is: 10.77.0.0/24', 'no strange subnet');
select matches(pg_temp.error($$update rouse.dhcp_options set value = 'x' where code = 26 and scope = 'host'$$),
	'from 0 to 65535', 'an update is checked too');
delete from rouse.hosts where name = 'lab-01';
select is((select count(*) from rouse.dhcp_options where code = 26), 4::bigint, 'a host takes its options with it');
delete from rouse.groups where name = 'signage';
select is((select count(*) from rouse.dhcp_options where code = 26), 3::bigint, 'and so does a group');
set local role rouse_dhcpd;
select cmp_ok((select count(*) from rouse_daemon.dhcp_options_now), '>', 10::bigint, 'dhcpd may read what the view needs');
set local role rouse_viewer;
select cmp_ok((select count(value) from rouse.dhcp_option_types), '>=', 80::bigint, 'and a viewer how values are written');
reset role;
select * from finish();
rollback;
