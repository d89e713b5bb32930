-- A menu item that the database carries out was chosen at a machine. What an operator has done there is judged as if they
-- asked by psql: by their role, and their limits by group.

-- The same rules as menu_item_is_visible() of the daemons, on the host as it is now. The role is menud's word:
-- it has seen to the login.
create function rouse_data.menu_hides(chosen rouse_data.menu_item, facts jsonb, who record) returns text
language plpgsql stable as $$
declare
	of_host constant rouse_data.host := (select h from rouse_data.host h where h.id = who.host_id);
	state_now constant text := coalesce(of_host.state, 'unknown');
	may constant text[] := case facts ->> 'role' when 'operator' then '{viewer,operator}' when 'viewer' then '{viewer}' else '{}' end;
begin
	return (select min(case
		-- A pending host is one that has begun to register, and may go on.
		when not rouse_data.holds(a.host_state, state_now)
			and not (a.action in ('register_quick', 'register_full') and state_now = 'pending')
		then case when chosen.action in ('register_quick', 'register_full') then format('the machine is known already (%s)', state_now)
			else format('the menu item "%s" is not for a host that is %s', chosen.key, state_now) end
		when not rouse_data.holds(a.firmware, coalesce(facts ->> 'firmware', '')) then format('the menu item "%s" is not for this firmware', chosen.key)
		when not rouse_data.holds(a.arch, coalesce(facts ->> 'cpu', '')) then format('the menu item "%s" is not for this architecture', chosen.key)
		when a.group_name is not null and a.group_name is distinct from of_host.group_name then format('the menu item "%s" is for hosts of another group', chosen.key)
		when a.role is not null and a.role <> all (may) then format('the menu item "%s" is for who has logged in as %s', chosen.key, a.role) end)
	from rouse_data.menu_ancestors(chosen.key) a);
end
$$;
comment on function rouse_data.menu_hides is 'Why this machine does not see a menu item, by its conditions and those of the sub-menus it is in; null if it does.';

create function rouse_data.wants_image(action text) returns boolean
language sql immutable as $$ select action in ('deploy', 'capture') $$;
comment on function rouse_data.wants_image is 'Whether an image is chosen for such a menu item.';

create function rouse_data.refuse_image(chosen rouse_data.menu_item, image text) returns text
language plpgsql stable as $$
begin
	return case
		when refuse_image.image is null or not rouse_data.wants_image(chosen.action) then null
		when chosen.action = 'deploy' and not exists (select from rouse_data.image i join rouse_data.image_version v on v.id = i.current_version
			where i.name = refuse_image.image and v.state = 'published') then format('there is no image "%s"', refuse_image.image)
		when chosen.action = 'capture' then rouse_data.refuse_image_name(refuse_image.image) end;
end
$$;
comment on function rouse_data.refuse_image is 'Why this image cannot be chosen in a menu; null if it can, or none is.';

create function rouse_data.refuse_choice(chosen rouse_data.menu_item, facts jsonb, who record) returns text
language plpgsql stable as $$
declare
	registers constant boolean := chosen.action in ('register_quick', 'register_full');
	is_typed constant boolean := chosen.confirm is null or chosen.confirm is not distinct from facts ->> 'confirm';
begin
	return case
		when chosen.action in ('local', 'profile', 'menu', 'identify', 'shell', 'login', 'reboot') then format('the menu item "%s" makes no job', chosen.key)
		when registers and not rouse_data.setting_bool('registration_open') then 'registration is closed'
		when who.conflict is not null then 'identity_conflict: ' || who.conflict
		-- The word is asked for when the image is known.
		when not is_typed and not (rouse_data.wants_image(chosen.action) and facts ->> 'image' is null)
		then format('the menu item "%s" wants the word "%s" typed', chosen.key, chosen.confirm)
		when not registers and who.host_id is null then 'the machine is unknown'
		else coalesce(rouse_data.menu_hides(chosen, facts, who), rouse_data.refuse_image(chosen, facts ->> 'image')) end;
end
$$;
comment on function rouse_data.refuse_choice is 'Why this menu item cannot be chosen by this machine; null if it can.';

-- The session may be older than what the operator may do now.
create function rouse_data.refuse_operator(chosen rouse_data.menu_item, operator text, the_host bigint) returns text
language plpgsql as $$
declare
	of_host constant rouse_data.host := (select h from rouse_data.host h where h.id = the_host);
begin
	if chosen.role is distinct from 'operator' then
		return null;
	elsif not exists (select from rouse_data.operator o where o.name = operator and o.role = 'operator') then
		return format('the menu item "%s" is for who has logged in as operator', chosen.key);
	end if;
	perform rouse_data.act_as(operator);
	return case
		when not rouse_data.may_group(of_host.group_name) then format('this machine is not among those of %s', operator)
		when not rouse_data.takes_jobs(of_host) then format('the machine is %s', of_host.state) end;
end
$$;
comment on function rouse_data.refuse_operator is
	'Why this operator may not do that here, null if they may; from here to the end of the call it is done in their name.';

create function rouse_data.menu_images(action text) returns table (name text, words text)
language sql stable as $$
	select '.new', 'A new image, whose name is typed next' where menu_images.action = 'capture'
	union all
	(select i.name, format('%s (%s)', coalesce(nullif(i.title, ''), i.name), case when v.id is null then 'no version yet'
			else format('version %s, for disks from %s', v.number, pg_size_pretty(v.disk_size)) end)
	from rouse_data.image i left join rouse.image_versions v on v.id = i.current_version and v.state = 'published'
	where menu_images.action = 'capture' or v.id is not null order by i.name)
