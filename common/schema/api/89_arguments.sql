-- \df+ rouse.* and \df+ rouse_daemon.* are the manual of the functions: each argument, and each column of what comes back, has a line in
-- its function's comment. One word means one thing everywhere; where it does not, the function's name
-- stands before it. tests/sql/comments.sql finds a word without meaning.

create procedure rouse_data.describe_arguments(schema text, meanings jsonb)
language plpgsql as $$
declare
	one record;
	lines text;
begin
	for one in
		select p.oid, p.proname, p.proargnames as names, p.pronargs, p.pronargdefaults from pg_proc p
		where p.pronamespace = schema::regnamespace and p.prokind = 'f' and cardinality(p.proargnames) > 0
	loop
		select string_agg(format('  %s%s: %s', case when n > one.pronargs then '-> ' end, a, m.meaning)
				|| case when n between one.pronargs - one.pronargdefaults + 1 and one.pronargs then ' (may be left out)' else '' end,
				e'\n' order by n)
		into lines
		from unnest(one.names) with ordinality as t (a, n)
		cross join lateral (select coalesce(meanings ->> (one.proname || '.' || a), meanings ->> a) as meaning) m;
		execute format('comment on function %s is %L', one.oid::regprocedure,
			obj_description(one.oid, 'pg_proc') || coalesce(e'\n' || lines, ''));
	end loop;
end
$$;
comment on procedure rouse_data.describe_arguments is 'Adds to the comment of each function of a schema what its arguments mean.';

call rouse_data.describe_arguments('rouse', '{
	"server": "isc, kea, dnsmasq, windows or mikrotik", "subnet": "the network whose next_server it names; null: the setting next_server",
	"target": "a machine, by its name or the MAC of one of its cards, or a group; host:NAME and group:NAME where both have one name",
	"host": "a machine, by its name or the MAC of one of its cards", "mac": "the MAC of a card, known or not",
	"job": "the number of a job or of a batch", "cancel.why": "your words, kept in the job and its history",
	"cause": "what is the matter", "advice": "what to do about it", "confidence": "high, medium or low; null: no cause",
	"why.id": "which row of rouse.causes; or host, job, wake, daemon, in_progress, well", "why.at": "when it was seen", "evidence": "what the daemons saw of it", "document": "where more is written",
	"shown": "as on the screen: PXE-E53, e53, 4c106035, 0x4c106035, https://ipxe.org/4c106035", "explain_code.code": "in its usual form", "system": "whose code it is: BIOS, UEFI or iPXE; the same of PXE means different things to the first two", "meaning": "in words",
	"kind": "one of rouse.job_kinds", "schedule.kind": "one of rouse.job_kinds, or wake",
	"image": "deploy: a name of rouse.images; capture: the same, or a new one", "script": "script: a shell script that the client system runs", "profile": "boot, install: a name of rouse.profiles", "priority": "0 to 100, higher first; 50",
	"not_before": "it is scheduled until then", "deadline": "it expires if it has not begun by then",
	"after": "reboot, poweroff, or local (reboot, and once to its own disk); null: the setting after_job",
	"mode": "deploy: plain, or verify (read it back from the disk); capture: resizable, fixed, disks or raw; register: quick or full; wipe: fast, normal or full; test: all, memory, disk, smart or network", "disk": "a device below /dev, or auto: for deploy and capture the first that is large enough, for wipe and test every fixed one",
	"wake": "whether to have the machine woken when the job is queued", "comment": "your words",
	"at": "five cron fields such as 30 3 * * mon-fri, @daily and the like, or one time such as 2030-12-24 20:00",
	"time_zone": "whose clock that is, such as Europe/Vienna; null: the session''s",
	"missed": "what to do with times at which no daemon was there: once, or skip",
	"expires_after": "the jobs'' deadline, counted from their making", "times": "how many to show", "wall": "by the clock of the time zone", "time": "the moment",
	"name": "a setting: see rouse.settings", "value": "its new value, as text",
	"stage": "dhcp, script or menu", "loader": "who asks: firmware, ipxe, grub, pxelinux or other",
	"host_state": "unknown, pending, active, disabled or retired", "evaluate.job": "none or live", "explain.job": "none or live",
	"firmware": "bios, efi, http, uboot or other", "arch": "i386, x86_64, arm32, arm64, riscv64 or other",
	"evaluate.host": "the machine''s name; null: unknown", "product": "its model, as the firmware says it; null: unknown",
	"position": "of the rule that decides", "rule": "its name", "evaluate.name": "its name",
	"answer": "nothing, first_stage, script, job, menu, local, profile or refuse",
	"argument": "of the answer: the file, the job or the profile", "reason": "why, in the rule''s words",
	"trace.at": "when, by the database''s clock", "seconds": "since the first event of that boot", "daemon": "who saw it",
	"trace.stage": "how far the boot was: fw_dhcp, proxy, tftp_nbp, ipxe_dhcp, script, kernel, initrd, fos, work, report or local_boot",
	"what": "what happened, in words",
	"publish_image.name": "the image", "number": "its version: the latest and one", "path": "the file, or the folder of the parts, below the store", "size": "its bytes",
	"disks": "as in rouse.image_disks, in one array", "parts": "as in rouse.image_parts, in one array", "type": "resizable, fixed, disks or raw", "version": "its number within the image",
	"sha256": "its SHA-256", "disk_size": "bytes of the disk, uncompressed", "disk_sha256": "SHA-256 of the disk''s contents",
	"operator": "a name of rouse.operators", "hash": "as crypt(3) makes it by yescrypt; null: none any more",
	"title": "your words"}');

