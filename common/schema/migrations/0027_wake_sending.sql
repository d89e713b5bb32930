-- Who sent a wake order, when and where to, or why it could not.

alter table rouse_data.wake
	add claimed_at timestamptz,
	add claimed_by text,
	add sent_at timestamptz,
	add sent_to inet[],
	add problem text;
comment on column rouse_data.wake.claimed_at is 'When a daemon took it to send it; one that does not tell within 10 s loses it again.';
-- Orders from before nobody sends any more.
update rouse_data.wake set claimed_at = ordered_at, problem = 'ordered before daemons could send it' where true;
create index wake_unsent on rouse_data.wake (ordered_at) where sent_at is null;
