-- 10,000 hosts with a card each, a million ended jobs with what belongs to them, and 200,000 events. The triggers rest
-- meanwhile: what they would write is written here.
set client_min_messages = warning;
select rouse.publish_image('tiny', 1, 'images/tiny', 10, repeat('a', 64), 100, repeat('b', 64)) \g /dev/null
begin;
alter table rouse_data.job disable trigger user;
alter table rouse_data.host disable trigger user;
alter table rouse_data.nic disable trigger user;
insert into rouse_data.host (name) select 'h' || n from generate_series(1, 10000) n;
insert into rouse_data.nic (mac, host) select ('52' || lpad(to_hex(n), 10, '0'))::macaddr, 'h' || n from generate_series(1, 10000) n;
-- The oldest first, as they come in life: an hour's jobs together, each host once.
insert into rouse_data.job (host_id, kind, state, attempts_max, attempts, created_at, ended_at)
	select h.id, 'inventory', 'succeeded', 3, 1, t.at - interval '3 minutes', t.at
	from generate_series(1, greatest(:jobs / 10000, 1)) n cross join rouse_data.host h
	cross join lateral (select now() - make_interval(hours => n) + h.id * interval '0.3 s' as at) t order by t.at;
alter table rouse_data.job enable trigger user;
alter table rouse_data.host enable trigger user;
alter table rouse_data.nic enable trigger user;
insert into rouse_data.job_history (job_id, host_id, at, from_state, to_state, who)
	select j.id, j.host_id, j.ended_at - interval '1 minute' * (3 - s.n), s.f, s.t, 'x' from rouse_data.job j,
	(values (0, null, 'queued'), (1, 'queued', 'running'), (3, 'running', 'succeeded')) s (n, f, t) order by 3, 1;
insert into rouse_data.attempt (job_id, host_id, number, token_hash, mac, facts, claimed_at, lease_until, ended_at, outcome)
	select id, host_id, 1, sha256(id::text::bytea), '52:00:00:00:00:01', '{}', ended_at - interval '2 minutes', ended_at, ended_at, 'succeeded' from rouse_data.job order by id;
insert into rouse_data.offer (job_id, claimed_at) select id, ended_at from rouse_data.job;
insert into rouse_data.event (at, daemon, instance, stage, kind, mac, host)
	select clock_timestamp() - interval '1 hour' * (random() * 20), 'dhcpd', 'd', 'fw_dhcp', 'discover', n.mac, n.host from rouse_data.nic n, generate_series(1, 20);
commit;
vacuum analyze;
checkpoint;
