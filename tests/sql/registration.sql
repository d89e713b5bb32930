-- A machine makes itself known from the menu.
begin;
select plan(22);
create function pg_temp.choose(item text, mac text) returns text language sql as $$
	select concat_ws(' ', c.answer, c.host, c.kind, case c.answer when 'refused' then c.reason end)
	from rouse_daemon.choose(item, pg_temp.facts(mac) || '{"product":"Standard PC","mac1":"52:54:00:00:00:71"}', '10.77.0.100') c $$;

select is(pg_temp.choose('register_quik', '52:54:00:00:00:70'), 'refused there is no menu item "register_quik"', 'no such item');
select is(pg_temp.choose('local', '52:54:00:00:00:70'), 'refused the menu item "local" makes no job', 'an item that is no job');
select rouse.setting('registration_open', 'false') \g /dev/null
select is(pg_temp.choose('register_quick', '52:54:00:00:00:70'), 'refused registration is closed', 'registration closed');
select is_empty('select from rouse.hosts', 'nothing was made');
select rouse.setting('registration_open', 'true') \g /dev/null
select is(pg_temp.choose('register_quick', '52:54:00:00:00:70'), 'job pc-525400000070 register', 'registration begins');
select is(pg_temp.choose('register_quick', '52:54:00:00:00:70'), 'job pc-525400000070 register', 'the key pressed twice');
select results_eq('select count(*) from rouse.jobs', 'values (1::bigint)', 'makes one job');
select results_eq('select name::text, state, product from rouse.hosts', $$values ('pc-525400000070', 'pending', 'Standard PC')$$, 'and one pending host');
select results_eq('select mac::text, kind from rouse.nics order by mac', $$values ('52:54:00:00:00:70', 'primary'), ('52:54:00:00:00:71', 'extra')$$, 'with its cards');
select is(c.answer || ' ' || c.kind || ' ' || c.mode, 'run register quick', 'check-in')
	from (select pg_temp.offer_ticket('52:54:00:00:00:70') as word) t, rouse_daemon.fos_checkin(jsonb_build_object('ticket', t.word, 'token', pg_temp.token('1'), 'mac0', '52:54:00:00:00:70'), null) c;

create function pg_temp.inventory(said text) returns text language sql as $$
	select answer from rouse_daemon.fos_inventory(jsonb_build_object('token', pg_temp.token('1'), 'json', said), null) $$;
select is(pg_temp.inventory('{"uuid":"11111111-2222-3333-4444-555555555570","serial":"S1","nics":[{"mac":"52:54:00:00:00:72"},{"mac":"x"},7]}'), 'ok', 'inventory');
select is(pg_temp.inventory('{"uuid":"11111111-2222-3333-4444-555555555570","serial":"S1","nics":[{"mac":"52:54:00:00:00:72"},{"mac":"x"},7]}'), 'ok', 'inventory, said again');
select results_eq('select host::text, number from rouse.inventories', $$values ('pc-525400000070', 1)$$, 'is kept once');
select is(pg_temp.inventory('{"serial":"S2"}'), 'ok', 'another one');
select results_eq('select uuid::text, serial from rouse.hosts', $$values ('11111111-2222-3333-4444-555555555570', 'S2')$$, 'the host has what it said');
select is((select count(*)::int from rouse.nics), 3, 'and the new card');
select matches(pg_temp.error($$select pg_temp.inventory('[1]')$$) || pg_temp.error($$select pg_temp.inventory('{')$$), '"json" is no object.*"json" is malformed', 'what is no object is refused');

create function pg_temp.register(name text) returns text language sql as $$
	select concat_ws(' ', answer, host, state) from rouse_daemon.fos_register(jsonb_build_object('token', pg_temp.token('1'), 'name', name), null) $$;
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
select is(pg_temp.register('lab-01') || pg_temp.register('lab 7'), 'retryretry', 'a taken name and an invalid one: ask again');
select is(pg_temp.register('Lab-07'), 'ok lab-07 active', 'a good name');
select is(pg_temp.register('lab-07'), 'ok lab-07 active', 'said again');
select is(pg_temp.finish('1', 'succeeded'), 'ok succeeded', 'finish');
select is(pg_temp.choose('register_quick', '52:54:00:00:00:70'), 'refused the machine is known already (active)', 'a known machine does not register');
select * from finish();
rollback;
