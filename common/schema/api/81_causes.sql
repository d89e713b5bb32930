-- The causes as rules: what a sign says, what is known of a machine's latest boot, and which causes hold.
-- A sign is one line, read by one pattern. A SQL function for each cause could say more, but nobody could list, compare
-- or add to them without reading code; and one query over all signs is planned once and answers in milliseconds.

create function rouse_data.read_sign(sign text)
returns table (is_absent boolean, is_earlier boolean, stages text[], kinds text[], daemon text, named text, is_unnamed boolean,
	saying text, detail jsonb, times int, after int, within_seconds int)
language sql immutable as $$
	select m[1] is not null, m[2] is not null, string_to_array(nullif(m[3], 'any'), '/'), string_to_array(nullif(m[4], 'any'), '/'), m[5],
		m[6], m[7] is not null, m[8], m[9]::jsonb, coalesce(m[10]::int, 1), m[11]::int, m[12]::int
	from regexp_match(sign, '^(no )?(earlier )?([a-z_]+(?:/[a-z_]+)*) ([a-z0-9_]+(?:/[a-z0-9_]+)*)(?: from ([a-z]+))?'
		'(?: named "([^"]*)"| (unnamed))?(?: saying "([^"]*)")?(?: with (\{[^{}]*\}))?(?: ([0-9]{1,6}) times)?'
		'(?: after ([0-9]{1,2})(?: within ([0-9]{1,6}) s)?)?$') m
	where m is not null
$$;
comment on function rouse_data.read_sign is 'What a sign of a cause says; no row if it is none.';

create function rouse_data.fact_stages() returns text[]
language sql immutable as $$
	select '{any,fw_dhcp,proxy,tftp_nbp,ipxe_dhcp,script,kernel,initrd,fos,work,report,local_boot,os_dhcp,upload,boot,machines,job,wake}'::text[]
$$;
comment on function rouse_data.fact_stages is 'The stages that a sign may name: those of events, and what is concluded: boot, machines, job, wake.';

create function rouse_data.check_sign(sign text, number bigint) returns void
language plpgsql immutable as $$
declare
	said record;
	stage text;
begin
	select * into said from rouse_data.read_sign(sign);
	if said.is_absent is null then
		raise exception using errcode = '22023', message = format('"%s" is no sign', sign),
			detail = format('It is sign %s of its cause, and does not have the form of one.', number),
			hint = 'A sign is: [no] [earlier] STAGE KIND [from DAEMON] [named "REGEX" | unnamed] [saying "REGEX"] [with {JSON}] [N times] [after N [within N s]]';
	end if;
	foreach stage in array coalesce(said.stages, '{}') loop
		perform rouse_data.one_of('stage', stage, rouse_data.fact_stages());
	end loop;
	if said.after >= number or said.after < 1 then
		raise exception using errcode = '22023', message = format('sign %s comes after sign %s', number, said.after),
			detail = 'Signs are looked for in their order.',
			hint = 'after names the number of a sign before it: the first is 1.';
	end if;
	perform '' ~ coalesce(said.named, ''), '' ~ coalesce(said.saying, '');
end
$$;
comment on function rouse_data.check_sign is 'Refuses what is no sign: its form, its stages, its order, its patterns.';

create function rouse_data.check_cause() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	perform rouse_data.check_sign(s.sign, s.number) from unnest(new.signs) with ordinality s (sign, number);
	new.is_fault := coalesce(new.is_fault, true);
	new.wait_seconds := coalesce(new.wait_seconds, 0);
	new.advice := coalesce(new.advice, '{}');
	return new;
end
$$;
comment on function rouse_data.check_cause is 'Refuses a cause whose signs cannot be read.';
create trigger check_cause before insert or update on rouse_data.cause
	for each row execute function rouse_data.check_cause();

create function rouse_data.keep_signs(the_cause rouse_data.cause) returns void
language sql as $$
	delete from rouse_data.cause_sign s where s.cause = the_cause.id;
	insert into rouse_data.cause_sign
	select the_cause.id, s.number, r.* from unnest(the_cause.signs) with ordinality s (sign, number) cross join lateral rouse_data.read_sign(s.sign) r
$$;
comment on function rouse_data.keep_signs is 'Keeps the signs of a cause as they are read: to read them at each question would take longer than the answer.';

create function rouse_data.follow_cause() returns trigger
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	perform rouse_data.keep_signs(new);
	return null;
