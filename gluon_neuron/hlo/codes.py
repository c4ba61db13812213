"""The codes of the checker: what each refuses, which cannot be seen in a module, and what takes care of those."""

from __future__ import annotations

# The version of NeuronCore that a target has.
GENERATION = {"inf2": 2, "trn1": 2, "trn2": 3}

CODES = {
    "EMOD025": "a dimension that is not static",
    "ESFH002": "an unsigned 64-bit constant beyond 32 bits",
    "ESPP004": "a type without code generation: 4-bit floats, integers of less than 8 bits",
    "ESPP047": "an 8-bit float other than e3m4, e4m3, e5m2",
    "EVRF001": "an operator that is not supported (older: EUOC002)",
    "EVRF004": "a complex type",
    "EVRF005": "f8e4m3fnuz, f8e4m3b11fnuz, f8e5m2fnuz",
    "EVRF006": "rng-bit-generator with an algorithm other than RNG_DEFAULT",
    "EVRF010": "a convolution with input dilation and kernel dilation",
    "EVRF011": "a convolution with stride and input dilation",
    "EVRF013": "top-k of 32- or 64-bit integers",
    "EVRF015": "a custom call whose target the compiler does not know (older: EHCA005)",
    "EVRF016": "a scatter that combines booleans or integers of less than 32 bits",
    "EVRF017": "a reduce-window with base dilation",
    "EVRF018": "a reduce-window with window dilation",
    "EVRF019": "a reduce-window of other than one operand and one initial value",
    "EVRF022": "an arithmetic shift to the right of other than 32 bits",
    "EVRF035": "a dot of 64-bit integers, and from trn2 on of 32-bit ones",
    "EVRF051": "f8e4m3fn before trn3",
    "EVRF060": "a scatter that combines 32- or 64-bit integers (older: EVRF016)",
    "EVRF061": "an all-reduce of 32- or 64-bit integers",
    "EVRF062": "a power of 64-bit integers",
    "EVRF063": "a reduce-scatter of 32- or 64-bit integers",
    # Known limits without a published code, and what follows from the published data types and the rule on ids.
    "GN-CALLBACK": "a call of the host while the program runs",
    "GN-CONDITIONAL": "a branch chosen while the program runs",
    "GN-F64": "64-bit floats, which are not among the data types of a NeuronCore",
    "GN-ID": "an id that is not unique in the module, or not within a signed 32-bit integer",
    "GN-INIT": "a reduction that begins at a value that is not neutral, which the compiler is known to ignore",
    "GN-PRECISION": "reduce-precision",
    "GN-REDUCE": "a reduction of several arrays at once",
    "GN-RNG": "random numbers by threefry",
    "GN-SORT": "a sort whose comparator is not one comparison by <, <=, > or >=",
    "GN-WHILE": "a loop whose trip count is not known beforehand",
}

NOT_READ = {
    "EVRF031": "scatter past the operand's end: the values of indices are not in a module; lowering rules clip or wrap",
    "EVRF056": "gather past the operand's end: as EVRF031",
    "EVRF052": "f8e4m3 after trn3: no target of ours is",
    "EVRF064": "what XLA's own verifier refuses: jax has run it on what it gives",
    "EBVF030": "too many instructions of the machine: the limit is not published; `quality` counts those of the module",
    "EVRF007": "as EBVF030",
    "EXTP004": "as EBVF030",
    "EOOM001": "more memory than the device has: only the compiler plans memory; `quality` adds the bytes up",
    "EOOM002": "as EOOM001",
    "EVRF009": "as EOOM001",
    "EXSP001": "as EOOM001",
    "EARG001": "a setting of logical cores that the target lacks: it is in the command line, not in the module",
}

CUSTOM_CALLS = frozenset(
    [
        *(f"AwsNeuron{n}" for n in ("Erf", "Gelu", "GeluApprxTanh", "GeluBackward", "Silu", "SiluBackward")),
        *(f"AwsNeuron{n}" for n in ("RmsNorm", "Softmax", "SoftmaxBackward", "CollectiveMatmul", "IntMatmult")),
        *(f"AwsNeuron{n}" for n in ("ArgMax", "ArgMin", "TopK", "DropoutMaskV1", "CustomNativeKernel", "CustomOp")),
        *(f"AwsNeuron{n}" for n in ("DevicePrint", "LNCShardingConstraint", "TransferWithStaticRing")),
        *(f"AwsNeuronModuleMarker{end}-{way}" for end in ("Start", "End") for way in ("Forward", "Backward")),
        *("ResizeNearest", "ResizeBilinear", "ResizeNearestGrad", "NeuronBoundaryMarker-Start"),
        "NeuronBoundaryMarker-End",
    ]
)
