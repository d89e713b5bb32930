"""Traces: what the daemons saw of a machine, as text that a person reads and writes.

    # a comment
    0.000 dhcpd fw_dhcp discover arch=7
    0.012 dhcpd fw_dhcp offer name=ipxe.efi address=10.77.0.100 reason="firmware needs a first stage"

Seconds, daemon, stage, kind; then the event's fields by name. What is no field of an event (arch,
client, bytes) is one of its detail; a number there is a number.
"""

import json
import shlex

FIELDS = ("name", "reason", "count", "address", "uuid", "mac")


def _word(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return shlex.quote(text).replace("\n", " ")


def lines_of(rows):
    """The lines of rows of rouse.events, the first at 0."""
    lines = []
    for row in rows:
        seconds = (row.at - rows[0].at).total_seconds()
        words = [f"{seconds:.3f}", row.daemon, row.stage, row.kind]
        fields = {name: getattr(row, name) for name in FIELDS if name != "mac"}
        if fields["count"] == 1:
            del fields["count"]
        words += [f"{name}={_word(value)}" for name, value in fields.items() if value is not None]
        words += [f"{name}={_word(value)}" for name, value in (row.detail or {}).items()]
        lines.append(" ".join(words))
    return lines


def _value(text):
    """A number or true where it is one; else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (int, float, bool)) else text


def event_of(line):
    """(seconds, daemon, event as rouse_daemon.record() takes it) of a line."""
    seconds, daemon, stage, kind, *fields = shlex.split(line)
    event = {"stage": stage, "kind": kind}
    detail = {}
    for field in fields:
        name, _, text = field.partition("=")
        if name in FIELDS:
            event[name] = text
        else:
            detail[name] = _value(text)
    if detail:
        event["detail"] = detail
    return float(seconds), daemon, event
