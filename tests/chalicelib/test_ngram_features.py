"""Tests of the n-gram features against a slow and obvious count of n-grams, and of the table's file."""

import hashlib
import random
import time
from math import sqrt
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import ngram_features
from chalicelib.errors import ReleaseError
from chalicelib.negation import negated_positions
from chalicelib.ngram_features import CENTRE, COLUMNS, CONTRASTS, WINDOW_LIMIT, NgramTable, parse
from chalicelib.ngrams import NGRAM_KINDS, hash_ngrams, ngrams
from chalicelib.text import words as words_of

SLOTS = 1 << 20
POOL = ("good", "bad", "not", "so", "but", "film", "!")
Codes = dict[str, tuple[int, ...]]  # n-gram -> codes of review weight, sentence weight and log-count ratio
Located = tuple[str, int, bool]  # an n-gram, the position of its last word, and whether it is inside a negation

some_words = st.lists(st.sampled_from([*POOL, "xyzzy"]), max_size=120)
typed_words = st.lists(st.sampled_from([*POOL, "don't", "never", "7/10", "caf", "i"]), max_size=30)


def hash_of(ngram: str) -> int:
    return crc32(f"{ngram} ".encode())


def make_table(codes: Codes, slots: int = SLOTS) -> NgramTable:
    """Create a table of these n-grams."""
    tables = [bytearray(slots) for _ in range(4)]
    for ngram, numbers in codes.items():
        slot = hash_of(ngram) % slots
        assert slot
        assert not tables[0][slot], "two n-grams share a slot: choose other words"
        for table, number in zip(tables, (hash_of(ngram) >> 24, *numbers), strict=True):
            table[slot] = number % 256
    return NgramTable(*map(bytes, tables))


def all_ngrams(pool: tuple[str, ...] = POOL) -> list[str]:
    """Return every n-gram of words from a pool, in texts of any length."""
    pairs = [f"{first} {second}" for first in pool for second in pool]
    triples = [f"{pair} {word}" for pair in pairs for word in pool]
    gaps = [f"{first} * {last}" for first in pool for last in pool]
    return [*pool, *pairs, *triples, *gaps, *(f"not ... {word}" for word in pool)]


some_codes = st.integers(-127, 127)
some_tables = st.dictionaries(st.sampled_from(all_ngrams()), st.tuples(some_codes, some_codes, some_codes), max_size=60)


def units(code: int) -> int:
    return code * abs(code)


def located_ngrams(words: list[str]) -> list[list[Located]]:
    """Return every n-gram, kind by kind: the plain form of `hash_ngrams`."""
    positions = range(len(words))
    negated = set(negated_positions(words))

    def located(ngram: str, *parts: int) -> Located:
        return ngram, parts[-1], negated.issuperset(parts)

    return [
        [located(words[i], i) for i in positions],
        [located(f"{words[i - 1]} {words[i]}", i - 1, i) for i in positions if i >= 1],
        [located(f"{words[i - 2]} {words[i - 1]} {words[i]}", i - 2, i - 1, i) for i in positions if i >= 2],
        [located(f"{words[i - 2]} * {words[i]}", i - 2, i) for i in positions if i >= 2],
        [(f"not ... {words[i]}", i, False) for i in positions if i in negated],
    ]


def plain_weights_by_position(words: list[str], codes: Codes, which: int) -> list[int]:
    """Add up review weights (0) or sentence weights (1) where an n-gram ends, the latter reversed inside negations."""
    weights = [0] * len(words)
    for ngram, position, inside in (located for kind in located_ngrams(words) for located in kind):
        sign = -1 if which and inside else 1
        weights[position] += sign * units(codes.get(ngram, (0, 0, 0))[which])
    return weights


def plain_positional(weights: list[int], last: tuple[int, ...], first: tuple[int, ...]) -> list[int]:
    windows = [sum(weights[start : start + 10]) for start in range(len(weights))]
    limited = sum(max(-2400, min(window, 2400)) for window in windows)
    return [
        *(sum(weights[-count:]) for count in last),
        *(sum(weights[:count]) for count in first),
        max(windows, default=0),
        min(windows, default=0),
        round(limited / (len(weights) or 1)),
    ]


