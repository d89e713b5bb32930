-- What an operator has done from a machine's menu: by their role and limits, refused to anybody else.
begin;
select plan(48);
select pg_temp.host('lab-01', '52:54:00:00:00:01');
select pg_temp.host('lab-02', '52:54:00:00:00:02');
select pg_temp.image('tiny') \g /dev/null
insert into rouse.groups (name) values ('labs'), ('kiosks');
update rouse.hosts set group_name = 'labs' where name = 'lab-01';
insert into rouse.operators (name, role, groups) values ('anna', 'operator', null), ('carl', 'operator', '{kiosks}'), ('lena', 'operator', '{labs}'), ('dora', 'viewer', null);
create function pg_temp.refused(statement text, words text) returns text language sql as $$
	select tap.matches(pg_temp.error(statement), words, words) $$;
create function pg_temp.choose(item text, operator text default null, more jsonb default '{}', mac text default '52:54:00:00:00:01') returns text language sql as $$
	select string_agg(concat_ws(' ', c.answer, c.kind, c.image, case when c.answer in ('refused', 'done', 'image') then c.reason end), ' | ')
	from rouse_daemon.choose(item, pg_temp.facts(mac) || '{"cpu":"x86_64","firmware":"efi"}' || more || jsonb_strip_nulls(jsonb_build_object(
		'operator', operator, 'role', (select o.role from rouse_data.operator o where o.name = operator))), '10.77.0.100') c $$;
create function pg_temp.end_jobs() returns void language sql as $$
	select rouse.cancel(j.id) from rouse.jobs j where j.ended_at is null $$;

-- Nobody but an operator.
select is(pg_temp.choose(item, who, more), format('refused the menu item "%s" is for who has logged in as operator', item), format('%s for %s', item, coalesce(who, 'nobody')))
from (values ('deploy', '{}'::jsonb), ('capture', '{}'), ('wipe', '{"confirm":"wipe"}'), ('debug', '{}'), ('delete', '{"confirm":"delete"}')) i (item, more)
cross join (values (null), ('dora')) w (who);
-- A session is older than the row: menud's word alone is not enough.
select is(pg_temp.choose('deploy', null, '{"role":"operator","operator":"gone"}'), 'refused the menu item "deploy" is for who has logged in as operator', 'who is no operator any more');
select is(pg_temp.choose('deploy', null, '{"role":"operator","operator":"dora"}'), 'refused the menu item "deploy" is for who has logged in as operator', 'or a viewer now');
select is(pg_temp.choose('deploy', null, '{"role":"operator"}'), 'refused the menu item "deploy" is for who has logged in as operator', 'or is not named');
select is_empty('select from rouse.jobs', 'nothing was done');

-- Deploy: the images first, then one of them.
select is(pg_temp.choose('deploy', 'anna'), 'image tiny tiny (version 1, for disks from 100 bytes)', 'the images among which to choose');
select is(pg_temp.choose('deploy', 'anna', '{"image":"huge"}'), 'refused there is no image "huge"', 'one that is not there');
select is(pg_temp.choose('deploy', 'anna', '{"image":"tiny"}'), 'job deploy', 'is written');
select is(pg_temp.choose('deploy', 'anna', '{"image":"tiny"}'), 'job deploy', 'a key pressed twice');
select is((select count(*)::int from rouse.jobs), 1, 'is one job');
select matches(pg_temp.choose('wipe', 'anna', '{"confirm":"wipe"}'), '^refused job \d+ \(deploy\) of this machine comes first$', 'nobody gets another job for what they chose');
select pg_temp.end_jobs() \g /dev/null
update rouse_data.image set current_version = null;
select is(pg_temp.choose('deploy', 'anna'), 'refused there is no image yet: rouse-db image add publishes one', 'without images');
update rouse_data.image set current_version = (select id from rouse_data.image_version);

-- Capture and wipe want a word, capture behind the image.
select is(pg_temp.choose('capture', 'anna'), 'image .new A new image, whose name is typed next | image tiny tiny (version 1, for disks from 100 bytes)',
	'capture lists before it asks');
