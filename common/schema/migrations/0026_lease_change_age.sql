-- What is removed at each tick is found by its age; under load there are many rows that stay.

create index lease_change_at on rouse_data.lease_change (at);
