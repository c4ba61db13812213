"""VARIABLES: every environment variable that gluon_neuron reads, for docs/environment.md."""

from __future__ import annotations

from typing import NamedTuple


class Variable(NamedTuple):
    """One variable: when it is read ("compiling", "loading", "running", "starting", "building"), a value that it may
    have, and what it does."""

    name: str
    read: str
    example: str
    text: str


VARIABLES = (
    Variable(
        "GLUON_NEURON_CACHE_SIZE",
        "compiling",
        "20G",
        "How many bytes the cache of what the Neuron compilers made may hold (K, M, G and T are powers of 1024); "
        "10 GiB without it. What was not used for the longest time goes first.",
    ),
    Variable(
        "GLUON_NEURON_CPU_FEATURES",
        "compiling, loading",
        "avx2",
        "Names of a processor's features, with commas between, that take the place of its own: programs for "
        "another machine, or for the least that several have in common.",
    ),
    Variable(
        "GLUON_NEURON_INSTANCE",
        "running",
        "inf2.xlarge",
        "The type of the instance where the machine does not say it, as in some containers.",
    ),
    Variable(
        "GLUON_NEURON_MEMORY",
        "running",
        "500M",
        "Bytes for programs that were made for single shapes while a model ran (K, M, G and T are powers of "
        "1024); twice the weights without it, and 256 MB at least. What was not used for the longest time goes "
        "first.",
    ),
    Variable(
        "GLUON_NEURON_MXNET",
        "building",
        "mxnet-1.9.1-py3-none-manylinux2014_x86_64.whl",
        "The folder of an MXNet 1.9 package, or its wheel, for its headers: nothing is fetched.",
    ),
    Variable(
        "GLUON_NEURON_NO_HOOK",
        "starting",
        "1",
        "Python's start does not look at imports of `mxnet`; `import gluon_neuron` before `import mxnet` still does.",
    ),
    Variable(
        "GLUON_NEURON_NRT",
        "running",
        "/opt/aws/neuron/lib/libnrt.so.1",
        "The path of the Neuron runtime's library, or `none` for no NeuronCores; the loader's path and "
        "`/opt/aws/neuron/lib` without it.",
    ),
    Variable(
        "GLUON_NEURON_OPENVINO",
        "building, running",
        "/opt/openvino/libopenvino_c.so",
        "When running, the path of `libopenvino_c.so`; the Python package's without it. When building, the folder"
        " of the OpenVINO package, its wheel, or that library within it, for its headers.",
    ),
    Variable(
        "GLUON_NEURON_STRICT",
        "running",
        "1",
        "A model that was compiled for a chip and cannot run on one is an error, as with `strict=True`, and does "
        "not run on the CPU.",
    ),
    Variable(
        "NEURON_CC_FLAGS",
        "compiling",
        "--optlevel 2",
        "Words for the Neuron compiler's command line. Options that are given win over them, and they over "
        "defaults; `--cache_dir=DIR` and `--no_cache` are for the cache.",
    ),
    Variable(
        "NEURON_COMPILE_CACHE_URL",
        "compiling",
        "/var/cache/neuron",
        "Where the cache of what the Neuron compilers made is: a directory, or its file:// URL; the user's cache "
        "without it.",
    ),
    Variable(
        "NEURON_RT_NUM_CORES",
        "running",
        "2",
        "AWS's: how many NeuronCores the process takes.",
    ),
    Variable(
        "NEURON_RT_VISIBLE_CORES",
        "running",
        "4-7",
        "AWS's: the NeuronCores that the process may use. Core 0 of a model is the first of them.",
    ),
    Variable(
        "NEURON_RT_LOG_LEVEL",
        "running",
        "INFO",
        "AWS's: what the runtime logs. Errors that it gives no reason for are explained there.",
    ),
    Variable(
        "NEURON_RT_EXEC_TIMEOUT",
        "running",
        "30",
        "AWS's: seconds after which the runtime ends a call of a program.",
    ),
    Variable(
        "NEURON_PROCESS_TAG",
        "running",
        "serving",
        "AWS's: a name for the process in its tools. It does not enter the identity of what is compiled, as every"
        " other variable does whose name begins with NEURON and that is not named here.",
    ),
    Variable(
        "NEURON_PROFILE",
        "running",
        "profile/",
        "AWS's: where its profiler writes. It does not enter the identity of what is compiled, either.",
    ),
    Variable(
        "SUBGRAPH_INFO",
        "compiling",
        "1",
        "Each region, and what became of it, is kept as hidden files in `work_dir`; `gluon-neuron compile-kept` "
        "compiles one again.",
    ),
    Variable(
        "OMP_NUM_THREADS",
        "running",
        "4",
        "Threads of MXNet and, unless the option `num_threads` says otherwise, of the CPU engine.",
    ),
    Variable(
        "MXNET_SUBGRAPH_BACKEND",
        "running",
        "NONE",
        "MXNet's own. Where it is not set, what compiled blocks leave to MXNet is bound without its fusion.",
    ),
    Variable(
        "MXNET_SUBGRAPH_VERBOSE",
        "running",
        "1",
        "MXNet's own: whether it says which backends it applies; 0 where it is not set.",
    ),
    Variable(
        "MXNET_ENGINE_TYPE",
        "running",
        "NaiveEngine",
        "MXNet's own: with NaiveEngine each call is finished when it returns, compiled regions too.",
    ),
)
