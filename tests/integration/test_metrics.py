"""What the daemons count, as Prometheus reads it."""

import re

import pytest

from test_dhcpd_kit import Site
from menud_server import Server

SAMPLE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*\})? (\d+)')


def parse(text):
    """{name and labels: value}; every line is what the format allows (exposition format 0.0.4)."""
    values, types = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, words = line[7:].partition(" ")
            assert name not in types and words
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert kind in ("counter", "gauge") and name.endswith("_total") == (kind == "counter"), line
            types[name] = kind
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name in types and name + (labels or "") not in values, line
            values[name + (labels or "")] = int(value)
    return values


def figures(host, url):
    head = host.run(["curl", "-sS", "-f", "-o", "/dev/null", "-D", "-", url]).stdout
    assert "text/plain; version=0.0.4" in head
    return parse(host.run(["curl", "-sS", "-f", url]).stdout)


def grown(before, after, name):
    return after[name] - before[name]


def test_menud(lab, postgres, build, tmp_path):
    server = Server(lab, postgres, build, tmp_path)
    url = "http://10.77.0.3:8080/metrics"
    before = figures(server.client, url)
    assert before["rouse_menud_database_up"] == before["rouse_menud_configuration_loaded"] == 1
    assert before["rouse_menud_menu_items"] > 3
    server.client.run(["curl", "-sS", "-o", "/dev/null", "http://10.77.0.3:8080/files/fos/bzImage"])
    server.curl("/nowhere")
    after = figures(server.client, url)
    assert grown(before, after, 'rouse_menud_answers_total{class="4xx"}') == 1
    assert grown(before, after, "rouse_menud_sent_bytes_total") >= 4096


def test_tftpd(lab, build, tmp_path):
    lab.segment("lan")
    server, client = lab.host("server", ["10.77.0.2/24"]), lab.host("client", ["10.77.0.9/24"])
    (tmp_path / "file").write_bytes(b"x" * 1000)
    server.spawn([build / "tftpd" / "tftpd", "--root", tmp_path, "--state-dir", "", "--metrics-port", "9547"],
                 name="tftpd").wait_for("event=started")
    url = "http://127.0.0.1:9547/metrics"
    before = figures(server, url)
    for name in ("file", "absent"):
        client.run(["curl", "-sS", "-o", "/dev/null", f"tftp://10.77.0.2/{name}"], check=False)
    after = figures(server, url)
    assert grown(before, after, "rouse_tftpd_requests_total") == 2
    assert grown(before, after, 'rouse_tftpd_requests_ended_total{outcome="sent"}') == 1
    assert grown(before, after, 'rouse_tftpd_requests_ended_total{outcome="missing"}') == 1
    # nothing else is there, and nobody else may ask
    assert "404" in server.run(["curl", "-sS", "-w", "%{http_code}", "http://127.0.0.1:9547/"]).stdout
    assert client.run(["curl", "-sS", "--max-time", "3", "http://10.77.0.2:9547/metrics"], check=False).returncode != 0


def test_dhcpd(lab, postgres, build, tmp_path):
    postgres.fresh()
    site = Site(lab, postgres, build, tmp_path)
    site.start("--metrics-port", "9547")
    url = "http://127.0.0.1:9547/metrics"
    site.server.run(["ip", "link", "set", "lo", "up"])
    before = figures(site.server, url)
    site.wire("02:00:00:00:01:01").lease()
    after = figures(site.server, url)
    assert grown(before, after, "rouse_dhcpd_packets_received_total") >= 2
    assert grown(before, after, "rouse_dhcpd_grants_total") == 1
    assert after["rouse_dhcpd_database_up"] == 1 and after["rouse_dhcpd_leases"] >= 1
    site.close()


@pytest.mark.parametrize("daemon, more", [("tftpd", ["--root", "/srv"]), ("dhcpd", ["--interface", "eth0", "--database", "host=/nowhere"])])
def test_a_port_that_is_taken_is_told(lab, build, tmp_path, daemon, more):
    lab.segment("lan")
    server = lab.host("server", ["10.77.0.2/24"])
    server.run(["ip", "link", "set", "lo", "up"])
    taken = server.spawn(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "9547"], name="taken")
    taken.wait_for("Serving")
    second = server.spawn([build / daemon / daemon, *more, "--state-dir", tmp_path, "--metrics-port", "9547"], name=daemon)
    assert second.wait() != 0
    assert "port=9547" in second.output and "set metrics_port to a free port" in second.output
