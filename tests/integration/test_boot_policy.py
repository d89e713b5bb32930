"""One policy, two evaluators: core/boot in the daemons and rouse.evaluate() in the database give the same
answer for every combination of the facts, under the shipped rules and under random ones."""

import random
import subprocess

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
select coalesce(e.position, 0) as position, e.answer, coalesce(e.argument, '') as argument
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
                                rule["argument"] or "-"]))
    done = subprocess.run([build / "common/core/boot_table"], input="\n".join(lines) + "\n",
                          text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout.splitlines()


def by_sql(postgres):
    return [f"{row.position} {row.answer} {row.argument}" for row in postgres.sql(BY_SQL, *FACTS)]


def rules_now(postgres):
    return [row._asdict() for row in postgres.sql("select * from rouse.boot_rules order by position")]


def compare(postgres, build):
    ours, theirs = by_c(build, rules_now(postgres)), by_sql(postgres)
    assert len(ours) == len(theirs) == 3 * 5 * 5 * 2 * 5 * 6 * 3 * 2
    differences = [(number, a, b) for number, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    assert differences == []
    return set(ours)


def test_the_shipped_rules(postgres, build):
    answers = {line.split()[1] for line in compare(postgres, build)}
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
