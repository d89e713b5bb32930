-- Operators whose hosts are limited or who work by menud's page, and who changed what.

create table rouse_data.operator (
	name text primary key
		constraint "an operator's name is one line of at most 63 characters"
		check (name ~ '^[^[:cntrl:]]+$' and length(name) <= 63),
	role text not null default 'operator'
		constraint "an operator's role is viewer or operator" check (role in ('viewer', 'operator')),
	groups text[],
	comment text,
	created_at timestamptz not null default now(),
	created_by text not null default session_user
);
comment on table rouse_data.operator is 'People, by their role in PostgreSQL or their name on menud''s page.';

create table rouse_data.audit (
	id bigint generated always as identity primary key,
	at timestamptz not null,
	who text not null,
	via text not null,
	noun text not null,
	what text not null constraint "a change is an insert, update or delete"
		check (what in ('insert', 'update', 'delete')),
	key text,
	before jsonb,
	after jsonb
);
create index audit_at on rouse_data.audit (at);
create index audit_key on rouse_data.audit (noun, key, at);
comment on table rouse_data.audit is 'Who changed what in the configuration. Append-only.';