select is(pg_temp.choose('capture', 'anna', '{"image":"tiny"}'), 'refused the menu item "capture" wants the word "capture" typed', 'then it asks');
select is(pg_temp.choose('capture', 'anna', '{"image":"tiny","confirm":"capture"}'), 'job capture', 'and is done');
select pg_temp.end_jobs() \g /dev/null
select is(pg_temp.choose('capture', 'anna', '{"image":"fresh-1.0","confirm":"capture"}'), 'job capture', 'into an image that is new');
select is((select image::text from rouse.jobs order by id desc limit 1), 'fresh-1.0', 'by the name that was typed');
select pg_temp.end_jobs() \g /dev/null
select is(pg_temp.choose('capture', 'anna', jsonb_build_object('image', name, 'confirm', 'capture')),
	format('done an image cannot be called "%s": it has a-z, 0-9, dot, _ and -, at most 64, and begins with a letter or digit', name), 'a name that cannot be')
from unnest(array['.new', 'Fresh image']) name;
select is(pg_temp.choose('wipe', 'anna'), 'refused the menu item "wipe" wants the word "wipe" typed', 'wipe asks');
update rouse.menu set mode = 'full' where key = 'wipe';
select is(pg_temp.choose('wipe', 'anna', '{"confirm":"wipe"}'), 'job wipe', 'and is done');
select is((select mode from rouse.jobs order by id desc limit 1), 'full', 'as the item says');
select pg_temp.end_jobs() \g /dev/null

-- Limits by group, and whose name it is done in.
select is(pg_temp.choose('debug', 'anna'), 'job debug', 'a shell');
select pg_temp.end_jobs() \g /dev/null
set session authorization rouse_menud;
create function pg_temp.as_menud(operator text, mac text, item text, more text) returns text language sql as $$
	select concat_ws(' ', c.answer, c.kind, case when c.answer in ('refused', 'done') then c.reason end) from rouse_daemon.choose(item,
		jsonb_build_object('mac0', mac, 'role', 'operator', 'operator', operator, 'cpu', 'x86_64', 'firmware', 'efi') || more::jsonb, '10.77.0.100') c $$;
select is(pg_temp.as_menud('carl', '52:54:00:00:00:01', 'debug', '{}'), 'refused this machine is not among those of carl', 'an operator of other hosts');
select is(pg_temp.as_menud('lena', '52:54:00:00:00:02', 'debug', '{}'), 'refused this machine is not among those of lena', 'a host of no group');
select is(pg_temp.as_menud('lena', '52:54:00:00:00:01', 'debug', '{}'), 'job debug', 'their own');
select is(current_setting('rouse.operator'), '', 'nobody''s name is left behind');
reset session authorization;
select is((select created_by from rouse.jobs order by id desc limit 1), 'lena', 'the job is theirs');
select pg_temp.end_jobs() \g /dev/null

-- Approve and delete.
select is(pg_temp.choose('approve', 'anna'), 'refused the menu item "approve" is not for a host that is active', 'approve is for pending hosts');
update rouse.hosts set state = 'pending' where name = 'lab-01';
select is(pg_temp.choose('approve', 'anna'), 'job inventory', 'who is approved is asked for its hardware');
select is((select state from rouse.hosts where name = 'lab-01'), 'active', 'and is active');
select matches(pg_temp.choose('delete', 'anna', '{"confirm":"delete"}'), '^done host lab-01 has had jobs: it is retired$', 'a host with a history is retired');
select is((select array_agg(distinct state) from rouse.jobs where host = 'lab-01'), '{cancelled}', 'and its jobs are cancelled');
select is(pg_temp.choose('delete', 'anna', '{"confirm":"delete"}', '52:54:00:00:00:02'), 'done host lab-02 is deleted', 'another is deleted');
select is_empty($$select from rouse.hosts where name = 'lab-02'$$, 'and gone');

-- An item cannot be opened to all.
select pg_temp.refused($$update rouse.menu set role = null where key = 'deploy'$$, 'is for the role operator');
select pg_temp.refused($$update rouse.menu set role = 'viewer' where key = 'delete'$$, 'is for the role operator');
select pg_temp.refused($$update rouse.menu set confirm = null where key = 'wipe'$$, 'an item that wipes wants a word');
select pg_temp.refused($$update rouse.menu set mode = 'sloppy' where key = 'wipe'$$, 'a mode is for wipe or test');
select * from finish();
rollback;
