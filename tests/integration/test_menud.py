"""menud alone on a host of its own, with curl as the machine: no dhcpd and no tftpd anywhere."""

import hashlib
import json
import re
import resource
import secrets
import signal
import time
from pathlib import Path

import pytest

MAC = "52:54:00:00:00:01"
FACTS = f"mac0={MAC}&arch=x86_64&platform=efi&product=Lab"


@pytest.fixture(scope="module")
def server(module_lab, postgres, build, tmp_path_factory):
    return Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))


class Server:
    """A host with menud, and another from which curl asks."""

    IPV6 = False

    def __init__(self, lab, postgres, build, workdir):
        self.postgres, self.build, self.workdir = postgres, build, workdir
        lab.segment("lan", ipv6=self.IPV6)
        self.host = lab.host("menud", ["10.77.0.3/24"])
        self.client = lab.host("client", ["10.77.0.9/24"])
        (workdir / "srv" / "fos").mkdir(parents=True)
        (workdir / "srv" / "images" / "tiny" / "1").mkdir(parents=True)
        (workdir / "srv" / "fos" / "bzImage").write_bytes(bytes(range(256)) * 16)
        (workdir / "srv" / "fos" / "init.xz").write_bytes(b"initial disk")
        (workdir / "state").mkdir()
        self.daemon = None
        self.start()

    def write_configuration(self, more="", database=None):
        file = self.workdir / "menud.conf"
        file.write_text(f'database = "{database or self.postgres.conninfo("rouse_menud")}"\n'
                        f'root = "{self.workdir}/srv"\nimage_store = "{self.workdir}/srv"\n'
                        f'state_dir = "{self.workdir}/state"\n{more}', encoding="utf-8")
        return file

    def start(self, wait="event=snapshot_loaded", **more):
        self.daemon = self.host.spawn([self.build / "menud" / "menud", "--config",
                                       self.write_configuration(**more)], name="menud")
        if wait:
            self.daemon.wait_for(wait)
        return self.daemon

    def curl(self, path, *arguments):
        """Status and body."""
        done = self.client.run(["curl", "-sS", "-w", "\n%{http_code}", "--max-time", "20",
                                *arguments, f"http://10.77.0.3:8080{path}"])
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def boot(self, facts=FACTS, **more):
        """Asks /boot, as a machine does; the script."""
        query = facts + "".join(f"&{key}={value}" for key, value in more.items())
        status, body = self.curl(f"/boot?{query}")
        assert status == 200, body
        assert body.startswith("#!ipxe\n")
        return body

    def boot_until(self, pattern, facts=FACTS, seconds=3, **more):
        """Asks until a change of the database has come through: NOTIFY takes milliseconds."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, script := self.boot(facts, **more))):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{script}"
        return found

    def fos(self, verb, **fields):
        """One call of the client system; its answer as a dict."""
        data = [word for key, value in fields.items()
                for word in ("--data-urlencode", f"{key}={value}")]
        status, body = self.curl(f"/fos/{verb}", *data)
        assert status == 200, body
        return dict(line.split("=", 1) for line in body.splitlines())


def add_host(postgres, name, mac):
    postgres.sql("insert into rouse.hosts (name) values (%s)", name)
    postgres.sql("insert into rouse.nics (mac, host) values (%s, %s)", mac, name)


def test_an_unknown_machine_gets_the_menu(server):
    script = server.boot("mac0=52:54:00:00:00:99&platform=pcbios&arch=i386")
    assert "menu rouse: this machine (unknown)" in script
    for key in ("local", "register_quick", "register_full", "memtest"):
        assert re.search(rf"^item (--key . )?{key} ", script, re.M), script
    assert "choose --default local --timeout 10000 item" in script
    assert "sanboot --no-describe --drive 0x80" in script  # a BIOS's way to its disk


def test_fogs_names_by_post(server):
    status, script = server.curl("/boot", "-d", f"mac={MAC}|52:54:00:00:00:02|&platform=efi",
                                 "-d", "sysuuid=00112233-4455-6677-8899-aabbccddeeff")
    assert status == 200
    assert "mac0=52%3A54%3A00%3A00%3A00%3A01&mac1=52%3A54%3A00%3A00%3A00%3A02" \
           "&uuid=00112233-4455-6677-8899-aabbccddeeff" in script


def test_the_scripts_name_the_server_as_the_client_does(server):
    _, script = server.curl(f"/boot?{FACTS}", "-H", "Host: boot.example:80")
    assert "http://boot.example:80/boot?" in script
    # a host that would break out of the line is not repeated
    _, script = server.curl(f"/boot?{FACTS}", "-H", "Host: x || shell")
    assert "shell" not in script and "http://10.77.0.3:8080/boot?" in script


@pytest.mark.parametrize("query, word", [
    ("mac0=nonsense", "mac0"), ("platform=efi", "mac0"), (f"mac0={MAC}&try=x", "try")])
def test_a_wrong_field_is_named(server, query, word):
    status, body = server.curl(f"/boot?{query}")
    assert status == 400 and word in body


def test_a_menu_item_inserted_is_in_the_next_menu(server):
    server.postgres.sql("insert into rouse.profiles (name, title, kind, kernel, initrd, arguments) "
                        "values ('deb', 'Install Debian', 'linux', 'deb/linux', 'deb/initrd.gz', "
                        "'priority=low netcfg/choose_interface=${net0/mac}')")
    server.postgres.sql("insert into rouse.menu (key, title, position, action, profile) "
                        "values ('deb', 'Install || Debian', 35, 'profile', 'deb')")
    server.boot_until(r"item deb Install '\|\| Debian\n")
    script = server.boot(item="deb")
    assert "kernel http://10.77.0.3:8080/files/deb/linux?as=kernel&mac=52-54-00-00-00-01" \
           " initrd=initrd.gz priority=low netcfg/choose_interface=${net0/mac} || goto" in script
    assert "rouse_ticket" not in script


@pytest.fixture
def own_item(server):
    """An item of a sub-menu of the site's own; both go again."""
    sql = server.postgres.sql
    sql("insert into rouse.menu (key, title, position, action) values ('own', 'Own', 70, 'menu')")
    sql("insert into rouse.menu (key, title, position, action, parent) "
        "values ('ask', 'Ask || shell', 71, 'identify', 'own')")
    server.boot_until("model:", item="ask")
    yield "ask"
    sql("delete from rouse.menu where key = 'ask'")
    sql("delete from rouse.menu where key = 'own'")
    # both are gone for the daemon, too: the next test waits for its own
    server.boot_until('has no entry "own" for', item="own")
    server.boot_until('has no entry "ask" for', item="ask")