def plain_columns(words: list[str], codes: Codes) -> list[int]:
    """Compute the columns n-gram by n-gram, without hashes, slots or one-byte codes: the plain form of `columns`."""
    found = [[located for located in kind if located[0] in codes] for kind in located_ngrams(words)]
    outside = [{ngram for ngram, _, inside in kind if not inside} for kind in found]
    inside = [{ngram for ngram, _, inside in kind if inside} for kind in found]
    known = sum(map(len, outside)) + sum(map(len, inside))

    def scaled(*totals: int) -> list[int]:
        return [round(total / sqrt(known or 1)) for total in totals]

    def weights(ngrams: set[str], which: int) -> list[int]:
        return [units(codes[ngram][which]) for ngram in ngrams]

    review = [sum(weights(out | within, 0)) for out, within in zip(outside, inside, strict=True)]
    ratios = [sum(weights(out | within, 2)) for out, within in zip(outside, inside, strict=True)]
    sentence = [sum(weights(out, 1)) - sum(weights(within, 1)) for out, within in zip(outside, inside, strict=True)]
    signs = [
        sum(weight for kind in kinds for weight in weights(kind, 1) if (weight > 0) == positive)
        for kinds in (outside, inside)
        for positive in (True, False)
    ]
    positional = [plain_weights_by_position(words, codes, which) for which in (0, 1)]
    contrast = max((position for position, word in enumerate(words) if word in CONTRASTS), default=0)
    values = [
        *scaled(*review, sum(review), sum(sum(weights(kind, 0)) for kind in inside)),
        *plain_positional(positional[0], (15, 40, 80), (15, 40)),
        *scaled(*sentence, sum(sentence), *signs),
        *plain_positional(positional[1], (15, 40), (15,)),
        sum(positional[1][contrast:]),
        *scaled(*ratios, sum(ratios)),
        known,
        round(1000 * sum(map(len, found)) / (len(words) or 1)),
        len(words),
        len(negated_positions(words)),
    ]
    return [100_000 + max(-99_999, min(value, 99_999)) for value in values]


def named(columns: list[int]) -> dict[str, int]:
    """Return the columns by name, less `CENTRE`."""
    return dict(zip(COLUMNS, (column - CENTRE for column in columns), strict=True))


def test_the_ngrams_of_these_tests_have_distinct_slots() -> None:
    used = all_ngrams((*POOL, "xyzzy"))
    assert [ngram for ngram in used if not hash_of(ngram) >> 24] == []  # 0 is the check byte of an empty slot
    assert len(make_table(dict.fromkeys(used, (1, 1, 1))).checks) == SLOTS


@given(typed_words)
def test_an_ngrams_hash_is_the_crc_of_its_text_and_a_space(words: list[str]) -> None:
    for hashes, texts in zip(hash_ngrams(words).by_kind, ngrams(words), strict=True):
        assert list(hashes) == [hash_of(text) for text in texts]


@given(typed_words)
def test_ngrams_are_words_pairs_triples_gaps_and_negated_words(words: list[str]) -> None:
    located = located_ngrams(words)
    assert ngrams(words) == [[ngram for ngram, *_ in kind] for kind in located]
    negated = located[NGRAM_KINDS.index("negated")]
    assert list(hash_ngrams(words).negated_positions) == [position for _, position, _ in negated]


def test_a_gap_matches_any_middle_word() -> None:
    assert crc32(b"not * good ") in hash_ngrams(["not", "so", "good"]).gaps
    assert hash_ngrams(["not", "very", "good"]).gaps == hash_ngrams(["not", "so", "good"]).gaps


@given(some_words, some_tables)
def test_columns_equal_the_plain_computation(words: list[str], codes: Codes) -> None:
    assert make_table(codes).columns(words) == plain_columns(words, codes)


def test_a_review_without_words_has_every_column_at_its_centre() -> None:
    assert make_table({"good": (100, 100, 100)}).columns([]) == [CENTRE] * len(COLUMNS)


def values_of(codes: Codes, text: str) -> dict[str, int]:
    """Return the columns of a text by name, less `CENTRE`, without those that are 0."""
    columns = named(make_table(codes).columns(text.split()))
    return {name: value for name, value in columns.items() if value}


