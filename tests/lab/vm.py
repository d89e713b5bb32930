"""Virtual machines and network segments for tests: QEMU without KVM, in namespaces of their own.

A segment is a network namespace with a bridge; machines hang on it by taps, servers run inside it
or listen on sockets made in it. Nothing leaves the namespace. Python's standard library only.

    from vm import VM, Segment

    with Segment("demo", "10.77.0.1/24") as segment, \\
         VM(workdir, segment=segment, boot="uefi", mac="52:54:00:00:00:01",
            disks=[make_disk(workdir / "disk.img", 256 << 20)]) as machine:
        machine.wait_serial("rouse: the client system starts", timeout=60)
        machine.send_keys("down", "ret")
        machine.screendump(workdir / "menu.ppm")          # needs screen=True
        assert machine.wait_exit(timeout=60) == "guest-reset"

How a machine boots (`boot`):
  "direct"  QEMU loads `kernel`, `initrd`, `append` itself: the quickest, for tests of FOS alone.
  "uefi"    OVMF from a private copy of its variables, with no iPXE ROM: EDK2's own PXE client.
  "secure"  the same with Microsoft's keys enrolled, and Secure Boot on: what is not signed does not start.
  "lkrn"    Debian's ipxe.lkrn plays a vendor's PXE ROM under SeaBIOS; `script`, iPXE commands in a
            file, is what it runs (set a user class of your own there and chain by raw/).
  "disk"    from the first disk, by SeaBIOS.
  "uboot"   an arm64 board with Debian's U-Boot, by its console on the serial line: see uboot().
  "arm64"   "direct" on an arm64 board.

Times to expect on two cores: direct to FOS's check-in 4 s, UEFI to the first DISCOVER 4 s. Every wait
is for an event (bytes of the serial line, a QMP event, the end of the process) and fails with the
tail of the serial log. A machine is killed by its process number, and only by it.

As root the namespace is made by `ip netns`. A caller that already sits in one of its own
(`unshare -Urnm`) says Segment(..., here=True), and the bridge is made where it is.
"""

import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
OVMF_SECURE_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
OVMF_SECURE_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
IPXE_LKRN = Path("/usr/lib/ipxe/ipxe.lkrn")
UBOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
CLONE_NEWNET = 0x40000000


def make_disk(path, size_bytes):
    """An empty, sparse disk image; an existing one is emptied."""
    with open(path, "wb") as image:
        image.truncate(size_bytes)
    return Path(path)


class Segment:
    """A network namespace with a bridge `br0` that has `address` ("10.77.0.1/24")."""

    def __init__(self, name, address, here=False):
        self.netns = None if here else f"{name}-{os.getpid()}"
        self.address = address
        self.taps = 0

    def run(self, *command):
        subprocess.run(self.inside(*command), check=True)

    def inside(self, *command):
        """The command line that runs `command` in the segment."""
        prefix = ["ip", "netns", "exec", self.netns] if self.netns else []
        return [*prefix, *map(str, command)]

    def __enter__(self):
        if self.netns:
            subprocess.run(["ip", "netns", "add", self.netns], check=True)
        try:
            self.run("ip", "link", "set", "lo", "up")
            self.run("ip", "link", "add", "br0", "type", "bridge")
            self.run("ip", "addr", "add", self.address, "dev", "br0")
            self.run("ip", "link", "set", "br0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.netns:
            subprocess.run(["ip", "netns", "del", self.netns], check=True)
            return
        for tap in range(self.taps):
            self.run("ip", "link", "del", f"tap{tap}")
        subprocess.run(["ip", "link", "del", "br0"], check=False)

    def add_tap(self):
        """A new tap on the bridge; its name. It goes with the namespace."""
        tap = f"tap{self.taps}"
        self.taps += 1
        self.run("ip", "tuntap", "add", tap, "mode", "tap")
        self.run("ip", "link", "set", tap, "master", "br0", "up")
        return tap

    def set_link(self, tap, up):
        """Pulls the cable out of the bridge's side of a machine, or puts it back."""
        self.run("ip", "link", "set", tap, "up" if up else "down")

    @contextmanager
    def entered(self):
        """The calling thread is in the segment meanwhile: sockets made here stay here for good."""
        if not self.netns:
            yield
            return
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.netns}") as there:
            _setns(libc, there)
            try:
                yield
            finally:
                _setns(libc, home)


