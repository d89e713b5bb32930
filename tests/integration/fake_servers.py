"""Servers that behave as one meets them in the field, for test_db.py:

fake_servers.py proxy ADDRESS PORT SOCKET       what comes is passed on to a unix socket
fake_servers.py silent ADDRESS PORT             accepts, and says nothing
fake_servers.py standby ADDRESS PORT            a PostgreSQL that refuses every statement
fake_servers.py resolver ADDRESS PORT A SECONDS a DNS server: every name is A, after a while
"""

import asyncio
import struct
import sys


async def pump(reader, writer):
    while piece := await reader.read(65536):
        writer.write(piece)
    writer.close()


def proxy(path):
    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer),
                             return_exceptions=True)
    return serve


async def silent(reader, _):
    await reader.read()


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


REFUSAL = message(b"E", b"SERROR\0VERROR\0C25006\0Mcannot execute LISTEN during recovery\0\0")
READY = message(b"Z", b"I")


async def standby(reader, writer):
    """The protocol's version 3: start-up without encryption, then an error for each Sync."""
    while True:
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        (code,) = struct.unpack_from("!I", await reader.readexactly(length - 4))
        if code == 196608:
            break
        writer.write(b"N")  # SSLRequest, GSSENCRequest
    print("asked", flush=True)
    writer.write(message(b"R", b"\0\0\0\0") + READY)
    while kind := await reader.read(1):
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        await reader.readexactly(length - 4)
        if kind == b"S":
            writer.write(REFUSAL + READY)
    writer.close()


class Resolver(asyncio.DatagramProtocol):
    def __init__(self, address, seconds):
        self.address, self.seconds = bytes(map(int, address.split("."))), float(seconds)
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        asyncio.get_running_loop().call_later(self.seconds, self.answer, data, addr)

    def answer(self, question, client):
        end = question.index(b"\0", 12) + 5
        is_a = question[end - 4:end] == b"\0\1\0\1"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + self.address if is_a else b""
        self.transport.sendto(question[:2] + struct.pack("!HHHHH", 0x8180, 1, is_a, 0, 0)
                              + question[12:end] + record, client)


async def main(kind, address, port, *more):
    if kind == "resolver":
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Resolver(*more), local_addr=(address, int(port)))
    else:
        serve = proxy(*more) if kind == "proxy" else {"silent": silent, "standby": standby}[kind]
        await asyncio.start_server(serve, address, int(port))
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
