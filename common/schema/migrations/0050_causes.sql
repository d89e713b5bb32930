-- Why a machine did not boot: the causes, each with what the servers see of it, and the words of error codes.

create type rouse_data.fact as (
	at timestamptz,
	stage text,
	kind text,
	daemon text,
	name text,
	reason text,
	count int,
	address inet,
	uuid uuid,
	detail jsonb,
	is_earlier boolean
);
comment on type rouse_data.fact is 'One thing that is known of a boot: an event, or what was concluded from several.';

create table rouse_data.cause (
	id rouse.key primary key,
	position int not null constraint "a cause's position is used once" unique
		constraint "a cause's position is 1 or more" check (position >= 1),
	stage text not null constraint "a cause's stage is one of a boot's, or machine or site" check (stage in ('site', 'machine',
		'power', 'fw_dhcp', 'proxy', 'tftp_nbp', 'ipxe_dhcp', 'script', 'kernel', 'initrd', 'fos', 'work', 'local_boot')),
	signs text[] not null constraint "a cause has signs"
		check (cardinality(signs) > 0 and array_position(signs, null) is null),
	wait_seconds int not null default 0 constraint "wait_seconds is 0 to 3600" check (wait_seconds between 0 and 3600),
	cause text not null constraint "a cause is said in words" check (cause <> ''),
	confidence text not null constraint "confidence is high, medium or low" check (confidence in ('high', 'medium', 'low')),
	is_fault boolean not null default true,
	advice text[] not null constraint "advice holds no null" check (array_position(advice, null) is null),
	document text
);
comment on table rouse_data.cause is 'Why machines do not boot: what the servers see of it, and what to do.';

create table rouse_data.cause_sign (
	cause rouse.key not null references rouse_data.cause on update cascade on delete cascade,
	number int not null,
	is_absent boolean not null,
	is_earlier boolean not null,
	stages text[],
	kinds text[],
	daemon text,
	named text,
	is_unnamed boolean not null,
	saying text,
	detail jsonb,
	times int not null,
	after int,
	within_seconds int,
	primary key (cause, number)
);
comment on table rouse_data.cause_sign is 'The signs of the causes, read: a trigger on the causes fills it.';

create table rouse_data.code (
	system text not null constraint "a code is a BIOS ROM's, UEFI's or iPXE's" check (system in ('BIOS', 'UEFI', 'iPXE')),
	code text not null constraint "a code is written in small letters and digits" check (code ~ '^[0-9a-z]+$'),
	meaning text not null,
	advice text,
	primary key (system, code)
);
comment on table rouse_data.code is 'Error codes that a machine shows, in words; iPXE''s without the last two digits, which are its platform''s.';

-- Machines of one model are compared with each other.
create index host_product on rouse_data.host (product) where product is not null;

-- Whether a machine is known twice is asked with each "why".
create index host_serial on rouse_data.host (lower(serial)) where serial is not null;
create index host_inventory_nics on rouse_data.host_inventory using gin ((data -> 'nics') jsonb_path_ops);
