-- A machine that boots waits for its ticket, and a thousand may do so at once.

-- Nothing is ever deleted that these keys guard against: jobs and attempts are history, and their triggers refuse. A step of
-- the history is written by its job's own trigger, offers and tickets by who holds the lock of their job; each key cost a
-- query for each row.
alter table rouse_data.offer drop constraint offer_job_id_fkey;
alter table rouse_data.ticket drop constraint ticket_job_id_fkey, drop constraint ticket_offer_id_fkey,
	drop constraint ticket_attempt_id_fkey;
alter table rouse_data.job_history drop constraint job_history_job_id_fkey;

-- An offer's ticket is made of this, and need not be made again when the same boot asks again. Offers that are there have none:
-- their rows are not written anew. The column answers, which is read by nobody, goes with the next version: until the functions
-- of the last one are replaced they count in it.
alter table rouse_data.offer add seed uuid;
alter table rouse_data.offer alter column seed set default gen_random_uuid();
comment on column rouse_data.offer.seed is 'What the tickets of this offer are made of: see ticket_word().';
comment on column rouse_data.offer.answers is 'How many answers: not counted any more.';
