"""The measurement of explanations, on reviews written for it; the floor on real ones is in docs/reference."""

import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.explanations import FLOOR, Support, measure, report, support_of
from chalicelib import release
from chalicelib.explanation import Explanation, InfluentialWord, Sentence
from chalicelib.sentiment import Verdict
from chalicelib.text import Span
from training.data.archive import read_archive
from training.project import ROOT

REVIEWS = (
    "I watched it with my brother on a Sunday. It was a complete waste of time. The acting is terrible and the jokes "
    "are not funny. I would not recommend it to anyone.",
    "My family saw this one twice. A wonderful story with excellent acting. I loved every minute of it. The ending is "
    "perfect.",
    "The worst film I have seen this year.",
    "One of the best films I have ever seen.",
)


def verdict_of(label: str, sentence_score: float, word: str, sentence_effect: float) -> Verdict:
    explanation = Explanation(
        (Sentence("", 0, 9, sentence_score, None),),
        (InfluentialWord(word, (Span(0, 9),), None, sentence_effect, 0),),
    )
    return Verdict(label, 0.5, 1.0, True, (), explanation)


@pytest.mark.parametrize(
    ("verdict", "sentence", "word"),
    [
        (verdict_of("positive", 0.75, "good", 0.06), True, True),
        (verdict_of("positive", 0.25, "good", -0.06), False, False),
        (verdict_of("negative", 0.25, "bad", -0.06), True, True),
        (verdict_of("negative", 0.35, "the", -0.06), False, False),
        (verdict_of("negative", 0.25, "bad", -0.04), True, False),
    ],
)
def test_support_is_on_the_verdicts_side_and_large_enough(verdict: Verdict, sentence: bool, word: bool) -> None:
    assert support_of(verdict) == Support(sentence, word, mixed=False)


def test_a_verdict_that_is_not_sure_is_not_counted() -> None:
    assert support_of(verdict_of("not sure", 0.75, "good", 0.06)) is None


def test_the_explanations_of_clear_reviews_support_their_verdicts() -> None:
    supports = measure(REVIEWS, release.load())
    assert len(supports) == len(REVIEWS)
    assert all(support.sentence and support.word for support in supports)
    assert "With both: 100.0%; floor: 95%; met: yes" in report(supports)


@pytest.mark.needs_archive
def test_the_floor_is_met_on_reviews_of_the_archive(archive: Path) -> None:
    reviews = (review.text for review in read_archive(archive).reviews if review.split == "test")
    supports = measure(islice(reviews, 0, None, 500), release.load())
    assert sum(support.sentence and support.word for support in supports) >= FLOOR * len(supports)


def test_the_command_needs_an_archive() -> None:
    command = [sys.executable, "-m", "benchmarks.explanations"]
    run = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert re.search("--archive aclImdb_v1.tar.gz", run.stderr)
