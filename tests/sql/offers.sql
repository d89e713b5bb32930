-- Offers, tickets, check-in, the loop guard and identity.
begin;
select plan(67);
select pg_temp.host('lab-01', '52:54:00:00:00:01', '11111111-2222-3333-4444-555555555501') \g /dev/null
select pg_temp.host('lab-02', '52:54:00:00:00:02', '11111111-2222-3333-4444-555555555502') \g /dev/null
select pg_temp.image('tiny') \g /dev/null
create temp table ticket (name text primary key, word text);
create temp table job (name text primary key, id bigint);
create function pg_temp.ticket(wanted text) returns text language sql as $$ select word from ticket where name = wanted $$;
create function pg_temp.job(wanted text) returns text language sql as $$ select pg_temp.state(id) from job where name = wanted $$;

select is((select answer || ': ' || reason from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:99'), null)), 'none: the machine is unknown', 'a stranger gets no job');
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'none', 'no job, no offer');
select matches(pg_temp.error($$select rouse_daemon.offer('{"mac0":"nonsense"}', null)$$), '22023 \| field "mac0"', 'a bad MAC is named');

-- One boot, several answers, one offer and one ticket.
insert into job values ('first', rouse.deploy('lab-01', 'tiny'));
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
insert into ticket values ('a', pg_temp.offer_ticket('52:54:00:00:00:01')), ('b', pg_temp.offer_ticket('52:54:00:00:00:01'));
select is((select offers from rouse.jobs where id = (select id from job)), 1, 'two answers of one boot are one offer');
select is(pg_temp.ticket('b'), pg_temp.ticket('a'), 'and one ticket');
select isnt((select o.ticket from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01', '11111111-2222-3333-4444-555555555501'), null) o),
	pg_temp.ticket('a'), 'who shows another UUID gets another');
select matches(pg_temp.ticket('a'), '^[0-9a-f]{32}$', 'of 32 hexadecimal digits');
select is_empty(format('select from rouse_data.ticket t where t::text like %L', '%' || pg_temp.ticket('a') || '%'), 'that is stored nowhere');
select is(pg_temp.job('first'), 'queued', 'serving a script is not progress');

-- Tickets that let nobody in.
select is(c::text, '(refused,ticket_unknown)', 'an unknown ticket') from pg_temp.checkin(repeat('0', 32), '1', '52:54:00:00:00:01') c;
select is(c::text, '(refused,identity_conflict)', 'another card') from pg_temp.checkin(pg_temp.ticket('a'), '1', '52:54:00:00:00:02') c;
select matches(pg_temp.error($$select pg_temp.checkin('xyz', '1', '52:54:00:00:00:01')$$), '22023 \| field "ticket" is malformed', 'a malformed ticket');
select matches(pg_temp.error($$select rouse_daemon.fos_checkin('{"ticket":"00000000000000000000000000000000"}', null)$$), '22023 \| field "token" is missing', 'a missing token');
update rouse_data.ticket set expires_at = now() - interval '1 second' where hash = sha256(pg_temp.ticket('a')::bytea);
select is(c::text, '(refused,ticket_expired)', 'an expired ticket') from pg_temp.checkin(pg_temp.ticket('a'), '1', '52:54:00:00:00:01') c;
select is(pg_temp.job('first'), 'queued', 'none of them claimed the job');

-- The claim, and the same words again.
select is(pg_temp.offer_ticket('52:54:00:00:00:01'), pg_temp.ticket('a'), 'the same boot asks again');
create function pg_temp.written() returns bigint language sql as $$
	select sum(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid))::bigint from pg_class c
	where c.relnamespace = 'rouse_data'::regnamespace and c.relkind = 'r' $$;
create temp table written as select pg_temp.written() as before;
select is(pg_temp.offer_ticket('52:54:00:00:00:01') is not null and pg_temp.written() = before, true, 'and once more: nothing is written') from written;
select pg_temp.boot('52:54:00:00:00:01') \g /dev/null
insert into ticket values ('c', pg_temp.offer_ticket('52:54:00:00:00:01'));
select isnt(pg_temp.ticket('c'), pg_temp.ticket('a'), 'the next one gets a ticket of its own');
select is(c::text, '(run,)', 'a ticket is good again for that') from pg_temp.checkin(pg_temp.ticket('a'), '1', '52:54:00:00:00:01', '11111111-2222-3333-4444-555555555501') c;
select is(pg_temp.job('first'), 'running', 'claims the job');
select is(c::text, '(run,)', 'said again, it is answered again') from pg_temp.checkin(pg_temp.ticket('a'), '1', '52:54:00:00:00:01') c;
select is((select count(*)::int from rouse.attempts), 1, 'without another attempt');
select is(c::text, '(refused,identity_conflict)', 'another token with the used ticket') from pg_temp.checkin(pg_temp.ticket('a'), '2', '52:54:00:00:00:01') c;
select is(c::text, '(refused,ticket_expired)', 'the job''s other tickets are dead') from pg_temp.checkin(pg_temp.ticket('c'), '2', '52:54:00:00:00:01') c;
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'busy', 'a running job is busy');
select is((select offers from rouse.jobs where id = (select id from job)), 0, 'the guard''s count begins anew');
select is((select count(*)::int from rouse_daemon.fos_image((select image_version_id from rouse_data.job where id = (select id from job)), 1, pg_temp.token('1'), null)), 1, 'the token opens the image');
select is((select count(*)::int from rouse_daemon.fos_image((select image_version_id from rouse_data.job where id = (select id from job)), 1, pg_temp.token('2'), null)), 0, 'no other token does');

