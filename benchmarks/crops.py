"""Short reviews out of long ones: a few neighbouring sentences of each, always the same ones.

A crop keeps its review's label, though not every crop shows it: nobody could be right about all of them.
"""

import random
from collections.abc import Iterable

from chalicelib.text import sentences

LONGEST = 3  # sentences
_SEED = 1


def crop(review: str, chance: random.Random) -> str:
    """Return one to three neighbouring sentences of a review, from anywhere in it; all of it where it has no more."""
    spans = sentences(review)
    if not spans:
        return review
    length = min(chance.randint(1, LONGEST), len(spans))
    first = chance.randint(0, len(spans) - length)
    return review[spans[first].start : spans[first + length - 1].end]


def crops(reviews: Iterable[str]) -> list[str]:
    """Crop each review once; the same reviews in the same order give the same crops."""
    chance = random.Random(_SEED)
    return [crop(review, chance) for review in reviews]
