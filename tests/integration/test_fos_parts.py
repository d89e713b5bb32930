"""The parts of FOS that run anywhere: its shell libraries under busybox's sh, on made-up /sys and
/proc trees. Its C programs are in test_fos_programs.py."""

import json
import subprocess
from pathlib import Path

import pytest

FOS = Path(__file__).resolve().parents[2] / "packaging/fos"


def shell(code, *arguments, libraries=("answer", "json", "disk", "cmdline"), **environment):
    """Runs `code` with the libraries loaded; (status, output)."""
    sources = "".join(f". {FOS}/agent/lib/{name}.sh\n" for name in libraries)
    done = subprocess.run(["busybox", "sh", "-c", sources + code, "sh", *arguments],
                          capture_output=True, env={"PATH": "/usr/bin:/bin", **environment})
    assert done.stderr == b"", done.stderr
    return done.returncode, done.stdout.decode()


# -- jobs ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["multicast", "local", "", "../lib/job", "wipe;reboot"])
def test_a_kind_of_job_that_this_client_does_not_know(kind):
    """It says so, with a reason that the database does not answer by another try."""
    assert shell('job_run; printf "%s|%s|%s" "$outcome" "$reason" "$text"', libraries=("screen", "json", "answer", "job"),
                 kind=kind) == (0, f"failed|unsupported|not supported by this client: a job of kind '{kind}'")


def test_a_kind_is_a_file(tmp_path):
    """A job without a result of its own has failed; one of a known kind runs its function."""
    (tmp_path / "good.sh").write_text('job_good() {\n\tjob_succeed "$(printf "all\\nwell")"\n}\n')
    (tmp_path / "lazy.sh").write_text("job_lazy() {\n\t:\n}\n")
    code = 'job_run; printf "%s|%s|%s" "$outcome" "$reason" "$text"'
    for kind, ending in (("good", "succeeded||all well"),
                         ("lazy", "failed|client_error|the job ended without a result")):
        assert shell(code, libraries=("screen", "json", "answer", "job"), kind=kind,
                     FOS_JOBS=str(tmp_path)) == (0, ending)


@pytest.mark.parametrize("kind, naps", [("wipe", 17), ("deploy", 0)])
def test_disks_that_turn_up_late_are_waited_for(tmp_path, kind, naps):
    """Once: the next job of the same boot finds them."""
    (tmp_path / "block/vda").mkdir(parents=True)
    (tmp_path / "bus/scsi/devices").mkdir(parents=True)
    code = """
        naps_taken=0
        usleep() {
            naps_taken=$((naps_taken + 1))
            [ "$naps_taken" -ne 6 ] || mkdir "$FOS_SYS/block/sda"
        }
        modules_load() { :; }
        disk_settle
        echo "$naps_taken"
        disk_settle
        echo "$naps_taken" """
    assert shell(code, FOS_SYS=str(tmp_path), kind=kind) == (0, f"{naps}\n{naps}\n")


# -- the log and long work ------------------------------------------------------------------------

FAKE_MENUD = """
client_try() {
	printf '%s\\n' "$*" >>"$FOLDER/calls"
	cp "$FOLDER/says.$1" "$run/answer"
}
screen_progress() { :; }
"""


def work(tmp_path, code, says_log="answer=ok\n"):
    """Runs `code` with the libraries of jobs and a menud that says the same to everything; the calls."""
    (tmp_path / "says.log").write_text(says_log)
    (tmp_path / "says.progress").write_text("answer=continue\n")
    (tmp_path / "run").mkdir()
    preparation = FAKE_MENUD + "log_sent=0 log_full= token=t report_seconds=1 outcome= job_bytes=0\n"
    done = subprocess.run(["busybox", "sh", "-c", f"run={tmp_path}/run\n" + "".join(
        f". {FOS}/agent/lib/{name}.sh\n" for name in ("answer", "log", "screen", "job", "work"))
        + preparation + code], capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "FOLDER": str(tmp_path)})
    assert done.stderr == "", done.stderr
    calls = tmp_path / "calls"
    return done.stdout, calls.read_text() if calls.exists() else ""


