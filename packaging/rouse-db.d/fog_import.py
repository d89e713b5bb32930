"""Takes the machines, groups and menu of a FOG server into the database, from a dump of its MySQL database.

The dump is read as mysqldump writes it; nothing of it is executed.
"""

import re

from database import Trouble
from dhcp_site import host_name_of, mac_of
from importing import attempt, insert, read_text, run

TABLES = ("hosts", "hostMAC", "groups", "groupMembers", "images", "inventory", "pxeMenu")
CREATE = re.compile(r"^CREATE TABLE `(\w+)` \((.*?)^\)", re.M | re.S)
COLUMN = re.compile(r"^\s*`(\w+)`", re.M)
INSERT = re.compile(r"^INSERT INTO `(\w+)`(?: \(([^)]*)\))?\s+VALUES", re.M)
VALUE = re.compile(r"\s*(?:'((?:\\.|''|[^'\\])*)'|(NULL)|([^\s,()']+))\s*", re.S)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "", "Z": ""}
CHAIN = re.compile(r"chain\s+(?:-\S+\s+)*(https?://[^\s|$]+)")


def _text(quoted):
    return re.sub(r"\\(.)|''", lambda found: ESCAPED.get(found[1], found[1]) if found[1] else "'", quoted, flags=re.S)


def _rows(text, position):
    """The tuples of values that begin at `position`, up to the semicolon."""
    while True:
        start = text.index("(", position) + 1
        row, position = [], start
        while True:
            found = VALUE.match(text, position)
            if not found:
                raise Trouble(f"the dump is damaged at character {position}",
                              remedy="Make it again: mysqldump --skip-extended-insert fog > fog.sql")
            row.append(None if found[2] else _text(found[1]) if found[1] is not None else found[3])
            position = found.end()
            if text[position:position + 1] == ")":
                break
            position += 1
        yield row
        position += 1
        if text[position:position + 1] != ",":
            return


def read_dump(text):
    """{table: [{column: text}]} of the tables that rouse has a place for."""
    columns = {found[1]: COLUMN.findall(found[2]) for found in CREATE.finditer(text)}
    tables = {name: [] for name in TABLES}
    for found in INSERT.finditer(text):
        name = found[1]
        if name in tables:
            names = re.findall(r"`(\w+)`", found[2]) if found[2] else columns.get(name, [])
            tables[name] += [dict(zip(names, row)) for row in _rows(text, found.end())]
    if not tables["hosts"] or "hostName" not in tables["hosts"][0]:
        raise Trouble("there are no hosts of FOG in this dump",
                      remedy="mysqldump fog > fog.sql, on the FOG server; the database is named fog unless it was changed.")
    return tables


def _key(text):
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:60] or None


class _Fog:
    """What is made of the tables: statements, and what was skipped."""

    def __init__(self, tables):
        self.tables = tables
        self.skipped = []
        self.groups = {row["groupID"]: _key(row["groupName"]) for row in tables["groups"]}
        self.images = {row["imageID"]: row for row in tables["images"]}
        self.inventory = {row["iHostID"]: row for row in tables["inventory"]}

    def skip(self, where, what, why):
        self.skipped.append((where, what, why))

    def statements(self):
        for row in self.tables["groups"]:
            yield attempt("groups", "groups", row["groupName"],
                          insert("groups", {"name": self.groups[row["groupID"]], "comment": row.get("groupDesc") or None}))
        for row in self.tables["hosts"]:
            yield from self.host(row)
        for row in self.tables["pxeMenu"]:
            yield from self.menu_item(row)
        for row in self.images.values():
            self.skip("images", row["imageName"], "its files are taken by: rouse-db image add "
                      f"{_key(row['imageName'])} /images/{row['imagePath']}")

    def host(self, row):
        where, name = f"hosts, {row['hostName']}", host_name_of(row["hostName"])
        found = self.inventory.get(row["hostID"], {})
        image = self.images.get(row.get("hostImage"))
        comment = "; ".join(filter(None, [row.get("hostDesc"), image and f"FOG's image: {image['imageName']}"]))
        yield attempt("hosts", where, name, insert("hosts", {
            "name": name, "state": "pending" if row.get("hostPending") == "1" else None, "comment": comment or None,
            "group_name": self.group_of(row, where), "manufacturer": found.get("iSysman") or None,
            "product": found.get("iSysproduct") or None, "serial": found.get("iSysserial") or None,
            "uuid": found.get("iSystemUUID") or None}))
        for card in self.tables["hostMAC"]:
            if card["hmHostID"] == row["hostID"]:
                yield from self.card(card, name, where)
        for column in ("hostKernel", "hostKernelArgs", "hostInit", "hostDevice"):
            if row.get(column):
                self.skip(where, f"{column} {row[column]}", "write a boot rule with a profile: rouse.boot_rules")
        if row.get("hostUseAD") == "1":
            self.skip(where, "Active Directory", "rouse does not join domains")

    def group_of(self, row, where):
        """rouse has one group a machine, FOG any number."""
        names = [self.groups.get(member["gmGroupID"]) for member in self.tables["groupMembers"]
                 if member["gmHostID"] == row["hostID"]]
        for name in names[1:]:
            self.skip(where, f"group {name}", f"a machine is in one group: {names[0]} was taken")
        return names[0] if names else None

    def card(self, card, name, where):
        mac = mac_of(card["hmMAC"])
        if not mac or card.get("hmIgnoreImaging") == "1":
            self.skip(where, f"card {card['hmMAC']}", "it is not for imaging, or no Ethernet card")
            return
        kind = "primary" if card["hmPrimary"] == "1" else "pending" if card.get("hmPending") == "1" else "extra"
        yield attempt("cards", where, mac, insert("nics", {"mac": mac, "host": name, "kind": kind}))

    def menu_item(self, row):
        """FOG's own items are rouse's own, too; of the others those that chain to a URL are understood."""
        if row["pxeName"].startswith("fog."):
            return
        where, key = "pxeMenu", _key(row["pxeName"])
        chained = CHAIN.search(row.get("pxeParams") or "")
        if not chained:
            self.skip(where, row["pxeName"], "write it as a profile: rouse.profiles and rouse.menu")
            return
        title = (row.get("pxeDesc") or row["pxeName"]).splitlines()[0]
        yield attempt("profiles", where, row["pxeName"],
                      insert("profiles", {"name": key, "title": title, "kind": "chain", "url": chained[1]}))
        yield attempt("menu items", where, row["pxeName"],
                      insert("menu", {"key": key, "title": title, "position": 1000 + int(row["pxeID"]),
                                      "action": "profile", "profile": key}))


def import_fog(database, dump, dry_run=False):
    fog = _Fog(read_dump(read_text(dump)))
    run(database, list(fog.statements()), fog.skipped, dry_run)
