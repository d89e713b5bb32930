-- Images: a version is staging while it is captured, published in one step, never changed, withdrawn for good; a name means one of
-- them. And what menud may do with the files.
begin;
select plan(58);
select pg_temp.host('lab-01', '52:54:00:00:00:01'), pg_temp.host('lab-02', '52:54:00:00:00:02') \g /dev/null

create temp table job (name text, id bigint);
create function pg_temp.claim(mac text, letter text) returns text language sql as $$
	select concat_ws(' ', c.answer, c.kind, c.image_name, c.image_version, c.image_type, c.disk) from rouse_daemon.fos_checkin(pg_temp.facts(mac)
		|| jsonb_build_object('ticket', pg_temp.offer_ticket(mac), 'token', pg_temp.token(letter)), null) c $$;
create function pg_temp.say(verb text, letter text, words text) returns text language plpgsql as $$
declare
	said text;
begin
	execute format('select concat_ws('' '', a.answer, a.reason) from rouse_daemon.fos_%s($1, null) a', verb)
	into said using jsonb_build_object('token', pg_temp.token(letter)) || (select jsonb_object_agg(split_part(w, '=', 1), split_part(w, '=', 2))
		from string_to_table(words, ' ') w);
	return said;
end $$;
create function pg_temp.version(wanted text) returns bigint language sql as $$
	select v.id from rouse.image_versions v where v.image || ':' || v.number = wanted $$;
create function pg_temp.stored(wanted text, part int, letter text, size bigint) returns boolean language sql as $$
	select rouse_daemon.fos_stored(pg_temp.version(wanted), part, pg_temp.token(letter), size, repeat('c', 64)) $$;
create function pg_temp.upload(wanted text, part int, letter text) returns text language sql as $$
	select concat_ws(' ', u.path, u.stored_size, u.room) from rouse_daemon.fos_upload(pg_temp.version(wanted), part, pg_temp.token(letter), null) u $$;

-- A capture, whole.
insert into job values ('capture', rouse.capture('lab-01', 'room'));
select is((select mode from rouse.jobs where id = (select id from job where name = 'capture')), 'resizable', 'a capture is resizable unless it says otherwise');
select is(pg_temp.claim('52:54:00:00:00:01', '1'), 'run capture room 1 resizable auto', 'check-in names the version that is made');
select is((select state from rouse.image_versions where image = 'room'), 'staging', 'it is staging');
select is_empty('select * from rouse.images', 'and no image yet');
select matches(pg_temp.error($$select rouse.deploy('lab-02', 'room')$$), '42704 \| there is no image "room"', 'nobody can deploy it');
select is(pg_temp.say('disk', '1', 'number=1 size=1000000 floor=900000 sector_size=512 label=gpt'), 'ok', 'a disk is described');
select is(pg_temp.say('disk', '1', 'number=1 size=1000000 floor=800000 sector_size=512 label=gpt'), 'ok', 'and again');
select matches(pg_temp.error($$select pg_temp.say('disk', '1', 'number=1 size=10 floor=20 sector_size=512 label=gpt')$$), '22023 \| field "floor"', 'more used than there is');
select matches(pg_temp.error($$select pg_temp.say('part', '1', 'number=1 disk=2 kind=table place=512')$$), '22023 \| field "disk" is none that was described', 'a part of no disk');
select matches(pg_temp.error($$select pg_temp.say('part', '1', 'number=1 disk=1 kind=filesystem place=512')$$), '22023 \| field "number"', 'a file system of no kind');
select is(pg_temp.say('part', '1', 'number=1 disk=1 kind=table place=512'), 'ok', 'a part is described');
select is(pg_temp.say('part', '1', 'number=2 disk=1 partition=1 kind=filesystem filesystem=ext4 place=700000 grow=1'), 'ok', 'and another');
select is(pg_temp.say('part', '1', 'number=2 disk=1 partition=1 kind=filesystem filesystem=ext4 place=700000 grow=1'), 'ok', 'and the same again');
select matches(pg_temp.error($$select pg_temp.say('part', '1', 'number=2 disk=1 partition=1 kind=raw place=700000')$$), '22023 \| field "number" is that of another part', 'as another one it is refused');
select matches(pg_temp.error($$select pg_temp.say('part', '1', 'number=4 disk=1 kind=table place=512')$$), '22023 \| field "number" leaves one out', 'and one that leaves a number out');
select is(pg_temp.upload('room:1', 2, '1'), null, 'its stream has no place before those of the parts before it are stored');
select is(pg_temp.say('part', '9', 'number=1 disk=1 kind=table place=512'), 'refused token_unknown', 'not by a token of nobody');
select is(pg_temp.upload('room:1', 1, '1'), 'images/room/captured-1/1.zst 2199023255552', 'its stream has a place and a limit');
select is(pg_temp.upload('room:1', 3, '1'), null, 'an unknown part has none');
select is(pg_temp.upload('room:1', 1, '2'), null, 'nor has anybody else''s token');
select ok(pg_temp.stored('room:1', 1, '1', 400), 'a part is stored');
select ok(pg_temp.stored('room:1', 1, '1', 400), 'said again it is as well');
select ok(not pg_temp.stored('room:1', 1, '1', 401), 'but not as another one');
select ok(not pg_temp.stored('room:1', 2, '1', 0), 'nor is nothing at all a part');
select is(pg_temp.upload('room:1', 2, '1'), 'images/room/captured-1/2.zst 2199023255152', 'what is stored counts against the limit');
select is(pg_temp.say('part', '1', 'number=1 disk=1 kind=table place=512 content_size=600 content_sha256=' || repeat('d', 64)), 'ok', 'what it holds is told at its end');
select is_empty('select * from rouse_daemon.image_garbage()', 'nothing of it is garbage');
savepoint half;
select is(pg_temp.finish('1', 'succeeded'), 'ok failed', 'with a part missing the end is a failure');
select is((select reason from rouse.jobs where image = 'room'), 'image_incomplete', 'which says so');
select is((select path from rouse_daemon.image_garbage()), 'images/room/captured-1', 'and its files are to go');
select rouse_daemon.image_collected(pg_temp.version('room:1')) \g /dev/null
select is((select state || ' ' || (collected_at is not null) from rouse.image_versions where image = 'room'), 'retired true', 'once gone they are not asked for again');
select is_empty('select * from rouse_daemon.image_garbage()', 'by nobody');
rollback to half;
select ok(pg_temp.stored('room:1', 2, '1', 500), 'the last part is stored');
savepoint whole;
select is(pg_temp.say('disk', '1', 'number=2 size=1000000 floor=800000 sector_size=512 label=gpt'), 'ok', 'another disk is described');
select is(pg_temp.finish('1', 'succeeded'), 'ok failed', 'and nothing of it was captured: that is no image');
rollback to whole;
select is(pg_temp.finish('1', 'succeeded'), 'ok succeeded', 'and the capture is done');
select results_eq('select name::text, version, type, disks, disk_size, size from rouse.images', $$values ('room', 1, 'resizable', 1, 800000::bigint, 900::bigint)$$, 'now it is an image');
select is(pg_temp.upload('room:1', 2, '1'), null, 'its token stores nothing more');

