"""What rouse.dhcp_snippet() gives for other people's DHCP servers is taken by them, and does what it says."""

import json
import re
import subprocess

import pytest

ISC = "subnet 10.77.0.0 netmask 255.255.255.0 { range 10.77.0.150 10.77.0.199; }\n"


@pytest.fixture(name="snippet")
def make_snippet(postgres):
    postgres.fresh()
    postgres.sql("select rouse.setting('next_server', '10.77.0.2')")
    return lambda kind: postgres.value("select rouse.dhcp_snippet(%s)", kind)


def check(*command, **environment):
    done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/bin:/usr/sbin:/bin:/sbin", **environment})
    assert done.returncode == 0, done.stdout


def test_isc(snippet, tmp_path):
    (tmp_path / "isc.conf").write_text(snippet("isc") + "\n" + ISC, encoding="ascii")
    (tmp_path / "leases").touch()
    check("dhcpd", "-t", "-4", "-cf", tmp_path / "isc.conf", "-lf", tmp_path / "leases")


def test_kea(snippet, tmp_path):
    text = snippet("kea")
    (tmp_path / "kea.conf").write_text('{"Dhcp4": {"interfaces-config": {"interfaces": []}, "lease-database": '
                                       '{"type": "memfile", "persist": false}, "subnet4": [], ' + text + "}}",
                                       encoding="ascii")
    classes = json.loads("{" + text + "}")["client-classes"]
    assert {one["next-server"] for one in classes} == {"10.77.0.2"}
    assert classes[0]["boot-file-name"] == "default.ipxe"
    check("kea-dhcp4", "-t", tmp_path / "kea.conf", KEA_PIDFILE_DIR=str(tmp_path), KEA_LOCKFILE_DIR=str(tmp_path))


def test_dnsmasq(snippet, tmp_path):
    (tmp_path / "dnsmasq.conf").write_text(snippet("dnsmasq") + "\ndhcp-range=10.77.0.150,10.77.0.199\n", encoding="ascii")
    check("dnsmasq", "--test", f"--conf-file={tmp_path}/dnsmasq.conf")


@pytest.mark.parametrize("kind", ["isc", "kea", "dnsmasq", "windows", "mikrotik"])
def test_every_first_stage_is_in_it(snippet, postgres, kind):
    text = snippet(kind)
    files = [row.file for row in postgres.sql("select file from rouse.boot_files where not http and product is null")]
    assert files and [file for file in files if file not in text] == []
    assert "10.77.0.2" in text
    # MikroTik cannot tell iPXE: tftpd does
    assert ("default.ipxe" in text) == (kind != "mikrotik")


def test_a_subnet_of_its_own_server(snippet, postgres):
    postgres.sql("insert into rouse.subnets (subnet, next_server) values ('10.78.0.0/24', '10.78.0.2')")
    text = postgres.value("select rouse.dhcp_snippet('dnsmasq', '10.78.0.0/24')")
    assert re.findall(r"10\.7\d\.0\.2", text) and "10.77.0.2" not in text
