-- A machine's way through its job: offer, check-in, two reports, end. Client and count name the host, so that none
-- finds another's job; run has given each host one.
\set count :count + 1
\set n 1 + :client_id * 200 + :count
select '52' || lpad(to_hex(:n), 10, '0') as mac, md5(random()::text) || md5(random()::text) as token \gset
select ticket from rouse_daemon.offer('{"mac0": ":mac"}', null) \gset
select answer from rouse_daemon.fos_checkin('{"mac0": ":mac", "ticket": ":ticket", "token": ":token"}', null) \gset
select answer from rouse_daemon.fos_progress('{"token": ":token", "step": "look", "percent": "10"}', null) \gset
select 1 / (answer = 'continue')::int as alive from rouse_daemon.fos_progress('{"token": ":token", "step": "look", "percent": "90"}', null) \gset