def test_a_word_contributes_to_every_column_that_covers_it() -> None:
    other_kinds = {f"{which} weights, {kind}" for which in ("review", "sentence") for kind in NGRAM_KINDS[1:]}
    elsewhere = {name for name in COLUMNS if "inside negations" in name or name.endswith("positive outside negations")}
    review, sentence = ({name for name in COLUMNS if name.startswith(which)} for which in ("review", "sentence"))
    assert values_of({"good": (30, -20, 5)}, "good") == {
        **dict.fromkeys(review - other_kinds - elsewhere, 900),
        **dict.fromkeys(sentence - other_kinds - elsewhere, -400),
        **dict.fromkeys(("log-count ratios, words", "log-count ratios, all"), 25),
        "distinct known n-grams": 1,
        "known n-grams per thousand words": 1000,
        "words": 1,
    }


def test_a_negated_word_counts_against_itself_in_sentence_weights() -> None:
    values = values_of({"good": (30, 20, 0)}, "not good")
    assert values["review weights, all"] == values["review weights, inside negations"] == 900
    assert values["sentence weights, all"] == values["sentence weights, last 15 words"] == -400
    assert values["sentence weights, positive inside negations"] == 400
    assert "sentence weights, positive outside negations" not in values
    assert values["negated words"] == 1


def test_a_word_both_inside_and_outside_a_negation_cancels_out() -> None:
    values = values_of({"good": (30, 20, 0)}, "good but not good")
    assert "sentence weights, all" not in values
    assert values["review weights, all"] == round(900 / sqrt(2))
    assert values["distinct known n-grams"] == 2


def test_only_words_from_the_last_contrast_on_count_there() -> None:
    codes = {"bad": (0, -10, 0), "good": (0, 20, 0)}
    assert values_of(codes, "bad but good")["sentence weights, from the last contrast on"] == 400
    assert values_of(codes, "bad good")["sentence weights, from the last contrast on"] == 300


def test_a_repeated_word_counts_once_in_sums_and_each_time_by_position() -> None:
    values = values_of({"good": (10, 0, 0)}, "good good good good")
    assert values["review weights, words"] == 100
    assert values["review weights, first 15 words"] == 400
    assert values["known n-grams per thousand words"] == 1000


def test_a_code_stands_for_itself_times_its_absolute_value() -> None:
    for code in range(-128, 128):
        columns = named(make_table({"good": (code, 0, 0)}, slots=256).columns(["good"]))
        assert columns["review weights, words"] == code * abs(code)


def test_word_weights_are_sentence_weights() -> None:
    assert make_table({"good": (5, 20, 0), "bad": (5, -10, 0)}).word_weights(["bad", "xyzzy", "good"]) == [-100, 0, 400]


@pytest.mark.parametrize(("code", "extreme"), [(127, 199_999), (-127, 1)])
def test_columns_stay_in_bounds_at_the_largest_weights(code: int, extreme: int) -> None:
    """Checked on 4,000 words, of which every n-gram has the largest weight."""
    largest = make_table(dict.fromkeys(all_ngrams(), (code, code, code)))
    words = random.Random(1).choices(POOL, k=4_000)
    columns = dict(zip(COLUMNS, largest.columns(words), strict=True))
    assert all(1 <= column <= 199_999 for column in columns.values())
    assert columns["review weights, all"] == columns["log-count ratios, all"] == extreme
    assert columns["review weights, last 80 words"] == extreme
    assert columns["review weights, mean of all 10 words"] == CENTRE + (WINDOW_LIMIT if code > 0 else -WINDOW_LIMIT)
    assert columns["words"] == CENTRE + 4_000


@settings(max_examples=30)
@given(some_words, some_tables)
def test_columns_are_integers_and_never_zero(words: list[str], codes: Codes) -> None:
    columns = make_table(codes).columns(words * 30)
    assert len(columns) == len(COLUMNS)
    assert all(type(column) is int and 1 <= column <= 199_999 for column in columns)


def test_only_a_known_ngram_has_a_slot() -> None:
    table = make_table({"good": (1, 1, 1)}, slots=256)
    slot = hash_of("good") % 256
    other_check_byte = (hash_of("good") + (1 << 24)) % (1 << 32)  # the same slot
    assert table.slots([hash_of("good"), other_check_byte, hash_of("strange")]) == [slot, 0, 0]


def test_slot_0_means_unknown() -> None:
    table = make_table({"good": (1, 1, 1)}, slots=256)
    assert table.slots([0, 7 << 24]) == [0, 0]


