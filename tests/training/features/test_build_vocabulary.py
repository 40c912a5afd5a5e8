import math
from collections import Counter
from pathlib import Path

import pytest

from chalicelib.text import words
from training.data.reviews import REVIEWS_NAME, DataError, read
from training.data.splits import assign
from training.features.build_vocabulary import MIN_REVIEWS, WordCounts, adjectives, build_vocabulary
from training.features.extract import extract


@pytest.mark.parametrize("with_ngrams", [True, False])
def test_word_counts_equal_a_plain_count_over_training_reviews(small_data: Path, with_ngrams: bool) -> None:
    path = small_data / REVIEWS_NAME
    splits = assign(path)
    plain: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for review in read(path):
        if splits.is_training(review):
            plain[review.label].update(set(words(review.text)))
    counts = extract(small_data, splits, with_ngrams).word_counts
    assert counts.words == plain
    assert sum(counts.reviews) == sum(splits.is_training(review) for review in read(path)) == 300


def test_the_most_frequent_words_are_chosen_whatever_their_label() -> None:
    negative = Counter({"the": 90, "bad": 30, "film": 40, "dull": 6})
    positive = Counter({"the": 90, "bad": 5, "film": 40, "fine": 50, "dull": 6})
    counts = WordCounts((negative, positive), [100, 100])
    swapped = WordCounts((positive, negative), [100, 100])
    assert build_vocabulary(counts, size=3).terms == build_vocabulary(swapped, size=3).terms == ("film", "fine", "the")


def test_equally_frequent_words_are_chosen_in_alphabetical_order() -> None:
    counts = WordCounts((Counter({"b": 9, "c": 4}), Counter({"a": 9, "c": 5})), [10, 10])
    assert build_vocabulary(counts, size=2).terms == ("a", "b")


def test_a_word_in_too_few_reviews_is_not_chosen() -> None:
    counts = WordCounts((Counter({"often": 2, "seldom": 2}), Counter({"often": 3, "seldom": 2})), [10, 10])
    assert MIN_REVIEWS == 5
    assert build_vocabulary(counts).terms == ("often",)


def test_a_weight_is_the_smoothed_log_odds() -> None:
    vocabulary = build_vocabulary(WordCounts((Counter({"bad": 29}), Counter({"bad": 4})), [100, 200]))
    assert vocabulary.weights == (pytest.approx(math.log(5 / 200) - math.log(30 / 100)),)


def test_reviews_without_a_frequent_word_are_refused() -> None:
    with pytest.raises(DataError, match="No word"):
        build_vocabulary(WordCounts(reviews=[3, 3]))


def test_adjectives_are_the_strongest_words_after_an_intensifier() -> None:
    counts = WordCounts()
    for label, word in ((1, "superb"), (1, "moving"), (0, "dull"), (0, "awful")):
        for _ in range(12):
            counts.count(label, ["a", "very", word, "film"])
    for _ in range(5):
        counts.count(1, ["very", "rare"])
    for _ in range(20):
        counts.count(0, ["a", "waste"])
    praise, blame = adjectives(counts)
    assert sorted(praise) == ["moving", "superb"]
    assert sorted(blame) == ["awful", "dull"]
