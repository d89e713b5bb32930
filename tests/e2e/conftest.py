"""The whole chain for the end-to-end tests: our three daemons, PostgreSQL, and FOS as it is shipped.

fos     the folder of bzImage and init.xz: $ROUSE_FOS_DIR, or build/fos, made when it is missing or
        older than its sources
chain   a laboratory for one test file (tests/lab/chain.py)
"""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from chain import Chain

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def fos():
    folder = Path(os.environ.get("ROUSE_FOS_DIR", ROOT / "build" / "fos")).absolute()
    sources = ROOT / "packaging" / "fos"
    newest = max(path.stat().st_mtime for path in sources.rglob("*"))
    made = [folder / name for name in ("bzImage", "init.xz")]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "fos.lock", "w") as lock:  # another worker of this run may be making it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(path.exists() and path.stat().st_mtime >= newest for path in made):
            subprocess.run([sources / "build", "--out", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def chain(module_lab, postgres, build, fos, tmp_path_factory):
    with Chain(module_lab, postgres, build, tmp_path_factory.mktemp("chain"), fos) as whole:
        yield whole