def test_the_log_is_sent_once_byte_by_byte(tmp_path):
    text = "gr\u00fcn\ttab\n\n" + "x" * 7000 + "\nend\n\n"
    (tmp_path / "text").write_text(text)
    said, calls = work(tmp_path, 'cp "$FOLDER/text" "$run/log"; log_send; log_send; echo more >>"$run/log"; log_send')
    sent = [call for call in calls.split("log token t position ") if call]
    assert [call.split(" ", 1)[0] for call in sent] == ["0", "3000", "6000", str(len(text.encode()))]
    whole = "".join(call.split(" text ", 1)[1][:-1] for call in sent)
    assert whole == text.replace("\u00fc", "??") + "more\n"


def test_a_full_log_is_left_alone(tmp_path):
    _, calls = work(tmp_path, 'echo a >"$run/log"; log_send; echo b >>"$run/log"; log_send', "answer=full\n")
    assert calls.count("log token") == 1


def test_work_ends_with_its_status_and_last_words(tmp_path):
    said, calls = work(tmp_path, """
        work_run scan sh -c 'echo percent=40 >"$FOS_WORK/progress"; echo one; echo two; exit 7'
        echo "$? $work_status $work_said" """)
    assert said == "0 7 two\n" and "progress token t step scan" in calls


def test_cancelled_work_is_ended_with_what_it_started(tmp_path):
    """It does not listen to a polite word; the cancellation comes when it has a child."""
    said, _ = work(tmp_path, """
        client_try() {
            echo answer=continue >"$run/answer"
            [ ! -s "$FOLDER/child" ] || echo answer=cancel >"$run/answer"
        }
        work_run scan sh -c 'trap "" TERM; sleep 600 & echo $! >"$FOLDER/child"; sleep 600'
        echo "$? $outcome"
        read -r child <"$FOLDER/child"
        # a dead one that nobody has asked about yet has no command line any more
        while [ -n "$(cat "/proc/$child/cmdline" 2>/dev/null)" ]; do sleep 0.1; done""")
    assert said == "1 cancelled\n"


# -- answers ------------------------------------------------------------------------------------

def answer(tmp_path, text, key):
    (tmp_path / "answer").write_text(text)
    return shell('answer_get "$1"', key, run=str(tmp_path))


def test_answers_are_data(tmp_path):
    text = "answer=run\nhost=$(touch x); `id` a=b\nhost=second\nempty=\nlast=no newline"
    assert answer(tmp_path, text, "answer") == (0, "run")
    assert answer(tmp_path, text, "host") == (0, "$(touch x); `id` a=b")
    assert answer(tmp_path, text, "empty") == (0, "")
    assert answer(tmp_path, text, "absent") == (0, "")
    assert answer(tmp_path, text, "last") == (0, "no newline")
    assert answer(tmp_path, text, "a") == (0, "")


@pytest.mark.parametrize("text, number", [
    ("0", "0"), ("123456789012345678", "123456789012345678"), ("1234567890123456789", "7"),
    ("", "7"), ("-1", "7"), ("1a", "7"), ("1 2", "7"), ("$((1))", "7")])
def test_numbers_are_checked(text, number):
    assert shell('number_or 7 "$1"', text) == (0, number)


def test_text_is_cleaned():
    assert shell("printf 'a\\tb\\n\\001c\\n' | text_clean") == (0, "a b c")
    assert shell("printf 'caf\\303\\251' | text_clean") == (0, "caf??")
    assert len(shell("head -c 3000 /dev/zero | tr '\\000' x | text_clean")[1]) == 1000


# -- JSON ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", [
    "", "plain text", 'quote " back \\ slash \\" both', "tab\tand\nnew\n\nlines", "*", "-n", "%s%d",
    "\x01\x1f\x7f", "$HOME `id`"])
def test_json_strings_come_back(text):
    status, out = shell('json_string "$1"', text)
    assert status == 0 and json.loads(out) == text


def test_json_of_foreign_bytes_is_ascii():
    done = subprocess.run(["busybox", "sh", "-c", f". {FOS}/agent/lib/json.sh; json_string \"$1\"",
                           "sh", b"\xff\xc3 x"], capture_output=True, check=True)
    assert json.loads(done.stdout.decode("ascii")) == "?? x"


