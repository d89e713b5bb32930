"""Many DHCP clients at once, on one socket, that remember every word: for tests under load.

    crowd = Crowd(site, 200)
    crowd.begin()                       # who has no lease starts anew
    crowd.hear(1)                       # until nothing was said for a second
    crowd.come_back()                   # who has one asks for it again
    crowd.check_recorded(site.postgres)

Each takes the first offer that it hears. A reply is filed under the message that it answers, however
late it comes; its time is the kernel's, so that a busy machine does not make it later than it was.
"""

import select
import socket
import struct
import time
from collections import namedtuple

from test_dhcpd_kit import ACK, COOKIE, DISCOVER, NAK, OFFER, REQUEST, mac_octets, option, packed

ETHERNET_IP_UDP = 14 + 20 + 8
SO_TIMESTAMPNS = 35
LEASE_SECONDS = 51
SERVER_ID = 54

# `asked_at` and `at` are seconds of the clock on the wall
Ack = namedtuple("Ack", "mac address server seconds asked_at at")


def options_of(message):
    """{code: value} of a message's options field, the first of each."""
    found, at = {}, 240
    while at + 1 < len(message) and message[at] != 255:
        if message[at] == 0:
            at += 1
            continue
        found.setdefault(message[at], message[at + 2:at + 2 + message[at + 1]])
        at += 2 + message[at + 1]
    return found


class Crowd:
    """`kind` is an octet of their MACs, so that two crowds on one site are different machines."""

    def __init__(self, site, count, kind=2):
        self.macs = {}
        for i in range(count):
            mac = f"02:00:00:{kind:02x}:{i >> 8:02x}:{i & 255:02x}"
            self.macs[mac_octets(mac)] = mac
        self.ear = site.wire(f"02:00:00:{kind:02x}:ff:ff").socket
        self.ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.leases = {}       # MAC -> the Ack that counts now
        self.acks = []         # all of them
        self.naks = []         # MACs
        self.offers = []       # MACs
        self._waits_for = {}   # MAC -> the xid whose OFFER it waits for
        self._asked_at = {}    # xid -> when it was sent
        self._xid = kind << 24

    # -- speaking

    def _say(self, mac, kind, *options):
        self._xid += 1
        octets = mac_octets(mac)
        message = struct.pack("!BBBBIHH16x16s64x128x4s", 1, 1, 6, 0, self._xid, 0, 0x8000, octets,
                              COOKIE) + option(53, bytes([kind])) + b"".join(options) + b"\xff"
        # no checksum of UDP: it may be 0
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(message), 1, 0, 64, 17, 0,
                         packed("0.0.0.0"), packed("255.255.255.255"))
        total = sum(struct.unpack("!10H", ip))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        ip = ip[:10] + struct.pack("!H", ~total & 0xffff) + ip[12:]
        frame = b"\xff" * 6 + octets + b"\x08\0" + ip + struct.pack(
            "!HHHH", 68, 67, 8 + len(message), 0) + message
        self._asked_at[self._xid] = time.time()
        self.ear.send(frame)

    def begin(self):
        """Whoever has no lease starts anew."""
        for mac in self.macs.values():
            if mac not in self.leases:
                self._say(mac, DISCOVER)
                self._waits_for[mac] = self._xid

    def come_back(self):
        """Whoever has a lease asks for it, as after a restart (INIT-REBOOT)."""
        for mac, ack in self.leases.items():
            self._say(mac, REQUEST, option(50, packed(ack.address)))

    # -- hearing

    def hear(self, seconds, enough=lambda: False, at_most=None):
        """Answers offers until nothing was said for so long, it is enough, or that many seconds."""
        end = time.monotonic() + at_most if at_most else None
        while not enough():
            left = min(seconds, end - time.monotonic()) if end else seconds
            if left <= 0 or not select.select([self.ear], [], [], left)[0]:
                return
            self._take()

    def _take(self):
        octets, ancillary, _, _ = self.ear.recvmsg(4096, 64)
        at = time.time()
        for _, kind, value in ancillary:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", value)
                at = seconds + nanoseconds / 1e9
        message = octets[ETHERNET_IP_UDP:]
        mac = self.macs.get(bytes(message[28:34]))
        if not mac or len(message) < 243 or message[0] != 2:
            return
        (xid,) = struct.unpack("!I", message[4:8])
        if xid not in self._asked_at:
            return
        options = options_of(message)
        kind, address, server = options[53][0], socket.inet_ntoa(message[16:20]), options[SERVER_ID]
        if kind == OFFER:
            self.offers.append(mac)
            if self._waits_for.get(mac) == xid:
                self._waits_for[mac] = None
                self._say(mac, REQUEST, option(54, server), option(50, packed(address)))
        elif kind == ACK:
            ack = Ack(mac, address, socket.inet_ntoa(server),
                      int.from_bytes(options[LEASE_SECONDS], "big"), self._asked_at[xid], at)
            self.acks.append(ack)
            self.leases[mac] = ack
        elif kind == NAK:
            self.naks.append(mac)

    # -- what must hold

    def settle(self, timeout):
        """Until everybody has a lease."""
        deadline = time.monotonic() + timeout
        self.hear(1)
        while len(self.leases) < len(self.macs):
            assert time.monotonic() < deadline, f"only {len(self.leases)} have a lease"
            self.begin()
            self.hear(1)

    def check_recorded(self, postgres):
        """Every lease that was acknowledged last is its client's in the database, for as long as it
        was promised; and none is two clients'."""
        rows = {row.mac: row for row in postgres.sql(
            "select mac, address, extract(epoch from expires_at)::float8 as ends from rouse.leases "
            "where state = 'bound'")}
        for mac, ack in self.leases.items():
            assert mac in rows, f"{ack} is not recorded"
            assert rows[mac].address == ack.address, f"{ack}, but recorded is {rows[mac]}"
            # the client counts whole seconds from its request
            assert ack.asked_at + ack.seconds < rows[mac].ends + 1.5, f"{ack}, {rows[mac]}"
        addresses = [ack.address for ack in self.leases.values()]
        assert len(set(addresses)) == len(addresses)
