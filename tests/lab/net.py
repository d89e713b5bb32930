"""A laboratory of network namespaces: segments, hosts on them, taps for virtual machines.

    from net import Lab

    with Lab() as lab:
        lab.segment("lan")
        server = lab.host("server", addresses=["10.77.0.1/24"])
        client = lab.host("client")
        daemon = server.spawn(["tftpd", "--foreground"])
        daemon.wait_for("event=ready")
        client.run(["udhcpc", "-i", "eth0", "-q", "-n"])

A segment is a bridge in a namespace of its own; a host is a namespace with `eth0` on a segment. No
namespace has a way out of the laboratory, and names carry the process number, so that several
laboratories can stand at once. Whatever was made or started is gone when the `with` block ends,
also by an exception or SIGTERM.

Needs root, real or of a user namespace: `unshare -Urnm python3 ...`. Python's standard library,
iproute2 and ethtool only.
"""

import ctypes
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

NETNS_DIRECTORY = Path("/run/netns")
CLONE_NEWNET = 0x40000000
OWN_MOUNT = "rouse-lab"
STOP_SECONDS = 5

# ip and ethtool are in sbin, which is not on everybody's path
os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The laboratory cannot be built here; the message says what to do."""


def words(command):
    """A command as a list: a string is for a shell."""
    return ["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]


def _ip(*arguments):
    done = subprocess.run(["ip", *map(str, arguments)], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(map(str, arguments))}: {done.stdout.strip()}")


def _is_user_namespace():
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() != ["0", "0", "4294967295"]


def _own_netns_directory():
    """Within `unshare -Urnm`, /run/netns is somebody else's: cover it with one of our own."""
    if not _is_user_namespace() or OWN_MOUNT in Path("/proc/self/mountinfo").read_text("utf-8"):
        return
    place = NETNS_DIRECTORY if NETNS_DIRECTORY.is_dir() else NETNS_DIRECTORY.parent
    if _libc.mount(OWN_MOUNT.encode(), str(place).encode(), b"tmpfs", 0, None) != 0:
        raise LabError(f"{place} cannot be covered by a private one "
                       f"({os.strerror(ctypes.get_errno())}): run the tests as root, or by "
                       "`unshare -Urnm` with all of these letters")
    NETNS_DIRECTORY.mkdir(exist_ok=True)


def _check_rights():
    if os.geteuid() != 0:
        raise LabError("network namespaces need root: run the tests as root, or put "
                       "`unshare -Urnm` before the command")
    for program in ("ip", "ethtool"):
        if not shutil.which(program):
            raise LabError(f"{program} is missing: apt-get install iproute2 ethtool")
    _own_netns_directory()


class Process:
    """A program that runs in a namespace. Its output (both streams) is read as it comes."""

    def __init__(self, name, command, environment=None, cwd=None):
        self.name = name
        self.command = command
        self._text = ""
        self._said = threading.Condition()
        # a session of its own: its children can be ended with it, and nobody else
        self._popen = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})}, cwd=cwd, start_new_session=True)
        self.pid = self._popen.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        descriptor = self._popen.stdout.fileno()
        while True:
            try:
                piece = os.read(descriptor, 65536)
            except OSError:
                piece = b""
            with self._said:
                self._text += piece.decode("utf-8", "replace")
                self._said.notify_all()
            if not piece:
                return

    @property
    def output(self):
        """Everything that was said so far."""
        with self._said:
            return self._text

    def wait_for(self, pattern, timeout=10.0, after=0):
        """Waits until `pattern` (a regular expression) was said behind the offset `after`; its match."""
        deadline = time.monotonic() + timeout
        with self._said:
            while True:
                found = re.compile(pattern, re.MULTILINE).search(self._text, after)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    break
                self._said.wait(min(left, 0.5))
            found = re.compile(pattern, re.MULTILINE).search(self._text, after)
            if found:
                return found
            how = "within %g s" % timeout if left <= 0 else "before it ended"
            raise AssertionError(f"{self.name} did not say {pattern!r} {how}; it said:\n{self._text}")

    def is_running(self):
        return self._popen.poll() is None

    def wait(self, timeout=10.0):
        """Waits for its end; its exit status (negative: the signal that ended it)."""
        status = self._popen.wait(timeout)
        self._reader.join(timeout)
        return status

    def signal(self, number):
        """A signal to the program itself; nothing when it has ended."""
        self._popen.send_signal(number)

    def stop(self, timeout=STOP_SECONDS):
        """SIGTERM, and SIGKILL to it and its children when it does not obey; its exit status."""
        if self.is_running():
            self._popen.terminate()
            try:
                self._popen.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
        self._end_session()
        status = self.wait()
        # a daemon of ours that asked for what it has given up works on, with something amiss
        assert "event=forbidden_call" not in self.output, f"{self.name}:\n{self.output}"
        return status

    def kill(self):
        """SIGKILL, as a crash would be."""
        if self.is_running():
            self._popen.kill()
        self._end_session()
        return self.wait()

    def _end_session(self):
        """The session is ours, and its number stays taken as long as one of it lives."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _set_network(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


@contextmanager
def entered_network(path):
    """The calling thread is in that network meanwhile: sockets made now stay there for good."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(path, "rb") as there:
        _set_network(there)
        try:
            yield
        finally:
            _set_network(home)


