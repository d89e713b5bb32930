-- A daemon of the version before runs on the schema of this one: all that it calls is there, takes what it took and gives what it
-- gave. contract/N.inc is what version N of rouse_data.contract_version() promises; more may be added, nothing taken away while
-- daemons of version N are accepted. contract/write writes the file of this version.
begin;
select plan(5);

create temp table contract (version int, role text, kind text, name text, takes text, gives text);
\ir contract/1.inc

create temp view present_routine as
select p.proname::text as name, p.oid, p.pronargdefaults as optional, p.proargtypes::oid[] as takes,
	coalesce((select array_agg(a.argument || ' ' || a.type::regtype order by a.n)
		from unnest(p.proargnames, p.proallargtypes, p.proargmodes) with ordinality a (argument, type, mode, n) where a.mode = 't'),
		array[p.proname || ' ' || p.prorettype::regtype]) as gives
from pg_proc p where p.pronamespace = 'rouse_daemon'::regnamespace;

create temp view present_view as
select c.relname::text as name, c.oid, (select array_agg(a.attname || ' ' || a.atttypid::regtype order by a.attnum)
	from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as gives
from pg_class c where c.relnamespace = 'rouse_daemon'::regnamespace and c.relkind = 'v';

create temp view accepted as
select c.*, coalesce(string_to_array(nullif(c.takes, ''), ', '), '{}')::regtype[]::oid[] as taken, string_to_array(c.gives, ', ') as given
from contract c where c.version between rouse_data.contract_version() - 1 and rouse_data.contract_version();

select cmp_ok((select count(*) from contract c where c.version = rouse_data.contract_version()), '>', 50::bigint,
	'this version of the contract is written down: tests/sql/contract/write');
select is_empty($$
	select c.version, c.role, c.name, c.takes, c.gives from accepted c where c.kind = 'function' and not exists (
		select from present_routine p where p.name = c.name and c.given <@ p.gives
			and p.takes[0:cardinality(c.taken) - 1] = c.taken and cardinality(p.takes) - cardinality(c.taken) between 0 and p.optional
			and has_function_privilege(c.role, p.oid, 'execute')) $$,
	'every function that an accepted daemon calls can be called so, and gives at least that');
select is_empty($$
	select c.version, c.role, c.name, c.gives from accepted c where c.kind = 'view' and not exists (
		select from present_view p where p.name = c.name and c.given <@ p.gives and has_table_privilege(c.role, p.oid, 'select')) $$,
	'every view that an accepted daemon reads has at least those columns');
-- a daemon of this version, of the one before, of an older one, and of a newer one
select results_eq($$
	select h.accepted, substring(h.hint from 'install a newer|run rouse-db migrate')
	from unnest('{0,-1,-2,1}'::int[]) with ordinality t (age, n)
	cross join lateral rouse_daemon.hello('tftpd', 'test', '0', rouse_data.contract_version() + age, '', null) h order by n $$,
	$$ values (true, null), (true, null), (false, 'install a newer'), (false, 'run rouse-db migrate') $$,
	'two versions are accepted, and the others are told what to do');
-- it is this that the two above would not notice of themselves
update contract set gives = gives || ', wish text' where (role, name) in (('rouse_tftpd', 'offer'), ('rouse_tftpd', 'menu_now'));
select results_eq($$
	select c.name from accepted c where not exists (
		select from (table present_view union all select name, oid, gives from present_routine) p (name, oid, gives)
		where p.name = c.name and c.given <@ p.gives) order by c.name $$, $$ values ('menu_now'), ('offer') $$,
	'what is missing would be seen');
select * from finish();
rollback;
