-- Who may do what. Everything is revoked first: what is not named here is not granted. The matrix is
-- asserted, cell by cell, in tests/sql/grants.sql.

revoke all on all tables in schema rouse, rouse_data, rouse_daemon from public;
revoke all on all routines in schema rouse, rouse_data, rouse_daemon from public;
revoke all on schema rouse, rouse_data, rouse_daemon from public;

-- People.
grant usage on schema rouse to rouse_viewer;
grant select on all tables in schema rouse to rouse_viewer;
grant execute on function rouse.setting(text), rouse.explain(macaddr, text, text), rouse.explain(text),
	rouse.evaluate, rouse.trace(macaddr), rouse.trace(text), rouse.me, rouse.my_groups, rouse.may,
	rouse.next_times, rouse.why, rouse.explain_code, rouse.dhcp_snippet to rouse_viewer;

-- A view's functions are called with the rights of who reads it: these read nothing.
grant execute on function rouse_data.uuid_swapped, rouse_data.mac_of, rouse_data.begins_boot, rouse_data.boot_outcome, rouse_data.is_stop,
	rouse_data.json_leaves to rouse_viewer;

grant usage on schema rouse to rouse_operator;
grant select on all tables in schema rouse to rouse_operator;
grant execute on all functions in schema rouse to rouse_operator;
grant insert, update, delete on rouse.groups, rouse.hosts, rouse.nics, rouse.subnets, rouse.pools, rouse.reservations,
	rouse.boot_files, rouse.boot_rules, rouse.causes, rouse.profiles, rouse.answer_files, rouse.menu, rouse.boot_defaults, rouse.dhcp_options,
	rouse.operators, rouse.schedules, rouse.event_retention to rouse_operator;
grant update (value) on rouse.settings to rouse_operator;

-- Daemons.
grant usage on schema rouse_daemon to rouse_dhcpd, rouse_tftpd, rouse_menud;
grant select on rouse_daemon.settings_now, rouse_daemon.hosts_now, rouse_daemon.boot_rules_now, rouse_daemon.subnets_now,
	rouse_daemon.boot_files_now to rouse_dhcpd, rouse_tftpd, rouse_menud;
grant select on rouse_daemon.pools_now, rouse_daemon.reservations_now, rouse_daemon.dhcp_options_now to rouse_dhcpd;
grant select on rouse_daemon.profiles_now, rouse_daemon.menu_now, rouse_daemon.boot_defaults_now to rouse_tftpd, rouse_menud;

grant execute on function rouse_daemon.changed_since, rouse_daemon.changes_since, rouse_daemon.hello, rouse_daemon.record, rouse_daemon.tick,
	rouse_daemon.wake_claim, rouse_daemon.wake_sent
	to rouse_dhcpd, rouse_tftpd, rouse_menud;
grant execute on function rouse_daemon.lease_load, rouse_daemon.lease_find, rouse_daemon.lease_grant,
	rouse_daemon.lease_end, rouse_daemon.lease_in_use, rouse_daemon.lease_origin, rouse_daemon.lease_changes, rouse_daemon.lease_reassert,
	rouse_daemon.timeline to rouse_dhcpd;
grant execute on function rouse_daemon.dhcp_here, rouse_daemon.foreign_seen, rouse_daemon.boot_servers_asked to rouse_dhcpd;
grant execute on function rouse_daemon.lease_mac, rouse_daemon.machine_arch to rouse_tftpd;
grant execute on function rouse_daemon.offer to rouse_tftpd, rouse_menud;
grant execute on function rouse_daemon.choose, rouse_daemon.fos_checkin, rouse_daemon.fos_progress,
	rouse_daemon.fos_inventory, rouse_daemon.fos_register, rouse_daemon.fos_finish, rouse_daemon.fos_image, rouse_daemon.fos_script,
	rouse_daemon.fos_log, rouse_daemon.install_answers, rouse_daemon.install_done,
	rouse_daemon.fos_disk, rouse_daemon.fos_part, rouse_daemon.fos_manifest, rouse_daemon.fos_upload, rouse_daemon.fos_stored,
	rouse_daemon.image_garbage, rouse_daemon.image_collected,
	rouse_daemon.act, rouse_daemon.read, rouse_daemon.operator_password, rouse_daemon.session_keys,
	rouse_daemon.openapi to rouse_menud;