$$;
comment on function rouse_data.menu_images is 'The images among which a menu item lets choose; .new stands for one that is made.';

create function rouse_data.menu_job(chosen rouse_data.menu_item, the_host bigint, image text) returns text
language plpgsql as $$
declare
	live rouse_data.job;
	wanted rouse_data.job;
	registers constant boolean := chosen.action in ('register_quick', 'register_full');
begin
	wanted.host_id := the_host;
	-- Who is approved is asked for its hardware.
	wanted.kind := case when registers then 'register' when chosen.action = 'approve' then 'inventory' else chosen.action end;
	wanted.mode := case when registers then replace(chosen.action, 'register_', '') else chosen.mode end;
	wanted.disk := 'auto';
	wanted := rouse_data.complete_job(wanted, image);
	select j.* into live from rouse_data.job j
	where j.host_id = the_host and j.state in ('queued', 'waiting', 'running', 'cancelling');
	if live.id is null then
		perform rouse_data.add_job(wanted);
	elsif rouse_data.destroys_data(wanted.kind) or wanted.kind = 'capture' then
		-- A key pressed twice is one job; but nobody shall take another job for what they chose.
		if (live.kind, live.image_version_id, live.image, live.mode)
			is distinct from (wanted.kind, wanted.image_version_id, wanted.image, wanted.mode) then
			return format('job %s (%s) of this machine comes first', live.id, live.kind);
		end if;
	end if;
	return null;
end
$$;
comment on function rouse_data.menu_job is 'Makes the job that a menu item is for, unless there is one; or says why it cannot be made.';

create function rouse_data.forget_host(the_host bigint) returns text
language plpgsql as $$
declare
	host_name constant text := (select h.name from rouse_data.host h where h.id = the_host);
begin
	if exists (select from rouse_data.job j where j.host_id = the_host) then
		-- Jobs are history: a host that has had some stays with them.
		perform rouse_data.cancel_job(j, 'the machine was deleted from its menu') from rouse_data.job j
		where j.host_id = the_host and j.ended_at is null;
		update rouse_data.host h set state = 'retired' where h.id = the_host;
		return format('host %s has had jobs: it is retired', host_name);
	end if;
	delete from rouse_data.host h where h.id = the_host;
	return format('host %s is deleted', host_name);
end
$$;
comment on function rouse_data.forget_host is 'Deletes a host, or retires one that has had jobs; says which.';

create function rouse_data.carry_out(chosen rouse_data.menu_item, facts jsonb, address inet, who record)
returns table (answer text, reason text, host text, job bigint, kind text, ticket text,
	kernel text, initrd text, arguments text, retry_seconds int, profile text, image text)
language plpgsql as $$
begin
	reason := coalesce(rouse_data.refuse_choice(chosen, facts, who), rouse_data.refuse_operator(chosen, facts ->> 'operator', who.host_id));
	if reason is null and rouse_data.wants_image(chosen.action) and facts ->> 'image' is null then
		return query select 'image', i.words, null, null::bigint, null, null, null, null, null, null::int, null, i.name
			from rouse_data.menu_images(chosen.action) i;
		if found then
			return;
		end if;
		reason := 'there is no image yet: rouse-db image add publishes one';
	elsif reason is not null and chosen.action = 'capture' and reason = rouse_data.refuse_image_name(facts ->> 'image') then
		-- Who has mistyped a name shall read it, and type another.
		answer := 'done';
		reason := reason || ': it has a-z, 0-9, dot, _ and -, at most 64, and begins with a letter or digit';
		return next; return;
	elsif reason is null and chosen.action = 'delete' then
		answer := 'done';
		reason := rouse_data.forget_host(who.host_id);
		return next; return;
	elsif reason is null then
		if chosen.action = 'approve' then
			update rouse_data.host h set state = 'active' where h.id = who.host_id;
		end if;
		reason := rouse_data.menu_job(chosen, coalesce(who.host_id, rouse_data.new_host(facts)), facts ->> 'image');
	end if;
	if reason is not null then
		answer := 'refused';
		return next; return;
	end if;
	return query select o.*, null from rouse_daemon.offer(facts, address) o;
end
$$;
comment on function rouse_data.carry_out is 'Does what a menu item is for, or says why not.';

create function rouse_daemon.choose(item text, facts jsonb, address inet)
returns table (answer text, reason text, host text, job bigint, kind text, ticket text,
	kernel text, initrd text, arguments text, retry_seconds int, profile text, image text)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	chosen constant rouse_data.menu_item := (select m from rouse_data.menu_item m where m.key = item);
begin
	-- A key pressed twice makes one host and one job.
	perform pg_advisory_xact_lock(hashtextextended('rouse.choose ' || rouse_data.booted_mac(facts), 0));
	if chosen.key is null then
		answer := 'refused';
		reason := format('there is no menu item "%s"', item);
		return next; return;
	end if;
	return query select c.* from rouse_data.carry_out(chosen, facts, address, rouse_data.identify(facts)) c;
	perform set_config('rouse.operator', '', true);
end
$$;
comment on function rouse_daemon.choose is
	'A menu item that needs the database was chosen: its job is made, or found live, and offered; or the images to choose among are answered, or that it is done, or why it is refused.';
