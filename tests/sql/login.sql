-- Operators' passwords and the keys of menud's sessions.
begin;
select plan(24);
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
create function pg_temp.hash(letter text) returns text language sql as $$ select '$y$j9T$' || repeat(letter, 22) || '$' || repeat(letter, 43) $$;
insert into rouse.groups (name) values ('labs');
insert into rouse.operators (name, role, groups) values ('anna', 'operator', null), ('dora', 'viewer', '{labs}'), ('carl', 'operator', '{labs}');

-- Who logs in, and with what it is compared.
select is_empty($$select * from rouse_daemon.operator_password('anna')$$, 'without a password nobody logs in');
select lives_ok($$select rouse.set_password('anna', pg_temp.hash('a'))$$, 'a password is set');
select results_eq($$select * from rouse_daemon.operator_password('anna')$$, $$values ('operator', pg_temp.hash('a'))$$, 'menud gets its hash');
select is_empty($$select * from rouse_daemon.operator_password('nobody')$$, 'of an unknown name there is none');
select rouse.set_password('anna', pg_temp.hash('b')) \g /dev/null
select results_eq($$select * from rouse_daemon.operator_password('anna')$$, $$values ('operator', pg_temp.hash('b'))$$, 'a new one takes its place');
select results_eq($$select name, password_set_at is not null from rouse.operators order by name$$, $$values ('anna', true), ('carl', false), ('dora', false)$$, 'operators shows since when');
update rouse.operators set name = 'anne' where name = 'anna';
select is((select count(*)::int from rouse_daemon.operator_password('anne')), 1, 'a renamed operator keeps it');
select rouse.set_password('anne', null) \g /dev/null
select is_empty($$select * from rouse_daemon.operator_password('anne')$$, 'it can be taken away');
select rouse.set_password('anne', pg_temp.hash('c')) \g /dev/null
delete from rouse.operators where name = 'anne';
select is_empty('select from rouse_data.operator_password', 'and goes with its operator');

-- The audit knows when, and never what.
select results_eq($$select who, what, after from rouse.audit where noun = 'operators' and after ? 'password' order by id$$, $$values
	('postgres', 'update', '{"password": "set"}'::jsonb), ('postgres', 'update', '{"password": "set"}'), ('postgres', 'update', '{"password": "removed"}'), ('postgres', 'update', '{"password": "set"}')$$, 'the audit has it');
select is_empty($$select from rouse.audit a where a::text like '%$y$%'$$, 'without the hash');

-- What is no hash, or one that would hold menud up.
select pg_temp.refused($$select rouse.set_password('dora', 'secret')$$, '22023 \| this is no yescrypt hash.*rouse-db operator passwd NAME');
select doesnt_match(pg_temp.error($$select rouse.set_password('dora', 'sesame')$$), 'sesame', 'and is not repeated');
select pg_temp.refused($$select rouse.set_password('dora', replace(pg_temp.hash('a'), 'j9T', 'jFT'))$$, '22023');
select pg_temp.refused($$select rouse.set_password('dora', replace(pg_temp.hash('a'), '$y$', '$1$'))$$, '22023');
select pg_temp.refused($$select rouse.set_password('doro', pg_temp.hash('a'))$$, '42704 \| there is no operator "doro" \| .*dora');

-- By an operator with limits: their own only.
create role carl; grant rouse_operator to carl;
grant usage on schema tap to public;
set session authorization carl;
select lives_ok($$select rouse.set_password('carl', pg_temp.hash('d'))$$, 'whoever is limited sets their own');
select pg_temp.refused($$select rouse.set_password('dora', pg_temp.hash('d'))$$, '42501 \| operator "carl" may not change the password of another operator');
select throws_ok($$select * from rouse_daemon.operator_password('carl')$$, '42501', null, 'nobody but menud reads a hash');
reset session authorization;
set local role rouse_menud;
select throws_ok($$select * from rouse_data.session_key$$, '42501', null, 'nor menud the tables');
reset role;

-- The keys.
select results_eq($$select octet_length(key), is_current from rouse_daemon.session_keys()$$, $$values (32, true), (32, false)$$, 'a key for this hour, and one for the next');
create temp table first_keys as select key from rouse_daemon.session_keys();
update rouse_data.session_key set hour = hour - interval '1 hour';
select results_eq($$select is_current, key in (select key from first_keys) from rouse_daemon.session_keys()$$, $$values (false, true), (true, true), (false, false)$$, 'an hour later the one of before is valid still');
update rouse_data.session_key set hour = hour - interval '2 hours' where hour < date_bin('1 hour', now(), 'epoch');
select is((select count(*)::int from rouse_daemon.session_keys()), 2, 'after two it is gone');
select ok(abs(seconds - extract(epoch from now())) < 2, 'and the time is told') from rouse_daemon.session_keys() limit 1;
select * from finish();
rollback;
