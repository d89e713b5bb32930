"""The whole chain for the end-to-end tests: our three daemons, PostgreSQL, and FOS as it is shipped.

chain   a laboratory for one test file (tests/lab/chain.py)
"""

import pytest

from chain import Chain


@pytest.fixture(scope="module")
def chain(module_lab, postgres, build, fos, tmp_path_factory):
    with Chain(module_lab, postgres, build, tmp_path_factory.mktemp("chain"), fos) as whole:
        yield whole
