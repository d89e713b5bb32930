-- Each tick looks for tickets that nobody needs any more: it shall not read all of them to find none.

create index ticket_expiry on rouse_data.ticket (expires_at);
