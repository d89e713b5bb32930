-- Which daemon sends a wake order, where to, and what becomes of it.
begin;
select plan(21);
select pg_temp.host('near', '52:54:00:00:00:01'), pg_temp.host('far', '52:54:00:00:00:02'), pg_temp.host('nowhere', '52:54:00:00:00:03'),
	pg_temp.host('foreign', '52:54:00:00:00:05') \g /dev/null
insert into rouse.nics (mac, host, kind) values ('52:54:00:00:00:11', 'near', 'extra'), ('52:54:00:00:00:12', 'near', 'pending');
insert into rouse.subnets (subnet) values ('10.77.0.0/24'), ('10.78.0.0/22');
insert into rouse.reservations (address, mac) values ('10.77.0.50', '52:54:00:00:00:01');
insert into rouse_data.lease (address, client, mac, state, expires_at, granted_at, instance) values
	('10.78.1.9', '\x01525400000002', '52:54:00:00:00:02', 'released', now(), now() - interval '1 day', 'x');
select rouse_daemon.record('dhcpd', 'd', '[{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:05","address":"192.0.2.7"}]') \g /dev/null
create function pg_temp.claimed(instance text, networks inet[]) returns text language sql as $$
	select coalesce(string_agg(host(c.target) || '=' || right(c.mac::text, 5), ' ' order by c.wake, c.target, c.mac), 'nothing')
	from rouse_daemon.wake_claim(instance, networks) c $$;
create function pg_temp.wake(host text) returns bigint language sql as $$
	select rouse.wake(host); select max(id) from rouse.wakes $$;
create function pg_temp.state_of(wake bigint) returns text language sql as $$
	select concat_ws(', ', state, sent_by, array_to_string(sent_to, ' '), problem) from rouse.wakes where id = wake $$;
create temp table made (name text primary key, id bigint);

insert into made values ('near', pg_temp.wake('near'));
select is(pg_temp.state_of((select id from made where name = 'near')), 'ordered', 'a new order waits');
select is(pg_temp.claimed('elsewhere', '{10.79.0.1/24}'), 'nothing', 'a daemon in another network leaves it to those who stand in the machine''s');
select is(pg_temp.claimed('here', '{10.79.0.1/24,10.77.0.3/24}'), '10.77.0.255=00:01 10.77.0.255=00:11',
	'one that stands there takes it, for all its cards but those that are not approved');
select is(pg_temp.claimed('too', '{10.77.0.4/24}'), 'nothing', 'and no other does');
select lives_ok($$select rouse_daemon.wake_sent('here', id, '{10.77.0.255}', null) from made where name = 'near'$$);
select is(pg_temp.state_of((select id from made where name = 'near')), 'sent, here, 10.77.0.255', 'it is sent');
select is((select count(*)::int from rouse.trace('near') where what = 'wake packets sent to 10.77.0.255 by here'), 1, 'the timeline has it');
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
select is(pg_temp.state_of((select id from made where name = 'near')), 'booted, here, 10.77.0.255', 'a boot shows that it worked');

insert into made values ('far', pg_temp.wake('far'));
update rouse_data.wake set ordered_at = now() - interval '6 seconds' where id = (select id from made where name = 'far');
select is(pg_temp.claimed('here', '{10.77.0.3/24}'), '10.78.3.255=00:02', 'after some seconds anybody sends a directed broadcast to the subnet of its last lease');
select lives_ok($$select rouse_daemon.wake_sent('here', id, '{}', '10.78.3.255: Network is unreachable') from made where name = 'far'$$);
select is(pg_temp.state_of((select id from made where name = 'far')), 'failed, is tried again, here, 10.78.3.255: Network is unreachable', 'what failed is told');
select is(pg_temp.claimed('here', '{10.77.0.3/24}'), 'nothing', 'and not tried at once');
update rouse_data.wake set claimed_at = now() - interval '11 seconds' where id = (select id from made where name = 'far');
select is(pg_temp.claimed('there', '{10.78.0.3/22}'), '10.78.3.255=00:02', 'but later, by whoever can');
update rouse_data.wake set claimed_at = now() - interval '11 seconds', ordered_at = now() - interval '11 minutes' where id = (select id from made where name = 'far');
select is(pg_temp.claimed('there', '{10.78.0.3/22}'), 'nothing', 'not for ever');
select is(pg_temp.state_of((select id from made where name = 'far')), 'not sent, there, 10.78.3.255: Network is unreachable', 'which is told');

insert into made values ('foreign', pg_temp.wake('foreign'));
select is(pg_temp.claimed('there', '{192.0.2.1/25}'), '192.0.2.127=00:05', 'beside a foreign DHCP server an address that was seen is enough');
insert into made values ('nowhere', pg_temp.wake('nowhere'));
select is(pg_temp.claimed('here', '{10.79.0.1/24,10.77.0.3/24}'), '10.77.0.255=00:03 10.78.3.255=00:03 10.79.0.255=00:03',
	'a machine that was never seen is looked for in all networks');
select lives_ok($$select rouse_daemon.wake_sent('here', id, '{10.77.0.255,10.79.0.255}', null) from made where name = 'nowhere'$$);
update rouse_data.wake set sent_at = now() - interval '11 minutes', ordered_at = now() - interval '11 minutes' where id = (select id from made where name = 'nowhere');
select is(pg_temp.state_of((select id from made where name = 'nowhere')), 'no boot followed, here, 10.77.0.255 10.79.0.255', 'nor does it boot');
insert into made values ('lonely', pg_temp.wake('far'));
update rouse_data.wake set ordered_at = now() - interval '11 minutes' where id = (select id from made where name = 'lonely');
select is(pg_temp.state_of((select id from made where name = 'lonely')), 'not sent, no daemon stood in a network to send it to', 'an order that nobody took ends');
select rouse_daemon.wake_sent('late', id, '{10.77.0.1}', null) from made where name = 'near' \g /dev/null
select is(pg_temp.state_of((select id from made where name = 'near')), 'booted, here, 10.77.0.255', 'a second word changes nothing');
select * from finish();
rollback;
