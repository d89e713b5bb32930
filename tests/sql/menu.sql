-- The menu: sub-menus, who sees an item, and words to type.
begin;
select plan(24);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
insert into rouse.groups (name) values ('lab');
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
create function pg_temp.choose(item text, facts jsonb default '{}', mac text default '52:54:00:00:00:01') returns text language sql as $$
	select concat_ws(' ', c.answer, c.kind, case c.answer when 'refused' then c.reason end)
	from rouse_daemon.choose(item, pg_temp.facts(mac) || '{"cpu":"x86_64","firmware":"efi"}' || facts, '10.77.0.100') c $$;

insert into rouse.menu (key, title, position, action) values ('own', 'Own', 70, 'menu');
insert into rouse.menu (key, title, position, action, parent) values ('look', 'Look', 71, 'inventory', 'own');
select results_eq($$select parent, group_id, role, confirm from rouse_daemon.menu_now where key = 'look'$$, $$values ('own', null::bigint, null, null)$$, 'a daemon reads it');

-- What is refused, and in which words.
select pg_temp.refused($$update rouse.menu set parent = 'local' where key = 'look'$$, 'there is no sub-menu "local" .*own, tools');
select pg_temp.refused($$update rouse.menu set parent = 'own' where key = 'own'$$, 'the sub-menu "own" would lie in itself .* or null');
select pg_temp.refused($$update rouse.menu set action = 'local' where key = 'own'$$, 'the sub-menu "own" has items .*parent = .own.');
select pg_temp.refused($$delete from rouse.menu where key = 'own'$$, 'a menu item''s parent is a known sub-menu');
select pg_temp.refused($$update rouse.menu set confirm = 'yes' where key = 'own'$$, 'a sub-menu asks for no word');
select pg_temp.refused($$update rouse.menu set confirm = 'Yes!' where key = 'look'$$, 'a word to type has');
select pg_temp.refused($$update rouse.menu set role = 'boss' where key = 'look'$$, 'role cannot be "boss" \| There is: operator, viewer');
select pg_temp.refused($$update rouse.menu set arch = '{vax}' where key = 'look'$$, 'arch cannot be "vax" \| There is: arm32');
select pg_temp.refused($$update rouse.menu set host_state = array['active', null] where key = 'look'$$, 'a menu item''s host_state');
select pg_temp.refused($$update rouse.menu set action = 'dance' where key = 'look'$$, 'action cannot be "dance" \| Like it are: ');
select pg_temp.refused($$insert into rouse.menu (key, title, position, action, parent)
	select 'deep' || n, 'Deep', 200 + n, 'menu', case n when 1 then 'own' else 'deep' || n - 1 end from generate_series(1, 8) n$$, 'would lie too deep .*8 deep at most');

-- Each condition hides, and the database refuses what is hidden.
update rouse.menu set host_state = '{pending}' where key = 'look';
select is(pg_temp.choose('look'), 'refused the menu item "look" is not for a host that is active', 'by state');
update rouse.menu set host_state = null, firmware = '{bios}' where key = 'look';
select is(pg_temp.choose('look'), 'refused the menu item "look" is not for this firmware', 'by firmware');
update rouse.menu set firmware = null, arch = '{arm64}' where key = 'look';
select is(pg_temp.choose('look'), 'refused the menu item "look" is not for this architecture', 'by architecture');
update rouse.menu set arch = null, group_name = 'lab' where key = 'look';
select is(pg_temp.choose('look'), 'refused the menu item "look" is for hosts of another group', 'by group');
update rouse.menu set group_name = null, role = 'operator' where key = 'look';
select is(pg_temp.choose('look'), 'refused the menu item "look" is for who has logged in as operator', 'by role');
select is(pg_temp.choose('look', '{"role":"viewer"}'), 'refused the menu item "look" is for who has logged in as operator', 'a lesser role');
update rouse.menu set role = null where key = 'look';
update rouse.menu set group_name = 'lab' where key = 'own';
select is(pg_temp.choose('look'), 'refused the menu item "look" is for hosts of another group', 'with its sub-menu');
update rouse.hosts set group_name = 'lab' where name = 'lab-01';
update rouse.menu set confirm = 'look' where key = 'look';
select is(pg_temp.choose('look'), 'refused the menu item "look" wants the word "look" typed', 'without its word');
select is(pg_temp.choose('look', '{"confirm":"lock"}'), 'refused the menu item "look" wants the word "look" typed', 'with another word');
select is(pg_temp.choose('look', '{"confirm":"look"}', '52:54:00:00:00:99'), 'refused the machine is unknown', 'an unknown machine has no inventory');
select is(pg_temp.choose('look', '{"confirm":"look"}'), 'job inventory', 'and with it');
select is(pg_temp.choose('own'), 'refused the menu item "own" makes no job', 'a sub-menu is no job');
select * from finish();
rollback;
