"""rouse.explain() against what the three daemons really answer: machines in every state ask dhcpd, tftpd and menud on one
segment, and what each daemon says in its log or on the wire is what explain() said of it, word for word.

That core/boot and the database judge alike over all facts is shown by test_boot_policy.py; here, that each daemon asks with
the facts that explain() takes, and passes the words on."""

import re
import urllib.request

import pytest

from test_dhcpd_kit import OFFER, SERVER, Site, firmware
from test_tftpd import ERROR, OACK, ack, fetch_rest, receive, request

# name, statement that makes it; each has a namespace and a card of its own
MACHINES = {
    "stranger": None,
    "waits": "update rouse.hosts set state = 'pending' where name = 'waits'",
    "idle": "update rouse.hosts set state = 'active' where name = 'idle'",
    "busy": "select rouse.inventory('busy')",
    "broken": "update rouse.hosts set state = 'disabled' where name = 'broken'",
    "old": "update rouse.hosts set state = 'retired' where name = 'old'",
    "kiosk": "update rouse.hosts set product = 'Kiosk 3' where name = 'kiosk'",
}
# option 93 with its vendor class: BIOS, UEFI for i386 (no boot file), x86-64 and arm64, HTTP, U-Boot
CLIENTS = [(0, "PXEClient"), (6, "PXEClient"), (7, "PXEClient"), (11, "PXEClient"), (16, "HTTPClient"), (22, "U-Boot")]
# iPXE's words, and those of the rules
LOADERS = [("i386", "pcbios", "bios"), ("x86_64", "efi", "efi"), ("arm64", "efi", "efi")]
# A site's own: each answer of the policy, each by another fact, for one stage or for all.
OWN_RULES = [
    ("pending", None, "host_state", "{pending}", "refuse", "waits for approval"),
    ("kiosks", "{menu}", "product", '{"Kiosk 3"}', "local", "kiosks boot their own disk"),
    ("kiosks by tftp", "{script}", "product", '{"Kiosk 3"}', "local", "kiosks need no menu"),
    ("arm", "{menu}", "arch", "{arm64}", "profile", "arm machines install themselves"),
    ("bios", "{dhcp}", "firmware", "{bios}", "menu", "BIOS goes on to the menu"),
    ("strangers", "{script}", "host_state", "{unknown}", "nothing", "strangers get no script"),
    ("the job", "{dhcp}", "job", "{live}", "job", "a job is waiting for it"),
]


