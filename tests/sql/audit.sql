-- Who changed what: each table of the configuration is written down, row by row.
begin;
select plan(16);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
select results_eq($$select what, noun, key, who, via, before, after - '{id,created_at,uuid,serial,manufacturer,product,comment,group_name}'::text[] from rouse.audit where noun = 'hosts'$$,
	$$values ('insert', 'hosts', 'lab-01', 'postgres', 'postgres', null::jsonb, '{"name":"lab-01","state":"active","created_by":"postgres"}'::jsonb)$$, 'an insert');
update rouse.hosts set comment = 'by the door', state = 'disabled' where name = 'lab-01';
select results_eq('select what, key, before, after from rouse.audit order by id desc limit 1',
	$$values ('update', 'lab-01', '{"state":"active","comment":null}'::jsonb, '{"state":"disabled","comment":"by the door"}'::jsonb)$$, 'an update has what changed, before and after');
select is((select count(*)::int from rouse.audit), 3, 'three changes so far: the card, too');
update rouse.hosts set state = 'disabled' where name = 'lab-01';
select is((select count(*)::int from rouse.audit), 3, 'what is written again as it was is no change');
update rouse.hosts set name = 'lab-02' where name = 'lab-01';
select results_eq('select noun, key, after from rouse.audit order by id desc limit 2',
	$$values ('nics', '52:54:00:00:00:01', '{"host":"lab-02"}'::jsonb), ('hosts', 'lab-01', '{"name":"lab-02"}'::jsonb)$$, 'a new name is found under the old one, and where it was followed');
delete from rouse.hosts where name = 'lab-02';
select results_eq($$select noun, before ->> 'host', before ->> 'name', after from rouse.audit where what = 'delete' order by noun$$,
	$$values ('hosts', null, 'lab-02', null::jsonb), ('nics', 'lab-02', null, null)$$, 'a delete has what there was');
select rouse.setting('deploy_slots', '3') \g /dev/null
select results_eq('select noun, key, before, after from rouse.audit order by id desc limit 1',
	$$values ('settings', 'deploy_slots', '{"value":"10"}'::jsonb, '{"value":"3"}'::jsonb)$$, 'a setting by its function');
select pg_temp.image('tiny') \g /dev/null
insert into rouse.dhcp_options (option, value) values ('time-offset', '0');
insert into rouse.subnets (subnet) values ('10.77.0.0/24');
insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.10', '10.77.0.20');
insert into rouse.groups (name) values ('kiosks');
insert into rouse.operators (name) values ('anna');
insert into rouse.reservations (mac, address) values ('52:54:00:00:00:01', '10.77.0.5');
delete from rouse.menu where key = 'memtest';
delete from rouse.boot_rules where position = 600;
delete from rouse.profiles where name = 'memtest';
delete from rouse.boot_files where arch = 9;
select set_eq('select distinct noun from rouse.audit', $$select unnest('{hosts,nics,settings,images,image_versions,dhcp_options,subnets,pools,groups,operators,reservations,menu,boot_rules,profiles,boot_files}'::text[])$$,
	'all of the configuration is in it');
select is_empty($$
	select t.tgrelid::regclass from pg_trigger t where t.tgname like 'note_change%'
		and 2 > (select count(*) from pg_trigger o where o.tgrelid = t.tgrelid and o.tgname in ('note_audit', 'guard_row', 'guard_site'))
	$$, 'whatever the daemons are told of is audited, and guarded by limits: a new table is not forgotten');
select is_empty('select from rouse.audit where key is null or at is null', 'each change says of what');

select matches(pg_temp.error('delete from rouse_data.audit'), '55000 \| the audit is only added to', 'nothing is deleted');
select matches(pg_temp.error('update rouse_data.audit set who = ''me'''), 'the audit is only added to', 'nothing is changed');
set local role rouse_operator;
select matches(pg_temp.error('delete from rouse.audit'), '42501', 'by no operator');
select cmp_ok((select count(*)::int from rouse.audit), '>', 10, 'who may read it');
reset role;
-- A daemon's own doing has its name.
select pg_temp.host('lab-07', '52:54:00:00:00:07') \g /dev/null
select rouse.inventory('lab-07') \g /dev/null
set session authorization rouse_menud;
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:07'), '1', '52:54:00:00:00:07') \g /dev/null
select answer from rouse_daemon.fos_inventory(jsonb_build_object('token', pg_temp.token('1'), 'json', '{"serial":"S1"}'), null) \g /dev/null
reset session authorization;
select results_eq('select who, noun, key, after from rouse.audit order by id desc limit 1', $$values ('rouse_menud', 'hosts', 'lab-07', '{"serial":"S1"}'::jsonb)$$, 'what a machine says of itself is menud''s doing');
select is((select who from rouse.job_history where to_state = 'running'), 'rouse_menud', 'in the history of jobs, too');
select * from finish();
rollback;
