"""Tests of negation scopes: which words of a text a negation reverses."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import negation
from chalicelib.negation import REACH, negated_positions
from chalicelib.text import words as words_of

POOL = ("not", "never", "without", "no", "good", "but", "more", "i", "far", "from", "enough", "can't", "!")


def scoped(text: str) -> str:
    """Return the words of a text, with those that a negation reverses in upper case."""
    words = words_of(text)
    inside = set(negated_positions(words))
    return " ".join(word.upper() if position in inside else word for position, word in enumerate(words))


@pytest.mark.parametrize(
    "expected",
    [
        "it is not GOOD",
        "i didnt LIKE IT",
        "not A SINGLE LAUGH IN THE whole film",  # five words
        "it lacks CHARM",
        "far from PERFECT",
        "a long way from GREAT",
        "anything but DULL",
        "the opposite of FUNNY",
        "it could have been GREAT",
        "should've been BETTER",
        "i wanted TO LOVE IT",
        "free of CLICHES",
    ],
)
def test_a_negation_reverses_the_words_after_it(expected: str) -> None:
    assert scoped(expected.lower()) == expected


@pytest.mark.parametrize(
    "expected",
    [
        "not GOOD but fun",
        "not GOOD however fun",
        "not GOOD ! great",
        "it isn't FUNNY it's sad",
        "nothing WORKS i left",
        "not GOOD not BAD",
        "i don't THINK IT'S GOOD",  # the clause is what is denied
    ],
)
def test_a_scope_ends_at_a_contrast_a_mark_or_a_new_clause(expected: str) -> None:
    assert scoped(expected.lower()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "not only funny",
        "not to mention funny",
        "no doubt the best",
        "without a doubt the best",
        "nothing short of superb",
        "can't wait for more",
        "i can't recommend it enough",
        "it couldn't be better",
        "never been so moved",
        "i haven't laughed this much",
        "there is no funnier film",
        "it doesn't get any better",
        "far away",
        "anything goes",
    ],
)
def test_a_negation_that_only_emphasizes_has_no_scope(text: str) -> None:
    assert scoped(text) == text


@pytest.mark.parametrize("expected", ["not WITHOUT charm", "it never FAILS to amuse", "no SHORTAGE of laughs"])
def test_an_absence_inside_a_scope_reverses_again(expected: str) -> None:
    assert scoped(expected.lower()) == expected


@pytest.mark.parametrize("expected", ["no BETTER THAN THE FIRST", "it isn't ANY BETTER"])
def test_a_comparison_is_no_emphasis(expected: str) -> None:
    assert scoped(expected.lower()) == expected


@given(st.lists(st.sampled_from(POOL), max_size=40))
def test_positions_are_sorted_and_within_reach_of_a_cue(words: list[str]) -> None:
    positions = negated_positions(words)
    assert positions == sorted(set(positions))
    for position in positions:
        assert {"not", "never", "without", "no", "from", "can't"} & set(words[max(position - REACH, 0) : position])


def test_the_cleaner_reads_every_cue_as_one_word() -> None:
    cues = negation.NEGATORS | negation.ABSENCES
    assert all(words_of(cue) == [cue] for cue in cues)


@pytest.mark.parametrize("word", ["not", "without", "far", "never so", "can't enough", "no more"])
def test_run_time_is_linear_in_the_number_of_cues(word: str) -> None:
    """A tenth of the text must take at least a fiftieth of the time."""

    def seconds(count: int) -> float:
        words = f"{word} ".split() * count
        started = time.process_time()
        negated_positions(words)
        return time.process_time() - started

    assert seconds(20_000) < 50 * max(min(seconds(2_000) for _ in range(3)), 1e-3)
