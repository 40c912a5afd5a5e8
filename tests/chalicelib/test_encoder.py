from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import encoder as encoder_module
from chalicelib.encoder import ENCODING, Encoder
from chalicelib.ngram_features import COLUMNS, NgramTable
from chalicelib.vocabulary import Vocabulary
from simulator.container.serving import parse_libsvm
from training.evaluation.predictions import matrix

TERMS = ("bad", "film", "good", "not")
SLOTS = 1 << 12


def make_table(word: str = "good", review_weight: int = 100, sentence_weight: int = 50, ratio: int = 9) -> NgramTable:
    """Create a table of one word, given its codes."""
    parts = [bytearray(SLOTS) for _ in range(4)]
    hashed = crc32(f"{word} ".encode())
    for part, value in zip(parts, (hashed >> 24, review_weight, sentence_weight, ratio), strict=True):
        part[hashed % SLOTS] = value % 256
    return NgramTable(*map(bytes, parts))


def make_encoder(terms: tuple[str, ...] = TERMS, table: NgramTable | None = None) -> Encoder:
    return Encoder(Vocabulary(terms, [0.5] * len(terms)), table or make_table())


def encoder_of_words(terms: tuple[str, ...] = TERMS) -> Encoder:
    """Create an encoder without an n-gram table."""
    return Encoder(Vocabulary(terms, [0.5] * len(terms)), None)


some_words = st.lists(st.sampled_from([*TERMS, "so", "other"]), max_size=40)


def test_a_row_has_a_constant_words_ngram_features_and_a_constant() -> None:
    words = ["not", "so", "good", "good"]
    derived = " ".join(f"{5 + i}:{value}" for i, value in enumerate(make_table().columns(words)))
    assert make_encoder().row(words) == f"0:1 3:1 4:1 {derived} {5 + len(COLUMNS)}:1"


def test_a_row_without_words_has_the_ngram_features_and_constants() -> None:
    derived = " ".join(f"{5 + i}:100000" for i in range(len(COLUMNS)))
    assert make_encoder().row([]) == f"0:1 {derived} {5 + len(COLUMNS)}:1"


def test_a_row_without_an_ngram_table_has_the_words_alone() -> None:
    assert encoder_of_words().row(["not", "good", "at", "all", "good"]) == "0:1 3:1 4:1 5:1"
    assert encoder_of_words().row([]) == "0:1 5:1"


@pytest.mark.parametrize(("encoder", "columns"), [(make_encoder(), 6 + len(COLUMNS)), (encoder_of_words(), 6)])
def test_every_row_ends_with_the_last_column(encoder: Encoder, columns: int) -> None:
    assert encoder.columns == encoder.last_column + 1 == columns
    assert encoder.first_derived == 1 + len(TERMS)
    for words in ([], ["good"], ["strange"], list(TERMS)):
        row = encoder.row(words)
        assert row.startswith("0:1 ")
        assert row.endswith(f" {encoder.last_column}:1")


@given(some_words)
def test_columns_are_sorted_and_unique(words: list[str]) -> None:
    columns = [int(field.partition(":")[0]) for field in make_encoder().row(words).split(" ")]
    assert columns == sorted(set(columns))


@given(some_words)
def test_ngram_features_are_always_present_and_never_zero(words: list[str]) -> None:
    encoder = make_encoder()
    value_of = dict(field.split(":") for field in encoder.row(words).split(" "))
    derived = [int(value_of[str(column)]) for column in range(encoder.first_derived, encoder.last_column)]
    assert derived == make_table().columns(words)
    assert all(derived)


@given(st.lists(some_words, min_size=1, max_size=5))
def test_the_container_and_training_read_the_same_matrix(reviews: list[list[str]]) -> None:
    encoder = make_encoder()
    rows = [encoder.row(words) for words in reviews]
    expected = [
        [1, *(int(term in words) for term in TERMS), *make_table().columns(words), 1]  # absent columns read as 0
        for words in reviews
    ]
    assert parse_libsvm("\n".join(rows)).toarray().tolist() == expected
    assert matrix(rows, encoder.columns).toarray().tolist() == expected


def test_the_fingerprint_is_twelve_stable_hexadecimal_digits() -> None:
    assert make_encoder().fingerprint == make_encoder().fingerprint
    assert len(make_encoder().fingerprint) == 12
    assert set(make_encoder().fingerprint) <= set("0123456789abcdef")


def test_the_fingerprint_depends_on_words_their_order_and_the_ngram_table() -> None:
    others = [
        make_encoder(TERMS[:-1]),
        make_encoder(TERMS[::-1]),
        make_encoder((*TERMS[:-1], "nor")),
        make_encoder(table=make_table("bad")),
        make_encoder(table=make_table(review_weight=101)),
        make_encoder(table=make_table(sentence_weight=51)),
        make_encoder(table=make_table(ratio=10)),
        encoder_of_words(),
    ]
    assert len({encoder.fingerprint for encoder in (make_encoder(), *others)}) == 1 + len(others)


def test_the_fingerprint_depends_on_the_cleaner(monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_encoder().fingerprint
    monkeypatch.setattr(encoder_module, "CLEANER_VERSION", 99)
    assert make_encoder().fingerprint != before


def test_the_fingerprint_does_not_depend_on_the_words_weights() -> None:
    """No row depends on them."""
    other = Encoder(Vocabulary(TERMS, [-3.0] * len(TERMS)), make_table())
    assert other.fingerprint == make_encoder().fingerprint


def test_the_encoding_states_the_number_of_ngram_features() -> None:
    assert f"{len(COLUMNS)} n-gram columns" in ENCODING


def test_word_weights_come_from_the_ngram_table() -> None:
    encoder = make_encoder(table=make_table(sentence_weight=-20))
    assert encoder.word_weights(["good", "film", "good"]) == [400.0, 0.0, 400.0]


def test_word_weights_come_from_the_vocabulary_without_a_table() -> None:
    encoder = Encoder(Vocabulary(("bad", "good"), (-1.5, 1.25)), None)
    assert encoder.word_weights(["good", "strange", "bad"]) == [1.25, 0.0, 1.5]


def test_a_word_with_a_column_or_a_weight_is_known() -> None:
    encoder = make_encoder(("film",), make_table("superb"))
    assert encoder.known_share(["film", "superb", "zxcv", "zxcv"]) == 0.5
    assert encoder.known_share([]) == 0.0
    assert encoder_of_words().known_share(["good", "zxcv"]) == 0.5
