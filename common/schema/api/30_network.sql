-- Subnets, pools, reservations, leases.

create view rouse.subnets as
	select id, subnet, routers, dns, domain_name, next_server, lease_seconds, menud_urls, loop_breaker, comment
	from rouse_data.subnet order by subnet;
call rouse_data.describe('rouse.subnets', 'Networks that dhcpd serves.', '{
	"id": "number, made by the database", "subnet": "the network, such as 10.77.0.0/24",
	"routers": "default gateways, best first", "dns": "name servers, best first",
	"domain_name": "the domain of its machines", "next_server": "tftpd''s address, if not dhcpd''s own",
	"lease_seconds": "how long a lease lasts", "menud_urls": "where iPXE finds menud, if not as in rouse.settings",
	"loop_breaker": "whether iPXE that asks tftpd for its own binary again gets its script instead",
	"comment": "your words"}');

create view rouse.pools as
	select id, subnet, first, last from rouse_data.pool order by first;
call rouse_data.describe('rouse.pools', 'Addresses that dhcpd may give to anybody.', '{
	"id": "number, made by the database", "subnet": "the network that it lies in",
	"first": "its first address", "last": "its last address"}');

create view rouse.reservations as
	select mac, address, comment from rouse_data.reservation order by address;
call rouse_data.describe('rouse.reservations', 'Addresses kept for one network card.', '{
	"mac": "the card", "address": "the address that it gets", "comment": "your words"}');

create view rouse.leases as
	select l.address, l.mac, n.host, l.host_name,
		case when l.state = 'bound' and l.expires_at < now() then 'expired' else l.state end as state,
		l.granted_at, l.expires_at, l.class, l.client, l.instance
	from rouse_data.lease l left join rouse_data.nic n on n.mac = l.mac
	order by l.address;
call rouse_data.describe('rouse.leases', 'Addresses given out. dhcpd alone changes them.', '{
	"address": "the address", "mac": "the card, if the client has shown one", "host": "the machine that owns the card",
	"host_name": "the name that the client calls itself", "state": "bound, expired, released or declined",
	"granted_at": "when it was last granted", "expires_at": "how long it is kept for this client",
	"class": "the client''s vendor class", "client": "the client''s key: identifier, or type and hardware address",
	"instance": "the dhcpd that granted it"}');
