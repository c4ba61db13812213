"""Words of a command line are merged flag by flag."""

import pytest

from gluon_neuron.targets.neuron.toolchain.words import groups, merge, value_of, values_of, without


def test_a_flag_with_its_values():
    words = ["--verbose", "2", "--pipeline", "compile", "SaveTemps", "-O1", "--x=3"]
    assert [g for _, g in groups(words)] == [
        ("--verbose", "2"),
        ("--pipeline", "compile", "SaveTemps"),
        ("-O1",),
        ("--x=3",),
    ]
    assert values_of(words, "--pipeline") == ["compile", "SaveTemps"]
    assert value_of(words, "--x") == "3"


@pytest.mark.parametrize(
    ("weak", "strong", "expected"),
    [
        (["--a", "1"], ["--b"], ("--a", "1", "--b")),
        (["--a", "1", "--b"], ["--a=2"], ("--b", "--a=2")),
        (["--optlevel", "3"], ["-O1"], ("-O1",)),
        (["-O", "3"], ["--optlevel=1"], ("--optlevel=1",)),
        (["--lnc", "1"], ["--logical-nc-config", "2"], ("--logical-nc-config", "2")),
        (["--a", "1"], ["--a", "2", "--a", "3"], ("--a", "3")),
    ],
)
def test_the_stronger_flag_wins(weak, strong, expected):
    assert merge(weak, strong) == expected


def test_without():
    assert without(["--a", "1", "--b", "--num-neuroncores=4"], ("--a", "--neuroncore-pipeline-cores")) == ("--b",)
