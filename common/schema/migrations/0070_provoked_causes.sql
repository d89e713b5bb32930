-- What boots that were made to fail with real firmware showed to be missing.

insert into rouse_data.cause (position, id, stage, signs, wait_seconds, confidence, is_fault, cause, advice) values
(303, 'large_packets_lost', 'tftp_nbp', '{"tftp_nbp timeout saying \"fell silent\" with {\"bytes\":0}", "no tftp_nbp sent after 1", "no ipxe_dhcp/script any after 1"}', 0, 'medium', true,
	'tftpd''s short answers reach it, and not one whole block of %name%: full packets are lost on the way',
	'{"A link on the way (a tunnel, a VPN, a virtual switch) takes no packets of 1500 octets: give it a larger MTU, or set blksize_max = 1024 in tftpd.conf.",
	"ping -M do -s 1472 ADDRESS from tftpd''s host to a machine there shows it; with less after -s, how much passes.",
	"Was it switched off at that moment? Then try again."}'),
(538, 'script_is_none', 'script', '{"boot no_script", "no script any from menud after 1", "no kernel/initrd/local_boot any after 1"}', 10, 'high', true,
	'what tftpd gave iPXE for a script is none: %name% %reason%',
	'{"A script begins with #!ipxe, without a byte-order mark: look at that file below root in tftpd.conf.",
	"Without such a file tftpd makes default.ipxe itself: remove it, and give menud''s address: select rouse.setting(''menud_urls'', ''http://ADDRESS:8080'')"}');
