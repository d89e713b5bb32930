-- Whatever an operator mistypes is answered with what would have been right: each function for people, called
-- wrongly, and each name that a row may give of another row.
begin;
select plan(19);
insert into rouse.groups (name) values ('kiosks'), ('empty');
select pg_temp.host('lab-01', '52:54:00:00:00:01'), pg_temp.host('retired', '52:54:00:00:00:02') \g /dev/null
update rouse.hosts set state = 'retired' where name = 'retired';
insert into rouse.hosts (name) values ('cardless');
insert into rouse.operators (name) values ('dora');
insert into rouse.subnets (subnet) values ('10.77.0.0/24');
select pg_temp.image('tiny') \g /dev/null
select rouse.inventory('lab-01') \g /dev/null

create temp table wrong (call text, code text, message text, hint text);
insert into wrong (call, code, message, hint) values
	('rouse.enqueue(''lab-O1'', ''inventory'')', '42704', 'there is no host "lab-O1"', 'lab-01'),
	('rouse.enqueue(''lab-01'', ''inventori'')', '22023', 'there is no kind of job "inventori"', 'inventory'),
	('rouse.enqueue(null, null)', '22023', 'there is no kind of job ""', 'deploy'),
	('rouse.enqueue(''lab-01'', ''register'', mode => ''fast'')', '22023', 'there is no mode "fast"', 'full, quick'),
	('rouse.enqueue(''lab-01'', ''inventory'', mode => ''full'')', '22023', 'has no mode', 'Leave mode out'),
	('rouse.enqueue(''retired'', ''inventory'')', '55000', 'is retired', 'update rouse.hosts'),
	('rouse.deploy(''lab-01'', ''tinny'')', '42704', 'there is no image "tinny"', 'tiny'),
	('rouse.deploy(''empty'', ''tiny'')', '55000', 'no host of group "empty"', 'group_name'),
	('rouse.deploy(''lab-01'', ''tiny'', after => ''off'')', '22023', 'there is no after-action "off"', 'local, poweroff, reboot'),
	('rouse.deploy(''lab-01'', ''tiny'', priority => -1)', '22023', 'a priority is 0 to 100, not -1', '50'),
	('rouse.deploy(''lab-01'', ''tiny'', disk => ''sda'')', '22023', 'a disk cannot be "sda"', '/dev/sda'),
	('rouse.deploy(''lab-01'', ''tiny'', deadline => ''2020-01-01'')', '22023', 'the deadline has passed', 'later'),
	('rouse.deploy(''lab-01'', ''tiny'', not_before => ''2040-01-02'', deadline => ''2040-01-01'')', '22023', 'the deadline is before the earliest start', 'later deadline'),
	('rouse.dhcp_snippet(''kia'')', '22023', 'there is no kind of DHCP server "kia"', 'kea'),
	('rouse.dhcp_snippet(''kea'', ''10.70.0.0/24'')', '42704', 'there is no subnet', '10.77.0.0/24'),
	('rouse.dhcp_snippet(''kea'')', '55000', 'the address of tftpd is not known', 'rouse.setting'),
	('rouse.capture(''lab-01'', ''Tiny!'')', '22023', 'an image cannot be called "Tiny!"', 'Use a-z'),
	('rouse.wipe(''lab-01'', ''slow'')', '22023', 'there is no mode "slow"', 'normal'),
	('rouse.inventory(''group:kiosk'')', '42704', 'there is no group "kiosk"', 'kiosks'),
	('rouse.cancel(999999)', '42704', 'there is no job 999999', 'rouse.queue'),
	('rouse.cancel(null)', '42704', 'there is no job', 'rouse.queue'),
	('rouse.retry((select max(id) from rouse.jobs))', '55000', 'has not ended', 'rouse.cancel'),
	('rouse.wake(''cardless'')', '55000', 'has no network card', 'insert into rouse.nics'),
	('rouse.approve(''lab-1'')', '42704', 'there is no host "lab-1"', 'lab-01'),
	('rouse.approve(''retired'')', '55000', 'is retired', 'update rouse.hosts'),
	('rouse.schedule(''lab-01'', ''inventory'', ''0 3 * * moon'')', '22023', 'weekday cannot be "moon"', 'mon'),
	('rouse.next_times(''0 3 * *'')', '22023', 'neither five cron fields nor a time', 'minute hour day'),
	('rouse.explain(''lab-1'')', '42704', 'there is no host "lab-1"', 'lab-01'),
	('rouse.trace(''cardless'')', '55000', 'has no network card', 'insert into rouse.nics'),
	('rouse.evaluate(''boot'', ''ipxe'', ''active'', ''none'', ''efi'', ''x86_64'')', '22023', 'there is no stage "boot"', 'dhcp, menu, script'),
	('rouse.why(''lab-1'')', '42704', 'there is no host "lab-1"', 'lab-01'),
	('rouse.why(''52:54:00:00:00:0x'')', '42704', 'there is no host "52:54:00:00:00:0x"', '52:54:00:00:00:01'),
	('rouse.enqueue(''52:54:00:00:00:0x'', ''inventory'')', '42704', 'there is no host "52:54:00:00:00:0x"', '52:54:00:00:00:01'),
	('rouse.explain_code(''PXE-E5'')', '22023', '"PXE-E5" is no code that is known', 'PXE-E53'),
	('rouse.explain_code(null)', '22023', 'is no code that is known', 'PXE-E'),
	('rouse.setting(''deploy_slot'')', '42704', 'there is no setting "deploy_slot"', 'deploy_slots'),
	('rouse.setting(''deploy_slots'', ''many'')', '22023', 'cannot be "many"', '1 to 10000'),
	('rouse.set_password(''anna'', ''x'')', '42704', 'there is no operator "anna"', 'dora'),
	('rouse.image_rollback(''tinny'')', '42704', 'there is no image "tinny"', 'tiny'),
	('rouse.image_rollback(''tiny'')', '55000', 'no published version before 1', 'rouse.image_versions'),
	('rouse.image_rollback(''tiny'', 3)', '42704', 'version 3 of image "tiny" is not there', 'Published are: 1'),
	('rouse.image_retire(''tiny'', 1)', '55000', 'is what image "tiny" means now', 'rouse.image_rollback'),
	('rouse.image_retire(''tiny'', 2)', '42704', 'version 2 of image "tiny" is not there', 'Published are: 1'),
	('rouse.publish_image(''tiny'', 2, ''images/x'', ''[]'', ''[]'', ''flat'')', '22023', 'there is no type of image "flat"', 'resizable'),
	('rouse.publish_image(''tiny'', 2, ''images/x'', ''[]'', ''[]'')', '22023', 'has a part that is not stored, or none', 'size and sha256'),
	('rouse.publish_image(''tiny'', 7, ''images/x'', 1, repeat(''a'', 64), 1, repeat(''b'', 64))', '55000', 'version 7 of image "tiny"', 'add the image again');
