"""Random damage to artifacts never crashes the process and never gives a result that it must not give."""

import pytest

from tests.nets import run_python

CODE = """
    import runpy, sys
    sys.argv = ["fuzz", *sys.argv[1:]]
    runpy.run_module("tests.runtime.fuzz", run_name="__main__")
"""


def test_damaged_artifacts():
    refused, _, count, _ = run_python(CODE, 0, 400).split()
    assert int(count) == 400 and int(refused) > 330


@pytest.mark.slow
def test_damaged_artifacts_at_length():
    for seed in range(1, 11):
        assert run_python(CODE, seed, 5000, timeout=600).endswith("refused\n")
