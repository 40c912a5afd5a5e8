"""Sample reviews of about 230 words, the official set's average: real or synthetic."""

import random
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

from chalicelib.vocabulary import Vocabulary
from training.data.archive import read_archive

WORDS = 230
_NEAR = range(WORDS - 10, WORDS + 11)
_SEED = 1
_ZIPF_EXPONENT = 1.07  # gives about 130 different words per review, as in real reviews


@dataclass(frozen=True)
class ReviewSample:
    """Reviews of about 230 words, and a description of their source."""

    texts: tuple[str, ...]
    source: str


def sample_reviews(archive: Path | None, vocabulary: Vocabulary, count: int) -> ReviewSample:
    """Return the first reviews of 220 to 240 words in the archive, or synthetic reviews without an archive."""
    if archive is None:
        return ReviewSample(_synthetic(vocabulary, count), "synthetic, from the vocabulary's words")
    fitting = (review.text for review in read_archive(archive).reviews if len(review.text.split()) in _NEAR)
    return ReviewSample(tuple(islice(fitting, count)), f"from {archive.name}")


def _synthetic(vocabulary: Vocabulary, count: int) -> tuple[str, ...]:
    """Return reviews of random words, whose frequencies follow Zipf's law as in real reviews."""
    chance = random.Random(_SEED)
    words = chance.sample(vocabulary.terms, len(vocabulary))
    frequencies = list(accumulate(rank**-_ZIPF_EXPONENT for rank in range(1, len(words) + 1)))
    reviews = []
    for _ in range(count):
        drawn = chance.choices(words, cum_weights=frequencies, k=WORDS)
        sentences = (" ".join(drawn[start : start + 5]).capitalize() + "." for start in range(0, WORDS, 5))
        reviews.append(" ".join(" ".join(sentences).split()[:WORDS]))
    return tuple(reviews)