create function pg_temp.judge(statement text, code text, message text, hint text) returns text language plpgsql as $$
declare
	said text;
	more text;
	advice text;
begin
	execute statement;
	return 'no error';
exception when others then
	get stacked diagnostics said = message_text, more = pg_exception_detail, advice = pg_exception_hint;
	return case when sqlstate <> code then format('%s: %s', sqlstate, said) when position(message in said) = 0 then said
		when more = '' then 'no detail'
		when position(hint in advice) = 0 then 'hint: ' || advice end;
end $$;
select is_empty($$select call, pg_temp.judge('select * from ' || call, code, message, hint) from wrong
	where pg_temp.judge('select * from ' || call, code, message, hint) is not null$$, 'each wrong call is answered with a code, what is wrong, and what would be right');
select set_eq($$select distinct p.proname::text from pg_proc p where p.pronamespace = 'rouse'::regnamespace and p.prokind = 'f' and p.pronargs > 0 and p.proname not in ('may', 'host_name', 'relative_path')
	and exists (select from pg_description d where d.objoid = p.oid)$$,
	$$select distinct substring(call from 'rouse\.(\w+)') from wrong$$, 'no function for people is left out (may() answers anything)');

create temp table bad_row (statement text, message text, hint text);
insert into bad_row values
	('insert into rouse.nics (mac, host) values (''52:54:00:00:00:09'', ''lab-1'')', 'there is no host "lab-1"', 'lab-01'),
	('update rouse.nics set host = ''lab-1'' where host = ''lab-01''', 'there is no host "lab-1"', 'lab-01'),
	('insert into rouse.hosts (name, group_name) values (''x'', ''kiosk'')', 'there is no group "kiosk"', 'kiosks'),
	('insert into rouse.pools (subnet, first, last) values (''10.78.0.0/24'', ''10.78.0.1'', ''10.78.0.2'')', 'there is no subnet "10.78.0.0/24"', '10.77.0.0/24'),
	('insert into rouse.menu (key, title, position, action, profile) values (''x'', ''X'', 99, ''profile'', ''memtst'')', 'there is no profile "memtst"', 'memtest'),
	('insert into rouse.menu (key, title, position, action, parent) values (''x'', ''X'', 99, ''local'', ''tool'')', 'there is no sub-menu "tool"', 'tools'),
	('insert into rouse.menu (key, title, position, action, group_name) values (''x'', ''X'', 99, ''local'', ''kiosk'')', 'there is no group "kiosk"', 'kiosks'),
	('insert into rouse.boot_defaults (host) values (''lab-1'')', 'there is no host "lab-1"', 'lab-01'),
	('insert into rouse.boot_defaults (group_name) values (''kiosk'')', 'there is no group "kiosk"', 'kiosks'),
	('insert into rouse.boot_defaults (host, menu_default) values (''lab-01'', ''memtst'')', 'there is no menu item "memtst"', 'memtest'),
	('insert into rouse.dhcp_options (host, option, value) values (''lab-1'', ''26'', ''1500'')', 'there is no host "lab-1"', 'lab-01'),
	('insert into rouse.dhcp_options (group_name, option, value) values (''kiosk'', ''26'', ''1500'')', 'there is no group "kiosk"', 'kiosks'),
	('insert into rouse.dhcp_options (subnet, option, value) values (''10.78.0.0/24'', ''26'', ''1500'')', 'there is no subnet', '10.77.0.0/24'),
	('insert into rouse.operators (name, groups) values (''anna'', ''{kiosk}'')', 'there is no group "kiosk"', 'kiosks'),
	('insert into rouse.schedules (group_name, kind, at) values (''kiosk'', ''wake'', ''@daily'')', 'there is no group "kiosk"', 'kiosks'),
	('update rouse.profiles set answers = ''preseed'' where name = ''memtest''', 'there is no answer file "preseed"', 'rouse.answer_files'),
	('insert into rouse.dhcp_options (option, value) values (''ntp-server'', ''10.0.0.1'')', 'there is no DHCP option "ntp-server"', 'ntp-servers');
