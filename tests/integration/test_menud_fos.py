"""The client system's calls, from a job's ticket to its end, with curl as the client system."""

import hashlib
import json
import re
import secrets
import time

import pytest

from menud_server import FACTS, MAC, Server, add_host


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    server = Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))
    add_host(postgres, "lab-01", MAC)
    server.boot_until("menu rouse: lab-01")
    return server


def test_a_job_from_ticket_to_end(server):
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


def test_the_timeline_tells_it(server):
    server.curl("/files/fos/init.xz?as=initrd&mac=52-54-00-00-00-01")
    deadline = time.monotonic() + 5
    while not server.postgres.sql("select 1 from rouse.events where mac = %s and stage = 'initrd' "
                                  "and kind = 'sent'", MAC):
        assert time.monotonic() < deadline
    stages = {row.stage for row in server.postgres.sql("select * from rouse.trace(%s)", MAC)}
    assert {"script", "initrd", "fos", "work", "report"} <= stages


def test_arguments_that_no_kernel_takes_are_refused(server):
    """A line that is cut would start the client system without its ticket."""
    add_host(server.postgres, "lab-long", "52:54:00:00:00:4c")
    usual = server.postgres.value("select value from rouse.settings where name = 'fos_arguments'")
    server.postgres.sql("update rouse.settings set value = repeat('a=b ', 2500) where name = 'fos_arguments'")
    try:
        server.postgres.sql("select rouse.inventory('lab-long')")
        script = server.boot_until("its kernel arguments are too long", FACTS.replace(MAC, "52:54:00:00:00:4c")).string
        assert not re.search("^kernel ", script, re.MULTILINE)
    finally:
        server.postgres.sql("update rouse.settings set value = %s where name = 'fos_arguments'", usual)
