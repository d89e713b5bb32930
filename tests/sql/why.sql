-- Why does it not boot? Each cause with its advice.
begin;
select plan(28);
insert into rouse.groups (name) values ('kiosks');
select pg_temp.host('lab-01', '52:54:00:00:00:01'), pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null
create function pg_temp.why(host text) returns text language sql as $$ select string_agg(cause || ' | ' || coalesce(advice, ''), e'\n') from rouse.why(host) $$;
create function pg_temp.saw(stage text, extra jsonb default '{}') returns int language sql as $$
	select rouse_daemon.record('tftpd', 't/1', jsonb_build_array(jsonb_build_object('stage', stage, 'kind', 'read', 'mac', '52:54:00:00:00:01') || extra)) $$;

select matches(pg_temp.why('lab-01'), '^no daemon has heard of it \| 1. Is it switched on', 'never heard of');
select matches(pg_temp.why('52-54-00-00-00-99'), '^no host has the card 52:54:00:00:00:99 \| .*insert into rouse.nics', 'a MAC that nobody knows');
select pg_temp.saw('fw_dhcp') \g /dev/null
select matches(pg_temp.why('lab-01'), '^it is booting: fw_dhcp read, 00:00:\d\d ago \| Ask again', 'a boot that goes on is no trouble yet');
delete from rouse_data.event;
select pg_temp.saw('fw_dhcp', '{"ago_ms":60000}') \g /dev/null
select matches(pg_temp.why('lab-01'), '^its firmware asked for an address and went no further \(00:01:\d\d ago\) \| 1. Is tftpd alive', 'firmware that goes no further');
select pg_temp.saw('tftp_nbp', '{"name":"ipxe.efi","kind":"sent","ago_ms":55000}') \g /dev/null
select matches(pg_temp.why('52:54:00:00:00:01'), '^it fetched its first stage \(ipxe.efi\) .* \| 1. See its screen: Secure Boot', 'a first stage that does not run');
select pg_temp.saw('local_boot') \g /dev/null
select is(pg_temp.why('lab-01'), 'nothing is known to be the matter with it | select * from rouse.explain(''lab-01'') says what it would get now.', 'all is well');
select pg_temp.saw('tftp_nbp', '{"kind":"refused","name":"x.efi","reason":"it is secret","detail":{"code":2}}'), pg_temp.saw('local_boot') \g /dev/null
select matches(pg_temp.why('lab-01'), 'tftpd may not give it x.efi: it is secret .*\| 1. Is the file readable', 'what was refused');
select results_eq($$select confidence, id, evidence, document from rouse.why('lab-01')$$,
	$$values ('high', 'access_refused', 'tftp_nbp refused x.efi: it is secret', 'docs/reference/causes.md#access_refused')$$, 'with how sure that is, what was seen, and where more is written');
delete from rouse_data.event where name = 'x.efi';

update rouse.hosts set state = 'pending' where name = 'lab-01';
select matches(pg_temp.why('lab-01'), 'host "lab-01" is pending \| select rouse.approve\(''lab-01''\)', 'pending');
update rouse.hosts set state = 'disabled' where name = 'lab-01';
select matches(pg_temp.why('lab-01'), 'host "lab-01" is disabled \| update rouse.hosts set state', 'disabled');
update rouse.hosts set state = 'active' where name = 'lab-01';
update rouse.hosts set uuid = '11223344-5566-7788-9900-aabbccddeeff';
select matches(pg_temp.why('lab-01'), 'its uuid 11223344-.* belongs to other hosts as well: lab-01, lab-02 \| One machine known twice', 'known twice');
update rouse.hosts set uuid = null, serial = 'S7', manufacturer = 'Lab';
select matches(pg_temp.why('lab-01'), 'its serial lab s7 belongs to other hosts as well', 'by its serial number');
update rouse.hosts set serial = null;
insert into rouse_data.host_inventory (host_id, number, data) select id, 1, '{"nics":[{"mac":"52:54:00:00:00:02"}]}' from rouse_data.host where name = 'lab-01';
select matches(pg_temp.why('lab-01'), 'its mac 52:54:00:00:00:02 belongs to other hosts as well: lab-01, lab-02', 'a card of another host');
select matches(pg_temp.why('lab-02'), 'its mac 52:54:00:00:00:02 belongs to other hosts as well: lab-01, lab-02', 'which is told of that one, too');
delete from rouse_data.host_inventory;

