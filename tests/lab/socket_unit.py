"""A socket unit and its service in one, as systemd has them: holds a UDP port, and restarts what serves it.

    python3 socket_unit.py NAME PORT COMMAND...

COMMAND gets the socket as descriptor 3 under NAME. SIGHUP: it is told to end by SIGTERM, and when it has ended,
whatever it left behind, is started anew. SIGTERM: it is told so, and this ends with its status.
"""

import os
import signal
import socket
import subprocess
import sys

FIRST_DESCRIPTOR = 3  # sd_listen_fds(3)


def start(name, held, command):
    """The command, with its own number in LISTEN_PID."""

    def prepare():
        os.dup2(held.fileno(), FIRST_DESCRIPTOR)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    environment = {**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": name}
    return subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command], env=environment,
                            preexec_fn=prepare, pass_fds=(FIRST_DESCRIPTOR,))


def main(name, port, *command):
    wanted = {signal.SIGHUP, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    held = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    held.bind(("::", int(port)))
    while True:
        with start(name, held, command) as service:
            told = signal.sigwait(wanted)
            service.terminate()
        print(f"the service ended with {service.returncode}", flush=True)
        if told == signal.SIGTERM:
            return service.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
