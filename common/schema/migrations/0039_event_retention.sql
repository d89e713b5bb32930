-- Some kinds of events are kept longer than the others, or not so long.

create table rouse_data.event_retention (
	kind text primary key constraint "a kind of event is a lower-case word" check (kind ~ '^[a-z][a-z0-9_]{0,31}$'),
	days int not null constraint "events are kept from 1 to 3650 days" check (days between 1 and 3650)
);
comment on table rouse_data.event_retention is 'Kinds of events that are not kept as the setting event_days says.';

create table rouse_data.event_gone (
	kind text primary key,
	before date not null
);
comment on table rouse_data.event_gone is 'How far events have been deleted, by kind; *: all kinds that event_retention does not name.';
