"""How FOS comes by its network and its time: the agent's libraries under busybox's sh, in a made-up
machine whose clock the test turns, so that a minute of waiting costs nothing."""

import subprocess
from pathlib import Path

import pytest

FOS = Path(__file__).resolve().parents[2] / "packaging/fos"
MACS = {"eth0": "52:54:00:00:00:01", "eth1": "52:54:00:00:00:02", "eth2": "52:54:00:00:00:03"}

# Time passes, in tenths of a second, where the agent waits. link_NIC says since when that card has a
# link, dhcp_NIC since when a DHCP server answers there; `reaching` names the cards by which menud answers.
WORLD = """
passed=0
tick() {
	passed=$((passed + $1))
	if [ "$passed" -gt 2500 ]; then
		echo "still nothing after 250 s"
		exit 1
	fi
	for card in $cards; do
		eval "since=\\$link_$card"
		[ -z "$since" ] || [ "$passed" -lt "$since" ] || echo 1 >"$FOS_SYS/class/net/$card/carrier"
	done
}
usleep() { tick $(($1 / 100000)); }
sleep() { tick $(($1 * 10)); }
now() { echo $((passed / 10)); }
udhcpc() {
	tick 50
	eval "since=\\$dhcp_$2"
	[ -n "$since" ] && [ "$passed" -ge "$since" ] && echo "$2" >"$run/address"
}
ip() {
	case $* in
	*flush*) echo "flush $5" ;;
	*show*) echo "2: $7 inet 10.77.0.20/24 brd" ;;
	esac
}
modules_load() { :; }
dmesg() { cat "$FOS_SYS/dmesg" 2>/dev/null; }
screen_say() { echo "$passed $1"; }
screen_update() { echo "$passed ~ $1"; }
screen_fail() { echo "$passed ! $1 | $2"; }
tick 0
network_up
echo "up $(cat "$run/address") at $((passed / 10))"
"""


class Machine:
    """Cards by name: (link since, DHCP since), in seconds; None is never."""

    def __init__(self, folder, bootif=None, reaching="", **cards):
        self.folder = folder
        self.environment = {"cards": " ".join(cards), "reaching": reaching, "url": "http://10.77.0.1:8080"}
        (folder / "run").mkdir()
        (folder / "bin").mkdir()
        (folder / "cmdline").write_text("quiet" + (f" BOOTIF=01-{bootif.replace(':', '-').upper()}" if bootif else ""))
        (folder / "class/net").mkdir(parents=True)
        for name, (link, dhcp) in cards.items():
            card = folder / "class/net" / name
            (card / "device").mkdir(parents=True)
            (card / "type").write_text("1\n")
            (card / "address").write_text(MACS[name] + "\n")
            (card / "carrier").write_text("0\n")
            for what, since in (("link", link), ("dhcp", dhcp)):
                if since is not None:
                    self.environment[f"{what}_{name}"] = str(since * 10)
        http = folder / "bin/fos-http"
        http.write_text('#!/bin/sh\nread -r nic <"$run/address"\ncase " $reaching " in *" $nic "*) exit 0 ;; esac\n'
                        'echo "error=10.77.0.1 port 8080: No route to host" >"$1"\nexit 2\n')
        http.chmod(0o755)

    def start(self):
        """What the screen showed: lines of "TENTHS TEXT"."""
        libraries = "".join(f". {FOS}/agent/lib/{name}.sh\n" for name in ("answer", "cmdline", "network"))
        done = subprocess.run(["busybox", "sh", "-c", libraries + WORLD], capture_output=True, text=True, check=False,
                              env={"PATH": f"{self.folder}/bin:/usr/bin:/bin", "FOS_SYS": str(self.folder),
                                   "FOS_PROC": str(self.folder), "run": str(self.folder / "run"), **self.environment})
        assert done.stderr == "", done.stderr
        self.screen = done.stdout
        return done.stdout.splitlines()[-1]

    def count(self, text):
        """How often it stands on the screen, what was overwritten not counted."""
        return sum(text in line and " ~ " not in line for line in self.screen.splitlines())


def test_the_card_that_booted_is_waited_for(tmp_path):
    """Its switch holds it back (spanning tree), while another network answers at once."""
    machine = Machine(tmp_path, MACS["eth1"], "eth0 eth1", eth0=(1, 1), eth1=(4, 54))
    assert machine.start() == "up eth1 at 54"
    assert "a switch may take 50 s" in machine.screen


