-- An address that a client never had: dhcpd may ask first whether somebody uses it already, and the
-- cards of one maker get so many and no more.

alter table rouse_data.subnet
	add probe text not null default 'off'
		constraint "addresses are probed by arp, icmp, auto (as fits), or off"
		check (probe in ('off', 'arp', 'icmp', 'auto'));

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('dhcp_probe_ms', '300', '300', 'integer', 50, 2000,
		'how long dhcpd waits for an answer from an address that it is about to offer, where rouse.subnets says probe'),
	('dhcp_prefix_addresses_max', '0', '0', 'integer', 0, 10000,
		'how many addresses unknown machines whose MACs begin with the same three octets may have at once; 0: any number');
