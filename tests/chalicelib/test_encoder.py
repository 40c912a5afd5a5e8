from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import encoder as encoder_module
from chalicelib.encoder import ENCODING, Encoder
from chalicelib.ngram_features import COLUMNS, Evidence
from chalicelib.vocabulary import Vocabulary
from simulator.container.serving import parse_libsvm
from training.evaluation.predictions import matrix

TERMS = ("bad", "film", "good", "not")
SLOTS = 1 << 12


def evidence(term: str = "good", learned: int = 100, counted: int = 50) -> Evidence:
    """Make a table of one term."""
    tables = [bytearray(SLOTS) for _ in range(3)]
    hashed = crc32(f"{term} ".encode())
    for table, value in zip(tables, (hashed >> 24, learned, counted), strict=True):
        table[hashed % SLOTS] = value % 256
    return Evidence(*map(bytes, tables))


def encoder(terms: tuple[str, ...] = TERMS, table: Evidence | None = None) -> Encoder:
    return Encoder(Vocabulary(terms, [0.5] * len(terms)), table or evidence())


def without_evidence(terms: tuple[str, ...] = TERMS) -> Encoder:
    return Encoder(Vocabulary(terms, [0.5] * len(terms)), None)


some_words = st.lists(st.sampled_from([*TERMS, "so", "other"]), max_size=40)


def test_a_row_is_a_constant_the_words_the_evidence_and_a_constant() -> None:
    made = encoder()
    derived = " ".join(f"{5 + i}:{value}" for i, value in enumerate(evidence().columns(["not", "so", "good", "good"])))
    assert made.row(["not", "so", "good", "good"]) == f"0:1 3:1 4:1 {derived} {5 + len(COLUMNS)}:1"


def test_a_row_without_words_still_has_the_evidence_and_both_constants() -> None:
    derived = " ".join(f"{5 + i}:100000" for i in range(len(COLUMNS)))
    assert encoder().row([]) == f"0:1 {derived} {5 + len(COLUMNS)}:1"


def test_a_row_without_evidence_has_the_words_alone() -> None:
    assert without_evidence().row(["not", "good", "at", "all", "good"]) == "0:1 3:1 4:1 5:1"
    assert without_evidence().row([]) == "0:1 5:1"


@pytest.mark.parametrize(("made", "columns"), [(encoder(), 6 + len(COLUMNS)), (without_evidence(), 6)])
def test_the_last_column_closes_every_row(made: Encoder, columns: int) -> None:
    assert made.columns == made.last_column + 1 == columns
    assert made.first_derived == 1 + len(TERMS)
    for words in ([], ["good"], ["strange"], list(TERMS)):
        row = made.row(words)
        assert row.startswith("0:1 ")
        assert row.endswith(f" {made.last_column}:1")


@given(some_words)
def test_columns_come_in_order_and_once_each(words: list[str]) -> None:
    columns = [int(field.partition(":")[0]) for field in encoder().row(words).split(" ")]
    assert columns == sorted(set(columns))


@given(some_words)
def test_the_evidence_is_always_there_and_never_zero(words: list[str]) -> None:
    made = encoder()
    value_of = dict(field.split(":") for field in made.row(words).split(" "))
    derived = [int(value_of[str(column)]) for column in range(made.first_derived, made.last_column)]
    assert derived == evidence().columns(words)
    assert all(derived)


@given(st.lists(some_words, min_size=1, max_size=5))
def test_rows_read_as_the_container_and_training_read_them_hold_what_was_meant(reviews: list[list[str]]) -> None:
    made = encoder()
    rows = [made.row(words) for words in reviews]
    expected = [
        [1, *(int(term in words) for term in TERMS), *evidence().columns(words), 1]  # what is not named reads as 0
        for words in reviews
    ]
    assert parse_libsvm("\n".join(rows)).toarray().tolist() == expected
    assert matrix(rows, made.columns).toarray().tolist() == expected


def test_the_fingerprint_is_twelve_digits_that_stay_the_same() -> None:
    assert encoder().fingerprint == encoder().fingerprint
    assert len(encoder().fingerprint) == 12
    assert set(encoder().fingerprint) <= set("0123456789abcdef")


def test_the_fingerprint_depends_on_every_word_on_their_order_and_on_the_evidence() -> None:
    others = [
        encoder(TERMS[:-1]),
        encoder(TERMS[::-1]),
        encoder((*TERMS[:-1], "nor")),
        encoder(table=evidence("bad")),
        encoder(table=evidence(learned=101)),
        encoder(table=evidence(counted=51)),
        without_evidence(),
    ]
    assert len({made.fingerprint for made in (encoder(), *others)}) == 1 + len(others)


def test_the_fingerprint_depends_on_the_cleaner(monkeypatch: pytest.MonkeyPatch) -> None:
    before = encoder().fingerprint
    monkeypatch.setattr(encoder_module, "CLEANER_VERSION", 99)
    assert encoder().fingerprint != before


def test_the_fingerprint_does_not_depend_on_weights_that_no_row_has() -> None:
    other = Encoder(Vocabulary(TERMS, [-3.0] * len(TERMS)), evidence())
    assert other.fingerprint == encoder().fingerprint


def test_the_encoding_says_how_many_columns_the_evidence_has() -> None:
    assert f"{len(COLUMNS)} columns of evidence" in ENCODING


def test_a_word_is_as_strong_as_the_evidence_where_it_stands() -> None:
    assert encoder(table=evidence(learned=-20)).strengths(["good", "film", "good"]) == [400.0, 0.0, 400.0]


def test_a_word_is_as_strong_as_its_weight_where_there_is_no_evidence() -> None:
    made = Encoder(Vocabulary(("bad", "good"), (-1.5, 1.25)), None)
    assert made.strengths(["good", "strange", "bad"]) == [1.25, 0.0, 1.5]
