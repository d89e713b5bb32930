#!/usr/bin/python3
"""tests/sql/causes_page.py CONNINFO - prints docs/reference/causes.md from table rouse.causes. test_traces holds the page
against it; after a change:

    packaging/rouse-db init --private /tmp/d
    tests/sql/causes_page.py "host=/tmp/d/run dbname=rouse user=postgres" >docs/reference/causes.md
"""

import sys

import psycopg2

HEAD = """# Causes: why a machine does not boot

What `rouse.why()` knows, as it stands in `rouse.causes`. Of each stage the first cause counts whose signs all hold; how
signs are written, and how a site adds its own, is in [why it did not boot](../explanation/why.md). What to do first
is in the [how-to](../how-to/why-did-it-not-boot.md). This page is made from the table by `tests/sql/causes_page.py`.

`%name%`, `%reason%`, `%count%`, `%mac%` and `%host%` stand for what the first sign saw; `%meaning%` for the words of the code `%name%`.
"""
STAGES = {
    "site": "Several machines", "machine": "The machine itself", "power": "Not heard of",
    "fw_dhcp": "The firmware asks for an address", "proxy": "Beside another DHCP server",
    "tftp_nbp": "The first stage", "ipxe_dhcp": "iPXE asks for an address",
    "script": "The script and the menu", "kernel": "Kernel and initial disk",
    "fos": "The client system", "work": "Its work", "local_boot": "Back to its own disk",
}


def page(cursor):
    cursor.execute("select id, stage, signs, wait_seconds, cause, confidence, is_fault, advice "
                   "from rouse.causes order by position")
    rows = cursor.fetchall()
    parts = [HEAD]
    for stage, title in STAGES.items():
        parts.append(f"\n## {title}\n")
        for row in (row for row in rows if row[1] == stage and row[6]):
            parts.append(entry(row))
    parts.append("\n## Strange, and no fault\n")
    parts += [entry(row) for row in rows if not row[6]]
    return "".join(parts)


def entry(row):
    name, _, signs, wait, cause, confidence, _, advice = row
    # what a page shows of SQL is run by a test; here it has words to be filled in, so it is not marked as code
    lines = [f"\n### {name}\n\n{cause[0].upper()}{cause[1:]}. Confidence: {confidence}.\n\n"]
    lines += [f"* {sign}\n" for sign in signs]
    if wait:
        lines.append(f"* nothing for {wait} s\n")
    if advice:
        lines.append("\n" + "".join(f"{number}. {words}\n" for number, words in enumerate(advice, 1)))
    return "".join(lines)


if __name__ == "__main__":
    with psycopg2.connect(sys.argv[1]) as connection:
        print(page(connection.cursor()), end="")