def test_a_sub_menu_is_entered_and_left(server, own_item):
    assert "item ask" not in server.boot()
    script = server.boot(item="own")
    assert "item ask Ask '|| shell\n" in script and "item .. Back\n" in script
    assert "choose --default .. " in script  # left alone, it goes back
    assert "echo model: Lab\n" in server.boot(item=own_item)
    assert "item own Own\n" in server.boot(item="..")


@pytest.mark.parametrize("condition", [
    "host_state = '{retired}'", "firmware = '{bios}'", "arch = '{arm64}'", "group_name = 'others'",
    "role = 'viewer'"])
@pytest.mark.parametrize("hidden", ["ask", "own"])
def test_what_a_machine_may_not_see_is_left_out_and_refused(server, own_item, condition, hidden):
    """An item by each condition, and everything in a sub-menu with it."""
    server.postgres.sql("insert into rouse.groups (name) values ('others') on conflict do nothing")
    server.postgres.sql(f"update rouse.menu set {condition} where key = '{hidden}'")
    server.boot_until('has no entry "ask" for this machine', item=own_item)
    shown = server.boot() if hidden == "own" else server.boot(item="own")
    assert f"item {hidden} " not in shown
    # nor does what the client says of itself open it
    assert "model:" not in server.boot(item=own_item, role="operator")


