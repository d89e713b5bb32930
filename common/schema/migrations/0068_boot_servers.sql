-- Do the boot servers that machines are sent to answer? What dhcpd finds when it asks them itself, and the causes that follow.

create table rouse_data.boot_server (
	address inet not null,
	way text not null constraint "a boot server is asked by tftp or pxe" check (way in ('tftp', 'pxe')),
	file text not null,
	answer text not null constraint "a boot server's answer is one that dhcpd tells"
		check (answer in ('served', 'missing', 'refused', 'closed', 'unreachable', 'silent')),
	asked_at timestamptz not null default now(),
	asked_by text not null,
	primary key (address, way, file)
);
comment on table rouse_data.boot_server is 'What the boot servers that machines were sent to answered dhcpd, the latest of each server and file.';

-- Sites have causes of their own: what they chose for them must not be in the way of ours.
alter table rouse_data.cause drop constraint "a cause's position is used once";
update rouse_data.cause set id = 'site_' || id where id in ('pxe_port_closed', 'tftp_server_closed', 'tftp_server_silent',
	'tftp_server_lacks_file', 'tftp_server_not_reached', 'ipv6_only', 'large_packets_lost', 'script_is_none', 'offer_without_name');

insert into rouse_data.cause (position, id, stage, signs, wait_seconds, confidence, is_fault, cause, advice) values
(199, 'pxe_port_closed', 'proxy', '{"boot pxe_closed", "no proxy ack", "no tftp_nbp/ipxe_dhcp/script any after 1"}', 10, 'high', true,
	'the DHCP server %name% says PXEClient (option 60): so its firmware asks %name% for a boot file on port 4011, and nothing listens there (dhcpd %reason%)',
	'{"Take option 60 (PXEClient) out of that server''s scope: then firmware takes the file that DHCP names.",
	"Or start what is to answer on port 4011 there: dhcpd with mode = \"proxy\" in dhcpd.conf, or WDS."}'),
(294, 'tftp_server_closed', 'tftp_nbp', '{"boot tftp_closed", "no tftp_nbp/ipxe_dhcp/script/kernel any after 1"}', 5, 'high', true,
	'it was sent to %name% for its boot file, and there is no TFTP server: UDP port 69 is closed (dhcpd %reason%)',
	'{"Start tftpd on %name%, or see its log for why it ended: table rouse.daemons",
	"If tftpd is elsewhere, name its address: select rouse.setting(''next_server'', ''ADDRESS''), or update rouse.subnets set next_server = ...",
	"Named by another DHCP server? It is next-server (siaddr) there, or option 66: table rouse.foreign_dhcp"}'),
(295, 'tftp_server_silent', 'tftp_nbp', '{"boot tftp_silent/tftp_unreachable", "no tftp_nbp/ipxe_dhcp/script/kernel any after 1"}', 5, 'high', true,
	'it was sent to %name% for its boot file, and that does not answer TFTP (dhcpd %reason%)',
	'{"Is %name% the address of tftpd? select rouse.setting(''next_server'', ''ADDRESS''), or update rouse.subnets set next_server = ...",
	"Is that host up, and does its firewall pass UDP port 69, and what tftpd answers from other ports (port_first and port_last in tftpd.conf)?",
	"Named by another DHCP server? It is next-server (siaddr) there, or option 66: table rouse.foreign_dhcp"}'),
(296, 'tftp_server_lacks_file', 'tftp_nbp', '{"boot tftp_missing/tftp_refused", "no tftp_nbp/ipxe_dhcp/script/kernel any after 1"}', 5, 'high', true,
	'it was sent to the TFTP server %name%, which does not give its boot file (dhcpd %reason%)',
	'{"Put the file there, or name one that is there: table rouse.boot_files; by another DHCP server, its option 67 or filename: table rouse.foreign_dhcp",
	"Case matters to the name, and on some servers the folder and a slash at its beginning."}'),
(297, 'tftp_server_not_reached', 'tftp_nbp', '{"boot tftp_served", "no tftp_nbp/ipxe_dhcp/script/kernel any after 1"}', 20, 'medium', true,
	'it was sent to %name% for its boot file, which answers dhcpd (%reason%), and tftpd never heard of the machine',
	'{"Between the machine and %name%: has its subnet a router (option 3), and does a firewall pass UDP port 69? PXE-E11, E18 or E32 on its screen say that no answer came.",
	"Is %name% a TFTP server that is not rouse''s? Then its log has what came of it."}');
-- What is known better now is not said a second time in general.
update rouse_data.cause set signs = signs || '{"no boot tftp_closed/tftp_silent/tftp_unreachable/tftp_missing/tftp_refused/tftp_served"}'
where id in ('tftp_not_asked', 'proxy_stopped');
update rouse_data.cause set signs = signs || '{"no boot pxe_closed"}' where id = 'no_boot_name';
