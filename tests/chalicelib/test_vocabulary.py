from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import vocabulary as vocabulary_file
from chalicelib.errors import ReleaseError
from chalicelib.vocabulary import Vocabulary, parse

TERMS = ("bad", "good", "not", "not good", "not good at")


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(TERMS, (-1.5, 1.25, -0.5, -2.0, -2.25))


def test_a_row_names_its_terms_between_the_constants(vocabulary: Vocabulary) -> None:
    assert vocabulary.row(["not", "good", "at", "all", "good"]) == "0:1 2:1 3:1 4:1 5:1 6:1"


def test_a_row_without_terms_still_has_both_constants(vocabulary: Vocabulary) -> None:
    assert vocabulary.row([]) == "0:1 6:1"


@given(st.lists(st.sampled_from(["bad", "good", "not", "at", "other"]), max_size=12))
def test_columns_are_those_of_the_terms_that_occur(words: list[str]) -> None:
    vocabulary = Vocabulary(TERMS, [0.0] * len(TERMS))
    text = f" {' '.join(words)} "
    assert vocabulary.columns(words) == [column for column, term in enumerate(TERMS, 1) if f" {term} " in text]


def test_a_term_of_three_words_counts_where_its_first_two_are_no_term() -> None:
    vocabulary = Vocabulary(["bad", "one of the"], [0.0, 0.0])
    assert vocabulary.columns(["one", "of", "the", "bad", "of", "one"]) == [1, 2]


def test_known_share_counts_single_words(vocabulary: Vocabulary) -> None:
    assert vocabulary.known_share(["good", "at", "bad", "all"]) == 0.5
    assert vocabulary.known_share([]) == 0.0


def test_weight_of_an_unknown_term_is_zero(vocabulary: Vocabulary) -> None:
    assert (vocabulary.weight("bad"), vocabulary.weight("strange")) == (-1.5, 0.0)


def test_the_file_gives_the_same_vocabulary_back(vocabulary: Vocabulary, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_text(vocabulary.dumps(), encoding="utf-8")
    read = vocabulary_file.load(path)
    assert (read.terms, read.weights) == (vocabulary.terms, vocabulary.weights)
    assert read.fingerprint == vocabulary.fingerprint


def test_the_fingerprint_depends_on_every_term_and_on_their_order(vocabulary: Vocabulary) -> None:
    others = [TERMS[:-1], TERMS[::-1], (*TERMS[:-1], "not good as")]
    fingerprints = {Vocabulary(terms, [0.0] * len(terms)).fingerprint for terms in others}
    assert len(fingerprints | {vocabulary.fingerprint}) == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("Verdict vocabulary, format 1", "Verdict vocabulary, format 9"), "begins with"),
        (("cleaner: ", "cleaner: 9"), "cleaner"),
        (("encoding: presence", "encoding: counts"), "encoding"),
        (("terms: 5", "terms: 6"), "cut or edited"),
        (("bad\t-1.50\n", ""), "cut or edited"),
        (("bad\t-1.50", "bad -1.50"), "line 6"),
        (("bad\t", "good\t"), "twice"),
        (("not good at\t-2.25\n", "not good at\t-2.25"), "cut or edited"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_the_reason(
    vocabulary: Vocabulary, change: tuple[str, str], reason: str
) -> None:
    text = vocabulary.dumps().replace(*change)
    assert text != vocabulary.dumps()
    with pytest.raises(ReleaseError, match=reason):
        parse(text)


def test_an_empty_vocabulary_is_refused() -> None:
    with pytest.raises(ReleaseError, match="no terms"):
        Vocabulary((), ())


def test_weights_must_be_as_many_as_terms() -> None:
    with pytest.raises(ReleaseError, match="2 terms but 1 weights"):
        Vocabulary(("a", "b"), (0.0,))


def test_a_file_that_is_absent_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be read"):
        vocabulary_file.load(tmp_path / "absent.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ReleaseError, match="cannot be read"):
        vocabulary_file.load(tmp_path / "latin.txt")
