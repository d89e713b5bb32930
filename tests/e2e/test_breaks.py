"""Boots that are made to fail, as packaging/quickstart --break does it: rouse.why() names the cause. Three of them in each
run, all with --firmware."""

import sys
from pathlib import Path

import pytest

from chain import Chain
from vm import make_disk

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging" / "quickstart.d"))

import breaks  # noqa: E402  pylint: disable=wrong-import-position

MAC = "52:54:00:00:00:61"
ALWAYS = ("wrong-architecture", "no-initrd", "tftpd-down")
NAMES = [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.long) for name in breaks.BREAKS]


@pytest.mark.patience(270)
@pytest.mark.parametrize("name", NAMES)
def test_the_cause_is_named(lab, postgres, build, fos, tmp_path, name):
    postgres.fresh()
    with Chain(lab, postgres, build, tmp_path, fos) as chain:
        chain.wait_for("select 1 from rouse.daemons having count(*) = 3", timeout=20)
        chain.add_host(breaks.HOST, MAC)
        chosen = breaks.BREAKS[name]
        if chosen.deploys:
            image = tmp_path / "tiny.raw"
            image.write_bytes(b"x" * (64 << 20))
            chain.add_image(breaks.IMAGE, image)
            chain.sql("select rouse.deploy(%s, %s)", breaks.HOST, breaks.IMAGE)
        else:
            chain.sql("select rouse.inventory(%s)", breaks.HOST)
        chosen.act(chain)
        with chain.machine(MAC, disks=[make_disk(tmp_path / "disk.raw", chosen.disk_mb << 20)], **chosen.machine):
            rows = breaks.wait_cause(chain, name)
        told = [row.id for row in rows]
        assert chosen.cause == told[0] or told[0] in ("host", "job"), f"{rows}\n{chain.story()}"
        assert chosen.cause in told, f"{rows}\n{chain.story()}"
