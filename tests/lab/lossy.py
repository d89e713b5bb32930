"""A relay for TFTP that is as bad as a network can be: it loses, doubles and delays datagrams.

    with Lossy(host, "10.77.0.5", server="10.77.0.1", seed=1, loss=3, doubling=3) as relay:
        host.run(["tftp", "10.77.0.5", ...])

It stands in the client's namespace (a host of tests/lab/net.py) on an address of its own, and each
client has two sockets there: one that the client sees as the server's, one that the server sees as
the client's. Python's standard library only; no kernel module is needed.
"""

import random
import select
import socket
import threading
import time

DATAGRAM_MAX = 70000


class Pair:
    """The two sockets of one client."""

    def __init__(self, host, address, client, server):
        with host.entered():
            self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.front.bind((address, 0))
        self.back.bind((address, 0))
        self.client, self.server = client, server

    def take(self, sock):
        """What came, and how it goes on: (socket, octets, where to)."""
        packet, sender = sock.recvfrom(DATAGRAM_MAX)
        if sock is self.front:
            return self.back, packet, self.server
        self.server = sender  # its TID
        return self.front, packet, self.client


class Lossy:
    """`loss` and `doubling` are of a hundred datagrams; a tenth of what is sent comes later."""

    def __init__(self, host, address, server, seed, loss=0, doubling=0, delay=0.003):  # pylint: disable=too-many-arguments
        self.host, self.address, self.server = host, address, (server, 69)
        self.random = random.Random(seed)
        self.loss, self.doubling, self.delay = loss, doubling, delay
        with host.entered():
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.bind((address, 69))
        self.pairs, self.late = {}, []
        self.lost = 0
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends = True
        self._thread.join()
        for sock in self._sockets():
            sock.close()

    def _sockets(self):
        return [self.listener] + [s for pair in self.pairs.values() for s in (pair.front, pair.back)]

    def _send(self, sock, packet, where):
        copies = 1 + (self.random.randrange(100) < self.doubling)
        for _ in range(copies):
            if self.random.randrange(100) < self.loss:
                self.lost += 1
            elif self.random.randrange(10) == 0:
                self.late.append((time.monotonic() + self.delay, sock, packet, where))
            else:
                self._put(sock, packet, where)

    @staticmethod
    def _put(sock, packet, where):
        try:
            sock.sendto(packet, where)
        except ConnectionRefusedError:
            pass  # an earlier one's: whoever it was for has gone

    def _take(self, sock):
        try:
            if sock is not self.listener:
                pair = next(p for p in self.pairs.values() if sock in (p.front, p.back))
                self._send(*pair.take(sock))
                return
            packet, client = sock.recvfrom(DATAGRAM_MAX)
        except ConnectionRefusedError:
            return
        if client not in self.pairs:
            self.pairs[client] = Pair(self.host, self.address, client, self.server)
        self._send(self.pairs[client].back, packet, self.server)

    def _run(self):
        while not self._ends:
            readable, _, _ = select.select(self._sockets(), [], [], 0.002 if self.late else 0.05)
            for sock in readable:
                self._take(sock)
            now = time.monotonic()
            due = [entry for entry in self.late if entry[0] <= now]
            self.late = [entry for entry in self.late if entry[0] > now]
            for _, sock, packet, where in due:
                self._put(sock, packet, where)