class Namespace:
    """What segments and hosts have in common."""

    def __init__(self, lab, name, ipv6):
        self.lab = lab
        self.name = name
        self.netns = f"{lab.name}-{name}"
        _ip("netns", "add", self.netns)
        lab.namespaces.append(self)
        # no duplicate address detection: an address works at once
        key, value = ("accept_dad", 0) if ipv6 else ("disable_ipv6", 1)
        self.run(f"for scope in all default; do "
                 f"echo {value} >/proc/sys/net/ipv6/conf/$scope/{key}; done 2>/dev/null || true")
        _ip("-n", self.netns, "link", "set", "lo", "up")

    def inside(self, *command):
        """The command line that runs `command` in here."""
        return ["ip", "netns", "exec", self.netns, *map(str, command)]

    def run(self, command, check=True, timeout=60, **more):
        """Runs a command to its end; a CompletedProcess with both streams in stdout, as text."""
        done = subprocess.run(self.inside(*words(command)), text=True, check=False,
                              timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **{"stdin": subprocess.DEVNULL} if "input" not in more else {}, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {command} ended with {done.returncode}:\n{done.stdout}")
        return done

    def spawn(self, command, name=None, environment=None, cwd=None):
        """Starts a command that goes on; a Process, ended with the laboratory."""
        argv = words(command)
        process = Process(f"{self.name}: {name or Path(argv[0]).name}", self.inside(*argv),
                          environment, cwd)
        self.lab.processes.append(process)
        return process

    @contextmanager
    def entered(self):
        """The calling thread is in here meanwhile: sockets made now stay here for good."""
        with entered_network(NETNS_DIRECTORY / self.netns):
            yield self

    def no_offload(self, interface):
        """Checksums are made at once: raw-socket DHCP clients drop what has none yet."""
        self.run(["ethtool", "-K", interface, "tx", "off"])

    def remove(self):
        _ip("netns", "del", self.netns)


class Segment(Namespace):
    """An Ethernet switch: the bridge br0. Fits vm.VM's `segment`."""

    def __init__(self, lab, name, ipv6):
        super().__init__(lab, name, ipv6)
        self.ipv6 = ipv6
        self._ports = itertools.count()
        self._cables = {}
        # no listening and learning phases: a port carries frames at once, as firmware expects
        _ip("-n", self.netns, "link", "add", "br0", "type", "bridge", "stp_state", 0,
            "forward_delay", 0, "mcast_snooping", 0)
        _ip("-n", self.netns, "link", "set", "br0", "up")

    def plug(self, host, interface, mac=None):
        """A cable from here to a host."""
        port = f"p{next(self._ports)}"
        _ip("-n", self.netns, "link", "add", port, "type", "veth", "peer", "name", interface,
            *(["address", mac] if mac else []), "netns", host.netns)
        _ip("-n", self.netns, "link", "set", port, "master", "br0", "up")
        self.no_offload(port)
        self._cables[host.netns] = port

    def narrow(self, host, octets):
        """What the host's cable takes from now on: longer packets are lost, and nobody is told."""
        _ip("-n", self.netns, "link", "set", self._cables[host.netns], "mtu", octets)

    def tap(self, name=None):
        """A tap on the bridge for a virtual machine, whose QEMU must run in here; its name."""
        name = name or f"tap{next(self._ports)}"
        _ip("-n", self.netns, "tuntap", "add", name, "mode", "tap")
        _ip("-n", self.netns, "link", "set", name, "master", "br0", "up")
        self.no_offload(name)
        return name

    def add_tap(self):
        return self.tap()


class Host(Namespace):
    """A machine with eth0, eth1, ... on segments."""

    def __init__(self, lab, name, ipv6):
        super().__init__(lab, name, ipv6)
        self._interfaces = itertools.count()

    def attach(self, segment, addresses=(), mac=None):
        """One more interface; its name."""
        interface = f"eth{next(self._interfaces)}"
        segment.plug(self, interface, mac)
        for address in addresses:
            broadcast = [] if ":" in address else ["broadcast", "+"]
            _ip("-n", self.netns, "addr", "add", address, *broadcast, "dev", interface)
        _ip("-n", self.netns, "link", "set", interface, "up")
        self.no_offload(interface)
        return interface

    def mac(self, interface="eth0"):
        return self.run(["cat", f"/sys/class/net/{interface}/address"]).stdout.strip()


class Lab:
    """See the module's text. `name` begins the namespaces' names."""

    def __init__(self, name="rouse"):
        self.name = f"{name}-{os.getpid()}-{next(_numbers)}"
        self.namespaces = []
        self.processes = []
        self.segments = {}
        self.hosts = {}
        self._old_handler = None

    def __enter__(self):
        _check_rights()
        if threading.current_thread() is threading.main_thread() and \
                signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            # the default would leave everything behind
            self._old_handler = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, *_):
        # what was started last may depend on what was started first
        processes, namespaces = self.processes[::-1], self.namespaces[::-1]
        self.processes, self.namespaces = [], []
        try:
            for process in processes:
                process.stop()
        finally:
            for namespace in namespaces:
                namespace.remove()
        for process in processes:
            print(f"--- {process.name} (process {process.pid}) said:\n{process.output}", flush=True)
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)
            self._old_handler = None

    def segment(self, name, ipv6=False):
        self.segments[name] = Segment(self, name, ipv6)
        return self.segments[name]

    def host(self, name, addresses=(), segment=None, mac=None):
        """A host on `segment` (a Segment or its name; without it, on the only one there is)."""
        if segment is None:
            (segment,) = self.segments.values()
        elif isinstance(segment, str):
            segment = self.segments[segment]
        host = Host(self, name, segment.ipv6)
        host.attach(segment, addresses, mac)
        self.hosts[name] = host
        return host
