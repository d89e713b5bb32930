"""tftpd's map files beside tftp-hpa's own server: each rule of its manual (in.tftpd(8), Filename
Remapping), asked of both servers with one file.

What a name became shows by the file that is served: it holds its own name.
"""

import time

import pytest

from test_tftpd import ERROR, SERVER, WRQ, receive, request
from test_tftpd_ip6 import SERVER as SERVER6, Net6

HPA_PORT = 6970

# the rule's letters, the rules, what is asked, the file that is to be served
READS = [
    ("r", "r ^r1 r-one", "r1/x", "r-one/x"),
    ("r, all or part of the name", "r part PART", "whole-part-whole", "whole-PART-whole"),
    ("r without a replacement", "r -gone", "r3-gone", "r3"),
    ("all rules are processed", "r ^all1 all2\nr ^all2 all3", "all1", "all3"),
    ("rg", "rg \\\\ /", "g1\\a\\b", "g1/a/b"),
    ("rg once more where it ends", "rg ^(g2.*)-- \\1-", "g2-----x", "g2-x"),
    ("i", "ri ^icase[a-z]$ icase", "ICASEq", "icase"),
    ("no i", "r ^lower$ wrong", "LOWER", "LOWER"),
    ("e", "re ^end1 end2\nr ^end2 wrong", "end1", "end2"),
    ("e without r", "e ^keep\nr ^keep wrong", "keep", "keep"),
    ("s", "r ^again2 again3\nrs ^again1 again2", "again1", "again3"),
    ("G", "rG ^get got", "get", "got"),
    ("P", "rP ^putonly wrong", "putonly", "putonly"),
    ("G and P", "rGP ^nobody wrong", "nobody", "nobody"),
    ("4", "r4 ^family four", "family", "four"),
    ("4 and 6", "r46 ^nofamily wrong", "nofamily", "nofamily"),
    ("\\0", "r ^zero <\\0>", "zero", "<zero>"),
    ("\\1 to \\9", "r ^(1)(2)(3)(4)(5)(6)(7)(8)(9)$ n\\9\\8\\7\\6\\5\\4\\3\\2\\1", "123456789",
     "n987654321"),
    ("a group that took no part", "r ^opt(a)?(b)$ opt<\\1|\\2>", "optb", "opt<|b>"),
    ("\\i", "r ^text$ cfg-\\i", "text", "cfg-10.99.69.2"),
    ("\\x", "r ^hex$ cfg-\\x", "hex", "cfg-0A634502"),
    ("\\\\", "r ^bs$ b\\\\s", "bs", None),  # a name with a backslash: ours reads it as a slash
    ("\\whitespace", "r ^blank$ a\\ b", "blank", "a b"),
    ("\\#", "r ^hash$ a\\#b", "hash", "a#b"),
    ("\\U", "r ^upper([a-z]*) up\\U\\1xyz", "upperabc-rest", "upABCXYZ-rest"),
    ("\\L", "r ^CAPS([A-Z]*) low\\L\\1\\xXYZ", "CAPSABC-REST", "lowabc0a634502xyz-REST"),
    ("\\E", "r ^cancel([a-z]) c\\U\\1\\Ex\\1", "cancelq", "cQxq"),
    ("another letter behind \\", "r ^other$ o\\q\\z", "other", "oqz"),
    ("a comment behind a rule", "r ^comment$ commented  # r ^commented$ wrong", "comment", "commented"),
    ("# within a word", "r ^inword$ in#word", "inword", "in"),
    ("blanks in front", "  \t r\t^front$\tfronted", "front", "fronted"),
    ("an escaped blank in the expression", "r ^a\\ blank$ ablank", "a blank", "ablank"),
    ("egrep's expressions", "r ^(al|ter)+[0-9]{2}$ egrep", "alter42", "egrep"),
    # for whom it matches, nothing behind it counts
    ("~", "~ei ^last\nri ^(last)$ the-\\1", "LAST", "the-LAST"),
    ("~, as it matches", "ri ^first wrong", "first", "first"),
]

# the rules, what is asked, what the client is told; None: each server's own words
REFUSALS = [
    ("a", "a \\.key$", "site.key", None),
    ("ai", "ai ^secret", "SECRET", None),
    ("~a", "~a ^[^~]", "~home", None),
    ("a with words", "a ^told.* not\\ for\\ \\i", "told/me", "not for 10.99.69.2"),
    ("a with words, in place of what matched", "a ^(half) \\U\\1z", "half-rest", "HALFZ-rest"),
]

MISTAKES = ["r", "q a b", "r ( b", "r~ a b", "E a b"]


