"""What the tests of dhcpd share: a network with a subnet, the daemon, and a client made by hand.

The client sends frames whose every octet a test chooses and sees every reply on the wire, whoever
it is addressed to.
"""

import socket
import struct
import time
from pathlib import Path

from scapy.layers.inet import IP, UDP  # pylint: disable=no-name-in-module
from scapy.layers.l2 import Ether

SERVER = "10.77.0.1"
EVERYBODY = "255.255.255.255"
COOKIE = b"\x63\x82\x53\x63"
ETH_P_IP = 0x0800
SO_RCVBUFFORCE = 33
LOADED = "event=leases_loaded"

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)


def packed(address):
    return socket.inet_aton(address)


def mac_octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def option(code, value):
    return bytes([code, len(value)]) + value


class Reply:
    """One message from the server, with the frame it came in."""

    def __init__(self, frame, octets):
        self.frame = frame
        self.octets = octets
        (self.op, self.htype, self.hlen, _, self.xid, _, self.flags) = struct.unpack("!BBBBIHH",
                                                                                   octets[:12])
        self.ciaddr, self.yiaddr, self.siaddr, self.giaddr = (
            socket.inet_ntoa(octets[i:i + 4]) for i in (12, 16, 20, 24))
        self.chaddr = octets[28:34].hex(":")
        self.file = octets[108:236].split(b"\0")[0].decode(errors="replace")
        self.options = {}
        assert octets[236:240] == COOKIE
        at = 240
        while octets[at] != 255:
            if octets[at] != 0:
                self.options[octets[at]] = octets[at + 2:at + 2 + octets[at + 1]]
                at += 1 + octets[at + 1]
            at += 1

    @property
    def type(self):
        return self.options[53][0]

    def number(self, code):
        return int.from_bytes(self.options[code], "big")


class Wire:
    """An Ethernet card in a host's namespace that says and hears anything."""

    def __init__(self, host, mac, interface="eth0"):
        self.mac = mac
        with host.entered():
            # a socket belongs to the namespace in which it was made
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
            # every wire hears the whole segment, also while nobody reads from it
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            self.socket.bind((interface, 0))
        self.xid = int.from_bytes(mac_octets(mac)[2:], "big")

    def close(self):
        self.socket.close()

    def message(self, kind, *options, ciaddr="0.0.0.0", giaddr="0.0.0.0", broadcast=False):
        self.xid += 1
        head = struct.pack("!BBBBIHH4s4s4s4s16s64s128s4s", 1, 1, 6, 0, self.xid & 0xffffffff, 0,
                           0x8000 if broadcast else 0, packed(ciaddr), packed("0.0.0.0"),
                           packed("0.0.0.0"), packed(giaddr), mac_octets(self.mac), b"", b"", COOKIE)
        return head + option(53, bytes([kind])) + b"".join(options) + b"\xff"

    def frame(self, octets, source="0.0.0.0"):
        """A broadcast with this message, for send_frame(): to be made before time counts."""
        return bytes(Ether(src=self.mac, dst="ff:ff:ff:ff:ff:ff") /
                     IP(src=source, dst=EVERYBODY, id=1) / UDP(sport=68, dport=67) / octets)

    def send_frame(self, frame):
        self.socket.send(frame)

    def send(self, octets, source="0.0.0.0"):
        self.send_frame(self.frame(octets, source))

    def receive(self, timeout=3.0, xid=None):
        """The next reply to `xid` (the last one sent), or None."""
        xid = (self.xid if xid is None else xid) & 0xffffffff
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                octets = self.socket.recv(4096)
            except TimeoutError:
                break
            # most frames are other wires': they are not worth taking apart
            if struct.pack("!I", xid) not in octets:
                continue
            frame = Ether(octets)
            if UDP in frame and frame[UDP].dport in (67, 68) and frame[UDP].sport == 67:
                payload = bytes(frame[UDP].payload)
                if len(payload) >= 240 and payload[0] == 2 and \
                        payload[4:8] + payload[28:34] == struct.pack("!I", xid) + mac_octets(self.mac):
                    return Reply(frame, payload)
        return None

    def ask(self, kind, *options, timeout=3.0, source="0.0.0.0", **more):
        self.send(self.message(kind, *options, **more), source=source)
        return self.receive(timeout)

    def discover(self, *options, **more):
        return self.ask(DISCOVER, *options, **more)

    def request(self, offer, *options, **more):
        return self.ask(REQUEST, option(54, offer.options[54]), option(50, packed(offer.yiaddr)),
                        *options, **more)

    def lease(self, *options):
        """The whole exchange; the ACK."""
        offer = self.discover(*options)
        assert offer is not None and offer.type == OFFER
        ack = self.request(offer, *options)
        assert ack is not None and ack.type == ACK
        assert ack.yiaddr == offer.yiaddr
        return ack


