"""Runs the native operator on artifacts with random damage; a process of its own, which a crash would end.

`python -m tests.runtime.fuzz SEED COUNT` prints how many were refused and how many gave a result; a crash, or a message
that is not the library's, is a failure of the process. So is a result where damage has to be noticed: that of the
header when it has its checksum, and all other damage.
"""

import random
import struct
import sys

from tests.runtime import damage

TOKENS = [
    *(b"{", b"}", b"[", b"]", b'"', b",", b":"),
    *(b"-1", b"0", b"9999999999", b"1e9", b"null", b"true", b"\\u0000", b"\xff"),
]


def flip(rng, blob):
    """Anywhere; between header and data it hits padding, which nothing reads."""
    at = rng.randrange(len(blob))
    return blob[:at] + bytes([blob[at] ^ 1 << rng.randrange(8)]) + blob[at + 1 :]


def flip_in_header(rng, blob):
    at = rng.randrange(min(damage.header_end(blob), len(blob)))
    return blob[:at] + bytes([blob[at] ^ 1 << rng.randrange(8)]) + blob[at + 1 :]


def other_digit(rng, blob):
    digits = [i for i in range(damage.PREFIX, damage.header_end(blob)) if chr(blob[i]).isdigit()]
    at = rng.choice(digits)
    return blob[:at] + b"%d" % rng.randrange(10) + blob[at + 1 :]


def token(rng, blob):
    at, new = rng.randrange(damage.PREFIX, damage.header_end(blob)), rng.choice(TOKENS)
    return blob[:at] + new + blob[at + len(new) :]


def copy_a_piece(rng, blob):
    end = damage.header_end(blob)
    start, size, to = rng.randrange(damage.PREFIX, end), rng.randrange(1, 60), rng.randrange(damage.PREFIX, end)
    return blob[:to] + blob[start : start + size] + blob[to + size :]


def header_of_another_size(rng, blob):
    """Without a checksum, as the fields before the header are written again."""
    end = damage.header_end(blob)
    text = bytearray(blob[damage.PREFIX : end])
    at = rng.randrange(len(text))
    text[at : at + rng.randrange(30)] = bytes(rng.randrange(32, 127) for _ in range(rng.randrange(30)))
    return damage.join(bytes(text), blob[end + -end % 64 :])


def cut(rng, blob):
    return blob[: rng.randrange(1, len(blob))]


def noise_behind_the_header(rng, blob):
    end = damage.header_end(blob)
    start = end + -end % 64
    return blob[:start] + rng.randbytes(len(blob) - start)


def noise(rng, blob):
    return rng.randbytes(rng.randrange(1, 4096))


def noise_with_a_prefix(rng, blob):
    rest = rng.randbytes(rng.randrange(1, 4096))
    return b"GLUONNRN" + struct.pack("<IIQ", 1, 0, rng.choice((len(rest), 1, rng.randrange(2**64)))) + rest


KINDS = [
    *(flip, flip_in_header, other_digit, token, copy_a_piece, header_of_another_size, cut),
    *(noise_behind_the_header, noise, noise_with_a_prefix),
]


def main(seed, count):
    rng = random.Random(seed)
    run = damage.Runner()
    whole, sealed = damage.unsealed(run.artifact), damage.sealed(run.artifact)
    refused = 0
    for i in range(count):
        kind = KINDS[i % len(KINDS)]
        print(f"{i} {kind.__name__}", file=sys.stderr)
        # Without its checksum a header may be damaged so that it says something else that makes sense.
        refused += isinstance(run.outcome(kind(rng, whole)), str)
        if kind is not header_of_another_size:
            blob = kind(rng, sealed)
            assert run.refusal(blob) or blob == sealed or kind is flip, f"{kind.__name__} was not noticed"
    assert run.refusal(sealed) == run.refusal(whole) == ""
    print(f"{refused} of {count} refused")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
