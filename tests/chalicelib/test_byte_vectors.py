"""Tests of vectors of one-byte numbers against loops."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.byte_vectors import (
    above_zero,
    add_units,
    bitwise_and,
    elements_at,
    equal,
    pack,
    units,
    unpack,
)

some_pairs = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=40)
some_rows = st.integers(0, 40).flatmap(
    lambda count: st.lists(st.binary(min_size=count, max_size=count), min_size=1, max_size=6)
)


def units_of(code: int) -> int:
    signed = code - 256 if code > 127 else code
    return signed * abs(signed)


@given(st.lists(st.integers(0, 6), max_size=9))
def test_elements_are_looked_up_in_the_order_of_the_indices(indices: list[int]) -> None:
    assert elements_at(b"vectors", indices) == tuple(b"vectors"[index] for index in indices)


@given(st.binary())
def test_a_code_stands_for_itself_times_its_absolute_value(codes: bytes) -> None:
    assert units(codes) == tuple(map(units_of, codes))


@given(some_pairs)
def test_two_vectors_are_combined_element_by_element(pairs: list[tuple[int, int]]) -> None:
    first, second = bytes(one for one, _ in pairs), bytes(other for _, other in pairs)
    assert bitwise_and(first, second) == bytes(one & other for one, other in pairs)
    assert equal(first, second) == bytes(255 * (one == other) for one, other in pairs)


@given(some_rows)
def test_units_are_added_element_by_element(rows: list[bytes]) -> None:
    assert add_units(rows) == [sum(map(units_of, column)) for column in zip(*rows, strict=True)]


def test_the_largest_sums_do_not_reach_the_next_element() -> None:
    assert add_units([b"\x80\x7f\x80"] * 5) == [-5 * 16_384, 5 * 16_129, -5 * 16_384]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_packed_numbers_have_four_bytes_each_the_lowest_first(numbers: list[int]) -> None:
    assert pack(numbers) == b"".join(number.to_bytes(4, "little") for number in numbers)
    assert unpack(pack(numbers)) == numbers


@given(st.lists(st.sampled_from([0, 1, 255, 256, 65_536, 2**24, 2**32 - 1]), max_size=20))
def test_numbers_above_zero_are_marked(numbers: list[int]) -> None:
    assert above_zero(pack(numbers)) == bytes(255 * (number > 0) for number in numbers)
