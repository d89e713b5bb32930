-- What was slow with a million ended jobs.

-- A report extends its attempt's lease: with an index on that column, each one wrote a new entry into every index of
-- the table. The open attempts are few, and found by the index that lets a job have one of them.
drop index rouse_data.attempt_open;

-- A commit that notifies holds a lock of the whole cluster until it is on disk: clients that ended their jobs waited for each
-- other (350 a second). Whose job a client has ended is written here instead, and the next tick tells the daemons.
create table rouse_data.job_news (
	host_id bigint not null
);
comment on table rouse_data.job_news is 'Hosts whose job has ended without an operator; the daemons hear of it by the next tick.';

-- The views show the newest first, and what did not end well.
create index job_unended on rouse_data.job (id) where ended_at is null;
create index job_not_well on rouse_data.job (state, id) where state in ('failed', 'cancelled', 'expired');
create index job_history_at on rouse_data.job_history (at);
create index event_at on rouse_data.event (at);
