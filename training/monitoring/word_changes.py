"""Words that are in more or in fewer of the new reviews than of the old ones, beyond chance.

Each word's numbers of old and of new reviews are compared by Fisher's exact test, and the p-values corrected for the
number of words (Benjamini and Hochberg, Journal of the Royal Statistical Society B 57, 1995).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FALSE_DISCOVERY_RATE = 0.01  # the expected share of chance words among the reported ones
MIN_REVIEWS_WITH_WORD = 5  # old and new together: rarer words cannot pass the test


class WordChange(NamedTuple):
    """A word, the numbers of old and of new reviews with it, and the same as shares, 0..1."""

    word: str
    old: int
    new: int
    old_share: float
    new_share: float


class WordChanges(NamedTuple):
    """The words that are rarer and those that are more frequent now, the clearest changes first."""

    gone: list[WordChange]
    come: list[WordChange]


def changed_words(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> WordChanges:
    """Return the words whose share of reviews changed; each review is given as its words."""
    old_counts, new_counts = _review_counts(old), _review_counts(new)
    tested = sorted(word for word, count in (old_counts + new_counts).items() if count >= MIN_REVIEWS_WITH_WORD)
    counts = np.array([(old_counts[word], new_counts[word]) for word in tested], dtype=np.int64).reshape(-1, 2)
    p_values = _p_values(counts, len(old), len(new))
    gone: list[WordChange] = []
    come: list[WordChange] = []
    for place in np.argsort(p_values, kind="stable"):
        if p_values[place] > FALSE_DISCOVERY_RATE:
            break
        before, now = counts[place].tolist()
        change = WordChange(tested[place], before, now, before / len(old), now / len(new))
        (come if change.new_share > change.old_share else gone).append(change)
    return WordChanges(gone, come)


def _review_counts(reviews: Iterable[Sequence[str]]) -> Counter[str]:
    """Count the reviews with each word."""
    return Counter(word for review in reviews for word in set(review))


def _p_values(counts: npt.NDArray[np.int64], old: int, new: int) -> npt.NDArray[np.float64]:
    """Return the corrected two-sided p-values of counts (words, [old, new]), out of `old` and `new` reviews."""
    from scipy.stats import false_discovery_control, hypergeom

    if not len(counts):
        return np.array([])
    distribution = hypergeom(old + new, counts.sum(axis=1), new)
    fewer, more = distribution.cdf(counts[:, 1]), distribution.sf(counts[:, 1] - 1)
    p_values = np.clip(2 * np.minimum(fewer, more), 0, 1)  # rounding errors
    return np.asarray(false_discovery_control(p_values), dtype=np.float64)


def cosine_similarity(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> float:
    """Return the cosine of the angle between the words' shares of reviews on the two sides: 1 if they are equal.

    Frequent words dominate it, so it is near 1 for any two sets of English reviews.
    """
    sides = [_review_counts(old), _review_counts(new)]
    vocabulary = sorted({*sides[0], *sides[1]})
    first, second = (np.array([side[word] for word in vocabulary], dtype=np.float64) for side in sides)
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / lengths) if lengths else 0.0
