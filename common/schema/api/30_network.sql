-- Subnets, pools, reservations, leases.

create view rouse.subnets as
	select id, subnet, routers, dns, domain_name, next_server, lease_seconds, menud_urls, loop_breaker, comment,
		lease_seconds_min, lease_seconds_max, shared_network, probe
	from rouse_data.subnet order by subnet;
call rouse_data.describe('rouse.subnets', 'Networks that dhcpd serves.', '{
	"id": "number, made by the database", "subnet": "the network, such as 10.77.0.0/24",
	"routers": "default gateways, best first", "dns": "name servers, best first",
	"domain_name": "the domain of its machines", "next_server": "tftpd''s address, if not dhcpd''s own",
	"lease_seconds": "how long a lease lasts", "menud_urls": "where iPXE finds menud, if not as in rouse.settings",
	"loop_breaker": "whether iPXE that asks tftpd or menud for its own binary again gets its script instead",
	"lease_seconds_min": "the shortest lease that a client may wish for, if not lease_seconds",
	"lease_seconds_max": "the longest one", "shared_network": "subnets on one link have the same word here",
	"probe": "whether dhcpd asks for an address before it offers it: off; arp (on its own link); icmp; auto (arp on its own link, icmp behind relays)",
	"comment": "your words"}');

-- One table in FROM: so the view can be written to. A reader may call none of our functions.
create view rouse.pools as
	select p.id, p.subnet, p.first, p.last, p.last - p.first + 1 as total,
		(select count(*) from rouse_data.lease l where l.address between p.first and p.last
			and l.state = 'bound' and l.expires_at > now()) as bound,
		(select count(*) from rouse_data.lease l where l.address between p.first and p.last
			and l.state = 'declined' and l.expires_at > now()) as declined,
		(select count(*) from rouse_data.lease l where l.address between p.first and p.last
			and l.expires_at >= now() - make_interval(secs => (select s.value::int from rouse_data.setting s
				where s.name = 'lease_grace_seconds'))
			and not (l.state in ('bound', 'declined') and l.expires_at > now())) as waiting,
		(select count(*) from rouse_data.reservation r where r.address between p.first and p.last
			and not exists (select from rouse_data.lease l where l.address = r.address
				and l.expires_at >= now() - make_interval(secs => (select s.value::int from rouse_data.setting s
					where s.name = 'lease_grace_seconds')))) as reserved,
		p.last - p.first + 1 - (select count(*) from (
			select l.address from rouse_data.lease l where l.address between p.first and p.last
				and l.expires_at >= now() - make_interval(secs => (select s.value::int from rouse_data.setting s
					where s.name = 'lease_grace_seconds'))
			union select r.address from rouse_data.reservation r where r.address between p.first and p.last) t) as free
	from rouse_data.pool p order by p.first;
call rouse_data.describe('rouse.pools', 'Addresses that dhcpd may give to anybody, and how many are left.', '{
	"id": "number, made by the database", "subnet": "the network that it lies in",
	"first": "its first address", "last": "its last address", "total": "how many addresses it has",
	"bound": "leases in use now", "declined": "addresses in quarantine",
	"waiting": "given back or just ended, and kept for their clients until their recorded end and grace",
	"reserved": "addresses kept for one card, and not among those before",
	"free": "what a new client may get: total less all of these"}');

create view rouse.reservations with (security_barrier) as
	select mac, address, comment from rouse_data.reservation r
	where (select rouse.my_groups()) is null or r.mac in (select m.mac from rouse_data.my_card m)
	order by address;
call rouse_data.describe('rouse.reservations', 'Addresses kept for one network card.', '{
	"mac": "the card", "address": "the address that it gets", "comment": "your words"}');

create function rouse_data.tell_unserved() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	if not exists (select from rouse_data.subnet s where s.subnet >> new.address) then
		raise notice 'address % lies in no subnet of rouse.subnets: dhcpd gives it to nobody before there is one', host(new.address);
	end if;
	return null;
end
$$;
comment on function rouse_data.tell_unserved is 'Says of an address that it is kept, and of no use yet.';
create trigger tell_unserved after insert or update of address on rouse_data.reservation
	for each row execute function rouse_data.tell_unserved();

create function rouse_data.tell_leases() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	leases constant bigint := (select count(*) from rouse_data.lease l
		where l.address << old.subnet and l.state = 'bound' and l.expires_at > now());
begin
	if leases > 0 then
		raise notice 'subnet % goes with % running leases: their clients keep the addresses until they end', old.subnet, leases;
	end if;
	return null;
end
$$;
comment on function rouse_data.tell_leases is 'Says of a subnet that is deleted how many leases run there.';
create trigger tell_leases after delete on rouse_data.subnet
	for each row execute function rouse_data.tell_leases();

create view rouse.leases with (security_barrier) as
	select l.address, l.mac, n.host, l.host_name,
		case when l.state = 'bound' and l.expires_at < now() then 'expired' else l.state end as state,
		l.granted_at, l.expires_at, l.class, l.client, l.instance, o.relay,
		case when encode(o.circuit_id, 'escape') ~ '^[ -\[\]-~]*$' then encode(o.circuit_id, 'escape')
			else '0x' || encode(o.circuit_id, 'hex') end as circuit_id,
		case when encode(o.remote_id, 'escape') ~ '^[ -\[\]-~]*$' then encode(o.remote_id, 'escape')
			else '0x' || encode(o.remote_id, 'hex') end as remote_id
	from rouse_data.lease l left join rouse_data.nic n on n.mac = l.mac
	left join rouse_data.lease_origin o on o.address = l.address and o.client = l.client
	where (select rouse.my_groups()) is null or l.mac in (select m.mac from rouse_data.my_card m)
	order by l.address;
call rouse_data.describe('rouse.leases', 'Addresses given out. dhcpd alone changes them.', '{
	"address": "the address", "mac": "the card, if the client has shown one", "host": "the machine that owns the card",
	"host_name": "the name that the client calls itself", "state": "bound, expired, released or declined",
	"granted_at": "when it was last granted", "expires_at": "how long it is kept for this client",
	"class": "the client''s vendor class", "client": "the client''s key: identifier, or type and hardware address",
	"instance": "the dhcpd that granted it", "relay": "the relay agent that it came by",
	"circuit_id": "the port, as the relay calls it (option 82.1): text, or octets as 0x...",
	"remote_id": "the relay''s own name, or the client''s modem (option 82.2)"}');
