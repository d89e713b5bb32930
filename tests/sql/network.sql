-- Subnets, how full their pools are, and through which relay a lease was asked for.
begin;
select plan(16);
insert into rouse.subnets (subnet, lease_seconds, lease_seconds_min, lease_seconds_max) values ('10.77.0.0/24', 600, 300, 7200);
insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.100', '10.77.0.109');
select matches(pg_temp.error($$update rouse.subnets set lease_seconds_min = 601$$), 'shortest time is 60 seconds to lease_seconds', 'shortest');
select matches(pg_temp.error($$update rouse.subnets set lease_seconds_min = 59$$), 'shortest time is 60 seconds to lease_seconds', 'not too short');
select matches(pg_temp.error($$update rouse.subnets set lease_seconds_max = 599$$), 'longest time is lease_seconds to a year', 'longest');
select matches(pg_temp.error($$update rouse.subnets set shared_network = ''$$), 'a shared network has a name', 'a name');
select results_eq($$select lease_seconds_min, lease_seconds_max, shared_network from rouse_daemon.subnets_now$$,
	$$values (300, 7200, null::text)$$, 'the daemon reads them');

insert into rouse.reservations (mac, address) values ('52:54:00:00:00:09', '10.77.0.109'), ('52:54:00:00:00:08', '10.77.0.9');
select granted from rouse_daemon.lease_grant('d', '{10.77.0.100,10.77.0.101,10.77.0.102}', '{"\\x01","\\x02","\\x03"}',
	'{null,null,null}', '{600,600,600}', '{null,null,null}', '{null,null,null}') \g /dev/null
select rouse_daemon.lease_end('d', '{10.77.0.101}', '{"\\x02"}', '{declined}') \g /dev/null
select rouse_daemon.lease_end('d', '{10.77.0.102}', '{"\\x03"}', '{released}') \g /dev/null
select results_eq($$select total, bound, declined, waiting, reserved, free from rouse.pools$$,
	$$values (10::bigint, 1::bigint, 1::bigint, 1::bigint, 1::bigint, 6::bigint)$$, 'a released address is kept until its end');
-- The reserved one is leased, one lease is within its grace, one is past it.
select granted from rouse_daemon.lease_grant('d', '{10.77.0.103,10.77.0.104,10.77.0.109}', '{"\\x04","\\x05","\\x09"}',
	'{null,null,null}', '{600,600,600}', '{null,null,null}', '{null,null,null}') \g /dev/null
update rouse_data.lease set expires_at = now() - interval '30 s' where address = '10.77.0.103';
update rouse_data.lease set expires_at = now() - interval '1 h' where address = '10.77.0.104';
select results_eq($$select total, bound, declined, waiting, reserved, free from rouse.pools$$,
	$$values (10::bigint, 2::bigint, 1::bigint, 2::bigint, 0::bigint, 5::bigint)$$, 'each address is counted once');
select is((select total - bound - declined - waiting - reserved - free from rouse.pools), 0::bigint, 'and the counts add up');
set local role rouse_viewer;
select results_eq($$select free from rouse.pools$$, $$values (5::bigint)$$, 'a viewer sees it');
reset role;

select rouse_daemon.lease_origin('{10.77.0.100,10.77.0.101}', '{"\\x01","\\xff"}', '{10.77.0.254,10.77.0.254}',
	'{"\\x47692f30","\\x00"}', '{"\\x0001",null}') \g /dev/null
select is(current_setting('synchronous_commit'), 'off', 'what a relay says waits for no disk');
select results_eq($$select relay, circuit_id, remote_id from rouse.leases order by address limit 2$$,
	$$values ('10.77.0.254'::inet, 'Gi/0', '0x0001'), (null, null, null)$$, 'with the lease of that client only');
select rouse_daemon.lease_origin('{10.77.0.100}', '{"\\x01"}', '{10.77.0.253}', '{null}', '{null}') \g /dev/null
select results_eq($$select relay, circuit_id, remote_id from rouse.leases order by address limit 1$$,
	$$values ('10.77.0.253'::inet, null::text, null::text)$$, 'the last one counts');
select rouse_daemon.lease_origin('{10.77.0.100,10.77.0.100}', '{"\\x01","\\x01"}', '{10.77.0.251,10.77.0.252}', '{null,null}', '{null,null}') \g /dev/null
select is((select relay from rouse.leases where address = '10.77.0.100'), '10.77.0.252'::inet, 'also within a batch');
select matches(pg_temp.error($$select rouse_daemon.lease_origin('{10.77.0.1}', '{}', '{10.77.0.254}', '{null}', '{null}')$$),
	'different lengths', 'a batch is well formed');
set local role rouse_viewer;
select results_eq($$select relay from rouse.leases order by address limit 1$$, $$values ('10.77.0.252'::inet)$$, 'a viewer reads it');
reset role;
select is(rouse.setting('dhcp_nak_unknown_client'), 'false', 'nobody is refused without need');
select * from finish();
rollback;
