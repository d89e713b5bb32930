-- A machine's way through its job: offer, check-in, two reports, end. Client and count name the host, so that none
-- finds another's job; run has given each host one. The calls are prepared once for each connection, as the daemons do it.
\set count :count + 1
\set n 1 + :client_id * 200 + :count
\set a random(1000000000000000, 9999999999999999)
\set b random(1000000000000000, 9999999999999999)
\set c random(1000000000000000, 9999999999999999)
\set d random(1000000000000000, 9999999999999999)
select ticket from rouse_daemon.offer(jsonb_build_object('mac0', '52' || lpad(to_hex(:n::int), 10, '0')), null) \gset
select answer from rouse_daemon.fos_checkin(jsonb_build_object('mac0', '52' || lpad(to_hex(:n::int), 10, '0'), 'ticket', :ticket::text, 'token', concat(:a::bigint, :b::bigint, :c::bigint, :d::bigint)), null) \gset
select answer from rouse_daemon.fos_progress(jsonb_build_object('token', concat(:a::bigint, :b::bigint, :c::bigint, :d::bigint), 'step', 'look', 'percent', 10), null) \gset
select answer from rouse_daemon.fos_progress(jsonb_build_object('token', concat(:a::bigint, :b::bigint, :c::bigint, :d::bigint), 'step', 'look', 'percent', 90), null) \gset
select 1 / (state = 'succeeded')::int as ended from rouse_daemon.fos_finish(jsonb_build_object('token', concat(:a::bigint, :b::bigint, :c::bigint, :d::bigint), 'outcome', 'succeeded'), null) \gset
