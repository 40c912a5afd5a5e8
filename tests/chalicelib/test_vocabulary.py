from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import vocabulary as vocabulary_file
from chalicelib.errors import ReleaseError
from chalicelib.vocabulary import Vocabulary, parse

TERMS = ("bad", "film", "good", "not", "so")


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(TERMS, (-1.5, 0.0, 1.25, -0.5, 0.1))


@given(st.lists(st.sampled_from([*TERMS, "at", "other"]), max_size=12))
def test_columns_are_sorted_and_unique(words: list[str]) -> None:
    columns = Vocabulary(TERMS, [0.0] * len(TERMS)).columns(words)
    assert columns == [column for column, term in enumerate(TERMS, 1) if term in words]


def test_pairs_of_words_are_not_terms(vocabulary: Vocabulary) -> None:
    assert vocabulary.columns(["notgood", "not good"]) == []


def test_known_share_counts_every_occurrence(vocabulary: Vocabulary) -> None:
    assert vocabulary.known_share(["good", "at", "good", "all"]) == 0.5
    assert vocabulary.known_share([]) == 0.0


def test_a_vocabulary_contains_only_its_words(vocabulary: Vocabulary) -> None:
    assert (len(vocabulary), "bad" in vocabulary, "strange" in vocabulary) == (5, True, False)


def test_the_weight_of_an_unknown_term_is_zero(vocabulary: Vocabulary) -> None:
    assert (vocabulary.weight("bad"), vocabulary.weight("strange")) == (-1.5, 0.0)


def test_a_vocabulary_file_reads_back_unchanged(vocabulary: Vocabulary, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_text(vocabulary.dumps(), encoding="utf-8")
    read = vocabulary_file.load(path)
    assert (read.terms, read.weights) == (vocabulary.terms, vocabulary.weights)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("Verdict vocabulary, format 2", "Verdict vocabulary, format 1"), "begins with"),
        (("cleaner: ", "cleaner: 9"), "cleaner"),
        (("terms: 5", "terms: 6"), "cut or edited"),
        (("bad\t-1.50\n", ""), "cut or edited"),
        (("bad\t-1.50", "bad -1.50"), "line 5"),
        (("bad\t", "good\t"), "twice"),
        (("so\t+0.10\n", "so\t+0.10"), "cut or edited"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(
    vocabulary: Vocabulary, change: tuple[str, str], reason: str
) -> None:
    text = vocabulary.dumps().replace(*change)
    assert text != vocabulary.dumps()
    with pytest.raises(ReleaseError, match=reason):
        parse(text)


def test_an_empty_vocabulary_is_refused() -> None:
    with pytest.raises(ReleaseError, match="no terms"):
        Vocabulary((), ())


def test_terms_and_weights_must_have_one_length() -> None:
    with pytest.raises(ReleaseError, match="2 terms but 1 weights"):
        Vocabulary(("a", "b"), (0.0,))


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be read"):
        vocabulary_file.load(tmp_path / "absent.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ReleaseError, match="cannot be read"):
        vocabulary_file.load(tmp_path / "latin.txt")
