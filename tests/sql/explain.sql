-- The boot policy: the seed rules, a rule of one's own, and what explain says.
begin;
select plan(15);
select pg_temp.host('lab-01', '52:54:00:00:00:01');
create function pg_temp.evaluate(stage text, loader text, host_state text, job text) returns text language sql as $$
	select answer from rouse.evaluate(stage, loader, host_state, job, 'efi', 'x86_64') $$;
select is(pg_temp.evaluate('dhcp', 'firmware', 'unknown', 'none'), 'first_stage', 'firmware gets a first stage');
select is(pg_temp.evaluate('dhcp', 'ipxe', 'active', 'live'), 'script', 'iPXE gets its script');
select is(pg_temp.evaluate('menu', 'ipxe', 'active', 'live'), 'job', 'a live job is offered');
select is(pg_temp.evaluate('menu', 'ipxe', 'active', 'none'), 'menu', 'without one there is the menu');
select is(pg_temp.evaluate('dhcp', 'firmware', 'retired', 'none') || pg_temp.evaluate('menu', 'ipxe', 'disabled', 'live'), 'nothingnothing', 'hosts out of service get nothing');

select results_eq($$select stage, loader, answer, "position" from rouse.explain('52:54:00:00:00:01')$$, $$values
	('dhcp', 'firmware', 'first_stage', 300), ('dhcp', 'ipxe', 'script', 200), ('script', 'ipxe', 'script', 400), ('menu', 'ipxe', 'menu', 600)$$,
	'explain goes through the stages');
select is((select argument from rouse.explain('52:54:00:00:00:01', 'bios', 'i386') limit 1), 'undionly.kpxe', 'and names the first stage');
select rouse.inventory('lab-01') \g /dev/null
select matches((select answer || ' ' || argument from rouse.explain('lab-01') where stage = 'menu'), '^job inventory \d+, queued$', 'and the job');
select is((select distinct host_state from rouse.explain('52:54:00:00:00:99')), 'unknown', 'a stranger is unknown');

insert into rouse.boot_rules (position, name, host, product, answer, reason) values (50, 'kiosks', '{lab-01}', '{"Kiosk 3"}', 'refuse', 'kiosks boot their own disk');
select is((select count(*)::int from rouse.explain('lab-01') where rule = 'kiosks'), 0, 'all conditions of a rule must hold');
update rouse.hosts set product = 'Kiosk 3' where name = 'lab-01';
select is((select count(*)::int from rouse.explain('lab-01') where rule = 'kiosks' and answer = 'refuse'), 4, 'then it decides');
select is((select count(*)::int from rouse.explain('52:54:00:00:00:99') where rule = 'kiosks'), 0, 'a missing fact matches no list');
delete from rouse.boot_rules;
select results_eq($$select distinct answer, reason from rouse.explain('lab-01')$$, $$values ('nothing', 'no rule matches')$$, 'without rules there is nothing');

-- dhcpd records the client's number, people and menud use words: both print the same.
select results_eq($$select * from rouse.explain('52:54:00:00:00:77', arch => '11')$$, $$select * from rouse.explain('52:54:00:00:00:77', 'efi', 'arm64')$$,
	'an architecture by its number or in words');
select rouse_daemon.record('dhcpd', 'd/1', '[{"stage":"fw_dhcp","kind":"discover","mac":"52:54:00:00:00:77","detail":{"arch":0}}]') \g /dev/null
select results_eq($$select distinct firmware, arch from rouse.explain('52:54:00:00:00:77') where stage = 'dhcp'$$, $$values ('bios', 'i386')$$, 'what dhcpd heard is known in words');
select * from finish();
rollback;