class Yard(Site):
    """A server with all three daemons, and the machines."""

    def __init__(self, lab, postgres, build, folder):
        super().__init__(lab, postgres, build, folder)
        postgres.sql("select rouse.setting('loop_guard_offers', '100')")  # each request is a boot here
        postgres.sql("insert into rouse.profiles (name, title, kind, url) values ('installer', 'Installer', 'chain', 'http://x/y')")
        self.since, self.without_file = None, {}  # reasons for no boot file, by MAC
        self.machines = {}
        for name, statement in MACHINES.items():
            host = lab.host(name)
            self.machines[name] = (host, host.mac())
            if statement:
                postgres.sql("insert into rouse.hosts (name) values (%s)", name)
                postgres.sql("insert into rouse.nics (mac, host) values (%s, %s)", host.mac(), name)
                postgres.sql(statement)
        for number, (host, _) in enumerate(self.machines.values(), 5):
            host.run(["ip", "address", "add", f"10.77.0.{number}/24", "dev", "eth0"])
        self.start()
        (folder / "root").mkdir()
        state = [folder / "state-tftpd", folder / "state-menud"]
        for each in state:
            each.mkdir()
        self.tftpd = self.server.spawn([build / "tftpd/tftpd", "--root", folder / "root", "--state-dir", state[0],
                                        "--database", postgres.conninfo("rouse_tftpd")], name="tftpd")
        configuration = folder / "menud.conf"
        configuration.write_text(f'database = "{postgres.conninfo("rouse_menud")}"\nroot = "{folder}/root"\n'
                                 f'image_store = "{folder}/root"\nstate_dir = "{state[1]}"\n', encoding="utf-8")
        self.menud = self.server.spawn([build / "menud/menud", "--config", configuration], name="menud")
        for daemon in (self.tftpd, self.menud):
            daemon.wait_for("event=snapshot_loaded")

    def use_own_rules(self):
        said = [(daemon, len(daemon.output)) for daemon in (self.daemon, self.tftpd, self.menud)]
        self.postgres.sql("insert into rouse.boot_rules (position, name, stage, answer, argument, reason, host_state, product, arch, firmware, job) values "
                          + ", ".join(f"""({place}, '{name}', {f"'{stage}'" if stage else 'null'}, '{answer}', {"'installer'" if answer == 'profile' else 'null'},
                          '{reason}', """ + ", ".join(f"'{value}'::text[]" if fact == column else "null::text[]" for column in
                                                       ("host_state", "product", "arch", "firmware", "job")) + ")"
                                      for place, (name, stage, fact, value, answer, reason) in enumerate(OWN_RULES, 10)))
        for daemon, length in said:
            daemon.wait_for(f"event=snapshot_loaded .*rules={6 + len(OWN_RULES)}", after=length)

    def begin(self):
        self.since, self.without_file = self.postgres.value("select clock_timestamp()"), {}

    def explain(self, mac, words, arch, stage, loader):
        """The row of explain() for this step; arch is DHCP's number, or a word with the firmware's."""
        (row,) = [row for row in self.postgres.sql("select * from rouse.explain(%s::macaddr, %s, %s)", mac, words, arch)
                  if (row.stage, row.loader) == (stage, loader)]
        return row


@pytest.fixture(scope="module", name="yard")
def make_yard(module_lab, postgres, build, tmp_path_factory):
    yard = Yard(module_lab, postgres, build, tmp_path_factory.mktemp("yard"))
    yield yard
    yard.close()


def value_of(line, key):
    """One value of a line of logfmt."""
    found = re.search(rf'{key}=("((?:[^"\\]|\\.)*)"|\S*)', line)
    return found.group(2) if found.group(2) is not None else found.group(1)


def ask_dhcpd(yard, name, arch, vendor, is_ipxe):
    """file and reason, as dhcpd logs them."""
    host, mac = yard.machines[name]
    wire = yard.wire(mac, host)
    said = len(yard.daemon.output)
    offer = wire.discover(*firmware(arch, vendor, user=b"iPXE" if is_ipxe else None, ipxe=is_ipxe))
    assert offer.type == OFFER
    line = yard.daemon.wait_for(f"event=offer .*mac={mac.replace(':', '-')}.*|event=offer .*mac={mac}.*", after=said).group()
    return value_of(line, "file"), value_of(line, "reason")


def check_dhcpd(yard, name):
    """The answers seen; where the log is about the address, as there is no file, the event must have the reason."""
    _, mac = yard.machines[name]
    seen, without_file = set(), set()
    for arch, vendor in CLIENTS:
        row = yard.explain(mac, None, str(arch), "dhcp", "firmware")
        file, reason = ask_dhcpd(yard, name, arch, vendor, False)
        is_answered = row.answer not in ("nothing", "local", "refuse") and "no boot file" not in row.reason
        if is_answered:
            # by HTTP it is a URL; U-Boot knows its own names; a profile is menud's, on the way there is a first stage
            assert row.answer == "profile" or file == (row.argument or "") or file.endswith(f"/files/tftp/{row.argument}"), (name, file, row)
            assert reason == row.reason, (name, arch, file, row)
        else:
            assert file == "", (name, arch, row)
            without_file.add(row.reason)
        seen.add(row.answer)
    row = yard.explain(mac, None, "7", "dhcp", "ipxe")
    file, reason = ask_dhcpd(yard, name, 7, "PXEClient", True)
    if row.answer in ("nothing", "local", "refuse"):
        assert file == ""
        without_file.add(row.reason)
    else:
        assert (file, reason) == ("default.ipxe", row.reason), (name, row)
    yard.without_file[mac] = without_file
    return seen | {row.answer}