call rouse_data.describe_arguments('rouse_daemon', '{
	"daemon": "dhcpd, tftpd or menud", "instance": "which of them: a name that is its own among all daemons", "version": "the daemon''s own version",
	"schema_wanted": "the version of this contract that it was built for", "schema_version": "the version that the database has",
	"status": "what it is doing, in words", "hello.problem": "why it refused the latest configuration; null: it did not", "problem": "why it was not sent; null: it was",
	"accepted": "whether the two versions go together", "hint": "what to do if not", "events": "an array of events: see docs/reference/daemon-sql.md",
	"changed": "whether there is anything to read anew",
	"xmin": "going in, that of the snapshot it has, or null; coming out, that of now", "views": "those to read again, parted by blanks; null: all", "hosts": "numbers of the hosts to read again, parted by blanks; null: all of them",
	"facts": "what the machine said of itself: mac0 to mac7, uuid, serial, product, ...", "fields": "what the client system sent, by the names of docs/reference/fos-protocol.md",
	"address": "from where, or which", "item": "the key of the menu item", "image": "the name of an image to choose", "answer": "what to do, as a word; the comment above has them",
	"reason": "why: words, or a code of rouse.reasons", "message": "the same for the screen of the machine", "host": "the machine''s name", "job": "its number",
	"kind": "one of rouse.job_kinds", "dhcp_here.kind": "server or proxy", "ticket": "32 hex digits for the kernel''s command line", "kernel": "the client system''s, below the roots", "initrd": "its initial disk",
	"arguments": "of its kernel", "act.arguments": "of the verb, by their names", "retry_seconds": "ask again after so long", "token": "64 hex digits that the client system made", "position": "place in the queue for a slot; 1 is next", "fos_log.position": "where the next piece is wanted",
	"attempt": "its number within the job", "mode": "as in rouse.job_kinds", "after": "reboot, poweroff or next", "lease_load.after": "only addresses beyond this one", "report_seconds": "how often progress is wanted",
	"url": "of menud, as the client knows it", "body": "the text", "test_url": "what is fetched to try the network",
	"script_url": "where the script is, below menud''s URL", "script_size": "its bytes", "script_sha256": "its SHA-256", "script": "the script",
	"profile": "what is to be booted: a name of rouse.profiles", "profile_kind": "linux, efi, iso, chain or local; null: the profile is not there any more",
	"kernel_url": "the kernel, below menud''s URL", "initrd_url": "the initial disk, below menud''s URL", "file_url": "the file, below menud''s URL; or another server''s URL",
	"image_name": "what is written, or made", "image_version": "its number", "image_type": "resizable, fixed, disks or raw", "image_url": "where its parts are, below menud''s URL", "image_size": "bytes of all its parts",
	"disk_size": "bytes that the first disk must have", "disk": "auto or a device", "fos_manifest.disk": "number, size, sector size, floor and table, parted by blanks",
	"fos_manifest.part": "number, disk, partition, kind, file system, place, size, SHA-256, the same of its content, grow; - is none", "part_url": "where its stream goes, below menud''s URL",
	"state": "as it is now", "etag": "the file''s SHA-256", "size": "its bytes", "path": "the file, below the store", "image_garbage.path": "its file or folder, below the store", "fos_image.version": "the number in the URL", "fos_upload.version": "the number in the URL", "fos_stored.version": "the number in the URL",
	"image_garbage.version": "its number among all versions", "image_collected.version": "its number among all versions", "part": "the part''s number", "sha256": "its SHA-256", "stored_size": "its bytes, once it is stored whole", "room": "bytes that it may become",
	"operator": "the person for whom menud does it", "verb": "a function of schema rouse", "noun": "a view of schema rouse", "equal": "values that columns must have", "most": "at most so many rows",
	"answers_as": "the address that clients know it by", "addresses": "those in question, in order", "seen": "what was heard, as an array",
	"client": "client identifier, or type and hardware address", "clients": "of each row the client", "mac": "the card; null: none", "macs": "of each row the card", "seconds": "how long it is to last",
	"seconds_left": "how long it still lasts, by the database''s clock", "granted": "whether the client has it now", "classes": "of each row the client''s class", "host_names": "of each row the name that the client gives itself",
	"host_name": "the name that the client gave itself", "how": "released, declined or expired", "kept": "whether it is still this client''s", "next": "what to give as since the next time", "since": "what the last call returned as next; null: from now on",
	"relay": "the relay''s address", "circuit_id": "option 82.1", "remote_id": "option 82.2", "code": "DHCP option 93", "cpu": "i386, x86_64, arm32, arm64, riscv64 or other", "firmware": "bios, efi, http, uboot or other",
	"expired_attempts": "clients that fell silent", "started_jobs": "jobs whose time has come", "expired_jobs": "jobs whose deadline has passed", "ran_schedules": "schedules that were run",
	"role": "viewer or operator", "hash": "of the password, as crypt(3) makes it", "key": "32 octets", "is_current": "whether to sign with it",
	"session_keys.seconds": "the time, in seconds since 1970", "networks": "those that this daemon stands in", "wake": "the order''s number", "target": "where to send the packets", "targets": "where they were sent"}');
