"""Excerpts: short reviews cut out of long ones, a few neighbouring sentences each, chosen reproducibly.

People type a sentence or two; the labelled reviews have 230 words. An excerpt keeps its review's label, though not
every excerpt shows it, so no model can be right about all of them. Models are trained on excerpts of the training
reviews, and scored on one excerpt of each held-out review.
"""

import random
from collections.abc import Sequence

from chalicelib.text import Span, sentences

MAX_SENTENCES = 3


def excerpt(review: str, generator: random.Random) -> str:
    """Return one to three neighbouring sentences of a review, drawn at random; all of it if it has no more."""
    return _excerpt(review, sentences(review), generator)


def excerpts_of(id_: str, review: str, count: int) -> list[str]:
    """Return excerpts of the review with this id; a larger count gives the same ones first."""
    generator, spans = random.Random(id_), sentences(review)
    return [_excerpt(review, spans, generator) for _ in range(count)]


def _excerpt(review: str, spans: Sequence[Span], generator: random.Random) -> str:
    """Return neighbouring sentences of a review with these spans of sentences."""
    if not spans:
        return review
    length = min(generator.randint(1, MAX_SENTENCES), len(spans))
    first = generator.randint(0, len(spans) - length)
    return review[spans[first].start : spans[first + length - 1].end]
