-- Lists of the newest are read from an index, whatever has piled up. A step of a job and an attempt name their host
-- themselves: with the job between them and the host, PostgreSQL read and sorted all there are.

-- The triggers of the present API refuse to change what has happened; they are made anew after the migrations.
alter table rouse_data.job_history disable trigger user;
alter table rouse_data.attempt disable trigger user;
alter table rouse_data.job_history add host_id bigint;
alter table rouse_data.attempt add host_id bigint;
-- By a sub-select, so that the rows stay in the order in which they came.
update rouse_data.job_history g set host_id = (select j.host_id from rouse_data.job j where j.id = g.job_id);
update rouse_data.attempt a set host_id = (select j.host_id from rouse_data.job j where j.id = a.job_id);
alter table rouse_data.job_history alter host_id set not null;
alter table rouse_data.attempt alter host_id set not null;
alter table rouse_data.job_history enable trigger user;
alter table rouse_data.attempt enable trigger user;

drop index rouse_data.job_history_at;
create index job_history_at on rouse_data.job_history (at, job_id);
create index job_history_host on rouse_data.job_history (host_id, at);
create index attempt_host on rouse_data.attempt (host_id, id);
-- "What was made, what has ended since yesterday."
create index job_created on rouse_data.job (created_at);
create index job_ended on rouse_data.job (ended_at) where ended_at is not null;
create index attempt_claimed on rouse_data.attempt (claimed_at);
-- A job that ends looks for the next one of its host, and shall not read all that the host ever had.
create index job_behind on rouse_data.job (host_id) where state in ('scheduled', 'backlog');
