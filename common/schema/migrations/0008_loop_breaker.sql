-- The loop breaker of tftpd: iPXE that asks for its own binary again gets its script instead.

alter table rouse_data.subnet add column loop_breaker boolean not null default true;
