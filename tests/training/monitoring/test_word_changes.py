import random

import pytest

from training.monitoring.word_changes import changed_words, cosine_similarity

COMMON = [f"w{number}" for number in range(400)]


def reviews(count: int, seed: int, extra: str = "", share: float = 0.0) -> list[list[str]]:
    generator = random.Random(seed)
    return [[*generator.sample(COMMON, 40), *([extra] if generator.random() < share else [])] for _ in range(count)]


def test_a_new_and_a_lost_word_are_found_with_their_counts() -> None:
    old, new = reviews(500, 1, "video", 0.2), reviews(300, 2, "stream", 0.2)
    changes = changed_words(old, new)
    assert [each.word for each in changes.gone] == ["video"]
    assert [each.word for each in changes.come] == ["stream"]
    come = changes.come[0]
    assert come.old == 0
    assert come.new == sum("stream" in review for review in new)
    assert come.new_share == pytest.approx(come.new / 300)


def test_chance_words_are_not_reported() -> None:
    found = [changed_words(reviews(300, 2 * seed), reviews(300, 2 * seed + 1)) for seed in range(10)]
    assert not [each for changes in found for side in changes for each in side]


def test_a_word_in_few_reviews_is_not_reported_though_it_is_new() -> None:
    new = reviews(300, 2)
    for review in new[:5]:
        review.append("rare")
    assert not changed_words(reviews(300, 1), new).come


def test_no_words_are_no_changes() -> None:
    assert changed_words([[]], [[]]) == ([], [])


def test_cosine_similarity_is_one_for_equal_and_zero_for_other_words() -> None:
    assert cosine_similarity([["a", "b"], ["a"]], [["a"], ["b", "a"]]) == pytest.approx(1)
    assert cosine_similarity([["a"]], [["b"]]) == 0
    assert cosine_similarity([["a"]], [[]]) == 0
