"""Moving from another DHCP server: its own checker accepts these files, rouse-db takes them in and tells what it did not."""

import re
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOON = int(time.time()) + 86400

ISC = """
# a campus
authoritative;
default-lease-time 7200;
max-lease-time 86400;
option domain-name "campus.example";
option domain-name-servers 10.1.0.2, 10.1.0.3;
shared-network floors {
    option ntp-servers 10.1.0.4;
    subnet 10.1.0.0 netmask 255.255.255.0 {
        option routers 10.1.0.1;
        range 10.1.0.100 10.1.0.150;
        pool { range 10.1.0.160 10.1.0.170; deny unknown-clients; }
    }
    subnet 10.1.1.0 netmask 255.255.255.0 { option routers 10.1.1.1; range 10.1.1.10 10.1.1.20; }
}
class "phones" { match if substring (option vendor-class-identifier, 0, 4) = "Aast"; }
group {
    next-server 10.1.0.9;
    filename "pxelinux.0";
    host Printer_1 { hardware ethernet 00:11:22:33:44:55; fixed-address 10.1.0.10; option host-name "printer; one"; }
    host lab { hardware ethernet 0:1:2:3:4:6; }
}
"""
ISC_LEASES = f"""
lease 10.1.0.101 {{ starts 1 2020/01/06 10:00:00; ends 2 2020/01/07 10:00:00; binding state free;
  hardware ethernet 02:00:00:00:00:01; }}
lease 10.1.0.102 {{ starts epoch {SOON - 90000}; ends epoch {SOON}; binding state active; next binding state free;
  hardware ethernet 02:00:00:00:00:02; uid "\\001\\002"; client-hostname "a\\"b"; }}
lease 10.1.0.103 {{ starts epoch {SOON - 90000}; ends epoch {SOON}; binding state active;
  hardware ethernet 02:00:00:00:00:03; }}
lease 10.1.0.103 {{ starts epoch {SOON - 90000}; ends epoch {SOON - 86401}; binding state free;
  hardware ethernet 02:00:00:00:00:03; }}
"""
KEA = """
// a campus
{ "Dhcp4": {
  "interfaces-config": { "interfaces": [ ] },
  "lease-database": { "type": "memfile", "persist": false },
  "valid-lifetime": 7200, "max-valid-lifetime": 86400,
  "option-data": [ { "name": "domain-name-servers", "data": "10.1.0.2, 10.1.0.3" },
                   { "code": 224, "csv-format": false, "data": "0a0b" } ],
  "client-classes": [ { "name": "phones", "test": "substring(option[60].hex,0,4) == 'Aast'" } ], # gone
  "shared-networks": [ { "name": "floors", "option-data": [ { "name": "ntp-servers", "data": "10.1.0.4" } ],
    "subnet4": [ { "id": 1, "subnet": "10.1.0.0/24", "pools": [ { "pool": "10.1.0.100 - 10.1.0.150" } ],
      "option-data": [ { "name": "routers", "data": "10.1.0.1" } ],
      "reservations": [ { "hw-address": "00:11:22:33:44:55", "ip-address": "10.1.0.10", "hostname": "printer-1.campus" },
                        { "client-id": "01:02", "ip-address": "10.1.0.11" } ] } ] } ],
  "subnet4": [ { "id": 2, "subnet": "10.1.1.0/24", "pools": [ { "pool": "10.1.1.64/26" } ], "next-server": "10.1.0.9" } ]
} }
"""
KEA_LEASES = f"""address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context
10.1.0.102,02:00:00:00:00:02,01:02:00:00:00:00:02,7200,{SOON},1,0,0,ab.,0,
10.1.0.103,02:00:00:00:00:03,,7200,{SOON},1,0,0,,0,
10.1.0.103,02:00:00:00:00:03,,7200,{SOON},1,0,0,,2,
192.168.9.9,02:00:00:00:00:09,,7200,{SOON},1,0,0,,0,
"""
DNSMASQ = """
# a campus
domain=campus.example
dhcp-range=set:floor,10.1.0.100,10.1.0.150,255.255.255.0,12h
dhcp-range=10.1.1.10,10.1.1.20,2h
dhcp-option=option:router,10.1.0.1
dhcp-option=42,10.1.0.4
dhcp-option=option:dns-server,0.0.0.0
dhcp-host=00:11:22:33:44:55,printer-1,10.1.0.10,infinite
dhcp-host=00:11:22:33:44:66,ignore
dhcp-boot=pxelinux.0
"""
DNSMASQ_LEASES = f"""{SOON} 02:00:00:00:00:02 10.1.0.102 ab 01:02:00:00:00:00:02
0 02:00:00:00:00:03 10.1.0.103 * *
1000 02:00:00:00:00:04 10.1.0.104 * *
"""


