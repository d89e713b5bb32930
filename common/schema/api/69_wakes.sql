-- Wake-on-LAN. An order is sent by a daemon that stands in the machine's network, as a broadcast there; if there is none,
-- after some seconds by any daemon, as a broadcast directed to that network. Whether it worked shows by the boot that follows.

create function rouse_data.last_address(the_host text) returns inet
language sql stable as $$
	select coalesce(
		(select r.address from rouse_data.reservation r join rouse_data.nic n on n.mac = r.mac where n.host = the_host limit 1),
		(select l.address from rouse_data.nic n
			join rouse_data.lease l on l.client = '\x01'::bytea || decode(replace(n.mac::text, ':', ''), 'hex')
			where n.host = the_host order by l.granted_at desc limit 1),
		(select e.address from rouse_data.nic n cross join lateral (
				select e.at, e.address from rouse_data.event e
				where e.mac = n.mac and e.address is not null order by e.at desc limit 1) e
			where n.host = the_host order by e.at desc limit 1))
$$;
comment on function rouse_data.last_address is 'Where this machine was last: reserved, leased, or seen; null when nobody knows.';

create function rouse_data.wake_targets(at_address inet, networks inet[]) returns inet[]
language sql stable as $$
	select coalesce(
		(select array_agg(distinct set_masklen(broadcast(n), 32)) from unnest(networks) n where at_address <<= network(n)),
		(select array[set_masklen(broadcast(s.subnet), 32)] from rouse_data.subnet s where at_address <<= s.subnet),
		case when at_address is not null then array[set_masklen(broadcast(set_masklen(at_address, 24)), 32)] end,
		array(select set_masklen(broadcast(n), 32) from unnest(networks) n
			union select set_masklen(broadcast(s.subnet), 32) from rouse_data.subnet s))
$$;
comment on function rouse_data.wake_targets is
	'Broadcast addresses to send to: of the daemon''s own network, of the subnet, of the 256 addresses around, or, for a machine that was nowhere, of all networks that are known.';

-- The number of orders taken at once is also what keeps a room of machines from starting within the same second.
create function rouse_daemon.wake_claim(instance text, networks inet[])
returns table (wake bigint, mac macaddr, target inet)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
	one record;
begin
	for one in
		select w.id, h.name, rouse_data.last_address(h.name) as address, w.ordered_at
		from rouse_data.wake w join rouse_data.host h on h.id = w.host_id
		where w.sent_at is null and w.ordered_at > now() - interval '10 minutes'
			and (w.claimed_at is null or w.claimed_at < now() - interval '10 seconds')
		order by w.ordered_at, w.id limit 64 for update of w skip locked
	loop
		continue when one.ordered_at > now() - interval '5 seconds' and one.address is not null
			and not exists (select from unnest(networks) n where one.address <<= network(n));
		update rouse_data.wake w set claimed_at = now(), claimed_by = instance where w.id = one.id;
		return query select one.id, n.mac, t.target
			from rouse_data.nic n cross join unnest(rouse_data.wake_targets(one.address, networks)) t (target)
			where n.host = one.name and n.kind in ('primary', 'extra');
	end loop;
end
$$;
comment on function rouse_daemon.wake_claim is
	'Takes wake orders to be sent by a daemon whose own networks are these: one row for each packet. Each order is taken by one daemon.';

create function rouse_daemon.wake_sent(instance text, wake bigint, targets inet[], problem text) returns void
language sql security definer
set search_path = rouse_data, pg_catalog, pg_temp set lock_timeout = '2s' as $$
	update rouse_data.wake w set problem = wake_sent.problem, claimed_by = wake_sent.instance,
		sent_at = case when cardinality(targets) > 0 then clock_timestamp() end,
		sent_to = case when cardinality(targets) > 0 then targets end
	where w.id = wake_sent.wake and w.sent_at is null
$$;
comment on function rouse_daemon.wake_sent is
	'A claimed order was sent to these addresses. None: it failed, for that reason, and is tried again until it is 10 minutes old.';

create view rouse.wakes with (security_barrier) as
	select w.id, h.name as host, w.ordered_at, w.ordered_by, w.job_id as job,
		case when b.booted_at is not null then 'booted'
			when w.sent_at < now() - interval '10 minutes' then 'no boot followed'
			when w.sent_at is not null then 'sent'
			when w.ordered_at < now() - interval '10 minutes' then 'not sent'
			when w.problem is not null then 'failed, is tried again'
			else 'ordered' end as state,
		b.booted_at, w.sent_at, w.claimed_by as sent_by, w.sent_to,
		case when w.sent_at is null then coalesce(w.problem,
			case when w.ordered_at < now() - interval '10 minutes' then 'no daemon stood in a network to send it to' end) end as problem
	from rouse_data.wake w join rouse_data.host h on h.id = w.host_id
	cross join lateral (select min(e.at) as booted_at from rouse_data.event e join rouse_data.nic n on n.mac = e.mac
		where n.host = h.name and e.stage = 'fw_dhcp' and e.at > w.ordered_at
			and e.at < w.ordered_at + interval '1 hour') b
	where case when (select rouse.my_groups()) is null then true else w.host_id in (select m.id from rouse_data.my_host m) end
	order by w.id desc;
call rouse_data.describe('rouse.wakes', 'Orders to wake machines by Wake-on-LAN. Made by rouse.wake(), jobs and schedules.', '{
	"id": "number", "host": "the machine", "ordered_at": "when", "ordered_by": "by whom", "job": "for this job, if for one",
	"state": "ordered, sent, booted; no boot followed within 10 minutes: Wake-on-LAN is off in its firmware, it starts from its disk, or the packet is not let through; not sent within 10 minutes; or failed, and is tried again",
	"booted_at": "when its firmware was heard next, within an hour; null: not yet", "sent_at": "when the packets left",
	"sent_by": "the daemon that sent or tries it", "sent_to": "the broadcast addresses", "problem": "why it was not sent"}');