def check_recorded(yard):
    """dhcpd's events say why there was no file, in explain()'s words, and no other ones."""
    def recorded():
        rows = yard.postgres.sql("select mac::text, array_agg(distinct reason) as reasons from rouse.events where daemon = 'dhcpd' "
                                 "and kind = 'offer' and name is null and coalesce(detail ->> 'class', '') <> 'uboot' and at >= %s "
                                 "group by mac", yard.since)
        return {row.mac: set(row.reasons) for row in rows if row.mac in yard.without_file}
    expected = {mac: reasons for mac, reasons in yard.without_file.items() if reasons}
    yard.wait_until(lambda: all(reasons <= recorded().get(mac, set()) for mac, reasons in expected.items()))
    assert recorded() == expected


def check_tftpd(yard, name):
    host, mac = yard.machines[name]
    row = yard.explain(mac, None, None, "script", "ipxe")
    with host.entered():
        import socket  # pylint: disable=import-outside-toplevel
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(10)
        sock.sendto(request("default.ipxe", blksize=1400), (SERVER, 69))
        opcode, _, text, sender = receive(sock)
        if opcode == OACK:
            sock.sendto(ack(0), sender)
            text = fetch_rest(sock, sender, 1400)
    if row.answer in ("nothing", "refuse"):
        assert opcode == ERROR and text.rstrip(b"\0").decode() == row.reason, (name, row, text)
    else:
        assert opcode == OACK and text.startswith(b"#!ipxe"), (name, row, text)
        assert (row.reason.encode() in text) == (row.answer == "local"), (name, row, text)
    return {row.answer}


def check_menud(yard, name):
    host, mac = yard.machines[name]
    seen = set()
    for cpu, platform, word in LOADERS:
        row = yard.explain(mac, word, cpu, "menu", "ipxe")
        product = "&product=Kiosk%203" if name == "kiosk" else ""
        said = len(yard.menud.output)
        with host.entered():
            with urllib.request.urlopen(f"http://{SERVER}:8080/boot?mac0={mac}&arch={cpu}&platform={platform}{product}", timeout=20) as answer:
                assert answer.read().startswith(b"#!ipxe")
        line = yard.menud.wait_for(f"event=boot mac={mac.replace(':', '-')} .*", after=said).group()
        given, reason = value_of(line, "answer"), value_of(line, "reason")
        expected = {"nothing": "local", "refuse": "refused", "script": "menu", "first_stage": "menu"}.get(row.answer, row.answer)
        assert given == expected, (name, cpu, line, row)
        if row.answer in ("nothing", "local", "refuse"):
            assert reason == row.reason, (name, cpu, line, row)
        elif row.answer == "job":
            # explain says: inventory 1, queued
            kind, number = re.fullmatch(r"(\w+) (\d+), \w+", row.argument).groups()
            assert reason == f"job {number}: {kind} on {name}", (line, row)
        seen.add(row.answer)
    return seen


@pytest.mark.parametrize("rules, answers", [
    ("shipped", {"nothing", "first_stage", "script", "menu", "job"}),
    ("a site's own", {"nothing", "first_stage", "script", "menu", "job", "local", "refuse", "profile"})])
def test_each_daemon_does_what_explain_says(yard, rules, answers):
    if rules != "shipped":
        yard.use_own_rules()
    yard.begin()
    seen = set()
    for name in MACHINES:
        seen |= check_dhcpd(yard, name) | check_tftpd(yard, name) | check_menud(yard, name)
    check_recorded(yard)
    assert seen == answers
