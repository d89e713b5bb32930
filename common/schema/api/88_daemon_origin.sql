-- What relays say of clients: written beside the leases, never in a lease's own statement.

create function rouse_daemon.lease_origin(address inet[], client bytea[], relay inet[], circuit_id bytea[], remote_id bytea[])
returns void
language plpgsql security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	-- No promise: it waits for no disk, and nobody's grant waits behind its commit.
	perform set_config('synchronous_commit', 'off', true);
	perform rouse_data.check_lease_batch(array[cardinality($1), cardinality($2), cardinality($3), cardinality($4),
		cardinality($5)], null);
	insert into rouse_data.lease_origin as o (address, client, relay, circuit_id, remote_id, seen_at)
	select distinct on (w.address) w.address, w.client, w.relay, w.circuit_id, w.remote_id, now()
	from unnest($1, $2, $3, $4, $5) with ordinality as w (address, client, relay, circuit_id, remote_id, rank)
	order by w.address, w.rank desc
	on conflict on constraint lease_origin_pkey do update set client = excluded.client, relay = excluded.relay,
		circuit_id = excluded.circuit_id, remote_id = excluded.remote_id, seen_at = excluded.seen_at
	where (o.client, o.relay, o.circuit_id, o.remote_id)
		is distinct from (excluded.client, excluded.relay, excluded.circuit_id, excluded.remote_id);
end
$$;
comment on function rouse_daemon.lease_origin is
	'Notes through which relay (giaddr) and port (option 82) leases were asked for; null ids where a relay says none.';
