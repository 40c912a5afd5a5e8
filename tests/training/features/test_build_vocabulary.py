import math
from collections import Counter

import pytest

from chalicelib.text import words
from training.data.reviews import REVIEWS_NAME, DataError, read
from training.data.splits import assign
from training.features.build_vocabulary import LEAST_REVIEWS, Occurrence, choose, count_words


def test_counts_are_those_of_a_plain_count_over_what_may_be_learned_from(small_data):
    path = small_data / REVIEWS_NAME
    splits = assign(path)
    plain = (Counter(), Counter())
    for review in read(path):
        if splits.learns(review):
            plain[review.label].update(set(words(review.text)))
    counted = count_words(path, splits)
    assert counted.words == plain
    assert sum(counted.reviews) == sum(splits.learns(review) for review in read(path)) == 300


def test_the_words_of_most_reviews_are_chosen_whatever_their_label():
    negative = Counter({"the": 90, "bad": 30, "film": 40, "dull": 6})
    positive = Counter({"the": 90, "bad": 5, "film": 40, "fine": 50, "dull": 6})
    occurrence = Occurrence((negative, positive), [100, 100])
    swapped = Occurrence((positive, negative), [100, 100])
    assert choose(occurrence, size=3).terms == choose(swapped, size=3).terms == ("film", "fine", "the")


def test_of_words_in_as_many_reviews_the_first_of_the_alphabet_is_chosen():
    counted = Occurrence((Counter({"b": 9, "c": 4}), Counter({"a": 9, "c": 5})), [10, 10])
    assert choose(counted, size=2).terms == ("a", "b")


def test_a_word_of_too_few_reviews_is_not_chosen():
    counted = Occurrence((Counter({"often": 2, "seldom": 2}), Counter({"often": 3, "seldom": 2})), [10, 10])
    assert LEAST_REVIEWS == 5
    assert choose(counted).terms == ("often",)


def test_a_weight_is_the_smoothed_log_odds():
    vocabulary = choose(Occurrence((Counter({"bad": 29}), Counter({"bad": 4})), [100, 200]))
    assert vocabulary.weights == (pytest.approx(math.log(5 / 200) - math.log(30 / 100)),)


def test_nothing_frequent_is_said():
    with pytest.raises(DataError, match="too few to learn from"):
        choose(Occurrence(reviews=[3, 3]))
