-- The rules behind rouse.why(): their form, a site's own, the codes, incidents. The causes themselves are tested by the traces in why/.
begin;
select plan(37);
select pg_temp.host('lab-01', '52:54:00:00:00:01') \g /dev/null
create function pg_temp.sign(sign text) returns text language sql as $$
	select pg_temp.error(format('insert into rouse.causes (id, position, stage, signs, cause, confidence) values (%L, 9999, %L, array[%L], %L, %L)', 'x', 'script', sign, 'x', 'low')) $$;

-- A sign says what it means.
select results_eq($$select is_absent, is_earlier, stages, kinds, daemon, named, is_unnamed, saying, detail, times, after, within_seconds
	from rouse_data.read_sign('no earlier tftp_nbp/script sent/missing from tftpd named "a b" saying "c" with {"code":1} 3 times after 2 within 60 s')$$,
	$$values (true, true, '{tftp_nbp,script}'::text[], '{sent,missing}'::text[], 'tftpd', 'a b', false, 'c', '{"code":1}'::jsonb, 3, 2, 60)$$, 'all of a sign is read');
select results_eq($$select stages, kinds, is_unnamed, times from rouse_data.read_sign('any any unnamed')$$, $$values (null::text[], null::text[], true, 1)$$, 'any is any');
select is_empty($$select c.id, s from rouse_data.cause c, unnest(c.signs) s where not exists (select from rouse_data.read_sign(s))$$, 'all shipped signs can be read');
select is_empty($$select c.id, k from rouse_data.cause c, unnest(c.signs) s, rouse_data.read_sign(s) r, unnest(r.stages) k where k <> all (rouse_data.fact_stages())$$, 'and name stages that there are');
select is_empty($$select c.id from rouse_data.cause c, unnest(c.signs) with ordinality s (sign, n), rouse_data.read_sign(s.sign) r where r.after >= s.n or r.after < 1$$, 'and signs before them');
select is_empty($$select id from rouse_data.cause where is_fault and advice = '{}'$$, 'each fault has advice');
select is_empty($$select id from rouse_data.cause where cause || array_to_string(advice, '') ~ '%(?!(name|reason|count|mac|host|meaning)%)[a-z]+%'$$, 'only known words are filled in');
select matches(pg_temp.sign('tftp_nbp'), '22023 \| "tftp_nbp" is no sign \| A sign is: \[no\]', 'a sign without a kind');
select matches(pg_temp.sign('tftp_npb sent'), '22023 \| there is no stage "tftp_npb" \| Like it are: .*tftp_nbp', 'a mistyped stage');
select matches(pg_temp.sign('script sent after 1'), '22023 \| sign 1 comes after sign 1 \| after names', 'a sign after itself');
select matches(pg_temp.sign('script sent named "("'), '2201B', 'a pattern that is none');
select matches(pg_temp.sign('script sent with {x}'), '22P02', 'facts that are no JSON');
select is(pg_temp.sign('script sent'), 'no error', 'a good one');

-- A site's own cause, and one that is changed.
insert into rouse.causes (id, position, stage, signs, cause, confidence, advice)
	values ('old_printer', 90, 'tftp_nbp', '{"tftp_nbp missing named \"^printer\""}', 'the printer %name% asks for its program', 'high', '{"Ask Anna."}');
select rouse_daemon.record('tftpd', 't/1', '[{"stage":"tftp_nbp","kind":"missing","name":"printer.bin","mac":"52:54:00:00:00:01","ago_ms":30000}]') \g /dev/null
select results_eq($$select id, cause ~ '^the printer printer.bin asks', advice from rouse.why('lab-01')$$, $$values ('old_printer', true, 'Ask Anna.')$$, 'a site''s own cause comes first by its position');
delete from rouse.causes where id = 'old_printer';
select is((select id from rouse.why('lab-01')), 'first_stage_missing', 'without it the next one holds');
select is((select string_agg(what, ' ' order by id) from rouse.audit where noun = 'causes' and key = 'old_printer'), 'insert delete', 'who changed causes is written down');
create role anna; grant rouse_operator to anna;
insert into rouse.groups (name) values ('kiosks');
insert into rouse.operators (name, groups) values ('anna', '{kiosks}');
set session authorization anna;
select matches(pg_temp.error($$delete from rouse.causes$$), '42501 \| operator "anna" may not change rouse.causes', 'they are the whole site''s');
reset session authorization;

-- What is text stays text: names from hostile clients.
select rouse_daemon.record('tftpd', 't/1', jsonb_build_array(jsonb_build_object('stage', 'tftp_nbp', 'kind', 'missing', 'mac', '52:54:00:00:00:01', 'ago_ms', 20000,
	'name', e'%reason%''; drop table x; -- \\1 <script>\n.efi', 'reason', '%name% %mac%'))) \g /dev/null
select matches((select cause from rouse.why('lab-01')), 'has no file %reason%''; drop table x; -- \\1 <script>', 'a name is shown as it is, and not filled in again');
select rouse_daemon.record('tftpd', 't/1', jsonb_build_array(jsonb_build_object('stage', 'tftp_nbp', 'kind', 'missing', 'mac', '52:54:00:00:00:01', 'ago_ms', 10000,
	'name', e'\u001b]0;owned\u0007\u001b[2J\u009b31mgrub\u202efe.x\tü', 'reason', e'a\r\nb\u007f'))) \g /dev/null
select results_eq($$select name, reason from rouse.events where mac = '52:54:00:00:00:01' order by at desc limit 1$$,
	$$values ('<1b>]0;owned<07><1b>[2J<9b>31mgrub<202e>fe.x<09>ü', 'a<0d><0a>b<7f>')$$, 'what would command a terminal or turn text round is shown by its code');
