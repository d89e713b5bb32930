"""One policy, two evaluators: core/boot in the daemons and rouse.evaluate() in the database give the same
answer for every combination of the facts, under the shipped rules and under random ones."""

import random
import re
import subprocess
from pathlib import Path

import pytest

STAGE = ["dhcp", "script", "menu"]
LOADER = ["firmware", "ipxe", "grub", "pxelinux", "other"]
HOST_STATE = ["unknown", "pending", "active", "disabled", "retired"]
JOB = ["none", "live"]
FIRMWARE = ["bios", "efi", "http", "uboot", "other"]
ARCH = ["i386", "x86_64", "arm32", "arm64", "riscv64", "other"]
HOST = [None, "lab-01", "lab-02"]
PRODUCT = [None, "Kiosk"]
FACTS = [STAGE, LOADER, HOST_STATE, JOB, FIRMWARE, ARCH, HOST, PRODUCT]
PREDICATES = ["stage", "loader", "host_state", "job", "firmware", "arch", "host", "product"]
ANSWERS = ["nothing", "first_stage", "script", "job", "menu", "local", "refuse"]

# the facts in the order of boot_table's loops
BY_SQL = """
select coalesce(e.position, 0) as position, e.answer, coalesce(e.argument, '') as argument, e.reason
from unnest(%s::text[]) with ordinality as s (stage, s),
    unnest(%s::text[]) with ordinality as l (loader, l),
    unnest(%s::text[]) with ordinality as h (host_state, h),
    unnest(%s::text[]) with ordinality as j (job, j),
    unnest(%s::text[]) with ordinality as f (firmware, f),
    unnest(%s::text[]) with ordinality as a (arch, a),
    unnest(%s::text[]) with ordinality as n (host, n),
    unnest(%s::text[]) with ordinality as p (product, p),
    lateral rouse.evaluate(s.stage, l.loader, h.host_state, j.job, f.firmware, a.arch, n.host,
                           p.product) as e
order by s, l, h, j, f, a, n, p
"""


