import math
from collections import Counter

import pytest

from chalicelib.text import words
from training.reviews import REVIEWS_NAME, DataError, read
from training.splits import assign
from training.terms import LEAST_REVIEWS, Occurrence, choose, count_terms


def runs_of(found: list[str]) -> list[str]:
    """Return every run of one to three neighbouring words."""
    return [" ".join(found[start : start + length]) for length in (1, 2, 3) for start in range(len(found) + 1 - length)]


def test_counts_are_those_of_a_plain_count_over_the_train_split(small_data):
    path = small_data / REVIEWS_NAME
    splits = assign(path)
    plain = (Counter(), Counter())
    for review in read(path):
        if splits.of(review) == "train":
            plain[review.label].update(set(runs_of(words(review.text))))
    counted = count_terms(path, splits)
    frequent = {term for term in plain[0] | plain[1] if plain[0][term] + plain[1][term] >= LEAST_REVIEWS}
    for label in (0, 1):
        assert counted.terms[label] == {term: n for term, n in plain[label].items() if term in frequent}
    assert sum(counted.reviews) == sum(splits.of(review) == "train" for review in read(path))


def test_frequent_words_come_first_then_the_most_telling_terms():
    negative = Counter({"the": 90, "rare": 5, "bad": 30, "a bad": 25, "film": 40})
    positive = Counter({"the": 90, "rare": 5, "bad": 5, "a bad": 1, "film": 40})
    assert choose(Occurrence((negative, positive), [100, 100]), size=3, frequent_words=1).terms == (
        "a bad",
        "bad",
        "the",
    )


def test_a_weight_is_the_smoothed_log_odds():
    vocabulary = choose(Occurrence((Counter({"bad": 29}), Counter({"bad": 4})), [100, 200]))
    assert vocabulary.weights == (pytest.approx(math.log(5 / 200) - math.log(30 / 100)),)


def test_nothing_frequent_is_said():
    with pytest.raises(DataError, match="too few to learn from"):
        choose(Occurrence(reviews=[3, 3]))
