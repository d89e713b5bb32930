-- A BOOTP client never renews: an address of the pools is its own for as long as the site says, counted
-- from its last request.

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('dhcp_bootp_seconds', '0', '0', 'integer', 0, 31622400,
		'for how long a BOOTP client without a reservation, which never renews, has an address of the pools; longer than any such machine runs; 0: it gets none');
