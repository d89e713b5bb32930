-- Operators with limits, in psql and by menud; and who changed what.
begin;
select plan(72);
insert into rouse.groups (name) values ('kiosks'), ('labs');
select pg_temp.host('kiosk-1', '52:54:00:00:00:01'), pg_temp.host('kiosk-2', '52:54:00:00:00:02') \g /dev/null
select pg_temp.host('lab-01', '52:54:00:00:00:11'), pg_temp.host('alone', '52:54:00:00:00:21') \g /dev/null
select pg_temp.image('tiny') \g /dev/null
update rouse.hosts set group_name = 'kiosks' where name like 'kiosk-%';
update rouse.hosts set group_name = 'labs' where name = 'lab-01';
insert into rouse.subnets (subnet) values ('10.77.0.0/24');
insert into rouse.reservations (mac, address) values ('52:54:00:00:00:01', '10.77.0.1'), ('52:54:00:00:00:11', '10.77.0.11');
insert into rouse.dhcp_options (host, option, value) values ('lab-01', 'domain-name', 'lab.example');
insert into rouse.dhcp_options (group_name, option, value) values ('kiosks', 'domain-name', 'kiosk.example');
insert into rouse.dhcp_options (option, value) values ('time-offset', '3600');
select rouse_daemon.record('dhcpd', 'd/1', '[{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:01"}, {"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:11"},
	{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:99"}]') \g /dev/null
select rouse_daemon.lease_grant('t', array['10.77.0.1', '10.77.0.11']::inet[], array['a', 'b']::bytea[], '{52:54:00:00:00:01,52:54:00:00:00:11}', '{600,600}', '{null,null}', '{null,null}') \g /dev/null
create temp table given (name text primary key, id bigint);
insert into given values ('kiosks', rouse.inventory('kiosks')), ('labs', rouse.deploy('labs', 'tiny')), ('alone', rouse.inventory('alone'));
insert into given select 'lab job', id from rouse.jobs where host = 'lab-01';
select rouse.wake('kiosks'), rouse.wake('labs') \g /dev/null
create role anna; grant rouse_operator to anna;
create role berta; grant rouse_operator to berta;
grant all on given to public;
create function pg_temp.id(wanted text) returns bigint language sql security definer as $$ select id from pg_temp.given where name = wanted $$;
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
grant usage on schema tap to public;

-- What an operator is.
select pg_temp.refused($$insert into rouse.operators (name, groups) values ('anna', '{kiosk}')$$, '23503 \| there is no group "kiosk" \| There is: kiosks, labs');
select pg_temp.refused($$insert into rouse.operators (name, groups) values ('anna', '{kiosks,null}')$$, '22023.*''\{\}''');
select pg_temp.refused($$insert into rouse.operators (name, role) values ('anna', 'boss')$$, 'role cannot be "boss" \| There is: operator, viewer');
insert into rouse.operators (name, groups) values ('anna', '{kiosks}');
select is(rouse.my_groups(), null, 'who is not named has no limit');
select is(rouse.me(), 'postgres', 'and is who logged in');

set session authorization anna;
select is(rouse.me() || array_to_string(rouse.my_groups(), ','), 'annakiosks', 'anna is anna, of the kiosks');
set local rouse.operator = 'postgres';
select is(rouse.me(), 'anna', 'nobody but menud may say that they are somebody else');
reset rouse.operator;
set local role rouse_operator;
select is(rouse.me(), 'anna', 'nor does another role help');
reset role;

-- Each view shows what is hers.
create function pg_temp.hosts_of(query text) returns text language plpgsql as $$
declare said text; begin execute 'select string_agg(distinct x, '','' order by x) from (' || query || ') t (x)' into said; return said; end $$;
select is(pg_temp.hosts_of('select name from rouse.hosts'), 'kiosk-1,kiosk-2', 'hosts');
select is(pg_temp.hosts_of('select name from rouse.groups'), 'kiosks', 'groups');
select is(pg_temp.hosts_of('select host from rouse.nics'), 'kiosk-1,kiosk-2', 'nics');
select is(pg_temp.hosts_of('select host from rouse.jobs'), 'kiosk-1,kiosk-2', 'jobs');
select is(pg_temp.hosts_of('select host from rouse.queue'), 'kiosk-1,kiosk-2', 'queue');
select is(pg_temp.hosts_of('select host from rouse.job_history'), 'kiosk-1,kiosk-2', 'job_history');
select is(pg_temp.hosts_of('select target from rouse.batches'), 'kiosks', 'batches');
select is(pg_temp.hosts_of('select host from rouse.wakes'), 'kiosk-1,kiosk-2', 'wakes');
select is(pg_temp.hosts_of('select mac::text from rouse.events where mac is not null'), '52:54:00:00:00:01', 'events');
select is(pg_temp.hosts_of('select mac::text from rouse.boots'), '52:54:00:00:00:01', 'boots');
select is(pg_temp.hosts_of('select host from rouse.leases'), 'kiosk-1', 'leases');
select is(pg_temp.hosts_of('select mac::text from rouse.reservations'), '52:54:00:00:00:01', 'reservations');
select is(pg_temp.hosts_of('select scope || option from rouse.dhcp_options'), 'globaltime-offset,groupdomain-name', 'dhcp_options');
select is(pg_temp.hosts_of('select name from rouse.operators'), 'anna', 'operators');
select is_empty('table rouse.attempts', 'attempts');
select is_empty('table rouse.inventories', 'inventories');
-- A function that looks at rows before the view's condition does would be a hole.
create function pg_temp.peek(word text) returns boolean language plpgsql cost 0.0001 as $$
begin if word like 'lab%' then raise exception 'seen: %', word; end if; return true; end $$;
select lives_ok('select * from rouse.hosts where pg_temp.peek(name::text)', 'no function of hers sees the other rows');
select lives_ok('select * from rouse.jobs where pg_temp.peek(host::text)', 'of the jobs either');

-- Each verb refuses what is not hers as if it were not there.
select pg_temp.refused($$select rouse.inventory('lab-01')$$, '42704 \| there is no host "lab-01" \| There is: kiosk-1, kiosk-2, kiosks\.');
select pg_temp.refused($$select rouse.inventory('52:54:00:00:00:11')$$, 'there is no host');
select pg_temp.refused($$select rouse.inventory('labs')$$, 'there is no host "labs"');
select pg_temp.refused($$select rouse.inventory('group:labs')$$, 'there is no group "labs"');
select pg_temp.refused('select rouse.cancel(' || pg_temp.id('lab job') || ')', 'there is no job');
select pg_temp.refused('select rouse.cancel(' || pg_temp.id('labs') || ')', 'there is no job');
select pg_temp.refused('select rouse.retry(' || pg_temp.id('lab job') || ')', 'there is no job');
select pg_temp.refused($$select rouse.wake('lab-01')$$, 'there is no host');
select pg_temp.refused($$select rouse.approve('lab-01')$$, 'there is no host');
select pg_temp.refused($$select * from rouse.trace('lab-01')$$, 'there is no host');
select pg_temp.refused($$select * from rouse.trace(macaddr '52:54:00:00:00:11')$$, 'there is no host');
select pg_temp.refused($$select * from rouse.trace(macaddr '52:54:00:00:00:99')$$, 'there is no host');
select pg_temp.refused($$select * from rouse.explain('lab-01')$$, 'there is no host');
select pg_temp.refused($$select * from rouse.explain(macaddr '52:54:00:00:00:11')$$, 'there is no host');
select results_eq($$select rouse.may('kiosk-1'), rouse.may('52-54-00-00-00-02'), rouse.may('lab-01'), rouse.may('alone'), rouse.may('nobody')$$,
	$$values (true, true, false, false, false)$$, 'may says whose a host is');

-- She changes what is hers and nothing else.
select lives_ok($$update rouse.hosts set comment = 'by the door' where name = 'kiosk-1'$$, 'her host');
select lives_ok($$insert into rouse.hosts (name, group_name) values ('kiosk-3', 'kiosks')$$, 'a new one of hers');
select lives_ok($$insert into rouse.nics (mac, host) values ('52:54:00:00:00:03', 'kiosk-3')$$, 'with its card');
select pg_temp.refused($$insert into rouse.hosts (name) values ('kiosk-4')$$, '42501 \| operator "anna" may not change this row of rouse.hosts \| Yours are the hosts of: kiosks\.');
select pg_temp.refused($$update rouse.hosts set group_name = 'labs' where name = 'kiosk-1'$$, '42501');
select pg_temp.refused($$insert into rouse.nics (mac, host, kind) values ('52:54:00:00:00:12', 'lab-01', 'extra')$$, '42501.*rouse.nics');
select pg_temp.refused($$insert into rouse.reservations (mac, address) values ('52:54:00:00:00:21', '10.77.0.21')$$, '42501');
select lives_ok($$insert into rouse.dhcp_options (host, option, value) values ('kiosk-1', 'domain-name', 'x.example')$$, 'an option of her host');
select pg_temp.refused($$insert into rouse.dhcp_options (option, value) values ('domain-name', 'x.example')$$, '42501');
select pg_temp.refused($$select rouse.setting('deploy_slots', '1')$$, '42501 \| operator "anna" may not change rouse.settings');
select pg_temp.refused($$delete from rouse.boot_rules$$, '42501.*rouse.boot_rules');
select pg_temp.refused($$update rouse.operators set groups = null where name = 'anna'$$, '42501.*rouse.operators');
select pg_temp.refused($$select rouse.publish_image('x', 1, 'images/x', 1, repeat('a', 64), 1, repeat('b', 64))$$, '42501.*rouse.images');
select is(rouse.cancel(pg_temp.id('kiosks')), '2 cancelled', 'her batch');
select results_eq($$select noun, what, key, who from rouse.audit where noun = 'hosts' order by id$$, $$values ('hosts', 'update', 'kiosk-1', 'anna'), ('hosts', 'insert', 'kiosk-3', 'anna')$$,
	'of the audit she sees what she did');
set session authorization berta;
select is((select count(*)::int from rouse.hosts), 5, 'berta, who is not named, has no limit');
reset session authorization;

-- Groups that are renamed and deleted.
update rouse.groups set name = 'signage' where name = 'kiosks';
select is((select groups from rouse.operators where name = 'anna'), '{signage}', 'a renamed group stays hers');
update rouse.hosts set group_name = null where group_name = 'signage';
delete from rouse.groups where name = 'signage';
select is((select groups from rouse.operators where name = 'anna'), '{}', 'a deleted one leaves her nothing, not everything');
set session authorization anna;
select is_empty('select from rouse.hosts', 'so she sees none');
reset session authorization;

-- By menud's page.
insert into rouse.operators (name, role, groups) values ('carl@page', 'operator', '{labs}'), ('dora@page', 'viewer', null);
set session authorization rouse_menud;
create function pg_temp.by(operator text, verb text, arguments jsonb) returns text language sql as $$ select pg_temp.error(format('select rouse_daemon.act(%L, %L, %L)', operator, verb, arguments)) $$;
select is(rouse_daemon.act('carl@page', 'cancel', jsonb_build_object('job', pg_temp.id('lab job'), 'why', 'by page')), '["cancelled"]', 'menud acts for an operator');
select matches(pg_temp.by('carl@page', 'inventory', '{"target":"alone"}'), 'there is no host "alone"', 'within their limits');
select is(jsonb_array_length(rouse_daemon.read('carl@page', 'hosts', '{}', 100)), 1, 'and reads for them');
select is(rouse_daemon.read('dora@page', 'hosts', '{"name":"lab-01"}', 100) -> 0 ->> 'group_name', 'labs', 'also what is equal');
select matches(pg_temp.by('dora@page', 'inventory', '{"target":"alone"}'), '42883 \| there is no verb "inventory" for a viewer \| .*explain', 'a viewer reads only');
select matches(pg_temp.by('nobody', 'inventory', '{"target":"alone"}'), '42501 \| there is no operator "nobody"', 'an operator must be known');
select matches(pg_temp.by('carl@page', 'drop_all', '{}'), '42883.*Like it are', 'a verb, too');
select matches(pg_temp.by('carl@page', 'cancel', '{"number":1}'), '22023 \| cancel does not take these arguments: number \| It takes job, why \(may be left out\)', 'and its arguments');
select matches(pg_temp.by('carl@page', 'me', '{"number":1}'), '22023 \| me does not take these arguments: number \| It takes none', 'also where there are none');
select matches(pg_temp.error($$select rouse_daemon.read('dora@page', 'hots', '{}', 1)$$) || pg_temp.error($$select rouse_daemon.read('dora@page', 'hosts', '{"nam":"x"}', 1)$$),
	'42P01 \| there is no view "hots" \| Like it are: hosts.*42703 \| view hosts has no column "nam"', 'views and columns as well');
select is(rouse_daemon.act('dora@page', 'me', '{}'), '["dora@page"]', 'the operator is named for one call');
reset session authorization;
select results_eq('select who, text from rouse.job_history where job = pg_temp.id(''lab job'') and to_state = ''cancelled''', $$values ('carl@page', 'by page')$$, 'the history has their name');
select * from finish();
rollback;
