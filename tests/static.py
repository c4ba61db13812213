"""For modules that call nets with their samples' shapes alone.

To derive a program for any shape takes longer than most of these nets take to compile and to run; it has tests of its
own.
"""

import pytest

from gluon_neuron.options import CompileOptions


@pytest.fixture(scope="module", autouse=True)
def static_programs_alone():
    made = CompileOptions.make.__func__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompileOptions, "make", classmethod(lambda cls, given: made(cls, {"dynamic": False, **given})))
        yield