def firmware(arch, vendor="PXEClient", user=None, ipxe=False, wanted=b"\x01\x03\x06\x42\x43"):
    """The options by which PXE firmware and iPXE make themselves known."""
    options = [option(57, b"\x05\xc0"), option(55, wanted),
               option(97, b"\0" + bytes(range(16))), option(94, b"\x01\x03\x10"),
               option(93, struct.pack("!H", arch)),
               option(60, b"%s:Arch:%05d:UNDI:003000" % (vendor.encode(), arch))]
    if user:
        options.append(option(77, user))
    if ipxe:
        options.append(option(175, b"\x01\x01\x01"))
    return options


class Site:
    """One segment, a server with dhcpd on it, a client; subnet and pool in the database."""

    def __init__(self, lab, postgres, build, state, pool=("10.77.0.20", "10.77.0.250"), ipv6=False,
                 lease_seconds=600):
        self.postgres = postgres
        self.state = Path(state)
        self.program = build / "dhcpd" / "dhcpd"
        self.segment = lab.segment("lan", ipv6=ipv6)
        self.server = lab.host("server", addresses=[f"{SERVER}/24"])
        self.client = lab.host("client")
        self.daemon = None
        self._wires = []
        if pool:
            self.configure(pool, lease_seconds)

    def configure(self, pool, lease_seconds=600):
        self.postgres.sql(
            "insert into rouse.subnets (subnet, routers, dns, domain_name, lease_seconds) "
            "values ('10.77.0.0/24', '{10.77.0.1}', '{10.77.0.2,10.77.0.3}', 'lab.example', %s)",
            lease_seconds)
        self.postgres.sql("insert into rouse.pools (subnet, first, last) values "
                          "('10.77.0.0/24', %s, %s)", *pool)

    def start(self, *flags, wait=LOADED, serving=True):
        """`serving`: also waits until no other DHCP server has answered dhcpd's probe."""
        self.daemon = self.server.spawn([
            self.program, "--interface", "eth0", "--database", self.postgres.conninfo("rouse_dhcpd"),
            "--state-dir", self.state, "--log-level", "debug", *flags])
        self.daemon.wait_for("event=started")
        if wait:
            self.daemon.wait_for(wait, timeout=20)
        if wait and serving:
            self.daemon.wait_for("event=serving")
        if wait == LOADED:
            # the snapshot has a connection of its own: the first answer shows that it is in force
            self.wait_until(lambda: self.wire("02:00:00:00:ff:fe").discover(timeout=0.3))
        return self.daemon

    def neighbour(self, address, mac):
        """The server knows this card behind the address: the test's own client answers no ARP."""
        self.server.run(["ip", "neigh", "replace", address, "lladdr", mac, "dev", "eth0"])

    def wire(self, mac, host=None, interface="eth0"):
        wire = Wire(host or self.client, mac, interface)
        self._wires.append(wire)
        return wire

    @staticmethod
    def wait_until(condition, timeout=15.0):
        """Asks again until it holds; its last value. For what only a question can show."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            assert time.monotonic() < deadline, f"it did not come true within {timeout} s"
            time.sleep(0.05)
        return value

    def lease_of(self, mac):
        rows = self.postgres.sql("select address, state, host_name, granted_at, expires_at "
                                 "from rouse.leases where mac = %s::macaddr "
                                 "order by granted_at desc", mac)
        return rows[0] if rows else None

    def close(self):
        for wire in self._wires:
            wire.close()
        if self.daemon and self.daemon.is_running():
            assert self.daemon.stop(timeout=10) == 0, self.daemon.output
