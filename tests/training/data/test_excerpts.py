import random

from chalicelib.text import sentences
from training.data.excerpts import MAX_SENTENCES, excerpt, excerpts_of

REVIEW = "One is here. Two is here! Is three? Four is here. Five is here."


def sentences_of(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_an_excerpt_has_one_to_three_neighbouring_sentences() -> None:
    whole = sentences_of(REVIEW)
    lengths = range(1, MAX_SENTENCES + 1)
    possible = {tuple(whole[start : start + length]) for length in lengths for start in range(6 - length)}
    found = {tuple(sentences_of(excerpt(REVIEW, random.Random(seed)))) for seed in range(500)}
    assert found == possible
    assert {len(each) for each in found} == {1, 2, 3}


def test_an_excerpt_is_an_unchanged_part_of_the_review() -> None:
    text = "It <b>was</b> fine.<br /><br />But   dull..."
    assert all(excerpt(text, random.Random(seed)) in text for seed in range(50))


def test_the_excerpt_of_a_review_without_sentences_is_all_of_it() -> None:
    assert excerpt("...", random.Random(1)) == "..."


def test_the_excerpt_of_a_single_sentence_is_all_of_it() -> None:
    assert {excerpt("Fine film.", random.Random(seed)) for seed in range(50)} == {"Fine film."}


def test_excerpts_of_a_review_are_always_the_same() -> None:
    """A larger count returns the same excerpts first; reviews with other ids have others."""
    four = excerpts_of("train/pos/17", REVIEW, 4)
    assert four == excerpts_of("train/pos/17", REVIEW, 4)
    assert [excerpts_of("train/pos/17", REVIEW, count) for count in range(5)] == [four[:count] for count in range(5)]
    assert any(excerpts_of(f"train/neg/{number}", REVIEW, 4) != four for number in range(5))
