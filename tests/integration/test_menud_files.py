"""menud's files: ranges, conditions, and nothing beside the roots."""

import os
import re
import resource
import time
from pathlib import Path

import pytest

from menud_server import Server


@pytest.fixture(name="server", scope="module")
def name_server(module_lab, postgres, build, tmp_path_factory):
    return Server(module_lab, postgres, build, tmp_path_factory.mktemp("menud"))


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


def head(server, path, *headers):
    """Status and headers (lower-case names) of a GET."""
    words = [word for header in headers for word in ("-H", header)]
    lines = server.client.run(["curl", "-sS", "-o", "/dev/null", "-D", "-", *words,
                               f"http://10.77.0.3:8080{path}"]).stdout.splitlines()
    return int(lines[0].split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}


def test_who_has_a_file_is_not_sent_it_again(server):
    """RFC 9110 section 13; every form of it is in tests/unit/test_menud_condition.c."""
    path = "/files/fos/init.xz"
    status, found = head(server, path)
    assert status == 200
    etag, modified = found["etag"], found["last-modified"]
    for condition in (f"If-None-Match: {etag}", f"If-None-Match: W/{etag}", "If-None-Match: *", f"If-Modified-Since: {modified}"):
        status, headers = head(server, path, condition, "Range: bytes=0-1")
        assert status == 304 and headers["etag"] == etag, condition
        # section 8.6: what it would be with the body, which does not come
        assert headers["content-length"] == "12" and "content-type" not in headers
    assert server.curl(path, "-H", 'If-None-Match: "x"') == (200, "initial disk")
    assert server.curl(path, "-H", 'If-Match: "x"')[0] == 412
    assert server.curl(path, "-H", f"If-Range: {modified}", "-r", "0-6") == (206, "initial")
    # another version, in the same place, of the same length and second
    file = server.workdir / "srv" / "fos" / "init.xz"
    again = file.with_suffix(".new")
    again.write_bytes(b"INITIAL DISK")
    os.utime(again, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    again.rename(file)
    assert server.curl(path, "-H", f"If-None-Match: {etag}") == (200, "INITIAL DISK")
    assert server.curl(path, "-H", f"If-Range: {etag}", "-r", "0-6") == (200, "INITIAL DISK")
    file.write_bytes(b"initial disk")


IPXE = ["-A", "iPXE/1.0.0+git-20190125.36a4c85-5.1"]


def test_ipxe_that_asks_for_itself_gets_its_script(server):
    """A DHCP server that names one URL: else it would load its own binary for ever."""
    for folder in ("", "tftp/", "own/"):
        (server.workdir / "srv" / folder).mkdir(exist_ok=True)
        (server.workdir / "srv" / folder / "ipxe.efi").write_bytes(b"binary")
    firmware = ["-A", "UefiHttpBoot/1.0"]
    said = len(server.daemon.output)
    for path in ("/files/ipxe.efi", "/files/tftp/ipxe.efi"):
        assert server.curl(path, *firmware) == (200, "binary")
        status, script = server.curl(path, *IPXE)
        assert status == 200 and "set menud http://10.77.0.3:8080\n" in script
        assert "chain --replace --autofree ${menud}/boot?${facts}" in script
    server.daemon.wait_for("event=loop_broken client=10.77.0.9 file=tftp/ipxe.efi remedy=", after=said, timeout=60)
    # what is meant: by a menu, in a folder, and below raw/
    for path in ("/files/ipxe.efi?as=kernel", "/files/own/ipxe.efi", "/files/raw/ipxe.efi", "/files/raw/tftp/ipxe.efi"):
        assert server.curl(path, *IPXE) == (200, "binary")
    # switched off where the client is
    server.postgres.sql("insert into rouse.subnets (subnet, loop_breaker) values ('10.77.0.0/24', false)")
    until(lambda: server.curl("/files/ipxe.efi", *IPXE) == (200, "binary"))
    server.postgres.sql("update rouse.subnets set loop_breaker = true")
    until(lambda: server.curl("/files/ipxe.efi", *IPXE)[1].startswith("#!ipxe\n"))
    # and it is in the story of the machine, as tftpd's would be
    until(lambda: server.postgres.sql("select 1 from rouse.events where daemon = 'menud' and stage = 'script' "
                                      "and kind = 'loop_broken' and name = 'ipxe.efi'"))
    assert re.search(r"rouse_menud_loops_broken_total [3-9]", server.curl("/metrics")[1])


def until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["default.ipxe", "autoexec.ipxe", "tftp/autoexec.ipxe"])
def test_the_first_script_by_its_name(server, name):
    status, script = server.curl(f"/files/{name}", "-H", "Host: boot.example")
    assert status == 200 and script.startswith("#!ipxe\n") and "set menud http://boot.example\n" in script
    file = server.workdir / "srv" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("#!ipxe\nshell\n")  # a site's own comes first
    assert server.curl(f"/files/{name}") == (200, "#!ipxe\nshell\n")
    file.unlink()


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
            "select kind, name, mac from rouse.events where daemon = 'menud' and stage = 'tftp_nbp' "
            "and name ~ '^(first|absent)' order by at")) < 3:
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
    assert [(row.kind, row.name) for row in rows] == \
        [("probe", "first.efi"), ("sent", "first.efi"), ("missing", "absent.efi")]
    assert {row.mac for row in rows} == {"52:54:00:00:00:07"}