def test_a_word_is_typed_before_an_item_is_carried_out(server, own_item):
    server.postgres.sql("update rouse.menu set confirm = 'really' where key = 'ask'")
    script = server.boot_until(r"(?s).*iseq .*", item=own_item).group()
    assert "iseq ${typed:hexraw} 7265616c6c79 || goto back\n" in script
    assert "&item=ask&confirm=really || goto failed\n" in script and "model:" not in script
    assert "echo rouse: that was another word" in server.boot(item=own_item, confirm="no")
    assert "model:" in server.boot(item=own_item, confirm="really")


def test_a_boot_rule_inserted_decides_the_next_boot(server):
    server.postgres.sql("insert into rouse.boot_rules (position, name, stage, product, answer, "
                        "reason) values (50, 'kiosks', '{menu}', '{Kiosk}', 'refuse', "
                        "'kiosks boot their own disk')")
    kiosk = FACTS.replace("Lab", "Kiosk")
    server.boot_until("echo rouse: kiosks boot their own disk", kiosk)
    assert "menu rouse" in server.boot()


def test_a_job_from_ticket_to_end(server):
    add_host(server.postgres, "lab-01", MAC)
    job = server.postgres.value("select rouse.inventory('lab-01')")
    ticket = server.boot_until("rouse_ticket=([0-9a-f]{32}) BOOTIF=01-52-54-00-00-00-01").group(1)
    token = secrets.token_hex(32)

    assert server.fos("checkin", ticket="0" * 32, token=token, mac0=MAC)["reason"] \
        == "ticket_unknown"
    answer = server.fos("checkin", ticket=ticket, token=token, mac0=MAC)
    assert answer["answer"] == "run" and answer["kind"] == "inventory"
    assert answer["job"] == str(job)
    # the same words, the same answer; another token is another client
    assert server.fos("checkin", ticket=ticket, token=token, mac0=MAC) == answer
    other = server.fos("checkin", ticket=ticket, token=secrets.token_hex(32), mac0=MAC)
    assert (other["answer"], other["reason"]) == ("refused", "identity_conflict")

    assert "another client is doing this job" in server.boot()
    assert server.fos("progress", token=token, step="scan", percent=50)["answer"] == "continue"
    inventory = {"product": "Lab\nanswer=forged", "cpu_count": 2}
    assert server.fos("inventory", token=token, json=json.dumps(inventory))["answer"] == "ok"
    end = server.fos("finish", token=token, outcome="succeeded")
    assert (end["answer"], end["state"]) == ("ok", "succeeded")
    assert server.fos("finish", token=token, outcome="succeeded") == end
    assert server.fos("progress", token=token, step="scan")["answer"] == "refused"
    assert "menu rouse: lab-01" in server.boot()


def test_an_inventory_full_of_quotes(server):
    """docs/reference/fos-protocol: 256 KiB of JSON, whatever it costs to wrap them."""
    job = server.postgres.value("select rouse.inventory('lab-01')")
    ticket = server.boot_until("rouse_ticket=([0-9a-f]{32})").group(1)
    token = secrets.token_hex(32)
    server.fos("checkin", ticket=ticket, token=token, mac0=MAC)
    file = server.workdir / "inventory"
    file.write_text(json.dumps({"pci": ["a"] * 60_000}, separators=(",", ":")))
    assert 240_000 < file.stat().st_size < 256 * 1024
    status, body = server.curl("/fos/inventory", "-d", f"token={token}",
                               "--data-urlencode", f"json@{file}")
    assert (status, "answer=ok" in body) == (200, True), body
    server.fos("finish", token=token, outcome="succeeded")
    assert server.postgres.value("select state from rouse.jobs where id = %s", job) == "succeeded"