def test_json_members_leave_out_what_is_empty_or_wrong():
    code = '''printf '{%s}' "$(json_members a s "" b n 12 c n x d b 1 e b 0 f b "" g s "y")"'''
    assert json.loads(shell(code)[1]) == {"b": 12, "d": True, "e": False, "g": "y"}
    assert shell("printf '' | json_array") == (0, "[]")
    assert shell("printf '1\\n2\\n' | json_array") == (0, "[1,2]")


# -- disks and the command line -----------------------------------------------------------------

def make_sys(tmp_path, **disks):
    """disks: name=(bytes, removable, read-only, bus)."""
    (tmp_path / "block").mkdir()
    for name, (size, removable, read_only, bus) in disks.items():
        device = tmp_path / "devices" / bus / name
        device.mkdir(parents=True)
        (device / "size").write_text(f"{size // 512}\n")
        (device / "removable").write_text(f"{removable}\n")
        (device / "ro").write_text(f"{read_only}\n")
        (tmp_path / "block" / name).symlink_to(device)


@pytest.mark.parametrize("wanted, size, expected", [
    ("auto", 1000, (0, "sdc\n")),         # sda is removable, sdb read-only, sr0 no disk
    ("auto", 5 << 20, (0, "vda\n")),      # sdc is too small; the USB disk is passed over
    ("auto", 8 << 20, (0, "vda\n")),      # exactly as large as needed
    ("auto", (8 << 20) + 1, (2, "")),
    ("/dev/sdd", 1 << 30, (0, "sdd\n")),  # who names a USB disk gets it
    ("/dev/sdc", 5 << 20, (2, "")),
    ("/dev/sdz", 1, (1, "")),
    ("/dev/*", 1, (1, ""))])
def test_choice_of_the_disk(tmp_path, wanted, size, expected):
    make_sys(tmp_path, loop0=(1 << 30, 0, 0, "virtual"), sda=(1 << 40, 1, 0, "pci/ata1"),
             sdb=(1 << 40, 0, 1, "pci/ata2"), sdc=(1 << 20, 0, 0, "pci/ata3"),
             sdd=(1 << 40, 0, 0, "pci/usb2"), sr0=(1 << 40, 0, 0, "pci/ata4"),
             mmcblk0boot0=(1 << 40, 0, 0, "pci/mmc"), vda=(8 << 20, 0, 0, "pci/virtio"),
             vdb=(0, 0, 0, "pci/virtio"))
    assert shell('disk_choose "$1" "$2"', wanted, str(size), FOS_SYS=str(tmp_path)) == expected


def test_no_disk_at_all_is_missing(tmp_path):
    make_sys(tmp_path)
    assert shell("disk_choose auto 1", FOS_SYS=str(tmp_path)) == (1, "")


def test_command_line(tmp_path):
    (tmp_path / "cmdline").write_text("quiet rouse_url=http://a/b?c=d rouse_debug x=* x=2 y=0\n")
    proc = {"FOS_PROC": str(tmp_path)}
    assert shell("cmdline_get rouse_url", **proc) == (0, "http://a/b?c=d\n")
    assert shell("cmdline_get x", **proc) == (0, "2\n")
    assert shell("cmdline_get url", **proc) == (0, "")
    assert shell("cmdline_has rouse_debug", **proc)[0] == 0
    assert shell("cmdline_has rouse", **proc)[0] == 1
    assert shell("cmdline_has y", **proc)[0] == 1


DMIDECODE = """
Memory Device
\tTotal Width: 64 bits
\tSize: 16 GB
\tLocator: DIMM A|1
\tBank Locator: BANK 0
\tType: DDR4
\tSpeed: 3200 MT/s
\tManufacturer: Some "Maker"
\tSerial Number: 00C0FFEE
\tPart Number: PART-1   

Memory Device
\tSize: No Module Installed
\tLocator: DIMM A2
\tType: Unknown

Memory Device
\tSize: 512 MB
\tLocator: DIMM B1
\tManufacturer: Not Specified
"""