select is_empty($$select statement, pg_temp.judge(statement, case when statement ~ 'schedules|ntp' then '42704' else '23503' end, message, hint) from bad_row
	where pg_temp.judge(statement, case when statement ~ 'schedules|ntp' then '42704' else '23503' end, message, hint) is not null$$, 'each name of what is not there is answered with names that are');
-- Every foreign key that an operator can hit has such a trigger; those left out are the database's own.
select is_empty($$select c.conrelid::regclass, c.conname from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
	where c.contype = 'f' and c.connamespace = 'rouse_data'::regnamespace
		and c.conrelid in (select t.tgrelid from pg_trigger t where t.tgname like 'note_change%')
		and not exists (select from pg_trigger t where t.tgrelid = c.conrelid and t.tgname = 'check_' || a.attname || '_known')
		and not exists (select from pg_trigger t where t.tgrelid = c.conrelid and t.tgname = 'check_dhcp_option' and a.attname = 'type')$$,
	'a new reference is not forgotten');
-- Constraints read as sentences, whole ones: an operator sees their names, also those of keys that can be written twice.
select is_empty($$select c.conrelid::regclass, c.conname from pg_constraint c
	where c.connamespace in ('rouse_data'::regnamespace, 'rouse'::regnamespace) and c.conrelid <> all (array['rouse_data.api', 'rouse_data.migration']::regclass[])
		and (octet_length(c.conname) = 63 or c.conname !~ ' ' and (c.contype in ('c', 'x', 'u') or c.contype = 'p' and exists (
			select from rouse_data.written w join pg_attribute a on a.attrelid = w.relation and a.attnum = c.conkey[1] and a.attidentity = ''
			where w.relation = c.conrelid and has_table_privilege('rouse_operator', 'rouse.' || w.noun, 'insert'))))$$, 'every constraint is a sentence');
