"""The not-sure band and the threshold for few known words, both chosen on out-of-fold predictions."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.evaluation.predictions import Floats, Integers

PRECISION = 0.92  # target for the answers on whole reviews
SHORT_PRECISION = 0.88  # target for the answers on excerpts of one to three sentences
SENTENCE_PRECISION = 0.93  # target for the answers on sentences
EMPTY_REVIEW_MARGIN = 0.05  # a score this close to an empty review's score is no evidence about the review
WIDEST_STEPS = 45  # the widest band is this many steps of 0.01 to each side of 0.5
WARNED_SHARE = 0.005  # the largest share of ordinary reviews that may get the warning about few known words
_BAND_STEPS = 100  # a step is 0.01
_SHARE_STEPS = 20  # a step is 0.05


class PrecisionTarget(NamedTuple):
    """The precision (0..1) that answers on these reviews must reach."""

    probabilities: Floats
    labels: Integers
    precision: float


def not_sure_band(targets: Sequence[PrecisionTarget], empty_score: float) -> tuple[float, float]:
    """Return the two ends of the band, in steps of 0.01; scores strictly between them are "not sure".

    The band is the narrowest around 0.5 outside of which every target is met, or 0.05 to 0.95 if no band meets them
    all. It then extends `EMPTY_REVIEW_MARGIN` past `empty_score`, the score of a row without terms.
    """
    bands = map(band_of, range(WIDEST_STEPS))
    low, high = next((band for band in bands if _meets(targets, band)), band_of(WIDEST_STEPS))
    empty_low = math.floor(round((empty_score - EMPTY_REVIEW_MARGIN) * _BAND_STEPS, 6)) / _BAND_STEPS
    empty_high = math.ceil(round((empty_score + EMPTY_REVIEW_MARGIN) * _BAND_STEPS, 6)) / _BAND_STEPS
    return max(min(low, empty_low), 0.01), min(max(high, empty_high), 0.99)


def band_of(steps: int) -> tuple[float, float]:
    """Return the band that reaches a number of steps of 0.01 to each side of 0.5."""
    return round(0.5 - steps / _BAND_STEPS, 2), round(0.5 + steps / _BAND_STEPS, 2)


def _meets(targets: Sequence[PrecisionTarget], band: tuple[float, float]) -> bool:
    """Return whether the answers outside a band meet every target."""
    return all(
        coverage_and_precision(target.probabilities, target.labels, band)[1] >= target.precision for target in targets
    )


def coverage_and_precision(probabilities: Floats, labels: Integers, band: tuple[float, float]) -> tuple[float, float]:
    """Return the share of scores outside a band, its ends included, and the share of those that are correct (0..1)."""
    sure = (probabilities <= band[0]) | (probabilities >= band[1])
    if not sure.any():
        return 0.0, 0.0
    return float(sure.mean()), float(((probabilities > 0.5) == labels)[sure].mean())


def few_known_words(known_shares: Floats) -> float:
    """Return the share of known words, in steps of 0.05, that fewer than `WARNED_SHARE` of the reviews are below."""
    return math.floor(float(np.quantile(known_shares, WARNED_SHARE)) * _SHARE_STEPS) / _SHARE_STEPS
