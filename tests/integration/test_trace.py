"""One machine's messages in full, while the daemons run: the setting trace_macs."""

from test_dhcpd_kit import Site, option

NOISY, QUIET = "52:54:00:00:00:0a", "52:54:00:00:00:0b"
REBOOT = option(50, bytes([10, 77, 0, 99]))  # a lease that nobody knows: silence


def test_a_card_is_traced_and_no_other(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path)
    site.start("--log-level", "info")
    for mac in (NOISY, QUIET):
        site.wire(mac).ask(3, REBOOT, timeout=0.3)
    assert "event=silent" not in site.daemon.output
    loads = site.daemon.output.count("event=snapshot_loaded")
    postgres.sql("select rouse.setting('trace_macs', %s)", NOISY)
    site.wait_until(lambda: site.daemon.output.count("event=snapshot_loaded") > loads)
    for mac in (QUIET, NOISY):
        site.wire(mac).ask(3, REBOOT, timeout=0.3)
    site.daemon.wait_for(f"level=debug event=silent .*mac={NOISY}")
    assert QUIET not in site.daemon.output
    site.close()