select is_empty($$select c.conrelid::regclass, c.conname from pg_constraint c
	where c.contype = 'f' and c.conrelid in (select t.tgrelid from pg_trigger t where t.tgname like 'note_change%') and c.conname !~ ' '$$, 'so is every reference in the configuration');

-- Each column of a writable view that takes one of a few words, or a list of them, says which to who mistypes it. The constraint below
-- stays, for what the trigger might miss.
create temp view of_words as
	select c.conrelid::regclass as relation, a.attname, c.conname, exists (select from pg_trigger t
		where t.tgrelid = c.conrelid and t.tgname = 'check_words_' || a.attname) as is_told
	from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum]
	where c.contype = 'c' and c.connamespace = 'rouse_data'::regnamespace and pg_get_constraintdef(c.oid) ~ '= ANY|<@'
		and exists (select from pg_trigger t where t.tgrelid = c.conrelid and t.tgname = 'note_audit');
select cmp_ok((select count(*) from of_words), '>=', 20::bigint, 'columns that take a few words');
select is_empty('select * from of_words where not is_told', 'all of them have a hint');
select results_eq($$select pg_temp.judge(s, '23514', m, h) from (values ('update rouse.hosts set state = ''activ''', 'state cannot be "activ"', 'active'),
	('insert into rouse.boot_rules (position, name, arch, answer, reason) values (1, ''x'', ''{x86_64,amd64}'', ''menu'', ''y'')', 'arch cannot be "amd64"', 'arm64'),
	('insert into rouse.profiles (name, title, kind) values (''x'', ''X'', ''linus'')', 'kind cannot be "linus"', 'linux')) t (s, m, h)$$,
	$$values (null::text), (null), (null)$$, 'such as these');

-- What breaks a rule is answered in the words of the view, and with what its comments say; so is what lacks a value, what
-- overlaps, and what is deleted though others name it. No table behind a view is named.
insert into rouse.profiles (name, title, kind, file) values ('used', 'Used', 'efi', 'x.efi');
insert into rouse.menu (key, title, position, action, parent) values ('sub', 'S', 901, 'menu', null), ('leaf', 'L', 902, 'local', 'sub');
insert into rouse.menu (key, title, position, action, profile) values ('uses', 'U', 903, 'profile', 'used');
update rouse.hosts set group_name = 'kiosks' where name = 'lab-01';
insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.10', '10.77.0.20');
create temp table broken_rule (statement text, code text, message text, hint text);
insert into broken_rule values
	('update rouse.subnets set lease_seconds = 5', '23514', 'lease_seconds cannot be "5"', 'how long a lease lasts'),
	('update rouse.subnets set routers = ''{10.1.0.1}''', '23514', 'these do not go together: subnet "10.77.0.0/24", routers "{10.1.0.1}"', 'default gateways'),
	('insert into rouse.subnets (lease_seconds) values (60)', '23502', 'subnet is missing', 'such as 10.77.0.0/24'),
	('insert into rouse.subnets (subnet) values (''10.77.0.128/25'')', '23P01', 'it overlaps with the subnet 10.77.0.0/24', 'table rouse.subnets'),
	('insert into rouse.pools (subnet, first, last) values (''10.77.0.0/24'', ''10.77.0.15'', ''10.77.0.30'')', '23P01', 'it overlaps with the pool 10.77.0.10 to 10.77.0.20', 'table rouse.pools'),
	('update rouse.pools set last = ''10.77.0.5''', '23514', 'these do not go together: first "10.77.0.10", last "10.77.0.5"', 'its first address'),
	('insert into rouse.nics (mac, host, kind) values (''01:00:5e:00:00:01'', ''lab-01'', ''extra'')', '23514', 'mac cannot be "01:00:5e:00:00:01"', 'hardware address'),
	('insert into rouse.nics (mac) values (''52:54:00:00:00:99'')', '23514', 'these do not go together: host null, kind "primary"', 'null if shared'),
	('insert into rouse.profiles (name, title, kind) values (''x'', ''X'', ''linux'')', '23514', 'these do not go together: kind "linux", kernel null', 'the kernel, below the roots'),
	('delete from rouse.hosts where name = ''lab-01''', '23503', '"lab-01" of rouse.hosts is in use', 'set state = ''retired'' where name = ''lab-01'''),
	('delete from rouse.groups where name = ''kiosks''', '23503', '"kiosks" of rouse.groups is in use', 'select * from rouse.hosts where group_name = ''kiosks'''),
	('delete from rouse.profiles where name = ''used''', '23503', '"used" of rouse.profiles is in use', 'rouse.menu where profile'),
	('delete from rouse.menu where key = ''sub''', '23503', '"sub" of rouse.menu is in use', 'rouse.menu where parent');