-- What was published stays.
select matches(pg_temp.error('update rouse_data.image_part set size = 1'), '55000 \| version 1 of image "room" is published', 'no part changes');
select matches(pg_temp.error('delete from rouse_data.image_disk'), '55000 \| version 1', 'no disk goes');
select matches(pg_temp.error('update rouse_data.image_version set state = ''staging'''), '55000 \| version 1', 'no way back');

-- Deployed: its manifest and its parts, and nobody else's.
insert into job values ('deploy', rouse.deploy('lab-02', 'room', mode => 'verify'));
select is(pg_temp.claim('52:54:00:00:00:02', '2'), 'run deploy room 1 resizable auto', 'it can be deployed');
select results_eq($$select answer, disk, part from rouse_daemon.fos_manifest(jsonb_build_object('token', pg_temp.token('2')), null)$$,
	$$values ('ok', null, null), (null, '1 1000000 512 800000 gpt', null),
	(null, null, format('1 1 0 table - 512 400 %s 600 %s -', repeat('c', 64), repeat('d', 64))),
	(null, null, format('2 1 1 filesystem ext4 700000 500 %s - - grow', repeat('c', 64)))$$, 'its manifest');
select is((select reason from rouse_daemon.fos_manifest(jsonb_build_object('token', pg_temp.token('1')), null)), 'attempt_ended', 'not for who has ended');
select is((select path from rouse_daemon.fos_image(pg_temp.version('room:1'), 2, pg_temp.token('2'), null)), 'images/room/captured-1/2.zst', 'a part has its file');
select is((select path from rouse_daemon.fos_image(pg_temp.version('room:1'), 2, pg_temp.token('1'), null)), null, 'not for the one that captured it');

-- A second version, back, and away with it.
select rouse.publish_image('room', 2, 'images/room/2', 10, repeat('a', 64), 100, repeat('b', 64)) \g /dev/null
select is((select version from rouse.images), 2, 'the name means the newest');
select is(rouse.image_rollback('room'), 1, 'back to the one before');
select is((select version from rouse.images), 1, 'the name means it again');
select is(rouse.image_rollback('room', 2), 2, 'and forth, by number');
select matches(pg_temp.error($$select rouse.image_retire('room', 1)$$), 'is still wanted by job', 'what a job writes is not withdrawn');
select rouse.image_rollback('room', 1), rouse.image_retire('room', 2) \g /dev/null
select is((select path from rouse_daemon.image_garbage()), 'images/room/2', 'a retired version''s files are to go');
select matches(pg_temp.error($$select rouse.image_rollback('room', 2)$$), '55000 \| version 2 of image "room" is retired', 'and it does not come back');

-- Two machines are captured for one image at once: each has a version of its own, and the name means the one that came last.
select rouse.capture('lab-01', 'both'), rouse.cancel((select id from job where name = 'deploy')), rouse.capture('lab-02', 'both') \g /dev/null
select pg_temp.finish('2', 'cancelled') \g /dev/null
select is(pg_temp.claim('52:54:00:00:00:01', '3'), 'run capture both 1 resizable auto', 'one captures the first version');
select is(pg_temp.claim('52:54:00:00:00:02', '4'), 'run capture both 2 resizable auto', 'the other the second');
select pg_temp.say('disk', l, 'number=1 size=1000000 floor=800000 sector_size=512 label=gpt'), pg_temp.say('part', l, 'number=1 disk=1 kind=table place=512')
	from unnest('{3,4}'::text[]) l \g /dev/null
select is(pg_temp.upload('both:1', 1, '4'), null, 'neither stores into the other''s');
select ok(pg_temp.stored('both:2', 1, '4', 40) and pg_temp.stored('both:1', 1, '3', 30), 'each has its own');
select pg_temp.finish('4', 'succeeded'), pg_temp.finish('3', 'succeeded') \g /dev/null
select is((select string_agg(number || ' ' || state || ' ' || is_current, ', ' order by number) from rouse.image_versions where image = 'both'),
	'1 published true, 2 published false', 'both are published, and the name means the one that was published last');
select * from finish();
rollback;