def test_unknown_ngrams_contribute_nothing() -> None:
    assert values_of({"good": (100, 100, 100)}, "bad film") == {"words": 2}


@pytest.fixture
def small_table() -> NgramTable:
    return make_table({"good": (100, -3, 2), "bad": (-100, 4, -2)}, slots=64)


def test_a_table_written_to_a_file_reads_back_unchanged(small_table: NgramTable, tmp_path: Path) -> None:
    path = tmp_path / "evidence.bin"
    path.write_bytes(small_table.dumps())
    read = ngram_features.load(path)
    assert read.checks == small_table.checks
    assert read.review_weights == small_table.review_weights
    assert read.sentence_weights == small_table.sentence_weights
    assert read.log_count_ratios == small_table.log_count_ratios
    assert read.dumps() == small_table.dumps()
    assert read.sha256 == small_table.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_file_begins_with_a_readable_header(small_table: NgramTable) -> None:
    assert small_table.dumps().split(b"\n\n")[0].decode().splitlines()[0] == "Verdict evidence, format 2"
    assert b"\nslots: 64\n" in small_table.dumps()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"Verdict evidence, format 2", b"Verdict evidence, format 9"), "begins with 'Verdict evidence, format 9'"),
        ((b"Verdict evidence", b"\xff\x00"), "begins with"),
        ((b"\n", b"\r\n"), "begins with"),
        ((b"cleaner: ", b"cleaner: 9"), "cleaner '9"),
        ((b"slots: 64", b"slots: 32"), "32 slots and has 256 bytes"),
        ((b"slots: 64\n", b""), "None slots"),
    ],
)
def test_a_wrong_header_is_refused_with_the_reason(
    small_table: NgramTable, change: tuple[bytes, bytes], reason: str
) -> None:
    content = small_table.dumps().replace(*change)
    assert content != small_table.dumps()
    with pytest.raises(ReleaseError, match=reason):
        parse(content)


@pytest.mark.parametrize("bytes_less", [1, 2, 3, 256])
def test_a_truncated_file_is_refused(small_table: NgramTable, bytes_less: int) -> None:
    with pytest.raises(ReleaseError, match="cut or edited"):
        parse(small_table.dumps()[:-bytes_less])


def test_a_file_with_extra_bytes_is_refused(small_table: NgramTable) -> None:
    with pytest.raises(ReleaseError, match="cut or edited"):
        parse(small_table.dumps() + b"\n")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ReleaseError, match="begins with ''"):
        parse(b"")


@pytest.mark.parametrize("slots", [0, 3, 12, 63])
def test_a_file_must_have_a_power_of_two_of_slots(small_table: NgramTable, slots: int) -> None:
    header = small_table.dumps().partition(b"\n\n")[0].replace(b"slots: 64", b"slots: %d" % slots)
    with pytest.raises(ReleaseError, match="power of two"):
        parse(header + b"\n\n" + bytes(4 * slots))


@pytest.mark.parametrize("lengths", [(64, 64, 32, 64), (32, 64, 64, 64), (0, 0, 0, 0), (48, 48, 48, 48)])
def test_a_tables_parts_must_have_one_length(lengths: tuple[int, int, int, int]) -> None:
    with pytest.raises(ReleaseError, match="one length"):
        NgramTable(*map(bytes, lengths))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"absent\.bin"):
        ngram_features.load(tmp_path / "absent.bin")


@pytest.mark.parametrize(
    "review",
    ["a" * 20_000, "! " * 10_000, "!" * 20_000, "not " * 5_000, "a'" * 10_000, "x" * 10_000 + " not " * 2_000],
    ids=["one word", "marks", "marks without space", "negations", "apostrophes", "long word and negations"],
)
def test_run_time_is_linear_in_the_length_of_the_review(review: str) -> None:
    """A tenth of the text must take at least a fiftieth of the time: quadratic work would fail by far."""
    table = make_table(dict.fromkeys(all_ngrams(), (50, 50, 50)))

    def seconds(text: str) -> float:
        words = words_of(text)
        started = time.process_time()
        table.columns(words)
        return time.process_time() - started

    part = max(min(seconds(review[: len(review) // 10]) for _ in range(3)), 1e-3)
    assert seconds(review) < 50 * part
