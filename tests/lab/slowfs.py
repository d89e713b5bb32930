"""A file system whose disk answers when the test says so: FUSE, spoken over /dev/fuse without a library.

    with SlowFiles(folder, {"name": b"octets"}) as files:
        files.stall()                   # reads are taken and not answered from now on
        files.wait_for_reads(1)
        files.release()

Names are found and files opened at all times; only the reading of their octets stalls. Needs root.
"""

import ctypes
import os
import struct
import subprocess
import threading

REQUEST = struct.Struct("<IIQQIIIHH")  # length, opcode, unique, node, uid, gid, pid, ...
ATTRIBUTES = struct.Struct("<6Q10I")
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 17, 18, 25, 26
OPENDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 27, 29, 36, 42
NO_REPLY = (FORGET, INTERRUPT, BATCH_FORGET)
ENOENT, ENOSYS = 2, 38
ROOT = 1
VALID_SECONDS = 3600
MAX_WRITE = 128 << 10
ASYNC_READ = 1
KEEP_CACHE = 2  # or a second open waits for what the first one reads


class SlowFiles:
    """See the module's text."""

    def __init__(self, folder, files):
        self.folder = folder
        self.names = {name: ROOT + 1 + number for number, name in enumerate(files)}
        self.content = {self.names[name]: octets for name, octets in files.items()}
        self._held = []
        self._is_stalled = False
        self._changed = threading.Condition()

    def __enter__(self):
        self.folder.mkdir(exist_ok=True)
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0,allow_other"
        if ctypes.CDLL(None, use_errno=True).mount(b"slow", str(self.folder).encode(), b"fuse", 0,
                                                   options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "mount of FUSE")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.release()
        subprocess.run(["umount", "-l", self.folder], check=True)
        self._thread.join(10)  # reading ends with the last user of the mount
        if not self._thread.is_alive():  # else it would go on to read whatever gets the number next
            os.close(self._device)

    def stall(self):
        with self._changed:
            self._is_stalled = True

    def wait_for_reads(self, count, timeout=10):
        """Until so many stand unanswered."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._held) >= count, timeout), len(self._held)

    def release(self):
        with self._changed:
            self._is_stalled = False
            held, self._held = self._held, []
        for unique, node, body in held:
            self._reply(unique, self._read(node, body))

    def _serve(self):
        while True:
            try:
                packet = os.read(self._device, MAX_WRITE + 4096)
            except OSError as error:
                if error.errno in (2, 4, 11):  # ENOENT: a request was taken back
                    continue
                return  # ENODEV: nobody has it mounted any more
            _, opcode, unique, node, *_ = REQUEST.unpack_from(packet)
            body = packet[REQUEST.size:]
            if opcode == READ:
                with self._changed:
                    if self._is_stalled:
                        self._held.append((unique, node, body))
                        self._changed.notify_all()
                        continue
            if opcode not in NO_REPLY:
                self._reply(unique, self._answer(opcode, node, body))

    def _reply(self, unique, answer):
        """Octets, or an errno."""
        error = answer if isinstance(answer, int) else 0
        payload = b"" if error else answer
        try:
            os.write(self._device, struct.pack("<IiQ", 16 + len(payload), -error, unique) + payload)
        except OSError:
            pass  # whoever asked has been killed

    def _answer(self, opcode, node, body):
        if opcode == INIT:
            major, _, readahead, _ = struct.unpack_from("<IIII", body)
            return struct.pack("<IIIIHHIIHH8I", major, 31, readahead, ASYNC_READ, 64, 48, MAX_WRITE, 1,
                               0, 0, *[0] * 8)
        if opcode == LOOKUP:
            found = self.names.get(body.split(b"\0")[0].decode())
            return self._entry(found) if found else ENOENT
        if opcode == GETATTR:
            return struct.pack("<QII", VALID_SECONDS, 0, 0) + self._attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, KEEP_CACHE, 0)
        if opcode == READ:
            return self._read(node, body)
        if opcode == STATFS:
            return struct.pack("<5Q4I6I", 0, 0, 0, 0, 0, 4096, 255, 4096, 0, *[0] * 6)
        return b"" if opcode in (RELEASE, RELEASEDIR, FLUSH) else ENOSYS

    def _entry(self, node):
        return struct.pack("<QQQQII", node, 0, VALID_SECONDS, VALID_SECONDS, 0, 0) + self._attributes(node)

    def _attributes(self, node):
        size = len(self.content.get(node, b""))
        mode = 0o40755 if node == ROOT else 0o100644
        return ATTRIBUTES.pack(node, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _read(self, node, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        return self.content[node][offset:offset + size]