-- Alive, lost, tried again.
update rouse_data.attempt set lease_until = clock_timestamp() + interval '1 second';
select is(pg_temp.progress('1'), 'continue', 'progress goes on');
select ok((select lease_until > clock_timestamp() + interval '50 seconds' from rouse.attempts), 'and extends the lease');
select is(pg_temp.progress('9'), 'refused token_unknown', 'a token of nobody');
select matches(pg_temp.error($$select rouse_daemon.fos_progress(jsonb_build_object('token', repeat('1', 64), 'percent', '101'), null)$$), '22023 \| field "percent" is malformed', 'more than everything');
update rouse_data.attempt set lease_until = clock_timestamp() - interval '1 second';
select is(pg_temp.progress('1'), 'refused lost_client', 'progress after the lease ran out');
select is(pg_temp.job('first'), 'queued lost_client', 'the job is queued again');
select is((select count(*)::int from rouse_daemon.fos_image((select image_version_id from rouse_data.job where id = (select id from job)), 1, pg_temp.token('1'), null)), 0, 'the token opens nothing any more');
select is(pg_temp.finish('1', 'succeeded'), 'refused lost_client', 'and cannot finish it');
select is(c::text, '(refused,lost_client)', 'nor check in again') from pg_temp.checkin(pg_temp.ticket('a'), '1', '52:54:00:00:00:01') c;
select results_eq($$select answer, retry_seconds between 1 and 10 from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)$$, $$values ('busy', true)$$, 'it rests before the next attempt');
update rouse_data.job set retry_at = null;
select is(c::text, '(refused,ticket_expired)', 'tickets of before the claim stay dead') from pg_temp.checkin(pg_temp.ticket('c'), '2', '52:54:00:00:00:01') c;

-- An attempt that ends well; finish said twice.
insert into ticket values ('d', pg_temp.offer_ticket('52:54:00:00:00:01'));
select is(c::text, '(run,)', 'the second attempt') from pg_temp.checkin(pg_temp.ticket('d'), '3', '52:54:00:00:00:01') c;
select is(pg_temp.finish('3', 'succeeded'), 'ok succeeded', 'finish');
select is(pg_temp.finish('3', 'succeeded'), 'ok succeeded', 'finish, said again');
select is(pg_temp.progress('3'), 'refused attempt_ended', 'nothing after the end');

-- Errors: worth a retry or not; the last attempt.
insert into job values ('errors', rouse.inventory('lab-01'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '4', '52:54:00:00:00:01') \g /dev/null
select is(pg_temp.finish('4', 'failed', 'net_error'), 'ok queued', 'a network error is tried again');
update rouse_data.job set retry_at = null;
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '5', '52:54:00:00:00:01') \g /dev/null
select is(pg_temp.finish('5', 'failed', 'write_error'), 'ok failed', 'a write error is not');
select is(pg_temp.job('errors'), 'failed write_error', 'and the job says why');
insert into job values ('last', rouse.inventory('lab-01'));
update rouse_data.job set attempts = attempts_max - 1 where id = (select id from job where name = 'last');
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '6', '52:54:00:00:00:01') \g /dev/null
-- The database, or the only menud, was away: who could not be heard was not silent.
create function pg_temp.hello() returns text language sql as $$ select hint from rouse_daemon.hello('menud', 'one', '1', null, '', '') $$;
create function pg_temp.fall_silent() returns void language sql as $$
	update rouse_data.attempt set lease_until = clock_timestamp() - interval '1 second' where ended_at is null $$;