@pytest.mark.parametrize("link", [4, None])
def test_the_others_have_their_turn(tmp_path, link):
    """The card that booted has no link any more, or nobody answers there."""
    machine = Machine(tmp_path, MACS["eth0"], "eth1", eth0=(link, None), eth1=(1, 1))
    assert machine.start().startswith("up eth1")
    assert machine.count("No DHCP server answers on eth0" if link else "No link on eth0") == 1


def test_a_link_that_comes_late(tmp_path):
    """After minutes: what is wrong stands there once, and it goes on by itself."""
    machine = Machine(tmp_path, MACS["eth0"], eth0=(200, 230))
    end = machine.start()
    assert 230 <= int(end.removeprefix("up eth0 at ")) <= 240
    assert machine.count("No link on eth0. Is its cable plugged in") == 1
    assert machine.count("There is no network after") == 1


def test_without_bootif_the_first_that_answers(tmp_path):
    machine = Machine(tmp_path, None, "eth2", eth0=(None, None), eth1=(2, None), eth2=(2, 3))
    assert machine.start() == "up eth2 at 13"


def test_a_bootif_that_is_not_here(tmp_path):
    machine = Machine(tmp_path, "52:54:00:00:00:99", eth0=(1, 1))
    assert machine.start().startswith("up eth0")
    assert machine.count("No card here has the MAC that booted, 52:54:00:00:00:99") == 1


def test_a_network_without_menud_is_left(tmp_path):
    """An address is not enough where there is another card with a link."""
    machine = Machine(tmp_path, MACS["eth0"], "eth1", eth0=(1, 1), eth1=(1, 1))
    assert machine.start().startswith("up eth1")
    assert machine.count("The server cannot be reached by eth0 (10.77.0.1 port 8080: No route to host)") == 1
    assert "flush eth0" in machine.screen and "flush eth1" not in machine.screen


def test_one_card_needs_no_menud(tmp_path):
    """There is no choice: the check-in says that the server is away, and waits."""
    assert Machine(tmp_path, MACS["eth0"], eth0=(1, 1), eth1=(None, None)).start() == "up eth0 at 6"


def test_a_card_without_driver_and_one_without_firmware_are_named(tmp_path):
    machine = Machine(tmp_path, None)
    for number, (kind, has_driver) in enumerate([("0x020000", False), ("0x020000", True), ("0x010000", False)]):
        device = tmp_path / f"bus/pci/devices/0000:00:0{number}.0"
        device.mkdir(parents=True)
        for name, value in (("class", kind), ("vendor", "0x8086"), ("device", f"0x100{number}")):
            (device / name).write_text(value + "\n")
        if has_driver:
            (device / "driver").mkdir()
    (tmp_path / "dmesg").write_text(
        "[ 1.0] bnx2 0000:00:01.0: Direct firmware load for bnx2/bnx2-rv2p-09-6.0.17.fw failed with error -2\n"
        "[ 1.1] tg3 0000:00:01.0: firmware: failed to load tigon/tg3_tso.bin (-2)\n"
        "[ 1.2] tg3 0000:00:01.0: firmware: failed to load tigon/tg3_tso.bin (-2)\n")
    assert machine.start() == "still nothing after 250 s"
    assert machine.count("no driver for the network card 0000:00:00.0 (8086:1000).") == 1
    assert machine.count("firmware that this FOS lacks: bnx2/bnx2-rv2p-09-6.0.17.fw,tigon/tg3_tso.bin.") == 1
    assert machine.count("This machine has no network card that works.") == 1


# -- the clock ------------------------------------------------------------------------------------

@pytest.mark.parametrize("server, ours, says", [
    ("1764079200", 1764079200 - 3600 * 24 * 365, "365 days behind"), ("1764079200", 1764082800, "3600 s ahead"),
    ("1764079200", 1764079202, ""), ("", 5, ""), ("x$(reboot)", 5, "")])
def test_the_servers_time_is_taken(tmp_path, server, ours, says):
    (tmp_path / "report").write_text(f"status=200\ndate={server}\n")
    code = f"""
        run={tmp_path}
        . {FOS}/agent/lib/answer.sh
        . {FOS}/agent/lib/clock.sh
        date() {{
            case $1 in
            +%s) echo {ours} ;;
            -s) echo "set $2" >{tmp_path}/set ;;
            -u) echo "2025-11-25 14:00:00" ;;
            esac
        }}
        screen_say() {{ echo "$1"; }}
        clock_set"""
    said = subprocess.run(["busybox", "sh", "-c", code], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert said.stderr == ""
    if says:
        assert (tmp_path / "set").read_text() == f"set @{server}\n"
        assert said.stdout.startswith(f"The clock was {says}; it is 2025-11-25 14:00:00 UTC now")
    else:
        assert said.stdout == "" and not (tmp_path / "set").exists()
