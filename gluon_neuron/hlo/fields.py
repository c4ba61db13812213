"""The numbers of the fields that we read or write, as XLA's hlo.proto and xla_data.proto publish them."""

from __future__ import annotations


class InModule:
    """HloModuleProto."""

    NAME = 1
    ENTRY_NAME = 2
    COMPUTATIONS = 3
    PROGRAM_SHAPE = 4
    ID = 5
    ENTRY_ID = 6
    SCHEDULE = 7
    IS_DYNAMIC = 11
    STACK_FRAMES = 17


class InComputation:
    """HloComputationProto."""

    NAME = 1
    INSTRUCTIONS = 2
    PROGRAM_SHAPE = 4
    ID = 5
    ROOT_ID = 6


class InInstruction:
    """HloInstructionProto."""

    NAME = 1
    OPCODE = 2
    SHAPE = 3
    METADATA = 7
    LITERAL = 8
    PARAMETER_NUMBER = 9
    TUPLE_INDEX = 13
    DIMENSIONS = 14
    WINDOW = 15
    CONVOLUTION = 16
    CUSTOM_CALL_TARGET = 28
    DOT = 30
    ID = 35
    OPERANDS = 36
    PREDECESSORS = 37
    CALLED = 38
    HOST_TRANSFER = 47
    DIRECTION = 63
    FRONTEND = 68
    RNG_ALGORITHM = 70


class InMetadata:
    """OpMetadata."""

    OP_NAME = 2
    SOURCE_FILE = 3
    SOURCE_LINE = 4
    STACK_FRAME = 15
    SOURCE_END_LINE = 17
    SOURCE_COLUMN = 18
    SOURCE_END_COLUMN = 19


class InShape:
    """ShapeProto."""

    TYPE = 2
    DIMENSIONS = 3
    PARTS = 4
    DYNAMIC = 6


class InProgramShape:
    """ProgramShapeProto."""

    PARAMETERS = 1
    RESULT = 2
    NAMES = 3


class InWindow:
    """WindowDimension, of which Window has one a dimension, as field 1."""

    SIZE = 1
    STRIDE = 2
    PADDING_LOW = 3
    PADDING_HIGH = 4
    WINDOW_DILATION = 5
    BASE_DILATION = 6


class InConvolution:
    """ConvolutionDimensionNumbers."""

    KERNEL_INPUT_FEATURE = 3
    INPUT_SPATIAL = 11
    OUTPUT_SPATIAL = 12


class InDot:
    """DotDimensionNumbers."""

    LEFT_CONTRACTING = 1


class InLiteral:
    """LiteralProto."""

    PRED = 2
    U8 = 3
    S32 = 4
    S64 = 5
    U32 = 6
    U64 = 7
    F32 = 8
    F64 = 9
    F16 = 11
    BF16 = 13
    S8 = 15
    U16 = 16
    S16 = 17


# Map entries: protobuf writes a map as repeated messages of a key and a value.
KEY, VALUE = 1, 2
# The only field of FrontendAttributes, Window, HloScheduleProto and its InstructionSequence.
ONLY = 1

# PrimitiveType, and the bits that an element takes.
TYPES = {
    1: ("pred", 8),
    30: ("s1", 1),
    26: ("s2", 2),
    21: ("s4", 4),
    2: ("s8", 8),
    3: ("s16", 16),
    4: ("s32", 32),
    5: ("s64", 64),
    31: ("u1", 1),
    27: ("u2", 2),
    22: ("u4", 4),
    6: ("u8", 8),
    7: ("u16", 16),
    8: ("u32", 32),
    9: ("u64", 64),
    32: ("f4e2m1fn", 4),
    19: ("f8e5m2", 8),
    28: ("f8e4m3", 8),
    20: ("f8e4m3fn", 8),
    23: ("f8e4m3b11fnuz", 8),
    29: ("f8e3m4", 8),
    24: ("f8e5m2fnuz", 8),
    25: ("f8e4m3fnuz", 8),
    33: ("f8e8m0fnu", 8),
    10: ("f16", 16),
    16: ("bf16", 16),
    11: ("f32", 32),
    12: ("f64", 64),
    15: ("c64", 64),
    18: ("c128", 128),
    13: ("tuple", 0),
    14: ("opaque", 0),
    17: ("token", 0),
    34: ("buffer", 0),
}
