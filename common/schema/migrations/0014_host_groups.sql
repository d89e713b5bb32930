-- Groups of hosts, and DHCP options for them.

create table rouse_data.host_group (
	id bigint generated always as identity constraint "a group's id is used once" unique,
	name rouse.key primary key,
	comment text,
	created_at timestamptz not null default now(),
	created_by text not null default session_user
);
comment on table rouse_data.host_group is 'Groups: machines that are configured alike.';

-- Named "group_name" everywhere: "group" is a word of SQL, and would have to be quoted. A group with
-- hosts is not deleted: they would lose what it gives them without a word.
alter table rouse_data.host
	add group_name rouse.key
		constraint "a host's group is known and stays while a host is in it"
		references rouse_data.host_group (name) on update cascade on delete restrict;
create index host_group_name on rouse_data.host (group_name);

-- The scope is written by the trigger from now on: a generated column's expression can be taken away
-- beneath a view, but not changed.
alter table rouse_data.dhcp_option
	alter column scope drop expression,
	add group_name rouse.key constraint "an option's group is known"
		references rouse_data.host_group (name) on update cascade on delete cascade,
	drop constraint "an option is for a subnet, a class, a host or for all",
	add constraint "an option is for a subnet, a class, a group, a host or for all"
		check (num_nonnulls(subnet, class, group_name, host) <= 1),
	drop constraint "a scope has one value of an option",
	add constraint "a scope has one value of an option"
		unique nulls not distinct (subnet, class, group_name, host, code);
comment on table rouse_data.dhcp_option is 'Values of DHCP options, by scope: global < subnet < class < group < host.';
