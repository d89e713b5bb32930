-- One machine cannot fill the events.

insert into rouse_data.setting (name, value, "default", kind, minimum, maximum, description) values
	('events_per_minute', '600', '600', 'integer', 10, 1000000,
		'how many events of one network card are kept in a minute; of the others only their number is kept, by kind');
