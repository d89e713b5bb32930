"""What tftpd makes of names: the loop breaker, raw/, and the repairs."""

import random
import shutil
import time

import pytest

# the fixture is used by its name: pylint: disable=unused-import
import test_tftpd as plain
from test_tftpd import (ack, expect_error, fetch, fetch_rest, make_net, receive,  # noqa: F401
                        request)
from test_tftpd_site import change, wait_for_event

SERVER = plain.SERVER
IPXE = {"blksize": 1432, "tsize": 0}  # as iPXE asks, and nobody else


@pytest.fixture(name="alone")
def start_alone(net):
    daemon = net.start()
    yield daemon
    assert daemon.stop() == 0, daemon.output


@pytest.fixture(name="site")
def start_with_database(net, postgres):
    postgres.fresh()
    postgres.sql("insert into rouse.subnets (subnet) values ('10.99.69.0/24')")
    state = net.work / f"state-{random.getrandbits(32)}"
    state.mkdir()
    daemon = net.start("--database", postgres.conninfo("rouse_tftpd"), "--state-dir", state,
                       ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    yield daemon
    assert daemon.stop() == 0, daemon.output


def fetch_with(net, name, port=69, **options):
    with net.socket() as sock:
        sock.sendto(request(name, **options), (SERVER, port))
        opcode, granted, _, sender = receive(sock)
        assert opcode == plain.OACK, (opcode, granted)
        sock.sendto(ack(0), sender)
        return fetch_rest(sock, sender, int(granted["blksize"]))


# ---------------------------------------------------------------- the loop breaker

@pytest.mark.parametrize("name", ["undionly.kpxe", "/ipxe.efi", "ipxe.efi\xff"])
def test_ipxe_asking_for_itself_gets_its_script(net, alone, name):
    binary = net.file("undionly.kpxe", 5000), net.file("ipxe.efi", 5000)
    said = len(alone.output)
    assert fetch_with(net, name, **IPXE).startswith(b"#!ipxe\n")
    alone.wait_for("event=loop_broken client=10.99.69.2 .*remedy=", after=said)
    # firmware, which asks in other ways, gets the binary
    assert fetch_with(net, name, blksize=1468, windowsize=1) in binary
    # and so does who asks below raw/
    assert fetch_with(net, "raw/" + name.strip("/"), **IPXE) in binary


def test_other_names_are_served_to_ipxe_as_they_are(net, alone):
    expected = net.file("bzImage", 3000)
    assert fetch_with(net, "bzImage", **IPXE) == expected
    (net.root / "efi").mkdir(exist_ok=True)
    (net.root / "efi" / "ipxe.efi").write_bytes(expected)
    assert fetch_with(net, "efi/ipxe.efi", **IPXE) == expected


def test_loop_breaker_is_a_switch(net):
    expected = net.file("ipxe.efi", 5000)
    daemon = net.start("--loop-breaker=false")
    assert fetch_with(net, "ipxe.efi", **IPXE) == expected
    assert daemon.stop() == 0
    assert "loop_broken" not in daemon.output


def test_loop_breaker_follows_the_database(net, postgres, site):
    expected = net.file("ipxe.efi", 5000)
    assert fetch_with(net, "ipxe.efi", **IPXE).startswith(b"#!ipxe\n")
    row = wait_for_event(postgres, kind="loop_broken")
    assert (row.stage, row.name, row.mac) == ("script", "ipxe.efi", net.mac)
    assert wait_for_event(postgres, kind="sent", name="default.ipxe").stage == "script"
    change(site, postgres, "update rouse.subnets set loop_breaker = false")
    assert fetch_with(net, "ipxe.efi", **IPXE) == expected
    change(site, postgres, "update rouse.subnets set loop_breaker = true")
    # only what the site calls a first stage
    net.file("own.efi", 3000)
    assert fetch_with(net, "own.efi", **IPXE) == net.file("own.efi", 3000)
    change(site, postgres, "insert into rouse.boot_files (arch, product, file) values (7, 'Lab', 'own.efi')")
    assert fetch_with(net, "own.efi", **IPXE).startswith(b"#!ipxe\n")


# ---------------------------------------------------------------- repairs

def refused(net, name, code=1, port=69):
    with net.socket() as sock:
        sock.sendto(request(name), (SERVER, port))
        return expect_error(sock, code)


REPAIRED = [  # as asked, as it lies there, what was mended
    ("\\Boot\\BCD", "Boot/BCD", "backslash"),
    ("Boot/BCD\xff", "Boot/BCD", "trailing"),
    ("boot/bcd", "Boot/BCD", "case"),
    ("\\BOOT\\bcd ", "Boot/BCD", "backslash, trailing, case"),
    ("EFI/debian/grubx64.efi", "grubx64.efi", "folder"),
    ("/debian/grub/x86_64-efi/fs.lst", "grub/x86_64-efi/fs.lst", "slash, folder"),
]


@pytest.fixture(name="tree")
def make_tree(net):
    for name in {served for _, served, _ in REPAIRED}:
        (net.root / name).parent.mkdir(parents=True, exist_ok=True)
        (net.root / name).write_text(name)
    (net.root / "BOOT").mkdir(exist_ok=True)  # the least of several: found first, and empty
    (net.root / "BOOT").rmdir()


@pytest.mark.parametrize("asked, served, mended", REPAIRED)
def test_names_are_repaired(net, tree, alone, asked, served, mended):
    said = len(alone.output)
    assert fetch(net, asked).decode() == served
    told = alone.wait_for(r'event=name_repaired .* file=(\S+) repairs="?([^"\n]+)', after=said)
    assert told.groups() == (served, mended)


@pytest.mark.parametrize("asked, served, mended", REPAIRED)
def test_each_repair_has_its_switch(net, tree, asked, served, mended):
    """With all others in force."""
    first = mended.split(", ", maxsplit=1)[0]
    others = [word for word in "slash backslash trailing case folder".split() if word != first]
    daemon = net.start("--repairs", " ".join(others))
    assert refused(net, asked)
    assert fetch(net, served).decode() == served
    assert daemon.stop() == 0


def test_exact_names_come_first(net, alone):
    (net.root / "Exact").write_text("upper")
    (net.root / "exact").write_text("lower")
    (net.root / "EXACT").write_text("capitals")
    assert fetch(net, "exact") == b"lower"
    assert fetch(net, "Exact") == b"upper"
    assert fetch(net, "eXaCt") == b"capitals"  # the least of those that differ
    assert "name_repaired" in alone.output and alone.output.count("event=name_repaired") == 1


def test_a_repair_leads_nowhere_else(net, alone):
    """No way out of the root, no folder, and a quick ERROR 1 for what shim asks in vain."""
    (net.work / "Outside").write_text("secret")
    (net.root / "Out").symlink_to(net.work / "Outside")
    (net.root / "Folder").mkdir(exist_ok=True)
    assert refused(net, "out", code=2)
    assert refused(net, "folder", code=2)
    assert refused(net, "revocations.efi")
    assert refused(net, "..\\root\\Boot", code=2)


def test_a_folder_that_changes(net, alone):
    """What it held is remembered, once it has been still for a while; a change shows at once."""
    folder = net.root / "Kept"
    folder.mkdir()
    for number in range(5000):  # more than are looked at
        (folder / f"entry-{number}").touch()
    time.sleep(2.1)  # still
    for _ in range(3):
        assert refused(net, "kept/late")
    for name, text in (("LATE", "capitals"), ("Late", "nearer in order")):
        for number in range(4990 if name == "LATE" else 0):
            (folder / f"entry-{number}").unlink()
        (folder / name).write_text(text)
        assert fetch(net, "kept/late").decode() == "capitals"
    (folder / "LATE").unlink()
    assert fetch(net, "kept/late") == b"nearer in order"
    time.sleep(2.1)
    assert fetch(net, "kept/late") == fetch(net, "KEPT/LATE") == b"nearer in order"
    (folder / "Late").rename(folder / "lAte")
    assert fetch(net, "kept/late") == b"nearer in order"
    folder.rename(net.root / "Gone")
    assert refused(net, "kept/late")
    shutil.rmtree(net.root / "Gone")
    (net.root / "KEPT").mkdir()
    (net.root / "KEPT" / "LaTe").write_text("of another folder")
    assert fetch(net, "kept/late") == b"of another folder"


def test_repairs_are_events_and_counted(net, tree, postgres, site):
    fetch(net, "\\boot\\bcd")
    fetch(net, "/Boot/BCD")
    row = wait_for_event(postgres, kind="name_repaired")
    assert (row.name, row.reason, row.mac) == ("Boot/BCD", "backslash, case", net.mac)
    assert site.stop() == 0
    site.wait_for("event=stopped .*repaired: slash 1, backslash 1, trailing 0, case 1, folder 0")


def test_unknown_repair_is_refused_at_start(net, build):
    done = net.server.run([build / "tftpd" / "tftpd", "--check-config", "--repairs", "case upper"],
                          check=False)
    assert done.returncode == 78 and "key=repairs" in done.stdout and "backslash" in done.stdout


# ---------------------------------------------------------------- modes and options

def test_netascii(net, alone):
    """Line ends as telnet has them; the size that is told is that of what is sent."""
    (net.root / "lines").write_bytes(b"one\ntwo\r\n" * 100)
    with net.socket() as sock:
        sock.sendto(request("lines", mode="netascii", tsize=0), (SERVER, 69))
        opcode, options, _, sender = receive(sock)
        expected = b"one\r\ntwo\r\0\r\n" * 100
        assert (opcode, options) == (plain.OACK, {"tsize": str(len(expected))})
        sock.sendto(ack(0), sender)
        assert fetch_rest(sock, sender, 512) == expected
    done = net.client.run(["tftp", "-m", "netascii", SERVER, "-c", "get", "lines", net.work / "lines"])
    assert "rror" not in done.stdout
    net.file("large", 300_000)
    with net.socket() as sock:
        sock.sendto(request("large", mode="netascii"), (SERVER, 69))
        assert "octet" in expect_error(sock, 0)


def test_rollover_and_utimeout(net, alone):
    expected = net.file("wraps", 8 * 66000 + 3)
    with net.socket() as sock:
        sock.sendto(request("wraps", blksize=8, rollover=1, utimeout=2000000), (SERVER, 69))
        opcode, options, _, sender = receive(sock)
        assert options == {"blksize": "8", "rollover": "1", "utimeout": "2000000"}
        sock.sendto(ack(0), sender)
        received, number = b"", 1
        while True:
            opcode, block, payload, _ = receive(sock)
            assert (opcode, block) == (plain.DATA, number)
            received += payload
            sock.sendto(ack(number), sender)
            if len(payload) < 8:
                break
            number = number % 65535 + 1
    assert received == expected


def test_blksize_max_is_told(net):
    expected = net.file("blocks", 70_000)
    daemon = net.start("--blksize-max", "8192")
    with net.socket() as sock:
        sock.sendto(request("blocks", blksize=65464), (SERVER, 69))
        opcode, options, _, sender = receive(sock)
        assert options == {"blksize": "8192"}
        sock.sendto(ack(0), sender)
        assert fetch_rest(sock, sender, 8192) == expected
    assert daemon.stop() == 0


def test_map_file(net, build):
    """As people have it for tftp-hpa; the rules come before the repairs and the roots."""
    rules = net.work / "map"
    rules.write_text("rg \\\\ /   # Windows\nri ^/?Boot/ tree/\na \\.key$\nr ^mine$ cfg-\\x\n")
    (net.root / "tree").mkdir(exist_ok=True)
    (net.root / "tree" / "BCD").write_text("bcd")
    (net.root / "cfg-0A634502").write_text("of this client")
    daemon = net.start("--map-file", rules)
    assert fetch(net, "\\bOOt\\BCD") == b"bcd"
    assert fetch(net, "mine") == b"of this client"
    assert "map file refuses" in refused(net, "site.key", code=2)
    assert "leads out" in refused(net, "Boot/../../x", code=2)
    assert daemon.stop() == 0
    rules.write_text("r (\n")
    done = net.server.run([build / "tftpd" / "tftpd", "--check-config", "--map-file", rules], check=False)
    assert done.returncode == 78 and "line=1" in done.stdout
    done = net.server.run([build / "tftpd" / "tftpd", "--check-config", "--map-file", net.work], check=False)
    assert done.returncode == 78 and "reason=\"Is a directory\" remedy=" in done.stdout


def test_views_of_a_client(net, postgres):
    for folder in (f"by-mac/{net.mac.replace(':', '-')}", "by-subnet/10.99.69.0-24", "by-mac/other"):
        (net.root / folder).mkdir(parents=True)
        (net.root / folder / "seen").write_text(folder)
    (net.root / "seen").write_text("by all")
    (net.root / "by-subnet/10.99.69.0-24" / "near").write_text("near")
    postgres.fresh()
    postgres.sql("insert into rouse.subnets (subnet) values ('10.99.69.0/24')")
    flags = ("--database", postgres.conninfo("rouse_tftpd"))
    daemon = net.start("--client-views", *flags, ready="event=snapshot_loaded")
    assert fetch(net, "/seen").decode() == f"by-mac/{net.mac.replace(':', '-')}"
    assert fetch(net, "near") == b"near"
    assert fetch(net, "raw/seen") == b"by all"
    assert daemon.stop() == 0
    daemon = net.start(*flags, ready="event=snapshot_loaded")
    assert fetch(net, "seen") == b"by all"
    refused(net, "near")
    assert daemon.stop() == 0


def make_arch_view(net):
    """A file of one name for all, for each kind of machine, and for a subnet."""
    for folder in "by-arch/x86_64-efi", "by-arch/arm64-uboot", "by-arch/i386-bios", "by-subnet/10.99.69.0-24":
        (net.root / folder).mkdir(parents=True, exist_ok=True)
        (net.root / folder / "loader").write_text(folder)
    (net.root / "loader").write_text("by all")


def say_arch(postgres, mac, detail):
    """What dhcpd or menud would have recorded."""
    postgres.sql("select rouse_daemon.record('dhcpd', 'lab', jsonb_build_array(jsonb_build_object('stage', "
                 "'fw_dhcp', 'kind', 'discover', 'mac', %s::text, 'detail', %s::jsonb)))", mac, detail,
                 role="rouse_dhcpd")


@pytest.mark.parametrize("said, view", [
    ('{"arch": 7}', "by-arch/x86_64-efi"), ('{"arch": 16}', "by-arch/x86_64-efi"),
    ('{"arch": 22}', "by-arch/arm64-uboot"), ('{"arch": 0}', "by-arch/i386-bios"),
    ('{"arch": "x86_64", "firmware": "efi"}', "by-arch/x86_64-efi"),
    ('{"arch": 11}', "by-subnet/10.99.69.0-24"),  # has no folder
    ('{"arch": 4711}', "by-subnet/10.99.69.0-24"),
    ('{"arch": 65543}', "by-subnet/10.99.69.0-24"),  # 7 in its lower 16 bits
    (None, "by-subnet/10.99.69.0-24")])
def test_view_of_an_architecture(net, postgres, said, view):
    make_arch_view(net)
    postgres.fresh()
    postgres.sql("insert into rouse.subnets (subnet) values ('10.99.69.0/24')")
    if said:
        say_arch(postgres, net.mac, said)
    daemon = net.start("--client-views", "--database", postgres.conninfo("rouse_tftpd"),
                       ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    assert fetch(net, "loader").decode() == view
    assert fetch(net, "loader").decode() == view  # what is remembered
    assert fetch(net, "raw/loader") == b"by all"
    # the machine's own comes first
    own = net.root / f"by-mac/{net.mac.replace(':', '-')}"
    own.mkdir(parents=True, exist_ok=True)
    (own / "loader").write_text("own")
    assert fetch(net, "loader") == b"own"
    (own / "loader").unlink()
    assert daemon.stop() == 0, daemon.output


def test_no_architecture_without_a_database(net):
    """None is guessed: neither from the name nor from the way it asks."""
    make_arch_view(net)
    daemon = net.start("--client-views")
    assert fetch(net, "loader") == b"by all"
    assert fetch_with(net, "loader", blksize=1468, windowsize=4) == b"by all"
    assert daemon.stop() == 0


def test_no_architecture_while_the_database_is_away(net, postgres):
    make_arch_view(net)
    postgres.fresh()
    say_arch(postgres, net.mac, '{"arch": 7}')
    daemon = net.start("--client-views", "--database", postgres.conninfo("rouse_tftpd"),
                       ready="event=snapshot_loaded")
    daemon.wait_for("event=database_up")
    # a question that is not answered in time: the request is served all the same
    connection = postgres.connect("postgres")
    connection.autocommit = False
    connection.cursor().execute("lock table rouse_data.event in access exclusive mode")
    assert fetch(net, "loader") == b"by all"
    connection.close()
    daemon.wait_for("event=arch_unknown .*effect=")
    postgres.stop()
    try:
        daemon.wait_for("event=database_down")
        assert fetch(net, "loader") == b"by all"
    finally:
        postgres.start()
    assert daemon.stop() == 0, daemon.output