def by_c(build, rules):
    lines = []
    for rule in rules:
        sets = [" ".join(rule[name]) if rule[name] else "-" for name in PREDICATES]
        lines.append("\t".join([str(rule["position"]), *sets, rule["answer"],
                                rule["argument"] or "-", rule["reason"]]))
    done = subprocess.run([build / "common/core/boot_table"], input="\n".join(lines) + "\n",
                          text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout.splitlines()


def by_sql(postgres):
    return [f"{row.position}\t{row.answer}\t{row.argument}\t{row.reason}" for row in postgres.sql(BY_SQL, *FACTS)]


def rules_now(postgres):
    return [row._asdict() for row in postgres.sql("select * from rouse.boot_rules order by position")]


def compare(postgres, build):
    ours, theirs = by_c(build, rules_now(postgres)), by_sql(postgres)
    assert len(ours) == len(theirs) == 3 * 5 * 5 * 2 * 5 * 6 * 3 * 2
    differences = [(number, a, b) for number, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    assert differences == []
    return set(ours)


def test_the_shipped_rules(postgres, build):
    answers = {line.split("\t")[1] for line in compare(postgres, build)}
    assert {"nothing", "first_stage", "script", "job", "menu"} <= answers


@pytest.mark.parametrize("seed", range(3))
def test_random_rules(postgres, build, seed):
    chance = random.Random(seed)
    postgres.sql("delete from rouse.boot_rules")
    for position in range(1, 12):
        values = {name: chance.sample([v for v in facts if v], chance.randint(1, 2)
                                      if name not in ("host", "product") else 1)
                  if chance.random() < 0.4 else None for name, facts in zip(PREDICATES, FACTS)}
        if values["job"]:
            values["job"] = values["job"][:1]
        postgres.sql(f"insert into rouse.boot_rules (position, name, {', '.join(PREDICATES)}, answer, "
                     f"reason) values (%s, %s, {', '.join(['%s::text[]'] * 8)}, %s, 'random')",
                     position, f"rule {position}", *values.values(), chance.choice(ANSWERS))
    assert len(compare(postgres, build)) > 4


# What explain() says, and with which facts each daemon asks core/boot: dhcpd once for firmware and once for
# iPXE, tftpd without knowing what machine asks, menud with all that iPXE told it.
EXPLAINED = """
select e.*, f.firmware as asked_firmware, a.arch as asked_arch
from unnest(%s::text[]) f (firmware), unnest(%s::text[]) a (arch),
    lateral rouse.explain('52:54:00:00:00:01'::macaddr, f.firmware, a.arch) e
"""


def by_facts(lines, **facts):
    """The line of boot_table's output for these facts."""
    at = 0
    for values, name in zip(FACTS, PREDICATES):
        at = at * len(values) + values.index(facts[name])
    return lines[at].split("\t")


def check_explained(postgres, lines, product, is_known):
    rows = postgres.sql(EXPLAINED, FIRMWARE, ARCH)
    assert len(rows) == 4 * len(FIRMWARE) * len(ARCH)
    for row in rows:
        is_script = row.stage == "script"
        facts = {"stage": row.stage, "loader": row.loader, "host_state": row.host_state, "job": row.job,
                 "host": row.host, "product": product if is_known else None,
                 "firmware": "other" if is_script else row.asked_firmware, "arch": "other" if is_script else row.asked_arch}
        position, answer, argument, reason = by_facts(lines, **facts)
        assert (row.position or 0, row.answer) == (int(position), answer), facts
        assert argument in ("", row.argument), facts
        # firmware gets a first stage also on its way to what menud gives
        is_first = answer == "first_stage" or ((row.stage, row.loader) == ("dhcp", "firmware")
                                               and answer in ("script", "job", "menu", "profile"))
        if is_first and row.argument is None and row.asked_firmware != "uboot":
            # dhcpd's own words, from dhcpd/bootfile.c
            assert re.fullmatch(r"no boot file for architecture .*: insert one into rouse\.boot_files", row.reason)
        else:
            assert row.reason == reason, facts


@pytest.mark.parametrize("rules", ["shipped", "a site's own"])
def test_explain_says_what_the_daemons_decide(postgres, build, rules):
    """Every state of a host, with and without a job, of every model, and a stranger; every firmware and arch."""
    postgres.fresh()
    if rules != "shipped":
        postgres.sql("insert into rouse.boot_rules (position, name, stage, firmware, answer, reason) values "
                     "(40, 'bios scripts', '{script}', '{bios}', 'local', 'never: a TFTP request does not say it'), "
                     "(41, 'kiosks', null, '{efi}', 'refuse', 'kiosks boot their own disk'), "
                     "(42, 'pending', null, null, 'local', 'not before it is approved')")
        postgres.sql("update rouse.boot_rules set product = '{Kiosk}' where position = 41")
        postgres.sql("update rouse.boot_rules set host_state = '{pending}' where position = 42")
    lines = by_c(build, rules_now(postgres))
    check_explained(postgres, lines, None, False)
    postgres.sql("insert into rouse.hosts (name) values ('lab-01')")
    postgres.sql("insert into rouse.nics (mac, host) values ('52:54:00:00:00:01', 'lab-01')")
    for job in JOB:
        if job == "live":
            postgres.sql("update rouse.hosts set state = 'active' where name = 'lab-01'")
            postgres.sql("select rouse.inventory('lab-01')")
        for state in HOST_STATE[1:]:
            for product in PRODUCT:
                postgres.sql("update rouse.hosts set state = %s, product = %s where name = 'lab-01'", state, product)
                assert {(row.host_state, row.job) for row in postgres.sql(EXPLAINED, FIRMWARE, ARCH)} == {(state, job)}
                check_explained(postgres, lines, product, True)


def test_the_database_reads_option_93_as_the_daemons_do(postgres):
    text = (Path(__file__).resolve().parents[2] / "common/core/arch.c").read_text(encoding="utf-8")
    table = [(int(code), firmware.lower(), arch.lower()) for code, arch, firmware in
             re.findall(r"\{(\d+), \{ARCH_(\w+), FIRMWARE_(\w+)\}\}", text)]
    assert len(table) >= 15
    assert [tuple(row) for row in postgres.admin("select * from rouse_data.client_archs() order by code")] == table


def test_the_words_for_a_missing_first_stage_are_dhcpds():
    text = (Path(__file__).resolve().parents[2] / "dhcpd/bootfile.c").read_text(encoding="utf-8")
    begin = text.index('"no boot file for')
    words = "".join(re.findall(r'"([^"]*)"', text[begin:text.index("client->arch_code", begin)]))
    assert words == "no boot file for architecture %u%s: insert one into rouse.boot_files"