select rouse.inventory('lab-01') \g /dev/null
select matches(pg_temp.why('lab-01'), 'job \d+ \(inventory\) is queued and waits for the machine to boot and check in', 'a job that waits');
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '1', '52:54:00:00:00:01') \g /dev/null
select unalike(pg_temp.why('lab-01'), '%waits for%', 'a job that runs waits for nothing');
select results_eq($$select abs((rouse_data.clock_detail((extract(epoch from now()) - 90000)::bigint::text) ->> 'clock_off')::int + 90000) < 60, rouse_data.clock_detail(null), rouse_data.clock_detail('noon')$$,
	$$values (true, null::jsonb, null::jsonb)$$, 'a check-in tells by how much its clock is off');
select pg_temp.finish('1', 'failed', 'net_error') \g /dev/null
select matches(pg_temp.why('lab-01'), 'waits for the end of its rest after a failed attempt \| Its last attempt: the client could not reach', 'a job that rests');
select rouse.cancel((select max(id) from rouse.jobs), 'wrong machine') \g /dev/null
select matches(pg_temp.why('lab-01'), 'its last job, \d+ \(inventory\), cancelled at .*: an operator cancelled it: wrong machine \| select rouse.retry', 'how the last one ended');
select rouse.wake('lab-01') \g /dev/null
select unalike(pg_temp.why('lab-01'), '%woken%', 'a wake order that waits is no trouble');
delete from rouse_data.event where stage = 'fw_dhcp';
update rouse_data.wake set ordered_at = now() - interval '11 minutes', claimed_at = now(), claimed_by = 't/1', problem = '10.78.0.255: Network is unreachable';
select matches(pg_temp.why('lab-01'), 'it was to be woken at .*: not sent: 10.78.0.255: Network is unreachable \| Let a daemon stand in its network', 'one that could not be sent');
update rouse_data.wake set ordered_at = now() - interval '12 minutes', sent_at = now() - interval '11 minutes', sent_to = '{10.78.0.255}', problem = null;
select matches(pg_temp.why('lab-01'), 'no boot followed \| The packets went to 10.78.0.255\. .*is Wake-on-LAN on in its firmware.*select rouse.wake', 'one that was not followed by a boot');
select matches(pg_temp.error($$select * from rouse.why('lab-1')$$), '42704 \| there is no host "lab-1" \| There is: lab-01', 'a mistyped name');

-- Daemons that are away.
select rouse_daemon.hello('menud', 'm/1', '0.1', 1, 'ok', null) \g /dev/null
select unalike(pg_temp.why('lab-02'), '%menud%', 'a daemon that is alive');
update rouse_data.daemon set seen_at = now() - interval '5 minutes';
select matches(pg_temp.why('lab-02'), 'menud \(m/1\) has not been heard of for 00:05:00 \| Start it', 'one that is not');
select rouse_daemon.hello('menud', 'm/2', '0.1', 1, 'ok', null) \g /dev/null
select unalike(pg_temp.why('lab-02'), '%menud%', 'another one does its work');
-- Limits.
create role anna; grant rouse_operator to anna;
insert into rouse.operators (name, groups) values ('anna', '{kiosks}');
set session authorization anna;
select matches(pg_temp.error($$select * from rouse.why('lab-01')$$), 'there is no host "lab-01"', 'what is not hers');
select matches(pg_temp.error($$select * from rouse.why('52:54:00:00:00:99')$$), 'there is no host', 'nor a stranger');
reset session authorization;
select * from finish();
rollback;
