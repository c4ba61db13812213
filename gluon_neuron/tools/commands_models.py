"""The commands that make, run, compare and describe compiled models."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .answer import Answer
from .command import AsJson, Command, command
from .options_from_line import takes_options

if TYPE_CHECKING:
    from ..preprocessing import Preprocessing
    from .model_from_line import LineModel

_GROUP = "Models"


def _complete(what: str, incomplete: str) -> list[str]:
    from . import zoo_completion  # late: only a shell that completes needs it

    found: list[str] = getattr(zoo_completion, what)(incomplete)
    return found


Model = Annotated[
    str,
    typer.Argument(
        metavar="PREFIX|ZOO_NAME",
        autocompletion=lambda incomplete: _complete("models", incomplete),
        help="The part of the files' names before -symbol.json, compiled or not; or a model's name in Gluon's zoo or "
        "GluonCV's.",
    ),
]
Epoch = Annotated[
    int | None,
    typer.Option(help="The number in the parameters file's name; without it 0, or the only one.", min=0),
]
Shapes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME:1,3,224,224", help="An input's shape; repeatable. The name may be left out where there is one."
    ),
]
Dtypes = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME:int32", help="An input's dtype, float32 without it; repeatable."),
]
Pretrained = Annotated[
    bool,
    typer.Option("--pretrained", help="With a zoo's name: download its weights, which are random without it."),
]
Seed = Annotated[int, typer.Option(help="What random values are drawn with.", min=0)]
Resize = Annotated[
    int | None,
    typer.Option(
        help="Pixels of an image's shorter side before the middle is cropped; the model's, or 256/224 of the input's.",
        min=1,
    ),
]
Three = Annotated[
    str | None,
    typer.Option(metavar="R,G,B", help="Of images with values of 0..1; the model's or ImageNet's without it."),
]
Inputs = Annotated[
    list[str] | None, typer.Option(metavar="[NAME=]FILE", help="An input from a file, as run takes it; repeatable.")
]
Html = Annotated[
    Path | None, typer.Option(metavar="FILE.html", help="A file for the report as a page, with the graph drawn.")
]
File = Annotated[
    str,
    typer.Argument(
        help="The symbol's or the parameters' file, or the part of their names before -symbol.json.",
        autocompletion=lambda incomplete: _complete("prefixes", incomplete),
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    add: list[tuple[Command, list[str]]] = [
        (
            takes_options(compile),
            [
                "net --shape data:1,3,224,224 -o out/net",
                "resnet50_v1 --pretrained -o resnet50",
                "bert --shape data0:1,64 --dtype data0:int32 --shape data1:1 --dynamic data0:1=1..512 -o out/bert",
                "net --shape 8,3,224,224 --target inf2 --auto-cast matmult -o out/net",
            ],
        ),
        (takes_options(analyze), ["net --shape data:1,3,224,224 --html net.html", "resnet50_v1 --target inf2 --json"]),
        (
            run,
            [
                "net cat.jpg --labels synset.txt --top 3",
                "net data=x.npy -o y.npz",
                "net inputs.json --json",
                "net --random",
            ],
        ),
        (
            takes_options(verify),
            [
                "out/net",
                "out/net net --samples 4 --rtol 1e-3",
                "out/net --input data=x.npy",
                "resnet50_v1 --target cpu",
            ],
        ),
        (
            takes_options(benchmark),
            [
                "out/net --calls 200",
                "out/net --batch 1 --batch 8 --callers 1 --callers 4 --csv speed.csv --plot speed.png",
                "resnet50_v1 --price 0.76 --json",
            ],
        ),
        (
            takes_options(profile),
            [
                "out/net",
                "out/net --input data=x.npy --html times.html --trace times.json",
                "resnet50_v1 --shape 8,3,224,224 --json",
            ],
        ),
        (report, ["out/net", "out/net --html net.html", "out/net --json"]),
        (inspect, ["net", "net-symbol.json --json", "net --epoch 3"]),
    ]
    for function, examples in add:
        command(app, function.__name__, _GROUP, examples)(function)


def compile(
    model: Model,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="PREFIX", help="Where to: PREFIX-symbol.json, PREFIX-0000.params.")
    ],
    options: dict[str, Any],
    shape: Shapes = None,
    dtype: Dtypes = None,
    epoch: Epoch = None,
    pretrained: Pretrained = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the very files that the model is read from.")
    ] = False,
    as_json: AsJson = False,
) -> Answer:
    """Compile a checkpoint, or a model of a zoo, and write it; say what was compiled, what was not, and why."""
    found = _model(model, epoch, pretrained, shape, dtype)
    from .compile_model import compile_model

    if not found.files and not pretrained:
        print(f"gluon-neuron compile: {model} gets random weights; --pretrained downloads them.", file=sys.stderr)
    return compile_model(found, model, output, options, overwrite)


def analyze(
    model: Model,
    options: dict[str, Any],
    shape: Shapes = None,
    dtype: Dtypes = None,
    epoch: Epoch = None,
    html: Html = None,
    as_json: AsJson = False,
) -> Answer:
    """Say what a compile would do with each operator, and why; nothing is compiled, and no chip is needed."""
    from .report_of_file import with_page

    found = _model(model, epoch, False, shape, dtype)
    with found.front_end():
        report = found.analyzed(found.arrays({}), options)
    return with_page(report, html)


def run(
    model: Model,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=]FILE",
            help="A file for each input: .npy, .npz, .json (nested lists, or an object of them by name), or images, of "
            "which several are a batch. The name may be left out where there is one input.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A file for the outputs: .npz, .npy or .json.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="Show the largest values of each row, and their classes.", min=1)
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="A file with one class per line.")] = None,
    softmax: Annotated[bool, typer.Option("--softmax", help="Show probabilities: the softmax of the outputs.")] = False,
    random: Annotated[bool, typer.Option("--random", help="Draw the inputs for which there is no file.")] = False,
    seed: Seed = 0,
    resize: Resize = None,
    mean: Three = None,
    std: Three = None,
    shape: Shapes = None,
    dtype: Dtypes = None,
    epoch: Epoch = None,
    pretrained: Pretrained = False,
    as_json: AsJson = False,
) -> Answer:
    """Call a model once with arrays or images from files; compiled files run compiled, others in MXNet.

    An image is turned as its Exif says, its shorter side is resized, the middle is cropped to the input's size, and
    red, green and blue, as values of 0..1, are normalised: as the files say, or as Gluon's zoo does; --resize, --mean
    and --std say otherwise. Archives of ours do the same in multi-model-server.
    """
    found = _model(model, epoch, pretrained, shape, dtype)
    from .run_model import run_model

    return run_model(
        found,
        inputs or (),
        _before(found, resize, mean, std),
        random=random,
        seed=seed,
        output=output,
        top=top,
        labels=labels,
        softmax=softmax,
    )


def verify(
    model: Model,
    options: dict[str, Any],
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[REFERENCE]", help="The files to compare with; without it, the operators that MODEL holds itself."
        ),
    ] = None,
    input: Inputs = None,
    samples: Annotated[int, typer.Option(help="How many inputs are drawn.", min=1)] = 1,
    seed: Seed = 0,
    rtol: Annotated[float | None, typer.Option(help="What may differ, relative to the reference.", min=0)] = None,
    atol: Annotated[float | None, typer.Option(help="What may differ at any value.", min=0)] = None,
    shape: Shapes = None,
    dtype: Dtypes = None,
    epoch: Epoch = None,
    pretrained: Pretrained = False,
    as_json: AsJson = False,
) -> Answer:
    """Compare a compiled model with MXNet on random or given inputs.

    What is not compiled is compiled for it, with the options below. The exit status is 1 where an output differs.
    """
    found = _model(model, epoch, pretrained, shape, dtype)
    from .arrays_from_files import read
    from .model_from_line import model_from_line
    from .verify_model import verify_model

    other = None
    if reference is not None:
        other = model_from_line(reference)
        other.say((), ())
    given, _ = read(input or (), found.names, found.specs, _before(found))
    return verify_model(found, model, other, given, options, samples=samples, seed=seed, rtol=rtol, atol=atol)


def benchmark(
    model: Model,
    options: dict[str, Any],
    input: Inputs = None,
    calls: Annotated[int, typer.Option(help="Timed calls of each caller.", min=1)] = 100,
    warmup: Annotated[int, typer.Option(help="Calls before that.", min=0)] = 5,
    batch: Annotated[
        list[int] | None, typer.Option(help="Samples in a call, instead of those of the shape; repeatable.", min=1)
    ] = None,
    callers: Annotated[list[int] | None, typer.Option(help="Threads that call at once; repeatable.", min=1)] = None,
    no_mxnet: Annotated[bool, typer.Option("--no-mxnet", help="Time the compiled model alone.")] = False,
    price: Annotated[
        float | None, typer.Option(help="What an hour of this machine costs, for the cost of a million.", min=0)
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="A file for the table, as comma-separated values.")] = None,
    plot: Annotated[Path | None, typer.Option(help="A file for a plot: .png, .svg or .pdf; needs matplotlib.")] = None,
    seed: Seed = 0,
    shape: Shapes = None,
    dtype: Dtypes = None,
    epoch: Epoch = None,
    pretrained: Pretrained = False,
    as_json: AsJson = False,
) -> Answer:
    """Say how long calls of a compiled model take, and how many there are in a second, in turns with MXNet.

    What is not compiled is compiled for it, with the options below.
    """
    found = _model(model, epoch, pretrained, shape, dtype)
    from .arrays_from_files import paths_of, read
    from .benchmark_model import benchmark_model

    given, _ = read(input or (), found.names, found.specs, _before(found))
    return benchmark_model(
        found,
        model,
        given,
        options,
        sources=[*found.files, *paths_of(input or (), found.names)],
        seed=seed,
        mxnet=not no_mxnet,
        batch_sizes=batch or (),
        callers=callers or (1,),
        calls=calls,
        warmup=warmup,
        price=price,
        table=csv,
        plot=plot,
    )


def profile(
    model: Model,
    options: dict[str, Any],
    input: Inputs = None,
    calls: Annotated[int, typer.Option(help="Timed calls.", min=1)] = 20,
    warmup: Annotated[int, typer.Option(help="Calls before that.", min=0)] = 3,
    html: Annotated[Path | None, typer.Option(help="A file for a page that shows it (.html).")] = None,
    trace: Annotated[
        Path | None, typer.Option(help="A file for a trace that chrome://tracing and Perfetto load (.json).")
    ] = None,
    seed: Seed = 0,
    shape: Shapes = None,
    dtype: Dtypes = None,
    epoch: Epoch = None,
    pretrained: Pretrained = False,
    as_json: AsJson = False,
) -> Answer:
    """Say where the time of a call of a compiled model goes: region by region, operator by operator.

    What is not compiled is compiled for it, with the options below.
    """
    found = _model(model, epoch, pretrained, shape, dtype)
    from .arrays_from_files import paths_of, read
    from .profile_model import profile_model

    given, _ = read(input or (), found.names, found.specs, _before(found))
    sources = [*found.files, *paths_of(input or (), found.names)]
    return profile_model(
        found, model, given, options, sources=sources, seed=seed, calls=calls, warmup=warmup, html=html, trace=trace
    )


def report(file: File, epoch: Epoch = None, html: Html = None, as_json: AsJson = False) -> Answer:
    """Say what was compiled of a model, and why the rest was not, as its files have it. It needs no MXNet."""
    from .report_of_file import report_of_file

    return report_of_file(file, epoch, html)


def inspect(file: File, epoch: Epoch = None, as_json: AsJson = False) -> Answer:
    """Say what the files of a compiled model hold: inputs, shapes, programs, identity. It needs no MXNet."""
    from .inspect_model import inspect_model

    return inspect_model(file, epoch)


def _model(
    given: str, epoch: int | None, pretrained: bool, shape: list[str] | None, dtype: list[str] | None
) -> LineModel:
    # MXNet reads it when it is imported, and may take a single thread where it is not set.
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    from .model_from_line import model_from_line

    found = model_from_line(given, epoch, pretrained)
    found.say(shape or (), dtype or ())
    return found


def _before(
    model: LineModel, resize: int | None = None, mean: str | None = None, std: str | None = None
) -> Preprocessing:
    """How images become inputs: as the line says, else as the model's files do."""
    from dataclasses import replace

    from ..preprocessing import Preprocessing

    asked: dict[str, Any] = {"resize": resize, "mean": _three("--mean", mean), "std": _three("--std", std)}
    return replace(model.preprocessing or Preprocessing(), **{n: v for n, v in asked.items() if v is not None})


def _three(option: str, text: str | None) -> tuple[float, float, float] | None:
    from .ending import WrongLine

    if text is None:
        return None
    try:
        red, green, blue = map(float, text.split(","))
    except ValueError as error:
        raise WrongLine(
            f"{option} {text!r} must be three numbers, for red, green and blue, as in 0.5,0.5,0.5."
        ) from error
    if not all(map(math.isfinite, (red, green, blue))):
        raise WrongLine(f"{option} {text!r} must be finite numbers, as in 0.5,0.5,0.5.")
    if option == "--std" and 0 in (red, green, blue):
        raise WrongLine(f"{option} {text!r}: values are divided by it, so none may be zero.")
    return red, green, blue
