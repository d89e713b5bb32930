-- Comments on the columns of the tables. A column that a view of schema rouse shows under the same name means
-- what the view says; the others are told here. A test finds those without.

create procedure rouse_data.describe_columns(meanings jsonb)
language plpgsql as $$
declare
	one record;
begin
	for one in
		select c.oid::regclass as relation, a.attname, coalesce(meanings ->> (c.relname || '.' || a.attname), (
			select col_description(v.oid, va.attnum) from pg_depend d
			join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
			join pg_attribute va on va.attrelid = v.oid and va.attname = a.attname
			where d.classid = 'pg_rewrite'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum
				and v.relnamespace = 'rouse'::regnamespace
			-- the view that is about this table before those that only look at it
			order by v.relname <> c.relname || 's', v.relname limit 1)) as meaning
		from pg_class c join pg_attribute a on a.attrelid = c.oid
		where c.relnamespace = 'rouse_data'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
			and a.attnum > 0 and not a.attisdropped
	loop
		-- What a migration said of its own column stays.
		continue when one.meaning is null;
		execute format('comment on column %s.%I is %L', one.relation, one.attname, one.meaning);
	end loop;
end
$$;
comment on procedure rouse_data.describe_columns is 'Comments the columns of the tables: as told, or as the views say.';

call rouse_data.describe_columns('{
	"cause_sign.cause": "the cause", "cause_sign.number": "its place among the signs", "cause_sign.is_absent": "no: what must not have been seen",
	"cause_sign.is_earlier": "of an earlier boot of that day", "cause_sign.stages": "the event''s stage is one of these; null: any", "cause_sign.kinds": "and its kind one of these; null: any",
	"cause_sign.daemon": "who saw it; null: any", "cause_sign.named": "a pattern of its name", "cause_sign.is_unnamed": "it has no name", "cause_sign.saying": "a pattern of its reason",
	"cause_sign.detail": "what its detail holds", "cause_sign.times": "so often at least", "cause_sign.after": "after this sign", "cause_sign.within_seconds": "and within this time",
	"api.is_only": "there is one row", "api.checksum": "SHA-256 of the files", "api.applied_at": "when",
	"migration.number": "its number", "migration.name": "the file''s name", "migration.checksum": "the file''s SHA-256", "migration.applied_at": "when",
	"attempt.job_id": "the job", "attempt.host_id": "the job''s machine, once more: lists are read by it", "attempt.token_hash": "SHA-256 of the client''s token", "attempt.seconds": "how long the client worked, by its own clock",
	"change.xid8": "the transaction", "change.relation": "the table that it changed", "change.at": "when it began", "change.hosts": "the hosts that are changed, where that is known; null: any of them, or none",
	"operator_password.operator": "a name of rouse.operators", "operator_password.hash": "as crypt(3) makes it by yescrypt", "operator_password.set_at": "when it was set", "operator_password.set_by": "by whom",
	"session_key.hour": "when it begins to be signed with", "session_key.key": "32 octets",
	"dhcp_option.type": "the type of the option''s value", "dhcp_server.instance": "which dhcpd", "dhcp_server.address": "an address that it answers from",
	"dhcp_server.kind": "server or proxy", "dhcp_server.seen_at": "when it said so last", "dhcp_value_type.hint": "how such a value is written",
	"event_gone.kind": "the kind, or *", "event_gone.before": "there are none before this day", "host_inventory.host_id": "the machine", "host_inventory.attempt_id": "the attempt that found it out", "image.current_version": "what a new job deploys",
	"image_version.attempt_id": "the attempt that captured it; null: rouse-db image add", "image_disk.version_id": "the version", "image_part.version_id": "the version", "image_part.number": "in the order in which they are written",
	"job.host_id": "the machine", "job.image_version_id": "deploy: what is written", "job_history.job_id": "the job", "job_history.host_id": "the job''s machine, once more: lists are read by it",
	"job_kind.needs": "arguments that it cannot do without", "job_kind.takes_disk": "whether a disk may be named",
	"job_news.host_id": "the machine",
	"lease_change.xid": "the transaction", "lease_change.at": "when", "lease_change.instance": "the dhcpd that did it", "lease_change.addresses": "whose leases changed",
	"lease_origin.seen_at": "when a packet came this way last", "local_boot.host_id": "the machine", "local_boot.job_id": "the job that said so", "local_boot.profile": "what it boots; null: its own disk",
	"local_boot.valid_until": "forgotten then", "local_boot.served_at": "when it was first answered so",
	"offer.id": "its number", "offer.job_id": "the job", "offer.opened_at": "the boot''s first answer", "offer.answers": "how many answers: not counted any more", "offer.seed": "what the tickets of this offer are made of: see ticket_word()", "offer.claimed_at": "when a client checked in",
	"schedule_run.schedule_id": "the schedule", "operator_password.operator": "whose it is", "operator_password.hash": "of the password, as crypt(5) writes it",
	"operator_password.set_at": "when it was set", "operator_password.set_by": "by whom", "session_key.hour": "sessions of this hour are signed with it", "session_key.key": "the key", "setting.kind": "what a value may be", "setting.minimum": "of a number", "setting.maximum": "of a number", "setting.choices": "of a choice",
	"attempt_log.attempt_id": "the attempt", "attempt_log.position": "bytes that were sent before", "attempt_log.at": "when it came", "attempt_log.text": "the piece",
	"ticket.hash": "SHA-256 of the ticket", "ticket.job_id": "the job", "ticket.offer_id": "the boot that it was given in", "ticket.mac": "the card that asked",
	"ticket.uuid": "what that machine called itself", "ticket.expires_at": "no good afterwards", "ticket.attempt_id": "the attempt that used it",
	"wake.host_id": "the machine", "wake.job_id": "the job that it is woken for", "wake.claimed_at": "when it took the order", "wake.claimed_by": "the daemon that sends it"}');