select is((select count(*) from rouse.why('lab-01') w, lateral (select concat_ws(' ', w.cause, w.advice, w.evidence) as t) s where s.t ~ e'[\u0001-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]'), 0::bigint, 'and why() says nothing else');

-- Codes.
select results_eq($$select system, meaning from rouse.explain_code('PXE-E53')$$, $$values ('BIOS', 'it got an address and no boot file name'), ('UEFI', 'it got an address and no boot file name')$$, 'a code of both');
select results_eq($$select code, count(*)::int from rouse.explain_code(' e21 ') group by 1$$, $$values ('PXE-E21', 2)$$, 'short, and with blanks');
select is((select count(distinct meaning)::int from rouse.explain_code('E05')), 2, 'one number, two meanings');
select results_eq($$select code, system, meaning from rouse.explain_code('0x4c106035')$$,
	$$values ('4c106035', 'iPXE', 'DHCP: no answer in time (ETIMEDOUT in DHCP, place 0; by PXE TFTP fell silent)')$$, 'iPXE''s, with its parts');
select results_eq($$select meaning from rouse.explain_code('https://ipxe.org/7f04819a')$$,
	$$values ('the firmware refused to load the image (an error of the platform in an EFI image, place 1; by UEFI security violation: Secure Boot''s policy)')$$, 'as its own page');
select results_eq($$select meaning, advice from rouse.explain_code('2E3451FF')$$, $$values ('ENOEXEC in the card''s driver, place 17', 'https://ipxe.org/2e3451ff has more.')$$, 'one that is not in the table is taken apart, too');
select is_empty($$select c.code from rouse.codes c where c.system = 'iPXE' and not exists (select from rouse.explain_code(c.code || '00') e where position(c.meaning in e.meaning) = 1)$$, 'each code of the table is found');
select is_empty($$select c.code from rouse.codes c where c.system <> 'iPXE' and not exists (select from rouse.explain_code('PXE-' || c.code) e where (e.system, e.meaning) = (c.system, c.meaning))$$, 'of ROMs and UEFI, too');
select results_eq($$select rouse_data.ipxe_errno(('x' || n)::bit(8)::int) from unnest('{02,0f,1d,28,2d,2e,38,3c,3e,41,4c,4f}'::text[]) n$$,
	$$select unnest('{EACCES,ECONNRESET,EIO,ENETUNREACH,ENOENT,ENOEXEC,ENOTCONN,ENOTSUP,ENXIO,EPERM,ETIMEDOUT,EXDEV}'::text[])$$, 'the names of iPXE''s errors');
select results_eq($$select rouse_data.fill_in('%name%: %meaning%', (now(), 'script', 'failed', 'menud', n, null, 1, null, null, null, false)::rouse_data.fact, null, null)
	from unnest('{2d0c613b,0x4C106035,no code}'::text[]) n$$,
	$$values ('2d0c613b: HTTP 404: there is no such page or file'), ('0x4C106035: DHCP: no answer in time'), ('no code: not known')$$, 'a sentence has a code''s words, where it is one');

-- Incidents.
select is_empty('table rouse.incidents', 'one machine is no incident');
select rouse_daemon.record('tftpd', 't/1', (select jsonb_agg(jsonb_build_object('stage', 'tftp_nbp', 'kind', 'sent', 'name', 'ipxe.efi', 'mac', '52:54:00:00:01:0' || n,
	'ago_ms', (extract(epoch from now() - date_trunc('minute', now()) + interval '2 minutes') * 1000)::int)) from generate_series(1, 3) n)) \g /dev/null
select results_eq($$select what, stage, machines, hosts from rouse.incidents$$, $$values ('one stage, one minute', 'tftp_nbp', 3, '{52:54:00:00:01:01,52:54:00:00:01:02,52:54:00:00:01:03}'::text[])$$, 'three in one minute are');
insert into rouse.hosts (name, product) select 'k-' || n, 'Kiosk 3' from generate_series(1, 3) n;
insert into rouse.nics (mac, host) select ('52:54:00:00:01:0' || n)::macaddr, 'k-' || n from generate_series(1, 3) n;
update rouse_data.event e set host = n.host, at = e.at - interval '5 minutes' * right(n.host, 1)::int from rouse_data.nic n where n.mac = e.mac and n.host like 'k-%';
select results_eq($$select what, stage, machines, product from rouse.incidents$$, $$values ('one model', 'tftp_nbp', 3, 'Kiosk 3')$$, 'three of one model are');
select rouse_daemon.record('menud', 'm/1', '[{"stage":"local_boot","kind":"local","mac":"52:54:00:00:01:03"}]') \g /dev/null
select is_empty('table rouse.incidents', 'unless one of them boots');
update rouse.hosts set group_name = 'kiosks' where name = 'k-1';
set session authorization anna;
select is_empty('table rouse.incidents', 'who is limited sees their own');
reset session authorization;

-- Boots, with how they ended.
select results_eq($$select host, last_stage, outcome, stages, loader from rouse.boots where mac = '52:54:00:00:01:03' order by number$$,
	$$values ('k-3', 'local_boot', 'local disk', '{local_boot,tftp_nbp}'::text[], null::text)$$, 'boots say how they ended');
select is((select string_agg(rouse_data.boot_outcome(s, k, i), ', ') from (values ('report', 'succeeded', interval '1 h'), ('script', 'menu', '1 h'), ('work', 'step', '1 s'), ('work', 'step', '1 h'),
	('os_dhcp', 'ack', '1 h'), ('kernel', 'sent', '1 s'), ('kernel', 'sent', '1 h')) v (s, k, i)), 'succeeded, menu, at work, stopped, system, booting, stopped', 'in these words');
select * from finish();
rollback;
