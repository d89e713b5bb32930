"""The commands that the documentation shows, run as it shows them."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(command, timeout, **more):
    done = subprocess.run(command, shell=isinstance(command, str), text=True, check=False, cwd=ROOT,
                          timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def shown(page, *words):
    """The lines of a page that are commands with these words, joined where they are broken."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in re.findall(r"^    (.*)$", text, re.M)]
    return [line for line in lines if line.split() and line.split()[0] in words]


@pytest.mark.patience(300)
def test_building_by_hand():
    commands = shown("README.md", "cmake", "ninja")
    assert len(commands) == 2
    for command in commands:
        run(command, 280)
    for daemon in ("dhcpd", "tftpd", "menud"):
        assert "0." in run([f"build/release/{daemon}/{daemon}", "--version"], 10)


@pytest.mark.patience(400)
def test_the_quickstart(tmp_path):
    """--keep leaves a laboratory, the line it prints opens its database, --down removes it."""
    folder = f"/tmp/rouse-qs-{os.getpid()}"
    assert "packaging/quickstart" in shown("README.md", "packaging/quickstart")
    story = run(["packaging/quickstart", "--keep", "--dir", folder], 380)
    try:
        assert "Its SHA-256 is the same as the image's." in story
        assert re.search(r"From power-on to job done: [\d.]+ s", story)
        # a newcomer sees that it lives: no gap of the clock is longer than this
        times = [float(t) for t in re.findall(r"^ *([\d.]+) s  ", story, re.M)]
        assert max(b - a for a, b in zip([0, *times], times)) < 20, times
        (line,) = re.findall(r"^ +(packaging/rouse-db psql .*)$", story, re.M)
        assert "succeeded" in run(f"{line} -- -Atc 'select state from rouse.jobs'", 20)
    finally:
        (line,) = re.findall(r"^ +(packaging/quickstart --down.*)$", story, re.M)
        run(line, 60)
    assert not Path(folder).exists()
    assert "quickstart" not in run(["ip", "netns"], 10)


@pytest.mark.patience(400)
def test_the_quickstart_as_anybody(tmp_path):
    """Without root only the package step differs: namespaces come from `unshare -Urnm`."""
    home = Path(tempfile.mkdtemp(prefix="rouse-nobody-", dir="/tmp"))
    try:
        run(f"git archive HEAD | tar -x -C {home} && chown -R nobody {home}", 30)
        story = run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env",
                     f"HOME={home}", "USER=nobody", home / "packaging/quickstart", "--dir",
                     home / "lab"], 380)
        assert "Its SHA-256 is the same as the image's." in story
        assert not (home / "lab").exists()
    finally:
        shutil.rmtree(home)


@pytest.mark.patience(200)
def test_a_fuzz_target_is_let_loose():
    """As CONTRIBUTING shows it, for two seconds: the unit part of tests/run does it for each target."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`(ROUSE_FUZZ_SECONDS=\d+ tests/fuzz/run [^`]*)`", text)
    said = run(re.sub(r"SECONDS=\d+", "SECONDS=2", command), 180)
    assert re.search(r"^ok 1 ", said, re.MULTILINE) and "not ok" not in said