end
$$;
comment on function rouse_data.follow_cause is 'Keeps the signs of a cause that was written.';
create trigger follow_cause after insert or update on rouse_data.cause
	for each row execute function rouse_data.follow_cause();
-- The causes of the migrations came before the trigger, and this version may read signs otherwise than the last one.
select rouse_data.keep_signs(c) from rouse_data.cause c;

create view rouse.causes as
	select id, "position", stage, signs, wait_seconds, cause, confidence, is_fault, advice, document
	from rouse_data.cause;
call rouse_data.describe('rouse.causes',
	'Why machines do not boot: of each stage the first cause counts whose signs all hold. A site''s own is an insert.', '{
	"id": "its name", "position": "lower ones are judged first, of equal ones by their names",
	"stage": "where a boot stops by it; machine: the machine itself; site: several machines; power: nothing was heard",
	"signs": "what the servers saw; see docs/explanation/why.md",
	"wait_seconds": "counts only when the machine has been silent for so long",
	"cause": "in words; %name%, %reason%, %count%, %mac% and %host% are filled in from what its first sign saw, %meaning% with the words of the code %name%",
	"confidence": "high, medium or low", "is_fault": "false: it looks strange and is normal",
	"advice": "what to do, in order", "document": "where more is written; null: docs/reference/causes.md"}');
create trigger guard_site before insert or update or delete on rouse_data.cause
	for each statement execute function rouse_data.guard_site('causes');
create trigger note_audit after insert or update or delete on rouse_data.cause
	for each row execute function rouse_data.note_audit('causes', 'id');

create function rouse_data.facts_of(the_macs macaddr[]) returns rouse_data.fact[]
language plpgsql stable as $$
declare
	facts rouse_data.fact[];
	query constant text := $query$
		with happened as (
			-- Each card by itself: so its newest events are read from the index and no more.
			select e.* from unnest($1) m cross join lateral (
				select e.at, e.stage, e.kind, e.daemon, e.name, e.reason, e.count, e.address, e.uuid, e.detail
				from rouse_data.event e where e.mac = m and e.at > %L order by e.at desc limit 200) e
		), begun as (
			select max(b.at) as at from (select h.at, rouse_data.begins_boot(h.stage, h.at, lag(h.stage) over w, lag(h.at) over w) as begins
				from happened h window w as (order by h.at)) b where b.begins
		)
		select array_agg((h.at, h.stage, h.kind, h.daemon, h.name, h.reason, h.count, h.address, h.uuid, h.detail, h.at < b.at)::rouse_data.fact order by h.at)
		from happened h cross join begun b where h.at > b.at - interval '1 day'
	$query$;
begin
	-- A time that is written into the query is known when it is planned: the partitions of the days before it stay closed. Mostly a
	-- machine is asked about that was heard of lately.
	execute format(query, now() - interval '4 days') into facts using the_macs;
	if coalesce((facts[cardinality(facts)]).at, '-infinity') < now() - interval '2 days' then
		execute format(query, '-infinity') into facts using the_macs;
	end if;
	return facts;
end
$$;
comment on function rouse_data.facts_of is 'What was seen of a machine with these cards: its latest boot, and those of the day before it.';

create function rouse_data.match_signs(facts rouse_data.fact[], silent_seconds numeric)
returns table (id text, number int, is_absent boolean, holds boolean, last_fact bigint)
language sql stable as $$
	with seen as materialized (
		select f.* from unnest(facts) with ordinality f (at, stage, kind, daemon, name, reason, count, address, uuid, detail, is_earlier, n)
	), sign as materialized (
		select c.id, s.* from rouse_data.cause_sign s join rouse_data.cause c on c.id = s.cause where c.wait_seconds <= silent_seconds
	), hit as materialized (
		select s.id, s.number, f.n, f.at, f.count from sign s join seen f on f.is_earlier = s.is_earlier
			and case when s.stages is null then f.stage not in ('boot', 'machines', 'job', 'wake') else f.stage = any (s.stages) end
			and (s.kinds is null or f.kind = any (s.kinds)) and (s.daemon is null or f.daemon = s.daemon)
			and (not s.is_unnamed or f.name is null) and (s.named is null or f.name ~ s.named)
			and (s.saying is null or coalesce(f.reason, '') ~ s.saying) and (s.detail is null or coalesce(f.detail, '{}') @> s.detail)
	), span as (
		select h.id, h.number, min(h.n) as first_n, max(h.n) as last_n from hit h group by 1, 2
	)
	select s.id, s.number, s.is_absent, (coalesce(sum(h.count), 0) >= s.times) <> s.is_absent, max(h.n)
	from sign s
	left join span a on a.id = s.id and a.number = s.after
	left join hit h on h.id = s.id and h.number = s.number
		and case when s.after is null then true when s.is_absent then h.n > a.last_n else h.n > a.first_n end
		and case when s.within_seconds is null then true else exists (select from hit b where b.id = s.id and b.number = s.after
			and b.n < h.n and h.at <= b.at + s.within_seconds * interval '1 second') end
	group by s.id, s.number, s.is_absent, s.times