def test_cancel_reaches_the_client(server):
    job = server.postgres.value("select rouse.inventory('lab-01')")
    ticket = server.boot_until("rouse_ticket=([0-9a-f]{32})").group(1)
    token = secrets.token_hex(32)
    server.fos("checkin", ticket=ticket, token=token, mac0=MAC)
    server.postgres.sql("select rouse.cancel(%s)", job)
    assert server.fos("progress", token=token, step="scan")["answer"] == "cancel"
    assert server.fos("finish", token=token, outcome="cancelled")["state"] == "cancelled"


def test_a_machine_that_never_checks_in_is_sent_to_its_disk(server):
    add_host(server.postgres, "lab-02", "52:54:00:00:00:02")
    job = server.postgres.value("select rouse.inventory('lab-02')")
    facts = FACTS.replace(MAC, "52:54:00:00:00:02")
    for _ in range(3):
        server.boot_until("rouse_ticket=", facts)
        # the next answer shall be another boot: the offer's time is over
        server.postgres.admin("update rouse_data.offer set opened_at = opened_at - interval '6 min' "
                              "where job_id = %s", job)
    script = server.boot(facts)
    assert "rouse_ticket" not in script and "loop_guard" in script and script.endswith("exit\n")
    ((state, reason),) = server.postgres.sql("select state, reason from rouse.jobs where id = %s", job)
    assert (state, reason) == ("failed", "loop_guard")


def test_registration_makes_a_host_and_a_job(server):
    script = server.boot("mac0=52:54:00:00:00:77&platform=efi&arch=x86_64", item="register_quick")
    ticket = re.search("rouse_ticket=([0-9a-f]{32})", script).group(1)
    token = secrets.token_hex(32)
    answer = server.fos("checkin", ticket=ticket, token=token, mac0="52:54:00:00:00:77")
    assert (answer["kind"], answer["mode"]) == ("register", "quick")
    assert server.fos("register", token=token, mode="quick")["state"] == "active"
    server.fos("finish", token=token, outcome="succeeded")
    assert server.postgres.value("select state from rouse.hosts h join rouse.nics n "
                                 "on n.host = h.name where n.mac = '52:54:00:00:00:77'") == "active"


def test_files_with_range_and_head(server):
    whole = bytes(range(256)) * 16
    done = server.client.run("curl -sS -D /dev/stderr -r 250-259 "
                             "http://10.77.0.3:8080/files/fos/bzImage 2>&1 >/dev/null")
    assert "206 Partial Content" in done.stdout
    assert f"Content-Range: bytes 250-259/{len(whole)}" in done.stdout
    etag = re.search('ETag: (".*")', done.stdout).group(1)
    status, body = server.curl("/files/fos/bzImage", "-r", "48-57", "-H", f"If-Range: {etag}")
    assert (status, body) == (206, "0123456789")
    status, body = server.curl("/files/fos/init.xz", "-r", "3-", "-H", 'If-Range: "other"')
    assert (status, body) == (200, "initial disk")
    status, _ = server.curl("/files/fos/init.xz", "-r", "4000-")
    assert status == 416
    done = server.client.run("curl -sSI http://10.77.0.3:8080/files/fos/bzImage")
    assert f"Content-Length: {len(whole)}" in done.stdout


def test_head_has_no_range(server):
    """RFC 9110 section 14.2: Range is for GET."""
    done = server.client.run("curl -sS -I -r 0-9 http://10.77.0.3:8080/files/fos/bzImage")
    assert "200 OK" in done.stdout and "Content-Length: 4096" in done.stdout
    assert "Content-Range" not in done.stdout


def test_an_empty_file(server):
    (server.workdir / "srv" / "empty").touch()
    assert server.curl("/files/empty") == (200, "")
    assert server.curl("/files/empty", "-r", "0-")[0] == 416