def test_memory_modules():
    done = subprocess.run(["busybox", "sh", "-c", f". {FOS}/agent/jobs/inventory.sh; memory_lines"],
                          input=DMIDECODE, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        'DIMM A/1|17179869184|DDR4|3200 MT/s|Some "Maker"|PART-1|00C0FFEE', "DIMM B1|536870912|||||"]


@pytest.mark.parametrize("secure, setup, state", [(1, 0, "enabled"), (0, 1, "setup"), (0, 0, "disabled")])
def test_secure_boot_state(tmp_path, secure, setup, state):
    variables = tmp_path / "firmware/efi/efivars"
    variables.mkdir(parents=True)
    for name, value in (("SecureBoot", secure), ("SetupMode", setup)):
        path = variables / f"{name}-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        path.write_bytes(b"\x06\0\0\0" + bytes([value]))
    code = f". {FOS}/agent/jobs/inventory.sh; secure_boot"
    assert shell(code, FOS_SYS=str(tmp_path)) == (0, f"{state}\n")
    assert shell(code, FOS_SYS=str(tmp_path / "bios")) == (0, "")


# -- partition tables for disks of another size ---------------------------------------------------

GPT = """label: gpt
label-id: 11111111-2222-4333-8444-555555555555
device: /dev/vda
unit: sectors
first-lba: 2048
last-lba: 409566
sector-size: 512

/dev/vda1 : start=        2048, size=       81920, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=A, name="EFI, size=7"
/dev/vda2 : start=       83968, size=      307200, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=B
/dev/vda3 : start=      391168, size=       16384, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, uuid=C
"""
DOS = """label: dos
label-id: 0x12345678
device: /dev/nvme0n1
unit: sectors
sector-size: 512

/dev/nvme0n1p1 : start=        2048, size=      204800, type=83, bootable
/dev/nvme0n1p2 : start=      206846, size=      200706, type=5
/dev/nvme0n1p5 : start=      206848, size=      100352, type=82
/dev/nvme0n1p6 : start=      309248, size=       98304, type=83
"""


def layout(table, sectors, grow, sector_size=512):
    """What sfdisk is told: {number: (start, size)}, and the lines."""
    done = subprocess.run(["busybox", "awk", "-v", f"sectors={sectors}", "-v", f"sector_size={sector_size}", "-v", f"grow={grow}",
                           "-f", FOS / "agent" / "layout.awk"], input=table, text=True, capture_output=True, check=True)
    places = {}
    for line in done.stdout.splitlines():
        if " : " in line:
            node, _, rest = line.partition(" : ")
            values = dict(word.strip().split("=", 1) for word in rest.split(",")[:2])
            places[int(node.removeprefix("/dev/nvme0n1p").removeprefix("/dev/vda"))] = int(values["start"]), int(values["size"])
    return places, done.stdout


def test_a_larger_disk_gives_its_room_to_one_partition():
    """What lies behind it moves by whole MiB; GPT's copy of the table has its place at the end."""
    places, said = layout(GPT, 614400, 2)  # 300 MiB
    assert places == {1: (2048, 81920), 2: (83968, 307200 + 204800), 3: (391168 + 204800, 16384)}
    assert "last-lba" not in said and "device:" not in said and 'name="EFI, size=7"' in said and "uuid=B" in said
    assert max(start + size for start, size in places.values()) <= 614400 - 33


@pytest.mark.parametrize("sectors, grow", [(409600, 2), (614400, 0), (409616, 2), (407600, 2), (614400, 9)])
def test_a_table_stays_as_it_was(sectors, grow):
    """On a disk of the same size, where nothing shall grow, where there is not a MiB more, on a smaller one that still does."""
    assert layout(GPT, sectors, grow)[0] == layout(GPT, 409600, 0)[0]


def test_a_logical_partition_grows_with_the_extended_one():
    places, _ = layout(DOS, 614400, 6)
    more = places[6][1] - 98304
    assert more > 0 and more % 2048 == 0
    assert places == {1: (2048, 204800), 2: (206846, 200706 + more), 5: (206848, 100352), 6: (309248, 98304 + more)}
    # what lies before the others moves them, and the extended one stretches
    places, _ = layout(DOS, 614400, 5)
    assert places == {1: (2048, 204800), 2: (206846, 200706 + more), 5: (206848, 100352 + more), 6: (309248 + more, 98304)}
    places, _ = layout(DOS, 614400, 1)
    assert places == {1: (2048, 204800 + more), 2: (206846 + more, 200706), 5: (206848 + more, 100352), 6: (309248 + more, 98304)}


