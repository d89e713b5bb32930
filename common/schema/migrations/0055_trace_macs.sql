-- One machine's messages in full, while the daemons run.

alter table rouse_data.setting
	drop constraint "a setting's kind is one that check_setting() knows",
	add constraint "a setting's kind is one that check_setting() knows" check (kind in ('text', 'integer', 'boolean',
		'choice', 'path', 'address', 'urls', 'template', 'menu_key', 'exits', 'macs'));
insert into rouse_data.setting (name, value, "default", kind, description) values
	('trace_macs', '', '', 'macs',
		'the MACs of up to 16 network cards, joined by spaces, of which every daemon logs all that it can say (level debug)');
