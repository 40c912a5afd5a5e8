"""The hashed table against a slow and obvious count of terms, and the file it is kept in."""

import hashlib
import random
import time
from math import sqrt
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import ngram_features as evidence_file
from chalicelib.errors import ReleaseError
from chalicelib.ngram_features import (
    CENTRE,
    COLUMNS,
    KINDS,
    NEGATION_REACH,
    NEGATIONS,
    STRETCH_LIMIT,
    Evidence,
    hashes,
    negated_places,
    parse,
    terms,
)
from chalicelib.text import words as words_of

SLOTS = 1 << 20
POOL = ("good", "bad", "not", "so", "film", "!")
Codes = dict[str, tuple[int, int]]  # term -> the codes of what was learned and what was counted, -127..127

some_words = st.lists(st.sampled_from([*POOL, "xyzzy"]), max_size=120)
typed_words = st.lists(st.sampled_from([*POOL, "don't", "never", "7/10", "caf", "i"]), max_size=30)


def hash_of(term: str) -> int:
    return crc32(f"{term} ".encode())


def table(codes: Codes, slots: int = SLOTS) -> Evidence:
    """Make a table that holds these terms and no others."""
    checks, learned, counted = (bytearray(slots) for _ in range(3))
    for term, (of_learned, of_counted) in codes.items():
        slot = hash_of(term) % slots
        assert slot
        assert not checks[slot], "two terms share a slot: choose other words"
        checks[slot], learned[slot], counted[slot] = hash_of(term) >> 24, of_learned % 256, of_counted % 256
    return Evidence(bytes(checks), bytes(learned), bytes(counted))


def every_term(pool: tuple[str, ...] = POOL) -> list[str]:
    """Return every term that words of a pool can make, in texts of any length."""
    pairs = [f"{one} {other}" for one in pool for other in pool]
    triples = [f"{pair} {word}" for pair in pairs for word in pool]
    gaps = [f"{one} * {other}" for one in pool for other in pool]
    return [*pool, *pairs, *triples, *gaps, *(f"not ... {word}" for word in pool)]


some_codes = st.integers(-127, 127)
some_tables = st.dictionaries(st.sampled_from(every_term()), st.tuples(some_codes, some_codes), max_size=60)


def units(code: int) -> int:
    return code * abs(code)


def located_terms(words: list[str]) -> list[list[tuple[str, int]]]:
    """Return every term with the place of its last word, kind by kind: slowly, but plain to see."""
    places = range(len(words))
    return [
        [(words[i], i) for i in places],
        [(f"{words[i - 1]} {words[i]}", i) for i in places if i >= 1],
        [(f"{words[i - 2]} {words[i - 1]} {words[i]}", i) for i in places if i >= 2],
        [(f"{words[i - 2]} * {words[i]}", i) for i in places if i >= 2],
        [(f"not ... {words[i]}", i) for i in places if NEGATIONS & set(words[max(i - 5, 0) : i])],
    ]


def slow_places(words: list[str], codes: Codes) -> list[int]:
    places = [0] * len(words)
    for term, place in (each for kind in located_terms(words) for each in kind):
        places[place] += units(codes.get(term, (0, 0))[0])
    return places


def slow_columns(words: list[str], codes: Codes) -> list[int]:
    """Compute the columns term by term, without hashes, slots or codes of one byte."""
    found = [[term for term, _ in kind if term in codes] for kind in located_terms(words)]
    known = sum(len(set(kind)) for kind in found)

    def sums(which: int) -> list[int]:
        by_kind = [sum(units(codes[term][which]) for term in set(kind)) for kind in found]
        return [round(total / sqrt(known or 1)) for total in (*by_kind, sum(by_kind))]

    places = slow_places(words, codes)
    stretches = [sum(places[start : start + 10]) for start in range(len(words))]
    limited = sum(max(-2400, min(stretch, 2400)) for stretch in stretches)
    values = [
        *sums(0),
        *(sum(places[-count:]) for count in (15, 40, 80)),
        *(sum(places[:count]) for count in (15, 40)),
        max(stretches, default=0),
        min(stretches, default=0),
        round(limited / (len(words) or 1)),
        *sums(1),
        known,
        round(1000 * sum(map(len, found)) / (len(words) or 1)),
        len(words),
    ]
    return [100_000 + max(-99_999, min(value, 99_999)) for value in values]


def test_these_tests_use_terms_that_the_table_tells_apart() -> None:
    used = every_term((*POOL, "xyzzy"))
    assert [term for term in used if not hash_of(term) >> 24] == []  # a check byte of 0 is that of an empty slot
    assert len(table(dict.fromkeys(used, (1, 1))).checks) == SLOTS


@given(typed_words)
def test_a_terms_hash_is_the_crc_of_its_text_and_a_space(words: list[str]) -> None:
    hashed = hashes(words)
    for kind, named in zip(hashed.by_kind, terms(words), strict=True):
        assert list(kind) == [hash_of(term) for term in named]


