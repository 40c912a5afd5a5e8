"""The reviews that are measured with: real ones of about 230 words, the official set's average, or made-up ones."""

import random
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

from chalicelib.vocabulary import Vocabulary
from training.data.archive import read_archive

WORDS = 230
_NEAR = range(WORDS - 10, WORDS + 11)
_SEED = 1
_SKEW = 1.07  # how much more often the commoner words come; about 130 different ones a review, as in real ones


@dataclass(frozen=True)
class Sample:
    """Reviews of about 230 words, and where they are from."""

    texts: tuple[str, ...]
    source: str


def sample(archive: Path | None, vocabulary: Vocabulary, count: int) -> Sample:
    """Take the first reviews of 220 to 240 words in the archive, or make some up where there is no archive."""
    if archive is None:
        return Sample(_made_up(vocabulary, count), "made up of the vocabulary's words")
    fitting = (review.text for review in read_archive(archive) if len(review.text.split()) in _NEAR)
    return Sample(tuple(islice(fitting, count)), f"real ones, of {archive.name}")


def _made_up(vocabulary: Vocabulary, count: int) -> tuple[str, ...]:
    """Write reviews of sentences of words; some come far more often than others, as in real reviews (Zipf's law)."""
    chance = random.Random(_SEED)
    words = chance.sample(vocabulary.terms, len(vocabulary))
    frequencies = list(accumulate(rank**-_SKEW for rank in range(1, len(words) + 1)))
    reviews = []
    for _ in range(count):
        drawn = chance.choices(words, cum_weights=frequencies, k=WORDS)
        sentences = (" ".join(drawn[start : start + 5]).capitalize() + "." for start in range(0, WORDS, 5))
        reviews.append(" ".join(" ".join(sentences).split()[:WORDS]))
    return tuple(reviews)
