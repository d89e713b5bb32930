-- What the sentences of causes speak of, read as by whoever has the broken machine before them.

-- The first sign of a cause is what its sentence speaks of: so it must be the one that has the name or the reason.
update rouse_data.cause c set signs = n.signs::text[] from (values
	('shim_load_options', '{"tftp_nbp missing named \"^[^a-z0-9./]|Onboard|USB|HDD\"", "tftp_nbp any named \"revocations\"", "no tftp_nbp sent after 1"}'),
	('ipxe_shim', '{"tftp_nbp missing named \"(^|/)(ipxe|snponly)\\.efi$\"", "tftp_nbp sent named \"(snponly|ipxe)-?shim\"", "no tftp_nbp sent after 1"}'),
	('fos_other_address', '{"boot address_changed", "initrd sent", "no fos any after 2"}'),
	('http_boot_got_pxe', '{"fw_dhcp offer/ack named \"^(?!https?://).\"", "fw_dhcp any with {\"class\":\"http\"}", "no tftp_nbp/ipxe_dhcp/script any after 1"}')) n (id, signs)
where c.id = n.id;
-- A number says nothing to whoever reads it for the first time.
update rouse_data.cause set cause = replace(cause, '(error %name%)', '(error %name%: %meaning%)')
where id in ('tls_refused', 'not_a_script', 'refused_over_http', 'server_unreachable', 'image_refused');
update rouse_data.cause set cause = 'iPXE reports error %name%: %meaning%' where id = 'ipxe_error' and cause = 'iPXE reports error %name%';
update rouse_data.cause set cause = 'it took the offer of another DHCP server, %name%, and boots as that one says'
where id = 'another_server_chosen' and cause = 'it took the offer of another DHCP server, and boots as that one says';
-- Our script tries again after an error, twelve times, and goes to the local disk then: the error stands until the client system, another choice
-- or a local boot that was meant comes after it.
update rouse_data.cause set signs = array[signs[1], 'no fos/os_dhcp any after 1', 'no script profile after 1',
	'no local_boot any saying "^(?!asked in vain)" after 1']
where id in ('tls_refused', 'not_a_script', 'refused_over_http', 'server_unreachable', 'image_refused', 'ipxe_error');
update rouse_data.cause set signs = signs || '{"no script failed"}' where id = 'initrd_not_fetched';
update rouse_data.cause set signs = array[signs[1], signs[2], 'no fos any after 1', 'no local_boot any saying "^(?!asked in vain)" after 1']
where id = 'file_missing';
