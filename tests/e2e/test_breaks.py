"""Boots that are made to fail, as packaging/quickstart --break does it: rouse.why() names the cause. Some here; all of
them with ROUSE_BREAKS=all."""

import os
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
NAMES = list(breaks.BREAKS) if os.environ.get("ROUSE_BREAKS") == "all" else ALWAYS


@pytest.mark.patience(240)
@pytest.mark.parametrize("name", NAMES)
def test_the_cause_is_named(lab, postgres, build, fos, tmp_path, name):
    postgres.fresh()
    with Chain(lab, postgres, build, tmp_path, fos) as chain:
        chain.wait_for("select 1 from rouse.daemons having count(*) = 3", timeout=20)
        chain.add_host(breaks.HOST, MAC)
        if name == "no-image":
            image = tmp_path / "tiny.raw"
            image.write_bytes(b"x" * 65536)
            chain.add_image(breaks.IMAGE, image)
            chain.sql("select rouse.deploy(%s, %s)", breaks.HOST, breaks.IMAGE)
        else:
            chain.sql("select rouse.inventory(%s)", breaks.HOST)
        breaks.BREAKS[name].act(chain)
        with chain.machine(MAC, disks=[make_disk(tmp_path / "disk.raw", 64 << 20)]):
            rows = breaks.wait_cause(chain, name)
        told = [row.id for row in rows]
        assert breaks.BREAKS[name].cause == told[0] or told[0] in ("host", "job"), chain.story()
        assert breaks.BREAKS[name].cause in told, f"{rows}\n{chain.story()}"
