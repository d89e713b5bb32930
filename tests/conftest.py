"""What integration and end-to-end tests share.

lab         a laboratory of network namespaces for one test (tests/lab/net.py)
module_lab  one for all tests of a file
postgres    the private cluster, with a fresh database for each test file (tests/lab/postgres.py)
build       the folder of the built programs: $ROUSE_BUILD, or build/san
fos         that of the client system, bzImage and init.xz: $ROUSE_FOS_DIR, or build/fos, made when it is
            missing or older than its sources

A test that takes longer than two minutes is broken off where it stands;
`@pytest.mark.patience(300)` gives it more. `@pytest.mark.long` is for those that take minutes: they run with
`--firmware` only, which tests/run knows as well.
"""

import faulthandler
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 120

sys.path.insert(0, str(ROOT / "tests" / "lab"))

# pylint: disable=wrong-import-position
from net import Lab  # noqa: E402
from postgres import Postgres  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "patience(seconds): this test may take so long")
    config.addinivalue_line("markers", "long: takes minutes, runs with --firmware only")
    # so that fixtures are torn down when the run is ended from outside
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM", returncode=143))


def pytest_addoption(parser):
    parser.addoption("--firmware", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(config, items):
    """A long test that is not wanted is not there, rather than skipped."""
    if not config.getoption("--firmware"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(autouse=True)
def patience(request):
    """A test that hangs says where."""
    marker = request.node.get_closest_marker("patience")
    seconds = marker.args[0] if marker else PATIENCE_SECONDS

    def out_of_patience(*_):
        faulthandler.dump_traceback()
        pytest.fail(f"not finished after {seconds} s")

    previous = signal.signal(signal.SIGALRM, out_of_patience)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def lab():
    with Lab() as laboratory:
        yield laboratory


@pytest.fixture(scope="module")
def module_lab():
    with Lab() as laboratory:
        yield laboratory


@pytest.fixture(scope="session")
def postgres_cluster():
    with Postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def postgres(postgres_cluster):  # pylint: disable=redefined-outer-name
    postgres_cluster.fresh()
    return postgres_cluster


@pytest.fixture(scope="session")
def build():
    folder = Path(os.environ.get("ROUSE_BUILD", ROOT / "build" / "san")).absolute()
    if not (folder / "CMakeCache.txt").exists():
        pytest.fail(f"nothing is built in {folder}: run tests/run build, or set ROUSE_BUILD")
    return folder


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
