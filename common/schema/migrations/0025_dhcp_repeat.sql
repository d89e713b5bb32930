-- A machine that boots asks three times within a minute: its firmware, its loader, its system. A lease
-- may be recorded for a little longer than its client is told, so that the repeated promise is recorded already.

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('dhcp_repeat_seconds', '0', '0', 'integer', 0, 3600,
		'for how long dhcpd answers a repeated request from the lease that is recorded, which is kept that much longer than the client is told (an eighth of the lease at most); a lease that was deleted by hand meanwhile is answered, too; 0: each request is recorded anew');
