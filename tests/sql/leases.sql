-- Leases: the database decides who has an address.
begin;
select plan(49);
insert into rouse.subnets (subnet) values ('10.77.0.0/24'), ('10.78.0.0/24');
create function pg_temp.grant(address text, client text, seconds int default 600) returns text language sql as $$
	select concat_ws(' ', convert_from(g.client, 'UTF8'), g.granted, g.seconds_left)
	from rouse_daemon.lease_grant('t', array[address::inet], array[client::bytea], '{null}', array[seconds], '{null}', '{null}') g $$;
create function pg_temp.end_lease(address text, client text, how text) returns int language sql as $$
	select rouse_daemon.lease_end('t', array[address::inet], array[client::bytea], array[how]) $$;
create function pg_temp.expire(the_address text, ago interval) returns void language sql as $$
	update rouse_data.lease set expires_at = now() - ago where address = the_address::inet $$;

select is(pg_temp.grant('10.77.0.5', 'A'), 'A t 600', 'a free address is granted');
select is(pg_temp.grant('10.77.0.5', 'A', 900), 'A t 900', 'and renewed');
select is(pg_temp.grant('10.77.0.5', 'B'), 'A f 900', 'another client is told the owner');
select pg_temp.expire('10.77.0.5', '30 seconds') \g /dev/null
select is(pg_temp.grant('10.77.0.5', 'B'), 'A f -30', 'also in the grace after the expiry');
select is((select state from rouse.leases), 'expired', 'when it is shown as expired');
select pg_temp.expire('10.77.0.5', '61 seconds') \g /dev/null
select is((select count(*)::int from rouse_daemon.lease_load(null, 10)), 1, 'past its grace it is loaded: its client comes back to it');
select is((select count(*)::int from rouse_daemon.lease_find(array['A']::bytea[])), 1, 'but found');
select is(pg_temp.grant('10.77.0.5', 'B'), 'B t 600', 'and free for others');

select is(pg_temp.grant('10.77.0.6', 'B'), 'B t 600', 'a client takes another address of the subnet');
select is((select state from rouse.leases where address = '10.77.0.5'), 'released', 'and loses the first');
select is(pg_temp.grant('10.78.0.6', 'B'), 'B t 600', 'an address in another subnet');
select is((select state from rouse.leases where address = '10.77.0.6'), 'bound', 'takes nothing away');
select is(pg_temp.grant('10.77.0.5', 'C'), 'B f 600', 'an address freed early is kept until its expiry');

select is(pg_temp.end_lease('10.77.0.6', 'C', 'released'), 0, 'nobody ends the lease of another');
select is(pg_temp.end_lease('10.77.0.6', 'B', 'released'), 1, 'a client releases its own');
select is(pg_temp.end_lease('10.77.0.6', 'B', 'released'), 0, 'once');
select is(pg_temp.grant('10.77.0.6', 'B'), 'B t 600', 'and gets it back');
select is(pg_temp.end_lease('10.77.0.6', 'B', 'declined'), 1, 'it declines it');
select is(pg_temp.grant('10.77.0.6', 'B'), 'B f 3600', 'then it is for nobody, not even for itself');
select is(pg_temp.end_lease('10.77.0.5', 'B', 'declined'), 1, 'also what it gave back and was offered again');
select is(pg_temp.end_lease('10.77.0.5', 'B', 'released'), 0, 'which is no release of it');
select matches(pg_temp.error($$select pg_temp.end_lease('10.77.0.6', 'B', 'lost')$$), '22023.*released or declined', 'no other end');

select results_eq($$select address, encode(client, 'escape'), granted from rouse_daemon.lease_grant('t',
	'{10.77.0.30,10.77.0.20,10.77.0.30}', array['X', 'Y', 'Z']::bytea[], '{null,null,null}', '{60,60,60}', '{x,y,z}', '{null,null,null}')$$,
	$$values ('10.77.0.30'::inet, 'Z', false), ('10.77.0.20', 'Y', true), ('10.77.0.30', 'Z', true)$$,
	'a batch answers each element in its order; of one address twice the newest wins');
select results_eq($$select address, granted from rouse_daemon.lease_grant('t',
	'{10.77.0.40,10.77.0.41}', array['W', 'W']::bytea[], '{null,null}', '{60,60}', '{null,null}', '{null,null}')$$,
	$$values ('10.77.0.40'::inet, false), ('10.77.0.41', true)$$, 'one client, one live address, within a batch too');