def test_a_dos_table_ends_at_2_tib():
    places, _ = layout(DOS, 1 << 34, 6)
    assert sum(places[6]) <= 0xffffffff and sum(places[6]) > 0xffffffff - 4096


def test_sectors_of_4096_bytes():
    table = "label: gpt\nsector-size: 4096\n\n/dev/vda1 : start=256, size=25600, type=X\n"
    places, _ = layout(table, 51200, 1, sector_size=4096)
    assert places == {1: (256, 25600 + 25088)} and 256 + places[1][1] <= 51200 - 5


@pytest.mark.parametrize("disk, number, path", [("vda", 1, "/dev/vda1"), ("nvme0n1", 2, "/dev/nvme0n1p2"),
                                                ("mmcblk0", 3, "/dev/mmcblk0p3"), ("sda", 0, "/dev/sda"), ("nvme0n1", 0, "/dev/nvme0n1")])
def test_names_of_partitions(disk, number, path):
    assert shell('partition_path "$1" "$2"', disk, str(number), libraries=("answer", "image"), run="/tmp") == (0, path + "\n")


# -- boot entries of UEFI firmware ------------------------------------------------------------------

EFIBOOTMGR = r"""#!/bin/sh
[ "$2" != -b ] || sed -i "/^Boot$3/d" entries
[ $# -eq 0 ] || { echo "$*" >>calls; exit; }
cat entries
! grep -q -e -C calls || echo 'Boot0004* debian'
"""
ENTRIES = r"""BootCurrent: 0001
Timeout: 0 seconds
BootOrder: 0003,0001,0000
Boot0000* UiApp
Boot0001* UEFI PXEv4 (MAC:525400000001)
Boot0002  debian
Boot0003* debian installer
"""


@pytest.mark.parametrize("entries, order", [
    (ENTRIES, "0003,0001,0004,0000"),  # behind the network's, by which it came
    (ENTRIES.replace("BootCurrent: 0001\n", ""), "0003,0001,0000,0004"),
    (ENTRIES.replace("BootOrder: 0003,0001,0000\n", ""), "0004"),
    (ENTRIES.replace("0003,0001,0000", "0004,0000,0001"), "0000,0001,0004")],
    ids=["behind the network", "no current one", "no order", "it is there"])
def test_a_boot_entry_leaves_the_network_first(tmp_path, entries, order):
    """An older one of that name goes, the new one stands where the next boot by the network still comes before it."""
    program = tmp_path / "efibootmgr"
    program.write_text(EFIBOOTMGR)
    program.chmod(0o755)
    (tmp_path / "entries").write_text(entries)
    (tmp_path / "calls").write_text("")
    assert shell('cd "$1"; efi_name=debian; efi_entry_make vda 1 "$2"', str(tmp_path), r"\EFI\debian\shimx64.efi", libraries=("efi",),
                 PATH=f"{tmp_path}:/usr/bin:/bin") == (0, "")
    assert (tmp_path / "calls").read_text().splitlines() == [
        "-q -b 0002 -B", r"-q -C -d /dev/vda -p 1 -L debian -l \EFI\debian\shimx64.efi", f"-q -o {order}"]


@pytest.mark.parametrize("files, loader", [
    (["EFI/debian/grubx64.efi", "EFI/debian/shimx64.efi", "EFI/BOOT/BOOTX64.EFI"], "EFI/debian/shimx64.efi"),
    (["EFI/Microsoft/Boot/bootmgfw.efi", "EFI/Boot/bootx64.efi"], "EFI/Microsoft/Boot/bootmgfw.efi"),
    (["EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/shimx64.efi"], ""), ([], "")])
def test_the_loader_of_a_system(tmp_path, files, loader):
    (tmp_path / "EFI").mkdir()
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    status, found = shell('efi_loader "$1/EFI"', str(tmp_path), libraries=("efi",))
    assert (status, found.strip()) == (0, f"{tmp_path}/{loader}" if loader else "")
