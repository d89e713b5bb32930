-- A daemon that knows 100,000 hosts reads only those again that changed.

alter table rouse_data.change add hosts bigint[];
comment on column rouse_data.change.hosts is 'The hosts that are changed, where that is known; null: any of them, or none.';