select is((select count(*)::int from rouse_daemon.lease_grant('t', '{}', '{}', '{}', '{}', '{}', '{}')), 0, 'an empty batch is nothing');
select matches(pg_temp.error($$select rouse_daemon.lease_grant('t', '{10.0.0.1}', '{}', '{}', '{}', '{}', '{}')$$), '22023.*different lengths', 'arrays of different lengths');
select matches(pg_temp.error($$select pg_temp.grant('10.77.0.9', 'Q', 0)$$), '22023.*no seconds', 'a lease of no time');

-- What the other dhcpd are told.
create function pg_temp.changes(who text, since xid8) returns text language sql as $$
	select string_agg(concat_ws(' ', host(c.address), convert_from(c.client, 'UTF8'), c.state), ', ' order by c.address)
	from rouse_daemon.lease_changes(who, since) c where c.next is null $$;
truncate rouse_data.lease_change;
select is(pg_temp.changes('u', '3'), null, 'nothing has changed');
select is((select count(*)::int from rouse_daemon.lease_changes('u', null) where next is not null), 1, 'the mark is always told');
select is(pg_temp.grant('10.77.0.50', 'E'), 'E t 600', 'a grant');
select is(pg_temp.changes('u', '3'), '10.77.0.50 E bound', 'is told to others');
select is(pg_temp.changes('t', '3'), null, 'but not to who granted it');
select is(pg_temp.grant('10.77.0.51', 'E'), 'E t 600', 'the client moves');
select is(pg_temp.changes('u', '3'), '10.77.0.50 E released, 10.77.0.51 E bound', 'then both are told');
select is(pg_temp.end_lease('10.77.0.51', 'E', 'declined'), 1, 'it declines');
select is(pg_temp.changes('u', '3'), '10.77.0.50 E released, 10.77.0.51 E declined', 'each lease is told once, as it stands');

-- Somebody uses an address without a lease.
create function pg_temp.in_use(the_address text, client text) returns text language plpgsql as $$
declare
	is_new boolean := rouse_daemon.lease_in_use('t', the_address::inet, client::bytea, '02:00:00:00:00:01');
begin
	return (select concat_ws(' ', is_new, convert_from(l.client, 'UTF8'), l.state, (extract(epoch from l.expires_at - now()))::int)
		from rouse.leases l where l.address = the_address::inet);
end $$;
truncate rouse_data.lease_change;
select is(pg_temp.in_use('10.77.0.70', 'H'), 't H declined 3600', 'an address that nobody had is quarantined');
select is(pg_temp.grant('10.77.0.70', 'H'), 'H f 3600', 'and given to nobody');
select is(pg_temp.changes('u', '3'), '10.77.0.70 H declined', 'the other dhcpd are told');
select is(pg_temp.in_use('10.77.0.41', 'H'), 'f W bound 60', 'a lease is not touched by it');
select pg_temp.expire('10.77.0.41', '30 seconds') \g /dev/null
select is(pg_temp.in_use('10.77.0.41', 'H'), 'f W expired -30', 'nor within its grace');
select pg_temp.expire('10.77.0.41', '61 seconds') \g /dev/null
select is(pg_temp.in_use('10.77.0.41', 'H'), 't H declined 3600', 'an old one is');
select is(pg_temp.changes('u', '3'), '10.77.0.41 H declined, 10.77.0.70 H declined', 'and only that is told');

-- After a failover.
create function pg_temp.reassert(the_address text, client text) returns text language plpgsql as $$
declare
	kept boolean := (select r.kept from rouse_daemon.lease_reassert('v', array[the_address::inet], array[client::bytea], '{null}', '{900}') r);
begin
	return (select concat_ws(' ', kept, convert_from(l.client, 'UTF8'), l.state, (extract(epoch from l.expires_at - now()))::int)
		from rouse.leases l where l.address = the_address::inet);
end $$;
select is(pg_temp.reassert('10.77.0.60', 'F'), 't F bound 900', 'a lease that was lost is recorded again');
select is(pg_temp.reassert('10.77.0.60', 'F'), 't F bound 900', 'one that was not is as it was');
select is(pg_temp.reassert('10.77.0.60', 'G'), 'f F declined 900', 'one that another client got meanwhile is nobody''s');
select pg_temp.expire('10.77.0.60', '61 seconds') \g /dev/null
select is(pg_temp.reassert('10.77.0.60', 'G'), 't G bound 900', 'until both promises are over');
select cmp_ok(rouse_daemon.timeline(), '>=', 1::bigint, 'a server has a timeline');
select is(current_setting('synchronous_commit'), 'on', 'no lease is said to be recorded that may be lost with the power');
select * from finish();
rollback;
