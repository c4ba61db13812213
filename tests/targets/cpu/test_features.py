"""The processor's features are the kernel's, or those that the environment names."""

import pytest

from gluon_neuron.targets.cpu.features import AVX512, VARIABLE, features, has_avx512, recorded


@pytest.fixture(autouse=True)
def processor(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("flags\t\t: fpu avx512f avx512dq avx512cd avx512bw avx512vl avx512_vnni", True),
        ("flags\t\t: fpu avx avx2 avx512f avx512cd", False),
        ("Features\t: fp asimd", False),
        ("nothing of the kind", False),
    ],
)
def test_what_the_kernel_says(tmp_path, flags, found):
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\nmodel name\t: A\n{flags}\nprocessor\t: 1\n")
    assert features(file).issuperset(AVX512) is found
    assert ("fp" in features(file)) is ("asimd" in flags)


def test_a_kernel_that_does_not_say(tmp_path):
    assert features(tmp_path / "none") == frozenset()


def test_the_environment_takes_the_processors_place(monkeypatch):
    monkeypatch.setenv(VARIABLE, ",".join((*AVX512, "sse")))
    assert has_avx512() and recorded() == sorted(AVX512)
    monkeypatch.setenv(VARIABLE, " AVX2 , fma,sse")
    assert not has_avx512() and recorded() == ["avx2", "fma"]
    monkeypatch.setenv(VARIABLE, "")
    assert not has_avx512() and recorded() == []