def test_no_descriptor_left_is_not_a_missing_file(server):
    """...and none is lost: what was open before is open afterwards, whatever was asked."""
    def descriptors():
        return len(list(Path(f"/proc/{server.daemon.pid}/fd").iterdir()))

    def settled():
        deadline = time.monotonic() + 5
        while (count := descriptors()) != before:
            assert time.monotonic() < deadline, f"{count} descriptors are open, not {before}"

    def rested():
        """The count once it no longer changes: a connection of what was asked before may still be closing."""
        last = None
        while (count := descriptors()) != last:
            last = count
            time.sleep(0.5)
        return count

    before = rested()
    for options in ([], ["-r", "1-2"], ["-r", "9999-"], ["-I"], ["-r", "1-2", "-H", "If-Range: x"]):
        server.curl("/files/fos/init.xz", *options)
    settled()
    limits = resource.prlimit(server.daemon.pid, resource.RLIMIT_NOFILE)
    numbers = sorted(int(entry.name) for entry in Path(f"/proc/{server.daemon.pid}/fd").iterdir())
    free = next(number for number in range(1 << 16) if number not in numbers)
    # one more, which the connection takes; numbers above the limit stay open
    resource.prlimit(server.daemon.pid, resource.RLIMIT_NOFILE, (free + 1, limits[1]))
    try:
        done = server.client.run("curl -sS -i http://10.77.0.3:8080/files/fos/init.xz")
    finally:
        resource.prlimit(server.daemon.pid, resource.RLIMIT_NOFILE, limits)
    assert "503" in done.stdout and "Retry-After" in done.stdout
    server.daemon.wait_for("Too many open files")
    settled()
    assert server.curl("/files/fos/init.xz") == (200, "initial disk")


def test_facts_of_any_length_come_back_whole(server):
    """What the next request says again must be what was said first, or a rule would not hold."""
    texts = ["product", "manufacturer", "serial", "ipxever", "filename"]
    facts = "&".join([f"mac{n}=52:54:00:00:09:0{n}" for n in range(8)]
                     + [f"{name}={'%FC%80' * 63}" for name in texts])
    script = server.boot(facts)
    again = re.search(r"/boot\?(.*)&try=", script).group(1)
    assert again.count("mac") >= 8 and "mac7=" in again
    for name in texts:
        assert f"{name}={'%FC%80' * 63}" in again
    # and so they go to the database
    script = server.boot(re.sub("%FC%80", "%01%02", facts), item="register_quick")
    assert "rouse_ticket=" in script


def test_nothing_outside_the_roots(server):
    (server.workdir / "secret").write_text("not for you")
    link = server.workdir / "srv" / "link"
    link.symlink_to("../secret")
    fifo = server.workdir / "srv" / "fifo"
    if not fifo.exists():
        server.client.run(["mkfifo", fifo])
    for path in ("/files/../secret", "/files/%2e%2e/secret", "/files/..%5csecret", "/files/link",
                 "/files/fifo", "/files/fos", "/files/nothing"):
        status, body = server.curl(path, "--path-as-is")
        assert status in (400, 403, 404) and "not for you" not in body, (path, status, body)


def test_an_image_needs_its_token(server):
    status, _ = server.curl("/fos/image/1/1")
    assert status == 401
    status, _ = server.curl("/fos/image/1/1", "-H", "Authorization: Bearer " + "0" * 64)
    assert status == 403
    status, _ = server.curl("/fos/image/x", "-H", "Authorization: Bearer " + "0" * 64)
    assert status == 404


def test_a_script_is_given_to_its_token(server):
    script = 'echo "\\x größer"\nexit 0\n' * 2500  # as long as a script may be, nearly
    job = server.postgres.value("select rouse.enqueue('lab-01', 'script', script => %s)", script)
    ticket = server.boot_until("rouse_ticket=([0-9a-f]{32})").group(1)
    token = secrets.token_hex(32)
    answer = server.fos("checkin", ticket=ticket, token=token, mac0=MAC)
    assert answer["script_url"] == f"/fos/script/{job}"
    assert int(answer["script_size"]) == len(script.encode())
    assert answer["script_sha256"] == hashlib.sha256(script.encode()).hexdigest()
    bearer = ("-H", f"Authorization: Bearer {token}")
    assert server.curl(answer["script_url"], *bearer) == (200, script)
    assert server.curl(answer["script_url"])[0] == 401
    assert server.curl(f"/fos/script/{job + 1}", *bearer)[0] == 403
    assert server.curl("/fos/script/x", *bearer)[0] == 404
    server.fos("finish", token=token, outcome="succeeded")
    assert server.curl(answer["script_url"], *bearer)[0] == 403


