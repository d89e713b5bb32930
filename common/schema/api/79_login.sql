-- How operators log in to menud. A password never comes here: rouse-db makes its hash where it was typed, and menud
-- compares it. The hash leaves for menud only.

create function rouse.set_password(operator text, hash text) returns void
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if rouse.my_groups() is not null and operator is distinct from rouse_data.actor() then
		perform rouse_data.refuse_limited('the password of another operator');
	elsif not exists (select from rouse_data.operator o where o.name = operator) then
		raise exception using errcode = '42704', message = format('there is no operator "%s"', operator),
			detail = 'Only who is in rouse.operators can log in to menud.',
			hint = rouse_data.nearest(operator, array(select o.name from rouse_data.operator o));
	-- The cost is bounded, for menud pays it at each login. What was given is not repeated: it may be the password itself.
	elsif hash !~ '^\$y\$j[789ABC][5T]\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}$' then
		raise exception using errcode = '22023', message = 'this is no yescrypt hash of a usual cost',
			detail = 'It begins with $y$, has parameters of a usual cost, a salt and the hash.',
			hint = 'Never give the password itself, logs would keep it. "rouse-db operator passwd NAME" asks for it and stores its hash.';
	end if;
	delete from rouse_data.operator_password p where p.operator = set_password.operator and set_password.hash is null;
	insert into rouse_data.operator_password as p (operator, hash, set_by)
	select set_password.operator, set_password.hash, rouse_data.actor() where set_password.hash is not null
	on conflict on constraint operator_password_pkey
		do update set hash = excluded.hash, set_at = excluded.set_at, set_by = excluded.set_by;
	insert into rouse_data.audit (at, who, via, noun, what, key, after)
	values (clock_timestamp(), rouse_data.actor(), session_user, 'operators', 'update', operator,
		jsonb_build_object('password', case when hash is null then 'removed' else 'set' end));
end
$$;
comment on function rouse.set_password is
	'Stores the hash of an operator''s password for menud; null: no login any more. Used by: rouse-db operator passwd NAME.';

create function rouse_daemon.operator_password(operator text) returns table (role text, hash text)
language sql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
	select o.role, p.hash from rouse_data.operator o join rouse_data.operator_password p on p.operator = o.name
	where o.name = $1
$$;
comment on function rouse_daemon.operator_password is
	'What to compare a password with, by crypt(3), and what the operator is. No row: nobody logs in by this name.';

create function rouse_daemon.session_keys() returns table (key bytea, is_current boolean, seconds bigint)
language plpgsql security definer
set search_path = rouse_data, pg_catalog, pg_temp set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
	-- Not date_trunc(): that hour depends on the session's time zone.
	this_hour timestamptz := date_bin('1 hour', now(), 'epoch');
begin
	delete from rouse_data.session_key k where k.hour < this_hour - interval '1 hour';
	-- An hour ahead, so that each menud knows a key before another one signs with it.
	insert into rouse_data.session_key (hour, key)
	select this_hour + n * interval '1 hour', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
	from generate_series(0, 1) n on conflict do nothing;
	return query select k.key, k.hour = this_hour, extract(epoch from now())::bigint from rouse_data.session_key k order by k.hour;
end
$$;
comment on function rouse_daemon.session_keys is
	'The keys of menud''s sessions, 32 octets each: that of the last hour, of this one (to sign with) and of the next; and the time. Made when needed.';
