"""The documentation says what is: its SQL runs, its links lead somewhere, its manual pages are well
formed, and the examples of configuration are accepted."""

import re
import subprocess
from pathlib import Path

import psycopg2.extensions
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]]
# made of a table, whose SQL is run by tests/sql/test_traces
MADE = [ROOT / "docs/reference/causes.md"]
MANUALS = sorted((ROOT / "docs/reference").glob("*.[1-9]"))
VERBS = r"(?:select|table|insert|update|delete|create|alter|grant|revoke|drop|truncate|with)"
SQL = re.compile(rf"^{VERBS} ", re.I)
# what looks like a statement about rouse, wherever it stands
TRACE_OF_SQL = re.compile(r"\b(?:select\b[^;`]{0,200}?\brouse\.\w+\(?|select .{0,80}\bfrom rouse\.|table rouse\.|insert into rouse\."
                          r"|update rouse\.|delete from rouse\.|(?:grant|revoke) rouse_|(?:create|alter|drop) role)", re.I)
# fenced as sql; indented by four blanks or more; among words; given to psql. In a manual page: a literal block; among words
BLOCKS = {".md": [re.compile(r"^```sql\n(.*?)^```", re.M | re.S), re.compile(r"((?:^(?: {4}|\t).*\n)+)", re.M),
                  re.compile(r"`([^`\n]+)`"), re.compile(r'-c "([^"]+)"')],
          "mdoc": [re.compile(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", re.M | re.S),
                   re.compile(r"^\.(?:Ql|Dl|Li|Ic) (.*?)(?: [.,:;)])*$", re.M)]}


def sql_of(page):
    """The statements that a page shows, in their order, and the page without them."""
    text = page.read_text(encoding="utf-8")
    found = {}
    for pattern in BLOCKS[".md" if page.suffix == ".md" else "mdoc"]:
        for block in pattern.finditer(text):
            if SQL.match(block[1].strip()):
                found[block.start(1)] = block[1]
    rest = text
    for block in found.values():
        rest = rest.replace(block, "")
    return [statement.strip() for _, block in sorted(found.items())
            for statement in re.split(r";(?:\s|$)", block) if statement.strip()], rest


def test_pages_show_sql():
    """The tests below would pass on nothing, too."""
    assert len(sql_of(ROOT / "README.md")[0]) >= 6
    assert len(sql_of(ROOT / "docs/reference/schema.md")[0]) >= 15
    assert len(sql_of(ROOT / "docs/reference/dhcpd.8")[0]) >= 5
    assert TRACE_OF_SQL.search("say select * from rouse.why('x')") and not TRACE_OF_SQL.search("a row of rouse.hosts")


@pytest.mark.parametrize("page", [page for page in PAGES + MANUALS if page not in MADE], ids=lambda page: str(page.relative_to(ROOT)))
def test_no_sql_of_a_page_is_left_out(page):
    """A statement that is shown in another way would be run by nobody."""
    assert TRACE_OF_SQL.findall(sql_of(page)[1]) == []


def run(statements, operator, administrator):
    """A page is one session, as an operator; what is about roles, as the administrator."""
    for statement in statements:
        print(statement)
        is_about_roles = re.match(r"(create(?! temporary)|alter|grant|revoke|drop) ", statement)
        connection = administrator if is_about_roles else operator
        connection.cursor(cursor_factory=psycopg2.extensions.cursor).execute(statement)


@pytest.mark.parametrize("page", [page for page in PAGES + MANUALS if page not in MADE and sql_of(page)[0]],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_the_sql_of_a_page_runs(postgres, page):
    postgres.fresh()
    # what the pages take for granted: a published image
    postgres.sql("select rouse.publish_image('tiny-debian', 1, 'images/tiny-debian/1/disk.raw.zst', "
                 "1000, %s, 1048576, %s)", "0" * 64, "1" * 64)
    # ... the machine of the examples, where the page does not make it
    if not any("insert into rouse.hosts" in statement for statement in sql_of(page)[0]):
        postgres.sql("insert into rouse.hosts (name) values ('lab-01')")
        postgres.sql("insert into rouse.nics (mac, host) values ('52:54:00:00:00:01', 'lab-01')")
    # ... and an address for tftpd
    postgres.sql("select rouse.setting('next_server', '10.77.0.2')")
    operator, administrator = postgres.connect(), postgres.connect("postgres")
    try:
        run(sql_of(page)[0], operator, administrator)
    finally:
        operator.close()
        administrator.close()
        postgres.admin("drop role if exists anna")


def test_links_lead_somewhere():
    broken = [f"{page.relative_to(ROOT)}: {target}" for page in PAGES
              for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
              if not (page.parent / target).exists()]
    assert broken == []


def test_files_that_pages_name_exist():
    """`dhcpd/decide.c` in a page is a file; patterns and folders of other machines are not meant."""
    name = re.compile(r"`((?:common|dhcpd|tftpd|menud|packaging|tests|docs)/[\w./-]+)`")
    missing = [f"{page.relative_to(ROOT)}: {path}" for page in PAGES
               for path in name.findall(page.read_text(encoding="utf-8"))
               if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_manual_pages_are_well_formed(page):
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # the pages that refer to each other need not be installed here
    lines = [line for line in done.stdout.splitlines()
             if re.search(r"(WARNING|ERROR|UNSUPP)", line) and "mandoc.db" not in line]
    assert lines == []


@pytest.mark.parametrize("daemon", ["dhcpd", "tftpd", "menud"])
def test_example_configurations_are_accepted(build, daemon):
    """As shipped, and with every commented value put in force: they are the defaults."""
    example = ROOT / "packaging/etc" / f"{daemon}.conf"
    command = [build / daemon / daemon, "--print-config", "--config"]
    shipped = subprocess.run([*command, example], text=True, check=True, stdout=subprocess.PIPE)
    all_set = Path(f"/tmp/rouse-test-{daemon}.conf")
    # the interface has no default: the example names one
    all_set.write_text(re.sub(r'^#((?!interface)\w+ = )', r"\1",
                              example.read_text(encoding="utf-8"), flags=re.M), encoding="utf-8")
    try:
        spelled = subprocess.run([*command, all_set], text=True, check=True, stdout=subprocess.PIPE)
    finally:
        all_set.unlink()

    def values(text):
        return dict(re.findall(r"^(\w+) = (.*?)\s*(?:#.*)?$", text, re.M))

    assert values(shipped.stdout) and values(shipped.stdout) == values(spelled.stdout)


@pytest.mark.parametrize("daemon", ["dhcpd", "tftpd", "menud"])
def test_every_key_is_in_the_manual_and_in_the_example(build, daemon):
    done = subprocess.run([build / daemon / daemon, "--print-config", "--config",
                           ROOT / "packaging/etc" / f"{daemon}.conf"], text=True, check=True,
                          stdout=subprocess.PIPE)
    keys = set(re.findall(r"^(\w+) = ", done.stdout, re.M))
    manual = (ROOT / f"docs/reference/{daemon}.conf.5").read_text(encoding="utf-8")
    example = (ROOT / f"packaging/etc/{daemon}.conf").read_text(encoding="utf-8")
    assert keys == set(re.findall(r"^\.It Ic (\w+)$", manual, re.M))
    assert keys == set(re.findall(r"^#?(\w+) = ", example, re.M))


@pytest.mark.parametrize("daemon", ["dhcpd", "tftpd", "menud"])
def test_all_daemons_decide_by_the_same_evaluator(build, daemon):
    """One boot policy: each binary holds core's boot_decide, and its own objects call it."""
    program = subprocess.run(["nm", build / daemon / daemon], text=True, check=True,
                             stdout=subprocess.PIPE).stdout
    assert re.search(r" [Tt] boot_decide$", program, re.M)
    callers = [path for path in (build / daemon).rglob("*.o") if "test_" not in str(path)
               and re.search(r" U boot_decide$", subprocess.run(
                   ["nm", path], text=True, check=True, stdout=subprocess.PIPE).stdout, re.M)]
    assert callers, f"{daemon} decides by itself"


def test_every_message_is_in_the_reference():
    """And the reference invents none."""
    sources = "\n".join(path.read_text(encoding="utf-8") for folder in ("common", "dhcpd", "tftpd", "menud")
                        for path in (ROOT / folder).rglob("*.c"))
    written = set(re.findall(r'log_(?:error|warning|info)\(\s*"(\w+)"', sources))
    page = (ROOT / "docs/reference/messages.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.M))))
    assert len(written) > 100 and written - told == set()
    assert {name for name in told if f'"{name}"' not in sources} == set()
