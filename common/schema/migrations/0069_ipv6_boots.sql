-- dhcpd hears what machines that boot ask by IPv6: one that asks for nothing else, and firmware that goes on to IPv6.

insert into rouse_data.cause (position, id, stage, signs, wait_seconds, confidence, is_fault, cause, advice) values
(172, 'ipv6_only', 'fw_dhcp', '{"fw_dhcp solicit", "no fw_dhcp discover", "no proxy/tftp_nbp/ipxe_dhcp/script any after 1"}', 90, 'medium', true,
	'its firmware asks for an address by IPv6 only, and nobody serves that',
	'{"Switch its IPv4 network boot on in the firmware''s setup, and put it before IPv6 in the boot order.",
	"If it asked by IPv4 before, see what became of that: select * from rouse.trace(''%mac%'')"}');
-- Firmware whose boot has failed tries its next entry, which may be the one of IPv6.
update rouse_data.cause c set signs = array(
	select replace(s.sign, 'fw_dhcp discover after', 'fw_dhcp discover/solicit after') from unnest(c.signs) with ordinality s (sign, n) order by s.n)
where c.id in ('first_stage_refused', 'boots_network_again', 'comes_back_from_disk');