$$;
comment on function rouse_data.match_signs is
	'Which signs of which causes hold for these facts, and by which fact; "after" means any such fact before it, and for "no" the last of them.';

create function rouse_data.fill_in(words text, by_fact rouse_data.fact, the_mac macaddr, host text) returns text
language plpgsql stable as $$
declare
	digits constant text := substring(lower(by_fact.name) from '^(?:0x)?([0-9a-f]{8})$');
begin
	-- What came from outside goes in last, so that nothing in it is filled in again.
	return (select replace(replace(replace(replace(replace(replace(words,
		-- Of an error's number the words; of what it is made is behind the bracket.
		'%meaning%', coalesce((select split_part(m.meaning, ' (', 1) from rouse_data.explain_ipxe(digits) m where digits is not null), 'not known')),
		'%mac%', coalesce(the_mac::text, 'MAC')), '%host%', coalesce(host, 'NAME')), '%count%', coalesce(by_fact.count::text, '')),
		'%reason%', coalesce(by_fact.reason, 'no reason is recorded')), '%name%', coalesce(by_fact.name, 'a file without a name')));
end
$$;
comment on function rouse_data.fill_in is 'The words of a cause or advice with what was seen in their places.';

create function rouse_data.causes_of(facts rouse_data.fact[], the_mac macaddr, host text)
returns table (id text, stage text, "position" int, cause text, advice text, confidence text, is_fault boolean, at timestamptz,
	evidence text, document text)
language sql stable as $$
	with silent as (
		select coalesce(extract(epoch from clock_timestamp() - max(f.at)), 1000000) as seconds from unnest(facts) f
		where f.stage not in ('boot', 'machines', 'job', 'wake')
	), holding as (
		select m.id, (array_agg(m.last_fact order by m.number) filter (where not m.is_absent))[1] as first_sign,
			array_agg(m.last_fact order by m.last_fact) filter (where not m.is_absent) as by_facts
		from silent s cross join lateral rouse_data.match_signs(facts, s.seconds) m group by m.id having bool_and(m.holds)
	), told as (
		-- Of a stage the first fault; of what is none, all.
		select distinct on (c.stage, c.is_fault, case when not c.is_fault then c.id end) c.*, h.first_sign, h.by_facts
		from holding h join rouse_data.cause c on c.id = h.id
		order by c.stage, c.is_fault, case when not c.is_fault then c.id end, c.position, c.id
	)
	select t.id, t.stage, t.position, rouse_data.fill_in(t.cause, facts[t.first_sign], the_mac, host),
		(select string_agg(case when cardinality(t.advice) > 1 then a.n || '. ' else '' end
			|| rouse_data.fill_in(a.words, facts[t.first_sign], the_mac, host), e'\n' order by a.n)
			from unnest(t.advice) with ordinality a (words, n)),
		t.confidence, t.is_fault, (select max(facts[n].at) from unnest(t.by_facts) n),
		(select string_agg(format('%s %s', facts[n].stage, rouse_data.words(facts[n].kind, facts[n].name, facts[n].count, facts[n].reason)), '; ' order by n)
			from (select distinct n from unnest(t.by_facts) n) d),
		coalesce(t.document, 'docs/reference/causes.md#' || t.id)
	from told t
	-- What is only likely is said where nothing better is known.
	where t.confidence <> 'low' or not exists (select from told b where b.is_fault and b.confidence <> 'low')
	-- What several machines or the machine itself show comes first; then the stage that was reached last.
	order by array_position('{site,machine,power,local_boot,work,fos,initrd,kernel,script,ipxe_dhcp,tftp_nbp,proxy,fw_dhcp}'::text[], t.stage)
$$;
comment on function rouse_data.causes_of is 'The causes that hold for these facts, the likeliest first.';
