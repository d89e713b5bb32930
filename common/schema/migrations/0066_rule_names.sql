-- Constraints that people meet read as sentences, also those that say "twice" and those whose names were cut off.

alter table rouse_data.nic rename constraint nic_pkey to "a MAC belongs to one network card";
alter table rouse_data.subnet rename constraint subnet_pkey to "a subnet is there once";
alter table rouse_data.pool rename constraint pool_pkey to "a pool's first address is used once";
alter table rouse_data.reservation rename constraint reservation_pkey to "an address is kept for one network card";
alter table rouse_data.host_group rename constraint host_group_pkey to "a group's name is used once";
alter table rouse_data.profile rename constraint profile_pkey to "a profile's name is used once";
alter table rouse_data.answer_file rename constraint answer_file_pkey to "an answer file's name is used once";
alter table rouse_data.menu_item rename constraint menu_item_pkey to "a menu item's key is used once";
alter table rouse_data.boot_rule rename constraint boot_rule_pkey to "a position of the boot rules is used once";
alter table rouse_data.operator rename constraint operator_pkey to "an operator's name is used once";
alter table rouse_data.event_retention rename constraint event_retention_pkey to "a kind of event has one number of days";
alter table rouse_data.cause rename constraint cause_pkey to "a cause's id is used once";

do $$
declare
	one record;
begin
	for one in
		select c.conrelid::regclass as relation, c.conname, n.new_name from pg_constraint c join (values
			('answer is nothing, first_stage%', 'an answer is one of those that rouse.boot_rules lists'),
			('a menu''s host_state is unknown%', 'a menu item''s host_state lists states of rouse.hosts'),
			('a lease''s shortest time is%', 'a lease''s shortest time is 60 seconds to lease_seconds'),
			('a lease''s longest time is%', 'a lease''s longest time is lease_seconds to a year'),
			('a mode is of wipe%', 'a mode is for wipe or test, one of those of rouse.job_kinds')) n (old_name, new_name)
			on c.conname like n.old_name
		where c.contype = 'c' and c.connamespace = 'rouse_data'::regnamespace and c.conrelid <> 0
	loop
		execute format('alter table %s rename constraint %I to %I', one.relation, one.conname, one.new_name);
	end loop;
end
$$;
alter domain rouse.exits rename constraint "an exit is one to four of: exit, sanboot, a loader such as refi" to "exits are one to four of: exit, sanboot, a loader's file";
