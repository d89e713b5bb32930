"""Two adjacent versions on one schema: daemons of this version, on the schema that the next one may bring (CONTRIBUTING.md, "What a
migration may do"), and on those that they cannot work with.

$ROUSE_OLD_BUILD names the folder of another build, of an older version for one: tests/old_daemons makes it of any commit."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from postgres import ROUSE_DB
from test_dhcpd_kit import LOADED, Site

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "common/schema"
MAC = "52:54:00:00:00:01"

# what is allowed: a new table, columns, a column of a view, an argument with a default, a new call beside the old ones
MIGRATION = """
alter table rouse_data.host add column shelf text;
create table rouse_data.shelf (id bigint generated always as identity primary key, name text not null);
"""
LATER_API = """
create or replace view rouse_daemon.settings_now as select s.*, now() as read_at from ({view}) s;
create function rouse_daemon.shelf_of(mac macaddr) returns text language sql as $$ select null::text $$;
drop function rouse_daemon.offer;
{offer};
grant execute on function rouse_daemon.offer to rouse_tftpd, rouse_menud;
"""


@pytest.fixture(scope="module", name="old")
def name_old(build):
    return Path(os.environ.get("ROUSE_OLD_BUILD", build)).absolute()


def next_schema(postgres, folder, version, migration="", api=""):
    """The SQL files as a later version of rouse would have them."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SCHEMA, folder)
    common = folder / "api/87_daemon_common.sql"
    text, count = re.subn(r"(contract_version\(\) returns int\nlanguage sql immutable as \$\$ select )\d+", rf"\g<1>{version}",
                          common.read_text(encoding="utf-8"))
    assert count == 1
    common.write_text(text, encoding="utf-8")
    if migration:
        (folder / "migrations/9900_later.sql").write_text(migration, encoding="utf-8")
        (was,) = postgres.admin("select pg_get_viewdef('rouse_daemon.settings_now'::regclass) as view, pg_get_functiondef(oid) as offer "
                                "from pg_proc where proname = 'offer' and pronamespace = 'rouse_daemon'::regnamespace")
        # one more argument, and one more column in what it returns
        offer = re.sub(r"\)(\s+RETURNS TABLE\()", r", later text default null)\1later_answer text, ", was.offer, count=1)
        assert offer != was.offer
        (folder / "api/99_later.sql").write_text(api.format(view=was.view.rstrip().rstrip(";"), offer=offer), encoding="utf-8")


def migrate(postgres, folder):
    done = subprocess.run([ROUSE_DB, "migrate", "--private", postgres.directory], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, "ROUSE_SCHEMA_DIR": str(folder)})
    assert done.returncode == 0, done.stdout
    return done.stdout


class Suite:
    """The three daemons of the old version on one host."""

    def __init__(self, lab, postgres, old, state):
        postgres.fresh()
        self.postgres, self.old, self.state = postgres, old, state
        for daemon in ("dhcpd", "tftpd", "menud"):
            (state / daemon).mkdir()
        self.site = Site(lab, postgres, old, state / "dhcpd")
        self.client = lab.host("asker", ["10.77.0.9/24"])
        postgres.sql("insert into rouse.hosts (name) values ('lab-01')")
        postgres.sql("insert into rouse.nics (mac, host) values (%s, 'lab-01')", MAC)
        self.daemons = {}

    def start(self, wait=True):
        if self.site.daemon and self.site.daemon.is_running():
            self.stop()
        self.daemons = {"dhcpd": self.site.start(wait=LOADED if wait else None, serving=wait)}
        for daemon in ("tftpd", "menud"):
            self.daemons[daemon] = self.site.server.spawn(
                [self.old / daemon / daemon, "--root", self.state, "--state-dir", self.state / daemon, "--database",
                 self.postgres.conninfo(f"rouse_{daemon}")], name=daemon)
            self.daemons[daemon].wait_for("event=snapshot_loaded" if wait else "event=started", timeout=20)

    def stop(self):
        for daemon in self.daemons.values():
            assert daemon.stop(timeout=15) == 0, daemon.output

    def curl(self, url):
        return self.client.run(["curl", "-sS", "--max-time", "20", url]).stdout

    def script(self):
        return self.curl(f"http://10.77.0.1:8080/boot?mac0={MAC}&arch=x86_64&platform=efi")

    def check_all_work(self, number):
        """What an operator does reaches each daemon, and what each sees reaches the database."""
        wire = self.site.wire(f"52:54:00:00:01:{number:02x}")
        assert wire.lease().yiaddr.startswith("10.77.0.")
        wire.close()
        self.postgres.sql("update rouse.menu set title = %s where key = 'local'", f"Own disk {number}")
        self.site.wait_until(lambda: f"Own disk {number}" in self.script())
        (self.state / f"file{number}").write_bytes(b"here")
        assert self.curl(f"tftp://10.77.0.1/file{number}") == "here"
        job = self.postgres.value("select rouse.inventory('lab-01')")
        self.site.wait_until(lambda: "rouse_ticket=" in self.script())
        self.postgres.sql("select rouse.cancel(%s)", job)
        self.site.wait_until(lambda: self.postgres.sql("select 1 as seen from rouse.events where daemon = 'tftpd' and name = %s", f"file{number}"))
        assert self.postgres.sql("select daemon, problem from rouse.daemons where problem is not null") == []


@pytest.fixture(name="suite")
def make_suite(lab, postgres, old, tmp_path):
    suite = Suite(lab, postgres, old, tmp_path)
    yield suite
    suite.stop()
    suite.site.daemon = None
    suite.site.close()


@pytest.mark.patience(180)
def test_this_version_works_on_the_schema_of_the_next(suite, postgres, tmp_path):
    """Migrated under running daemons; then each is started anew on it."""
    suite.start()
    suite.check_all_work(1)
    next_schema(postgres, tmp_path / "schema", 2, MIGRATION, LATER_API)
    assert "applied migration 9900 later" in migrate(postgres, tmp_path / "schema")
    assert postgres.admin("select rouse_data.contract_version() as n")[0].n == 2
    suite.check_all_work(2)
    suite.start()
    suite.check_all_work(3)
    for daemon in suite.daemons.values():
        assert "schema_mismatch" not in daemon.output and "_refused" not in daemon.output, daemon.output


@pytest.mark.patience(180)
def test_a_schema_too_far_away_is_refused_by_name(suite, postgres, tmp_path):
    """dhcpd then promises nothing new; what needs no database is served; and when it fits again, all goes on."""
    suite.start()
    kept = suite.site.wire("52:54:00:00:01:01")
    held = kept.lease()
    next_schema(postgres, tmp_path / "schema", 3)
    migrate(postgres, tmp_path / "schema")
    for daemon in suite.daemons.values():
        daemon.wait_for(r"event=schema_mismatch wanted=\d found=3 .*install a newer", timeout=30)
    assert suite.site.wire("52:54:00:00:01:02").discover(timeout=1) is None
    assert kept.lease().yiaddr == held.yiaddr
    assert "#!ipxe" in suite.curl("tftp://10.77.0.1/default.ipxe") and "choose" in suite.script()
    migrate(postgres, SCHEMA)
    for daemon in suite.daemons.values():
        daemon.wait_for("event=schema_accepted", timeout=30)
    suite.check_all_work(4)
