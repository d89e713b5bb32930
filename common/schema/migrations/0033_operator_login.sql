-- Operators log in to menud: their passwords' hashes, and the keys that their sessions are signed with.

-- Not a column of operator: what is in there is written to the audit.
create table rouse_data.operator_password (
	operator text primary key references rouse_data.operator on update cascade on delete cascade,
	hash text not null,
	set_at timestamptz not null default clock_timestamp(),
	set_by text not null
);
comment on table rouse_data.operator_password is 'Hashes of passwords by yescrypt (crypt(3)), for menud.';

create table rouse_data.session_key (
	hour timestamptz primary key,
	key bytea not null
);
comment on table rouse_data.session_key is 'What menud''s sessions are signed with, a key for each hour.';