def test_an_image_is_given_in_parts_to_its_token(server):
    content = secrets.token_bytes(100_000)
    (server.workdir / "srv" / "images" / "tiny" / "1" / "disk.raw.zst").write_bytes(content)
    version = server.postgres.value(
        "select rouse.publish_image('tiny', 1, 'images/tiny/1/disk.raw.zst', %s, %s, %s, %s)",
        len(content), "0" * 64, 1 << 20, "1" * 64)
    server.postgres.sql("select rouse.deploy('lab-01', 'tiny')")
    ticket = server.boot_until("rouse_ticket=([0-9a-f]{32})").group(1)
    token = secrets.token_hex(32)
    answer = server.fos("checkin", ticket=ticket, token=token, mac0=MAC)
    assert answer["image_version"] == str(version)
    bearer = ["-H", f"Authorization: Bearer {token}"]
    parts = []
    for piece in ("0-49999", "50000-"):
        file = server.workdir / "part"
        status, _ = server.curl(answer["image_url"] + "/1", *bearer, "-r", piece, "-o", str(file))
        assert status == 206
        parts.append(file.read_bytes())
    assert b"".join(parts) == content
    # a file of another size is no image any more
    (server.workdir / "srv" / "images" / "tiny" / "1" / "disk.raw.zst").write_bytes(content[:-1])
    status, body = server.curl(answer["image_url"] + "/1", *bearer)
    assert status == 404, body
    assert server.fos("finish", token=token, outcome="failed",
                      reason="image_missing")["state"] == "failed"


@pytest.mark.parametrize("arguments, status", [
    (["-X", "PUT", "/boot"], 405), (["/nothing"], 404), (["-d", "x=1", "/fos/fly"], 404),
    (["-d", "Bad-Name=1", "/fos/checkin"], 400), (["-d", "ticket=%zz", "/fos/checkin"], 400),
    (["-d", "ticket=abc", "/fos/checkin"], 400)])
def test_bad_requests_are_told_so(server, arguments, status):
    *options, path = arguments
    assert server.curl(path, *options)[0] == status


def test_a_large_body_is_refused(server):
    body = server.workdir / "body"
    body.write_bytes(b"json=" + b"x" * 900_000)
    assert server.curl("/fos/inventory", "--data-binary", f"@{body}")[0] == 413


def test_firmware_that_boots_by_http_is_recorded(server):
    """It names no MAC: the event has its address, and the database finds the lease."""
    (server.workdir / "srv" / "first.efi").write_bytes(b"x" * 100)
    server.postgres.sql("insert into rouse_data.lease (address, client, mac, state, expires_at, granted_at, instance) "
                        "values ('10.77.0.9', '\\x07', '52:54:00:00:00:07', 'bound', now() + interval '1 hour', now(), 'd')",
                        role="postgres")
    firmware = ["-A", "UefiHttpBoot/1.0"]
    server.curl("/files/first.efi", "-I", *firmware)
    server.curl("/files/first.efi", *firmware)
    server.curl("/files/absent.efi", *firmware)
    server.curl("/files/first.efi")  # somebody with a browser: no machine's story
    deadline = time.monotonic() + 30
    while len(rows := server.postgres.sql(
            "select kind, name, mac from rouse.events where daemon = 'menud' and stage = 'tftp_nbp' order by at")) < 3:
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
    assert [(row.kind, row.name) for row in rows] == \
        [("probe", "first.efi"), ("sent", "first.efi"), ("missing", "absent.efi")]
    assert {row.mac for row in rows} == {"52:54:00:00:00:07"}


