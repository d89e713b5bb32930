-- \df+ rouse.* is the manual of the functions: each argument, and each column of what comes back, has a line in
-- its function's comment. One word means one thing everywhere; where it does not, the function's name
-- stands before it. A word without meaning stops the migration, with its name.

create procedure rouse_data.describe_arguments(meanings jsonb)
language plpgsql as $$
declare
	one record;
	lines text;
	strange text;
begin
	for one in
		select p.oid, p.proname, p.proargnames as names, p.pronargs, p.pronargdefaults from pg_proc p
		where p.pronamespace = 'rouse'::regnamespace and p.prokind = 'f' and cardinality(p.proargnames) > 0
	loop
		select min(a) filter (where m.meaning is null),
			string_agg(format('  %s%s: %s', case when n > one.pronargs then '-> ' end, a, m.meaning)
				|| case when n between one.pronargs - one.pronargdefaults + 1 and one.pronargs then ' (may be left out)' else '' end,
				e'\n' order by n)
		into strange, lines
		from unnest(one.names) with ordinality as t (a, n)
		cross join lateral (select coalesce(meanings ->> (one.proname || '.' || a), meanings ->> a) as meaning) m;
		if strange is not null then
			raise exception 'argument "%" of rouse.% has no meaning', strange, one.proname
				using hint = 'Give it one in common/schema/api/89_arguments.sql.';
		end if;
		execute format('comment on function %s is %L', one.oid::regprocedure,
			obj_description(one.oid, 'pg_proc') || e'\n' || lines);
	end loop;
end
$$;
comment on procedure rouse_data.describe_arguments is 'Adds to the comment of each function of schema rouse what its arguments mean.';

call rouse_data.describe_arguments('{
	"server": "isc, kea, dnsmasq, windows or mikrotik", "subnet": "the network whose next_server it names; null: the setting next_server",
	"target": "a machine, by its name or the MAC of one of its cards, or a group; host:NAME and group:NAME where both have one name",
	"host": "a machine, by its name or the MAC of one of its cards", "mac": "the MAC of a card, known or not",
	"job": "the number of a job or of a batch", "cancel.why": "your words, kept in the job and its history",
	"cause": "what is the matter", "advice": "what to do about it",
	"kind": "one of rouse.job_kinds", "schedule.kind": "one of rouse.job_kinds, or wake",
	"image": "deploy: a name of rouse.images; capture: the same, or a new one", "script": "script: a shell script that the client system runs", "profile": "install: a name of rouse.profiles", "priority": "0 to 100, higher first; 50",
	"not_before": "it is scheduled until then", "deadline": "it expires if it has not begun by then",
	"after": "reboot, poweroff, or local (reboot, and once to its own disk); null: the setting after_job",
	"mode": "register: quick or full; wipe: quick, full or secure; test: all, memory or disk", "disk": "deploy, capture, wipe, test: auto (the first that is large enough), or a device below /dev",
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
	"publish_image.name": "the image", "number": "its version: the latest and one", "path": "the file, below the store", "size": "its bytes",
	"sha256": "its SHA-256", "disk_size": "bytes of the disk, uncompressed", "disk_sha256": "SHA-256 of the disk''s contents",
	"operator": "a name of rouse.operators", "hash": "as crypt(3) makes it by yescrypt; null: none any more",
	"format": "raw.zst: a whole disk, compressed", "title": "your words"}');
