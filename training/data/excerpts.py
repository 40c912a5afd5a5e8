"""Short reviews out of long ones: a few neighbouring sentences, always the same ones.

People type a sentence or two; the labelled reviews have 230 words. A crop keeps its review's label, though not every
crop shows it: nobody could be right about all of them. Models learn from crops of the reviews they may learn from, and
are judged on one crop of each review that was held out.
"""

import random

from chalicelib.text import sentences

LONGEST = 3  # sentences


def crop(review: str, chance: random.Random) -> str:
    """Return one to three neighbouring sentences of a review, from anywhere in it; all of it where it has no more."""
    spans = sentences(review)
    if not spans:
        return review
    length = min(chance.randint(1, LONGEST), len(spans))
    first = chance.randint(0, len(spans) - length)
    return review[spans[first].start : spans[first + length - 1].end]


def excerpts_of(id_: str, review: str, count: int) -> list[str]:
    """Return so many crops of the review with this id: the first ones are the same for every count."""
    chance = random.Random(id_)
    return [crop(review, chance) for _ in range(count)]