def wait_until_heard(net, port):
    deadline = time.monotonic() + 20
    while not net.server.run(f"ss -Huln 'sport = :{port}'").stdout.strip():
        assert time.monotonic() < deadline, f"nobody listens on port {port}"
        time.sleep(0.05)


@pytest.fixture(name="net", scope="module")
def make_net(module_lab, build, tmp_path_factory):
    net = Net6(module_lab, build, tmp_path_factory.mktemp("tftpd"))
    net.map = net.work / "map"
    rows = ["r6 ^family six", "rP ^put$ was-put"] + [row[1] for row in REFUSALS + READS]
    # never first: "start over" of tftp-hpa 5.2 goes on with the second rule
    net.map.write_text("# as people have it\n\nr ^never$ x\n" + "\n".join(rows) + "\n")
    for name in [row[3] for row in READS if row[3]] + ["six"]:
        path = net.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return net


@pytest.fixture(name="ports", scope="module")
def start_both(net):
    (net.work / "inbox").mkdir()
    daemon = net.start("--map-file", net.map, "--upload-root", net.work / "inbox")
    net.server.spawn(["in.tftpd", "-L", "-c", "-u", "root", "-a", f":{HPA_PORT}", "-m", net.map, "-s",
                      net.root])
    wait_until_heard(net, HPA_PORT)
    yield {"rouse": 69, "tftp-hpa": HPA_PORT}
    assert daemon.stop() == 0, daemon.output


def told(sock, server, port, name):
    """The file's octets, or the ERROR's code and words."""
    sock.sendto(request(name), (server, port))
    opcode, number, payload, sender = receive(sock)
    if opcode == ERROR:
        return number, payload.rstrip(b"\0").decode()
    sock.sendto(b"\0\4\0\1", sender)
    return payload.decode()


@pytest.mark.parametrize("name, asked, served", [(row[0], *row[2:]) for row in READS if row[3]])
def test_a_rule(net, ports, name, asked, served):
    for server, port in ports.items():
        with net.socket() as sock:
            assert told(sock, SERVER, port, asked) == served, f"{server}: {name}"


def test_a_backslash_is_a_slash(net, ports):
    """A rule may make one; but a name with one in it is no file's here, and is repaired."""
    (net.root / "b\\s").write_text("theirs")
    (net.root / "b").mkdir()
    (net.root / "b" / "s").write_text("ours")
    answers = []
    for port in ports.values():
        with net.socket() as sock:
            answers.append(told(sock, SERVER, port, "bs"))
    assert answers == ["ours", "theirs"]


def test_a_rule_for_ipv6(net, ports):
    for port in ports.values():
        with net.socket6() as sock:
            assert told(sock, SERVER6, port, "family") == "six"


@pytest.mark.parametrize("name, asked, words", [(row[0], *row[2:]) for row in REFUSALS])
def test_a_refusal(net, ports, name, asked, words):
    for server, port in ports.items():
        with net.socket() as sock:
            code, text = told(sock, SERVER, port, asked)
        assert code == (2 if server == "rouse" or words is None else code), f"{server}: {name}"
        assert text == words or (words is None and text), f"{server}: {name}"


def test_a_rule_for_writes(net, ports):
    for port, folder in ((ports["rouse"], net.work / "inbox"), (ports["tftp-hpa"], net.root)):
        with net.socket() as sock:
            sock.sendto(request("put", WRQ), (SERVER, port))
            opcode, number, _, sender = receive(sock)
            assert (opcode, number) == (4, 0)
            sock.sendto(b"\0\3\0\1written", sender)
            assert receive(sock)[:2] == (4, 1)
        assert (folder / "was-put").read_text() == "written"


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_stops_both(net, line):
    wrong = net.work / "wrong"
    wrong.write_text("r a b\n" + line + "\n")
    ours = net.server.run([net.program, "--check-config", "--map-file", wrong], check=False)
    theirs = net.server.run(["in.tftpd", "-L", "-a", ":6971", "-m", wrong, net.root], check=False)
    assert ours.returncode == 78 and "line=2" in ours.stdout and "remedy=" in ours.stdout
    assert theirs.returncode == 78


@pytest.mark.parametrize("line", ["r a b extra", "g a", "e a b"])
def test_what_says_nothing_is_a_mistake(net, line):
    """tftp-hpa leaves it out in silence."""
    wrong = net.work / "wrong"
    wrong.write_text(line + "\n")
    ours = net.server.run([net.program, "--check-config", "--map-file", wrong], check=False)
    assert ours.returncode == 78 and "line=1" in ours.stdout
