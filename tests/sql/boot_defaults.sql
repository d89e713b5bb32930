-- Menu defaults and exits by scope: global < group < model < host, each value by itself.
begin;
select plan(27);
select pg_temp.host('lab-01', '52:54:00:00:00:01');
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
create function pg_temp.menu_of(host text) returns text language sql as $$
	select argument from rouse.explain(host) where stage = 'menu' $$;
create function pg_temp.value(host text, product text, name text) returns text language sql as $$
	select rouse_data.boot_defaults_of(host, product) ->> name $$;
insert into rouse.groups (name) values ('labs');
update rouse.hosts set group_name = 'labs', product = 'Kiosk 3' where name = 'lab-01';

-- What holds, and what explain says of it.
select is(pg_temp.menu_of('lab-01'), 'local after 10 s; disk by exit', 'the settings hold for the whole site');
insert into rouse.boot_defaults (group_name, menu_timeout_seconds, menu_key, exit_efi) values ('labs', 5, 'esc', 'refind/refind_x64.efi exit');
select is(pg_temp.menu_of('lab-01'), 'local after 5 s, unless esc is pressed; disk by refind/refind_x64.efi, else exit', 'a group''s before them');
insert into rouse.boot_defaults (product, menu_timeout_seconds, exit_bios) values ('Kiosk 3', 0, 'exit');
select is(pg_temp.menu_of('lab-01'), 'local at once; disk by refind/refind_x64.efi, else exit', 'a model''s before a group''s, where it says something');
insert into rouse.boot_defaults (host, menu_default, menu_key) values ('lab-01', 'memtest', 'none');
select is(pg_temp.menu_of('lab-01'), 'waits for a choice', 'a host''s before all');
select is(pg_temp.value('lab-01', 'Kiosk 3', 'exit_bios'), 'exit', 'each value by itself');
select is(pg_temp.value('lab-01', 'Other', 'exit_bios'), 'sanboot exit', 'a model is what the machine says');
select is(pg_temp.value(null, null, 'menu_default'), 'local', 'an unknown machine has what holds for all');
update rouse.boot_rules set answer = 'local' where position = 600;
select is(pg_temp.menu_of('lab-01'), 'disk by refind/refind_x64.efi, else exit', 'a rule that answers local is explained as well');
select is((select argument from rouse.explain('52:54:00:00:00:01', 'bios', 'i386') where stage = 'menu'), 'disk by exit', 'by firmware');

-- A daemon reads them, the most special ones last.
select results_eq($$select owner, menu_timeout_seconds, menu_key from rouse_daemon.boot_defaults_now$$,
	$$values ('labs', 5, 'esc'), ('Kiosk 3', 0, null), ('lab-01', null::int, 'none')$$, 'in order');
select results_eq($$select views from rouse_daemon.changes_since((select max(xid8) from rouse_data.change where relation = 'boot_default'))
	where views like '%boot_defaults_now%'$$, $$select views from rouse_daemon.changes_since((select max(xid8) from rouse_data.change where relation = 'boot_default'))$$,
	'a change is told');

-- What is refused, and in which words.
select pg_temp.refused($$insert into rouse.boot_defaults (host, product) values ('lab-01', 'x')$$, 'for one group, one model or one host');
select pg_temp.refused($$insert into rouse.boot_defaults (menu_key) values ('esc')$$, 'for one group, one model or one host');
select pg_temp.refused($$insert into rouse.boot_defaults (host) values ('lab-01')$$, 'one row of boot defaults for each');
select pg_temp.refused($$update rouse.boot_defaults set menu_key = 'F8'$$, 'a menu key is none, any, esc');
select pg_temp.refused($$update rouse.boot_defaults set menu_timeout_seconds = -1$$, 'a menu waits 0 to 3600');
select pg_temp.refused($$update rouse.boot_defaults set exit_efi = 'exti'$$, 'exits are one to four of');
select pg_temp.refused($$update rouse.boot_defaults set exit_efi = 'exit  exit'$$, 'exits are one to four of');
select pg_temp.refused($$update rouse.boot_defaults set exit_efi = '../x.efi'$$, 'exits are one to four of');
select pg_temp.refused($$update rouse.boot_defaults set exit_efi = ''$$, 'exits are one to four of');
select pg_temp.refused($$select rouse.setting('exit_bios', 'sanbot')$$, '22023.*one to four of exit, sanboot');
select pg_temp.refused($$select rouse.setting('menu_key', 'return')$$, '22023.*none, any, esc, a letter or a digit');
select pg_temp.refused($$delete from rouse.menu where key = 'memtest'$$, 'boot defaults name a known menu item');

-- They go with their owner, and belong to who runs it.
create role anna; grant rouse_operator to anna;
insert into rouse.operators (name, groups) values ('anna', '{labs}');
set session authorization anna;
select is((select array_agg(coalesce(group_name, host)::text order by id) from rouse.boot_defaults), '{labs,lab-01}', 'an operator of a group sees those of the group');
select lives_ok($$update rouse.boot_defaults set menu_key = 'any' where group_name = 'labs'$$, 'and changes them');
select pg_temp.refused($$insert into rouse.boot_defaults (product) values ('Mine')$$, '42501.*rouse.boot_defaults');
reset session authorization;
delete from rouse.hosts where name = 'lab-01';
select is((select count(*)::int from rouse.boot_defaults where host is not null), 0, 'a host that is deleted has none');
select * from finish();
rollback;