@pytest.fixture(name="take")
def make_take(postgres, tmp_path):
    postgres.fresh()

    def take(kind, config, leases, *flags):
        (tmp_path / "config").write_text(config, encoding="ascii")
        (tmp_path / "leases").write_text(leases, encoding="ascii")
        done = subprocess.run([ROOT / "packaging/rouse-db", "import-dhcp", "--private", postgres.directory, kind,
                               tmp_path / "config", tmp_path / "leases", *flags], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        counts = {what: int(count) for count, what in re.findall(r"^ +(\d+) (\w+)$", done.stdout, re.M)}
        left = re.search(r"^not taken: (\d+)\n(.*)", done.stdout, re.M | re.S)
        assert int(left[1]) == len(left[2].splitlines())
        return counts, left[2]
    take.files = tmp_path
    return take


def accepted(*command):
    done = subprocess.run([str(word) for word in command], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def leases_of(postgres):
    return postgres.sql("select host(address), mac::text, state, instance from rouse.leases")


def test_isc(take, postgres):
    counts, left = take("isc", ISC, ISC_LEASES)
    accepted("dhcpd", "-T", "-4", "-cf", take.files / "config", "-lf", take.files / "leases")
    assert counts == {"subnets": 2, "pools": 3, "hosts": 2, "cards": 2, "reservations": 1, "options": 5, "leases": 1}
    assert postgres.sql("select subnet::text, shared_network, routers::text, dns::text, domain_name, lease_seconds, "
                        "lease_seconds_max from rouse.subnets") == [
        ("10.1.0.0/24", "floors", "{10.1.0.1}", "{}", None, 7200, 86400),
        ("10.1.1.0/24", "floors", "{10.1.1.1}", "{}", None, 7200, 86400)]
    assert postgres.sql("select scope, coalesce(subnet::text, host::text), option, value from rouse.dhcp_options "
                        "order by 1, 2, 3") == [
        ("global", None, "domain-name", "campus.example"),
        ("global", None, "domain-name-servers", "10.1.0.2 10.1.0.3"),
        ("host", "printer-1", "host-name", "printer; one"),
        ("subnet", "10.1.0.0/24", "ntp-servers", "10.1.0.4"), ("subnet", "10.1.1.0/24", "ntp-servers", "10.1.0.4")]
    assert postgres.sql("select mac::text, host from rouse.nics order by 1") == [
        ("00:01:02:03:04:06", "lab"), ("00:11:22:33:44:55", "printer-1")]
    assert leases_of(postgres) == [("10.1.0.102", "02:00:00:00:00:02", "bound", "import")]
    for told in (r"config:\d+: authoritative: rouse is auth", r"config:\d+: class phones \{...\}: ",
                 r"config:\d+: filename pxelinux.0: .*rouse.boot_files", r"config:\d+: deny unknown-clients: "):
        assert re.search(told, left), left


def test_kea(take, postgres):
    counts, left = take("kea", KEA, KEA_LEASES)
    accepted("kea-dhcp4", "-t", take.files / "config")
    assert counts == {"subnets": 2, "pools": 2, "hosts": 1, "cards": 1, "reservations": 1, "options": 3, "leases": 1}
    assert leases_of(postgres) == [("10.1.0.102", "02:00:00:00:00:02", "bound", "import")]
    for told in ("client-classes: ", "subnet 10.1.1.0/24: next-server: ",
                 '"client-id": "01:02"', "192.168.9.9 of 02:00:00:00:00:09: it lies in no subnet"):
        assert told in left, left


def test_dnsmasq(take, postgres):
    counts, left = take("dnsmasq", DNSMASQ, DNSMASQ_LEASES)
    accepted("dnsmasq", "--test", "-C", take.files / "config")
    assert counts == {"subnets": 2, "pools": 2, "hosts": 1, "cards": 1, "reservations": 1, "options": 3, "leases": 2}
    assert postgres.sql("select subnet::text, lease_seconds from rouse.subnets") == [("10.1.0.0/24", 43200),
                                                                                     ("10.1.1.0/24", 7200)]
    assert len(leases_of(postgres)) == 2
    for told in ("/24 was taken", "set:floor: rouse has no tags", "00:11:22:33:44:66,ignore", "write it out", "dhcp-boot"):
        assert told in left, left


def test_a_dry_run_changes_nothing_and_a_second_run_says_why(take, postgres):
    counts, _ = take("isc", ISC, ISC_LEASES, "--dry-run")
    assert counts["subnets"] == 2 and postgres.value("select count(*) from rouse.subnets") == 0
    take("isc", ISC, ISC_LEASES)
    counts, left = take("isc", ISC, ISC_LEASES)
    assert not counts and "10.1.0.0/24: rouse has it already" in left and "rouse has a lease of this address already" in left


@pytest.mark.parametrize("kind, text, told", [
    ("isc", "subnet 10.0.0.0 netmask 255.255.255.0 { range 10.0.0.5", "ends in the middle"),
    ("isc", 'option domain-name "a;', "config:1: a quotation mark"),
    ("kea", "{", "no configuration of Kea"), ("dnsmasq", "dhcp-range=10.0.0.1,10.0.0.9,255.0.0.255", "config:1: ")])
def test_a_broken_file_is_refused_whole(take, postgres, kind, text, told):
    with pytest.raises(AssertionError) as refused:
        take(kind, text, "")
    assert told in str(refused.value) and "remedy" in str(refused.value)
    assert postgres.value("select count(*) from rouse.subnets") == 0
