-- UEFI takes no offer that names no boot file: it asks again, as if it had heard nothing.
insert into rouse_data.cause (position, id, stage, signs, wait_seconds, confidence, is_fault, cause, advice) values
(148, 'offer_without_name', 'fw_dhcp', '{"fw_dhcp offer unnamed saying \"^(?!the host is)\" 2 times", "no fw_dhcp offer named \".\"", "no fw_dhcp request/ack", "no proxy any"}', 15, 'high', true,
	'its firmware is offered an address and no boot file, and takes no such offer (PXE-E16 on its screen): %reason%',
	'{"Let the DHCP server name a file for its architecture: select * from rouse.dhcp_snippet(''kea'')",
	"Or run dhcpd beside it with mode = \"proxy\" in dhcpd.conf."}');