def test_the_timeline_tells_it(server):
    server.curl("/files/fos/init.xz?as=initrd&mac=52-54-00-00-00-01")
    deadline = time.monotonic() + 5
    while not server.postgres.sql("select 1 from rouse.events where mac = %s and stage = 'initrd' "
                                  "and kind = 'sent'", MAC):
        assert time.monotonic() < deadline
    stages = {row.stage for row in server.postgres.sql("select * from rouse.trace(%s)", MAC)}
    assert {"script", "initrd", "fos", "work", "report"} <= stages


def test_without_its_database(server):
    """The menu goes on from the snapshot; what needs the database waits and says so."""
    add_host(server.postgres, "lab-03", "52:54:00:00:00:03")
    server.postgres.sql("select rouse.inventory('lab-03')")
    facts = FACTS.replace(MAC, "52:54:00:00:00:03")
    server.boot_until("rouse_ticket=", facts)
    server.postgres.stop()
    try:
        assert "menu rouse: lab-01" in server.boot()
        script = server.boot(facts)
        assert "the job database is away" in script and "try=1" in script and "sleep 5" in script
        script = server.boot(facts, **{"try": 11})
        assert script.endswith("exit\n") and "chain" not in script
        assert server.curl("/files/fos/init.xz") == (200, "initial disk")
        done = server.client.run(f"curl -sS -i -d token={'0' * 64} "
                                 "http://10.77.0.3:8080/fos/progress")
        assert "503" in done.stdout and "Retry-After: 5" in done.stdout
        # a restart without the database: the saved configuration
        server.daemon.stop()
        server.start(wait="event=saved_snapshot_loaded")
        assert "menu rouse: lab-01" in server.boot()
    finally:
        server.postgres.start()
    server.boot_until("rouse_ticket=", facts, seconds=5)


def test_it_comes_back_after_its_connections_were_ended(server):
    before = len(server.daemon.output)
    server.postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity "
                          "where usename = 'rouse_menud'")
    server.daemon.wait_for("event=database_away", after=before)
    server.daemon.wait_for("event=snapshot_loaded", after=before, timeout=5)
    assert "menu rouse: lab-01" in server.boot()


def test_a_silent_first_host_does_not_hide_the_second(server):
    server.daemon.stop()
    socket = server.postgres.conninfo("rouse_menud").replace("host=", "host=10.77.0.250,")
    daemon = server.start(database=socket, wait=None)
    daemon.wait_for("event=database_connected .*listen", timeout=8)


def test_kill_and_restart(server):
    server.daemon.kill()
    server.start()
    assert "menu rouse: lab-01" in server.boot()
    assert server.daemon.is_running()
    server.daemon.signal(signal.SIGHUP)
    server.daemon.wait_for("event=snapshot_loaded", after=len(server.daemon.output) - 1)
    assert server.daemon.stop() == 0


def test_the_configuration_is_checked(server):
    def run(*arguments, **more):
        file = server.write_configuration(**more)
        return server.host.run([server.build / "menud" / "menud", "--config", file, *arguments],
                               check=False)

    done = run("--check-config", more='prot = 80\n')
    assert done.returncode != 0 and "prot" in done.stdout and "port" in done.stdout
    done = run("--check-config", database="no such string")
    assert done.returncode == 0  # a parser's check; the string is the database's affair
    done = run(database="port=nonsense=5 'x")
    assert done.returncode != 0 and "database" in done.stdout
    blocker = server.host.spawn(["/usr/bin/python3", "-c",
                                 "import socket; s=socket.create_server(('', 8080)); "
                                 "print('taken', flush=True); import time; time.sleep(60)"])
    blocker.wait_for("taken")
    done = run()
    assert done.returncode != 0
    assert "port=8080" in done.stdout and "in use" in done.stdout and "remedy" in done.stdout
    blocker.stop()
