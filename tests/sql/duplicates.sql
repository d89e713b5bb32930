-- One machine known twice, boards that are copies, adapters that go round.
begin;
select plan(24);
create function pg_temp.duplicates() returns table (what text, value text, hosts text) language sql as $$
	select what, value, array_to_string(hosts, ',') from rouse.duplicates $$;
select pg_temp.host('a', '52:54:00:00:00:01', '11223344-5566-7788-9900-aabbccddeeff'), pg_temp.host('b', '52:54:00:00:00:02'), pg_temp.host('c', '52:54:00:00:00:03') \g /dev/null
select is_empty('select from pg_temp.duplicates()', 'three machines, nothing to report');
update rouse.hosts set uuid = '44332211-6655-8877-9900-aabbccddeeff' where name = 'b';
select results_eq('select * from pg_temp.duplicates()', $$values ('uuid', '11223344-5566-7788-9900-aabbccddeeff', 'a,b')$$, 'one UUID, in both byte orders');
update rouse.hosts set uuid = null;
update rouse.hosts set serial = 'PF1ABC', manufacturer = 'LENOVO' where name in ('a', 'c');
update rouse.hosts set serial = 'PF1ABC', manufacturer = 'HP' where name = 'b';
select results_eq('select * from pg_temp.duplicates()', $$values ('serial', 'lenovo pf1abc', 'a,c')$$, 'one serial number of one maker');
update rouse.hosts set serial = null;
insert into rouse_data.host_inventory (host_id, number, data) select id, 1, '{"nics":[{"mac":"52:54:00:00:00:02"}]}' from rouse.hosts where name = 'a';
select results_eq('select * from pg_temp.duplicates()', $$values ('mac', '52:54:00:00:00:02', 'a,b')$$, 'a card of one in the inventory of another');
select matches((select hint from rouse.duplicates), 'update rouse.nics set kind = ''shared'', host = null where mac = ''52:54:00:00:00:02''', 'with advice');
insert into rouse_data.host_inventory (host_id, number, data) select id, 2, '{"nics":[]}' from rouse.hosts where name = 'a';
select is_empty('select from pg_temp.duplicates()', 'only the latest inventory counts');
insert into rouse_data.host_inventory (host_id, number, data) select id, 1, '{"nics":[{"mac":"52:54:00:00:00:50"},{"mac":"x"},7]}' from rouse.hosts where name in ('b', 'c');
select results_eq('select * from pg_temp.duplicates()', $$values ('mac', '52:54:00:00:00:50', 'b,c')$$, 'an adapter in two machines that nobody has yet');
insert into rouse.nics (mac, kind) values ('52:54:00:00:00:50', 'shared');
select is_empty('select from pg_temp.duplicates()', 'once it is said to be shared that is no duplicate');

-- To whom they are shown.
insert into rouse.groups (name) values ('kiosks');
update rouse.hosts set group_name = 'kiosks' where name = 'a';
update rouse.hosts set uuid = '11223344-5566-7788-9900-aabbccddeeff' where name in ('a', 'b');
update rouse.hosts set serial = 'S1' where name in ('b', 'c');
create role anna; grant rouse_operator to anna;
insert into rouse.operators (name, groups) values ('anna', '{kiosks}');
set session authorization anna;
select results_eq('select what, hosts, count from rouse.duplicates', $$values ('uuid', '{a}'::text[], 2)$$, 'an operator with limits sees that there is another one, and not which');
reset session authorization;

-- What boards come with is no serial number.
select is(rouse_data.serial_of(word), null, word) from unnest('{To be filled by O.E.M.,Default string,System Serial Number,None,0,0000000,123456789,0123456789,N/A,"  ",xxxxxxx,Not Specified,............}'::text[]) word;
select is(rouse_data.serial_of(' PF1ABC '), 'PF1ABC', 'others are');
select is((select macs from rouse.hosts where name = 'a'), '{52:54:00:00:00:01}', 'a host shows its cards');
select * from finish();
rollback;