def _setns(libc, file):
    if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class VM:
    """One virtual machine. Use it as a context manager; it runs from __enter__ to __exit__."""

    def __init__(self, workdir, *, name="vm", boot="direct", segment=None, tap=None,
                 mac="52:54:00:00:00:01", disks=(), disk_bus="virtio", kernel=None, initrd=None,
                 append="", script=None, memory_mb=512, cpus=2, machine="q35",
                 nic="virtio-net-pci", serial_number=None, uuid=None, screen=False, variables=None, extra=()):
        """segment: where to plug in (None: no network); tap: an existing tap instead of a new one.
        disk_bus: virtio, nvme or ide. variables: UEFI's, as another machine has left them. extra: further
        arguments for QEMU."""
        self.workdir = Path(workdir)
        self.name, self.boot, self.segment, self.mac = name, boot, segment, mac
        self.tap = tap or (segment.add_tap() if segment else None)
        self.disks, self.disk_bus = [Path(disk) for disk in disks], disk_bus
        self.kernel, self.initrd, self.append, self.script = kernel, initrd, append, script
        self.memory_mb, self.cpus, self.machine, self.nic = memory_mb, cpus, machine, nic
        self.serial_number, self.uuid = serial_number, uuid
        self.screen, self.extra, self.variables = screen, list(extra), variables
        self.process = None
        self.events = []
        self._serial = b""
        self._answers = {}
        self._next_id = 0
        self._changed = threading.Condition()

    # -- the command line ---------------------------------------------------------------------

    def _boot_arguments(self):
        if self.boot == "direct":
            return ["-kernel", self.kernel, "-initrd", self.initrd, "-append", self.append]
        if self.boot == "lkrn":
            script = ["-initrd", self.script] if self.script else []
            return ["-kernel", IPXE_LKRN, *script]
        if self.boot == "uefi":
            return self._flash(OVMF_CODE, OVMF_VARS)
        if self.boot == "secure":
            # the variables are written in System Management Mode only, or nobody could trust them
            return [*self._flash(OVMF_SECURE_CODE, OVMF_SECURE_VARS),
                    "-global", "driver=cfi.pflash01,property=secure,value=on"]
        if self.boot == "uboot":
            return ["-cpu", "cortex-a53", "-bios", UBOOT]
        if self.boot == "arm64":
            return ["-cpu", "cortex-a72", "-kernel", self.kernel, "-initrd", self.initrd, "-append", self.append]
        if self.boot == "disk":
            return []
        raise ValueError(f"boot={self.boot!r}: direct, uefi, secure, lkrn, uboot, arm64 or disk")

    def _flash(self, code, variables):
        """The firmware, and its variables in a copy of the machine's own."""
        copy = self.workdir / f"{self.name}-vars.fd"
        shutil.copy(self.variables or variables, copy)
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                "-drive", f"if=pflash,format=raw,file={copy}"]

    def _is_arm(self):
        return self.boot in ("uboot", "arm64")

    def _machine(self):
        if self._is_arm():
            return "virt"
        return self.machine + (",smm=on" if self.boot == "secure" else "")

    def _disk_arguments(self):
        device = {"virtio": "virtio-blk-pci,drive=disk{0}", "ide": "ide-hd,drive=disk{0}",
                  "nvme": "nvme,drive=disk{0},serial=nvme{0}"}[self.disk_bus]
        for number, disk in enumerate(self.disks):
            # cache=unsafe: the host's disk is not what is tested
            yield from ("-drive", f"if=none,id=disk{number},format=raw,cache=unsafe,file={disk}")
            yield from ("-device", device.format(number) + f",bootindex={number + 2}")

    def _network_arguments(self):
        if not self.tap:
            return ["-nic", "none"]
        # romfile= leaves out QEMU's own iPXE ROM, which no real machine has
        return ["-netdev", f"tap,id=net0,ifname={self.tap},script=no,downscript=no",
                "-device", f"{self.nic},netdev=net0,mac={self.mac},romfile=,bootindex=1"]

    def arguments(self):
        smbios = f",serial={self.serial_number}" if self.serial_number else ""
        return [
            "qemu-system-aarch64" if self._is_arm() else "qemu-system-x86_64", "-accel", "tcg", "-name", self.name,
            "-machine", self._machine(), "-m", str(self.memory_mb), "-smp", str(self.cpus),
            "-nodefaults", "-display", "none", "-vga", "std" if self.screen else "none",
            "-no-reboot", "-device", "virtio-rng-pci",
            *(["-uuid", self.uuid] if self.uuid else []),
            "-smbios", f"type=1,manufacturer=Rouse,product=Lab{smbios}",
            "-chardev", f"socket,id=serial,path={self._path('serial')},server=on,wait=on",
            "-serial", "chardev:serial",
            "-qmp", f"unix:{self._path('qmp')},server=on,wait=on",
            *map(str, self._boot_arguments()), *map(str, self._disk_arguments()),
            *self._network_arguments(), *map(str, self.extra)]

    def _path(self, kind):
        return f"{self._sockets}/{kind}"  # a short path: Unix sockets allow 107 bytes

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self):
        self._sockets = tempfile.mkdtemp(prefix="rouse-vm-")
        command = self.arguments()
        if self.segment:
            command = self.segment.inside(*command)
        self._log = open(self.workdir / f"{self.name}-serial.log", "wb")
        self._errors = open(self.workdir / f"{self.name}-qemu.log", "w+b")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=self._errors, stderr=self._errors)
        try:
            # QEMU opens the serial line first, then QMP, and runs when both are connected.
            self._serial_socket = self._connect("serial")
            self._qmp_socket = self._connect("qmp")
        except BaseException:
            self.__exit__()
            raise
        self._threads = [threading.Thread(target=self._read_serial, daemon=True),
                         threading.Thread(target=self._read_qmp, daemon=True)]
        for thread in self._threads:
            thread.start()
        self._qmp("qmp_capabilities")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in getattr(self, "_threads", ()):
            thread.join()
        self._log.close()
        self._errors.close()
        shutil.rmtree(self._sockets)

    def _connect(self, kind):
        connection = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                connection.connect(self._path(kind))
                return connection
            except OSError:
                # QEMU tells nobody when it listens; this lasts some tens of milliseconds
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self._errors.seek(0)
                    raise RuntimeError(f"QEMU did not start: {self._errors.read().decode()}")
                time.sleep(0.02)

    def _read_serial(self):
        while data := _receive(self._serial_socket):
            self._log.write(data)
            self._log.flush()
            with self._changed:
                self._serial += data
                self._changed.notify_all()

    def _read_qmp(self):
        lines = self._qmp_socket.makefile("r")
        try:
            for line in lines:
                message = json.loads(line)
                with self._changed:
                    if "event" in message:
                        self.events.append(message)
                    elif "id" in message:
                        self._answers[message["id"]] = message
                    self._changed.notify_all()
        except (OSError, ValueError):
            pass  # QEMU was killed in mid-line
        with self._changed:
            self._answers[None] = "closed"
            self._changed.notify_all()

    def _qmp(self, command, **arguments):
        with self._changed:
            self._next_id += 1
            number = self._next_id
        request = {"execute": command, "arguments": arguments, "id": number}
        self._qmp_socket.sendall(json.dumps(request).encode() + b"\n")
        self._wait(lambda: number in self._answers or None in self._answers, 10, f"QMP {command}")
        answer = self._answers.get(number, {"error": "QEMU ended"})
        if "error" in answer:
            raise RuntimeError(f"QMP {command}: {answer['error']}")
        return answer["return"]

    def _wait(self, condition, timeout, what):
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"{self.name}: no {what} within {timeout} s; serial line:\n"
                                   + self.serial()[-2000:])

    # -- what tests do ------------------------------------------------------------------------

    def serial(self):
        """All that the serial line has said, as text."""
        return self._serial.decode(errors="replace")

    def wait_serial(self, pattern, timeout):
        """Waits until the regular expression is on the serial line; the match."""
        expression = re.compile(pattern)
        self._wait(lambda: expression.search(self.serial()) or None in self._answers, timeout,
                   f"{pattern!r} on the serial line")
        found = expression.search(self.serial())
        if not found:
            raise RuntimeError(f"{self.name} ended before {pattern!r}; serial line:\n"
                               + self.serial()[-2000:])
        return found

    def type_serial(self, text, pause=0.08):
        """Types on the serial line, slowly: BIOS consoles lose bytes otherwise."""
        for byte in text.encode():
            self._serial_socket.sendall(bytes([byte]))
            time.sleep(pause)

    def send_line(self, text):
        """Types lines at once, for a terminal that loses nothing."""
        self._serial_socket.sendall(text.encode())

    def uboot(self, command, timeout=30):
        """Types a command at U-Boot's prompt; what it said until the next one."""
        self._wait(lambda: self.serial().endswith("=> ") or None in self._answers, timeout,
                   f"prompt for {command!r}")
        begin = len(self.serial())
        self._serial_socket.sendall(command.encode() + b"\n")
        self._wait(lambda: self.serial().endswith("\n=> ") and len(self.serial()) > begin + len(command)
                   or None in self._answers, timeout, f"end of {command!r}")
        return self.serial()[begin:]

    def send_keys(self, *keys):
        """Presses keys of the emulated keyboard, by QEMU's names: "down", "ret", "a"."""
        for key in keys:
            self._qmp("send-key", keys=[{"type": "qcode", "data": key}], **{"hold-time": 40})
            time.sleep(0.1)

    def screendump(self, path):
        self._qmp("screendump", filename=str(path))

    def set_link(self, up):
        """Pulls the cable out of the machine, or puts it back."""
        self._qmp("set_link", name="net0", up=up)

    def wait_exit(self, timeout):
        """Waits for the machine's own end: "guest-reset" (reboot) or "guest-shutdown"."""
        def ended():
            return None in self._answers or any(e["event"] == "SHUTDOWN" for e in self.events)
        self._wait(ended, timeout, "reboot or power-off")
        reasons = [e["data"]["reason"] for e in self.events if e["event"] == "SHUTDOWN"]
        return reasons[0] if reasons else "died"


def _receive(connection):
    try:
        return connection.recv(65536)
    except OSError:
        return b""