select pg_temp.hello(), pg_temp.fall_silent() \g /dev/null
update rouse_data.daemon set seen_at = clock_timestamp() - interval '3 minutes' where daemon = 'menud';
select results_eq('select * from rouse_daemon.tick()', 'values (0, 0, 0, 0)', 'while no menud listens nobody is called silent');
select pg_temp.hello() \g /dev/null
select is((select count(*) from rouse_data.attempt where ended_at is null and lease_until > clock_timestamp() + interval '50 seconds'), 1::bigint,
	'one that is back gives each client a whole lease');
select pg_temp.fall_silent(), pg_temp.hello() \g /dev/null
select results_eq('select * from rouse_daemon.tick()', 'values (1, 0, 0, 0)', 'tick finds the silent client');
select is(pg_temp.job('last'), 'failed lost_client', 'after the last attempt the job fails');

-- Cancelling.
insert into job values ('cancel', rouse.inventory('lab-01'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '7', '52:54:00:00:00:01') \g /dev/null
select is(rouse.cancel((select id from job where name = 'cancel')), 'cancelling', 'a running job is cancelling');
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'none', 'it is offered no more');
select is(pg_temp.progress('7'), 'cancel', 'the client is told');
select is(pg_temp.finish('7', 'cancelled'), 'ok cancelled', 'and the job is cancelled');
insert into job values ('deaf', rouse.inventory('lab-01'));
select pg_temp.checkin(pg_temp.offer_ticket('52:54:00:00:00:01'), '8', '52:54:00:00:00:01') \g /dev/null
select rouse.cancel((select id from job where name = 'deaf')), pg_temp.fall_silent() \g /dev/null
update rouse_data.daemon set seen_at = clock_timestamp() - interval '3 minutes' where daemon = 'menud';
select results_eq('select * from rouse_daemon.tick()', 'values (1, 0, 0, 0)', 'what is cancelled waits for no menud');
select matches(pg_temp.job('deaf'), '^cancelled', 'and ends');
select pg_temp.hello() \g /dev/null

-- The loop guard: boots without a check-in.
insert into job values ('loop', rouse.deploy('lab-01', 'tiny'));
create function pg_temp.boot_and_ask() returns text language plpgsql as $$
begin
	perform pg_temp.boot('52:54:00:00:00:01');
	return (select concat_ws(' ', o.answer, nullif(o.reason, 'the host has a live job'))
		from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null) o);
end $$;
select is(pg_temp.boot_and_ask(), 'job', 'first boot');
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01'), null)), 'job', 'the same boot does not count twice');
select is(pg_temp.boot_and_ask() || pg_temp.boot_and_ask(), 'jobjob', 'second and third boot');
select is(pg_temp.boot_and_ask(), 'local loop_guard', 'the fourth is sent to its disk');
select is(pg_temp.job('loop'), 'failed loop_guard', 'and the job has failed');

-- Identity: a contradiction stops what destroys data, and nothing else.
insert into job values ('wrong', rouse.deploy('lab-01', 'tiny'));
select is((select answer || ' ' || reason from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01', '11111111-2222-3333-4444-555555555502'), null)),
	'local identity_conflict', 'the MAC of one host and the UUID of another: no deploy');
select is((select count(*)::int from rouse.events where kind = 'identity_conflict' and host = 'lab-01'), 1, 'and an event says so');
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01', '03000200-0400-0500-0006-000700080009'), null)),
	'job', 'a placeholder UUID contradicts nobody');
select is((select answer from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:01', '11111111-2222-3333-4444-555555555501'), null)),
	'job', 'nor does the host''s own');
select is((select host || ' ' || (conflict is null) from rouse_data.identify(pg_temp.facts('52:54:00:00:00:01', '11111111-2222-3333-4444-555555555501')) i
	join lateral (select name as host from rouse.hosts h where h.id = i.host_id) h on true), 'lab-01 true', 'identify names the host');
insert into rouse.nics (mac, kind) values ('52:54:00:00:00:50', 'shared');
select is((select host from rouse_daemon.offer(pg_temp.facts('52:54:00:00:00:50', '11111111-2222-3333-4444-555555555501'), null)), 'lab-01',
	'behind a shared adapter the UUID decides');

select * from finish();
rollback;