@given(typed_words)
def test_terms_are_words_pairs_triples_gaps_and_negated_words(words: list[str]) -> None:
    located = located_terms(words)
    assert terms(words) == [[term for term, _ in kind] for kind in located]
    assert list(hashes(words).negated_at) == [place for _, place in located[KINDS.index("negated")]]


def test_a_gap_stands_for_any_word() -> None:
    assert crc32(b"not * good ") in hashes(["not", "so", "good"]).gaps
    assert hashes(["not", "very", "good"]).gaps == hashes(["not", "so", "good"]).gaps


def test_a_negation_reaches_five_words() -> None:
    assert negated_places(["not", "so", "good"]) == [1, 2]
    assert negated_places(["a", "never", *"bcdefgh"]) == [2, 3, 4, 5, 6]
    assert NEGATION_REACH == 5


@pytest.mark.parametrize("words", [[], ["good"], ["good", "film"], ["good", "not"]])
def test_nothing_is_negated_without_a_negation_before_it(words: list[str]) -> None:
    assert negated_places(words) == []


def test_negations_that_overlap_reach_as_far_as_the_last() -> None:
    assert negated_places(["no", "a", "not", "b", "c", "d", "e", "f", "g"]) == [1, 2, 3, 4, 5, 6, 7]


def test_every_negation_is_one_word_of_the_cleaner() -> None:
    assert all(words_of(negation) == [negation] for negation in NEGATIONS)


@given(some_words, some_tables)
def test_columns_are_what_a_slow_count_gives(words: list[str], codes: Codes) -> None:
    assert table(codes).columns(words) == slow_columns(words, codes)


@given(some_words, some_tables)
def test_places_are_what_a_slow_count_gives(words: list[str], codes: Codes) -> None:
    assert table(codes).by_place(words) == slow_places(words, codes)


def test_no_words_have_all_columns_too_each_at_its_centre() -> None:
    assert table({"good": (100, 100)}).columns([]) == [CENTRE] * len(COLUMNS)
    assert table({"good": (100, 100)}).by_place([]) == []


def test_one_word_speaks_in_every_column_that_it_is_in() -> None:
    columns = table({"good": (30, -20)}).columns(["good"])
    told = dict(zip(COLUMNS, (column - CENTRE for column in columns), strict=True))
    spoken = {name for name in COLUMNS if name.startswith("learned") and told[name]}
    assert spoken == {name for name in COLUMNS if name.startswith("learned")} - {
        f"learned, {kind}" for kind in KINDS if kind != "words"
    }
    assert {told[name] for name in spoken} == {900}
    assert {name: value for name, value in told.items() if name not in spoken and value} == {
        "counted, words": -400,
        "counted, all": -400,
        "known terms, different ones": 1,
        "known terms a thousand words": 1000,
        "words": 1,
    }


def test_a_word_counts_once_in_sums_and_at_every_place_in_stretches() -> None:
    told = dict(zip(COLUMNS, table({"good": (10, 0)}).columns(["good"] * 4), strict=True))
    assert told["learned, words"] == CENTRE + 100
    assert told["learned, first 15 words"] == CENTRE + 400
    assert told["known terms a thousand words"] == CENTRE + 1000


def test_a_negation_turns_what_is_said_of_a_place() -> None:
    codes = {
        "good": (10, 0),
        "not good": (-20, 0),
        "not good film": (3, 0),
        "not * film": (4, 0),
        "not ... good": (-5, 0),
    }
    assert table(codes).by_place(["not", "good", "film"]) == [0, 100 - 400 - 25, 9 + 16]


def test_a_code_stands_for_itself_times_its_size() -> None:
    for code in range(-128, 128):
        assert table({"good": (code, 0)}, slots=256).by_place(["good"]) == [code * abs(code)]


@pytest.mark.parametrize(("code", "extreme"), [(127, 199_999), (-127, 1)])
def test_columns_stay_within_their_bounds_at_the_loudest_weights_and_four_thousand_words(
    code: int, extreme: int
) -> None:
    loudest = table(dict.fromkeys(every_term(), (code, code)))
    words = random.Random(1).choices(POOL, k=4_000)
    columns = loudest.columns(words)
    told = dict(zip(COLUMNS, columns, strict=True))
    assert all(isinstance(column, int) and 1 <= column <= 199_999 for column in columns)
    assert told["learned, all"] == told["counted, all"] == told["learned, last 80 words"] == extreme
    assert told["learned, mean of any 10 words"] == CENTRE + (STRETCH_LIMIT if code > 0 else -STRETCH_LIMIT)
    assert told["words"] == CENTRE + 4_000


@settings(max_examples=30)
@given(some_words, some_tables)
def test_columns_are_whole_numbers_that_are_never_zero(words: list[str], codes: Codes) -> None:
    columns = table(codes).columns(words * 30)
    assert len(columns) == len(COLUMNS)
    assert all(type(column) is int and 1 <= column <= 199_999 for column in columns)


