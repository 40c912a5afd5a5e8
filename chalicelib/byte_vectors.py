"""Vectors of one-byte numbers: operations on all elements at once, for speed without a package.

A vector is a string of bytes. Combined as one long integer, two vectors of a thousand elements take a few microseconds;
a loop takes forty. `operator.itemgetter` likewise looks up many elements in one call.

A weight is stored as a one-byte code: code `c` (-128..127, in two's complement) stands for `c * |c|` units, which gives
fine steps near zero and coarse steps at the ends.
"""

import struct
from collections.abc import Iterable, Sequence
from operator import itemgetter

UNITS_OF = (*(code * code for code in range(128)), *(-((code - 256) ** 2) for code in range(128, 256)))  # byte -> units

_BIAS = 128 * 128  # is added to units while vectors are added, so that no element is below 0
_LOW_BYTE = bytes((units + _BIAS) % 256 for units in UNITS_OF)
_HIGH_BYTE = bytes((units + _BIAS) // 256 for units in UNITS_OF)
_IS_ABOVE_ZERO = bytes(1) + bytes([255]) * 255
_IS_ZERO = bytes([255]) + bytes(255)  # byte -> 255 for 0, 0 for others


def elements_at(vector: Sequence[int], indices: Iterable[int]) -> tuple[int, ...]:
    """Return the elements of a vector that is not empty at these indices."""
    elements: tuple[int, ...] = itemgetter(*indices, 0, 0)(vector)  # of a single index it returns no tuple
    return elements[:-2]


def units(codes: bytes) -> tuple[int, ...]:
    """Return the units that codes stand for."""
    return elements_at(UNITS_OF, codes)


def pack(numbers: Sequence[int]) -> bytes:
    """Return numbers (0..2**32-1) with four bytes each, the lowest first."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


def unpack(packed: bytes) -> list[int]:
    """Return the numbers that `pack` packed."""
    return list(struct.unpack(f"<{len(packed) // 4}I", packed))


def above_zero(packed: bytes) -> bytes:
    """Return 255 for each packed number above 0, and 0 for each 0."""
    parts = [int.from_bytes(packed[offset::4], "little") for offset in range(4)]
    combined = parts[0] | parts[1] | parts[2] | parts[3]
    return combined.to_bytes(len(packed) // 4, "little").translate(_IS_ABOVE_ZERO)


def bitwise_and(first: bytes, second: bytes) -> bytes:
    """Return the bitwise AND of two vectors of the same length."""
    combined = int.from_bytes(first, "little") & int.from_bytes(second, "little")
    return combined.to_bytes(len(first), "little")


def equal(first: bytes, second: bytes) -> bytes:
    """Return 255 where two vectors of the same length have the same element, and 0 elsewhere."""
    difference = int.from_bytes(first, "little") ^ int.from_bytes(second, "little")
    return difference.to_bytes(len(first), "little").translate(_IS_ZERO)


def add_units(vectors: Sequence[bytes]) -> list[int]:
    """Add the units of several vectors of codes of the same length, element by element."""
    size, bias = 4 * len(vectors[0]), len(vectors) * _BIAS
    lanes = _lanes(b"".join(vectors))
    total = sum([int.from_bytes(lanes[start : start + size], "little") for start in range(0, len(lanes), size or 1)])
    return [biased - bias for biased in unpack(total.to_bytes(size, "little"))]


def _lanes(codes: bytes) -> bytearray:
    """Return four bytes for the units of each code, the lowest first: in a sum, no element reaches the next one."""
    lanes = bytearray(4 * len(codes))
    lanes[0::4] = codes.translate(_LOW_BYTE)
    lanes[1::4] = codes.translate(_HIGH_BYTE)
    return lanes
