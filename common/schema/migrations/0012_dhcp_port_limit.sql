-- One port of a switch cannot take a whole pool.

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('dhcp_port_addresses_max', '0', '0', 'integer', 0, 32,
		'how many addresses the machines behind one relay port (option 82) may have at once; 0: any number');