def test_a_term_is_found_where_its_hash_says_and_an_unknown_one_nowhere() -> None:
    held = table({"good": (1, 1)}, slots=256)
    slot = hash_of("good") % 256
    stranger = (hash_of("good") + (1 << 24)) % (1 << 32)  # the same slot, another check byte
    assert held.slots([hash_of("good"), stranger, hash_of("strange")]) == [slot, 0, 0]


def test_slot_0_is_nobodys() -> None:
    held = table({"good": (1, 1)}, slots=256)
    assert held.slots([0, 7 << 24]) == [0, 0]


def test_unknown_terms_say_nothing() -> None:
    columns = table({"good": (100, 100)}).columns(["bad", "film"])
    assert columns == [CENTRE] * (len(COLUMNS) - 1) + [CENTRE + 2]


@pytest.fixture
def held() -> Evidence:
    return table({"good": (100, -3), "bad": (-100, 4)}, slots=64)


def test_the_file_gives_the_same_evidence_back(held: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "evidence.bin"
    path.write_bytes(held.dumps())
    read = evidence_file.load(path)
    assert (read.checks, read.learned, read.counted) == (held.checks, held.learned, held.counted)
    assert read.dumps() == held.dumps()
    assert read.sha256 == held.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_file_begins_with_lines_that_a_person_can_read(held: Evidence) -> None:
    assert held.dumps().split(b"\n\n")[0].decode().splitlines()[0] == "Verdict evidence, format 1"
    assert b"\nslots: 64\n" in held.dumps()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"Verdict evidence, format 1", b"Verdict evidence, format 9"), "begins with 'Verdict evidence, format 9'"),
        ((b"Verdict evidence", b"\xff\x00"), "begins with"),
        ((b"\n", b"\r\n"), "begins with"),
        ((b"cleaner: ", b"cleaner: 9"), "learned for cleaner '9"),
        ((b"slots: 64", b"slots: 32"), "states 32 slots and has 192 bytes: it was cut or edited"),
        ((b"slots: 64\n", b""), "states None slots"),
    ],
)
def test_a_file_whose_header_is_wrong_is_refused_with_the_reason(
    held: Evidence, change: tuple[bytes, bytes], reason: str
) -> None:
    content = held.dumps().replace(*change)
    assert content != held.dumps()
    with pytest.raises(ReleaseError, match=reason):
        parse(content)


@pytest.mark.parametrize("bytes_less", [1, 2, 3, 192])
def test_a_file_that_was_cut_is_refused(held: Evidence, bytes_less: int) -> None:
    with pytest.raises(ReleaseError, match="cut or edited"):
        parse(held.dumps()[:-bytes_less])


def test_a_file_that_goes_on_behind_its_tables_is_refused(held: Evidence) -> None:
    with pytest.raises(ReleaseError, match="cut or edited"):
        parse(held.dumps() + b"\n")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ReleaseError, match="begins with ''"):
        parse(b"")


@pytest.mark.parametrize("slots", [0, 3, 12, 63])
def test_a_file_whose_tables_have_no_power_of_two_slots_is_refused(held: Evidence, slots: int) -> None:
    header = held.dumps().partition(b"\n\n")[0].replace(b"slots: 64", b"slots: %d" % slots)
    with pytest.raises(ReleaseError, match="power of two"):
        parse(header + b"\n\n" + bytes(3 * slots))


@pytest.mark.parametrize("lengths", [(64, 64, 32), (32, 64, 64), (0, 0, 0), (48, 48, 48)])
def test_tables_that_do_not_fit_each_other_are_refused(lengths: tuple[int, int, int]) -> None:
    with pytest.raises(ReleaseError, match="equally long"):
        Evidence(*map(bytes, lengths))


def test_a_file_that_is_absent_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"absent\.bin cannot be read"):
        evidence_file.load(tmp_path / "absent.bin")


@pytest.mark.parametrize(
    "review",
    ["a" * 20_000, "! " * 10_000, "!" * 20_000, "not " * 5_000, "a'" * 10_000, "x" * 10_000 + " not " * 2_000],
    ids=["one word", "marks", "marks without space", "negations", "apostrophes", "long word and negations"],
)
def test_the_longest_text_takes_time_in_proportion_to_its_length(review: str) -> None:
    """A tenth of the text must take at least a fiftieth of the time: super-linear work would fail by far."""
    held = table(dict.fromkeys(every_term(), (50, 50)))

    def seconds(text: str) -> float:
        words = words_of(text)
        started = time.process_time()
        held.columns(words)
        held.by_place(words)
        return time.process_time() - started

    part = max(min(seconds(review[: len(review) // 10]) for _ in range(3)), 1e-3)
    assert seconds(review) < 50 * part