select is_empty($$select statement, pg_temp.judge(statement, code, message, hint) from broken_rule where pg_temp.judge(statement, code, message, hint) is not null$$,
	'whatever breaks a rule is answered by what is wrong, and what would be right');
select is_empty($$select statement, pg_temp.error(statement) from broken_rule where pg_temp.error(statement) ~ 'rouse_data|relation "|table "|null value'$$,
	'in no words of the tables behind');
-- The triggers are made of the constraints, one each.
select is_empty($$select w.noun, c.conname from rouse_data.written w join pg_constraint c on c.conrelid = w.relation and c.contype = 'c'
	where not exists (select from pg_trigger t where t.tgrelid = w.relation and t.tgname like 'rule\_1\_%' and position(c.conname in encode(t.tgargs, 'escape')) > 0)$$,
	'each rule of what people write is told');
select cmp_ok((select count(*) from pg_trigger where tgname like 'rule\_1\_%'), '>=', 60::bigint, 'and there are many');
select is_empty($$select w.noun, a.attname from rouse_data.written w join pg_attribute a on a.attrelid = w.relation and a.attnotnull and a.attnum > 0 and a.attidentity = ''
	where not exists (select from pg_trigger t where t.tgrelid = w.relation and t.tgname like 'rule\_0\_%'
		and split_part(encode(t.tgargs, 'escape'), '\000', 2) = a.attname)$$, 'each column that must not be left out, too');
-- And they are in nobody's way.
select lives_ok($$delete from rouse.menu where key in ('sub', 'leaf')$$, 'what is deleted together with all that names it goes');
select lives_ok($$insert into rouse.hosts (name, comment) values ('lab-01', 'again') on conflict (name) do update set comment = excluded.comment;
	insert into rouse.nics (mac, host) values ('52-54-00-00-00-01', 'lab-01') on conflict (mac) do nothing;
	insert into rouse.subnets (subnet) values ('10.77.0.0/24') on conflict (subnet) do update set comment = 'again';
	insert into rouse.pools (subnet, first, last) values ('10.77.0.0/24', '10.77.0.10', '10.77.0.20') on conflict (first) do nothing$$, 'on conflict does what it says');
select is((select comment from rouse.hosts where name = 'lab-01') || (select comment from rouse.subnets), 'againagain', 'and has done it');

-- And so are those that no test provokes: what the source of each function says. A statement ends at the first ; that is not
-- within quotes.
create temp view raised as
	select p.oid::regprocedure::text as raised_by, r[1] as statement from pg_proc p
	cross join regexp_matches(regexp_replace(p.prosrc, '^\s*--.*$', '', 'gn'), '(\mraise\s+(?!notice)(?:[^;'']|''[^'']*'')*;)', 'g') r
	where p.pronamespace in ('rouse'::regnamespace, 'rouse_daemon'::regnamespace, 'rouse_data'::regnamespace);
select cmp_ok((select count(*) from raised), '>', 60::bigint, 'the errors of all functions are found');
select is_empty($$select raised_by, w, statement from raised cross join unnest('{errcode,message,detail,hint}'::text[]) w
	where statement !~ format('\m%s\s*=', w)$$, 'each has errcode, message, detail and hint');
select * from finish();
rollback;
