"""Chooses, on what was held out, where the app stops being sure and where it warns of unknown words."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.evaluation.predictions import Floats, Integers

PRECISION = 0.92  # of the answers that are given on whole reviews, so many shall be right
SHORT_PRECISION = 0.88  # and so many on crops of one to three sentences
LEAST_EVIDENCE = 0.05  # a score nearer than that to what no known term at all scores tells nothing of the review
WIDEST = 0.45  # a band never reaches further from 0.5
UNUSUAL_SHARE = 0.005  # so many of ordinary reviews may carry the warning of few known words
_BAND_STEPS = 100  # a step is 0.01
_SHARE_STEPS = 20  # a step is 0.05


class PrecisionTarget(NamedTuple):
    """So many of the answers on these reviews shall be right: `precision` is a share, 0..1."""

    probabilities: Floats
    labels: Integers
    precision: float


def not_sure_band(demands: Sequence[PrecisionTarget], empty_score: float) -> tuple[float, float]:
    """Return the two ends of the band, in steps of 0.01; scores strictly between them are "not sure".

    It is the narrowest around 0.5 outside of which every demand is met (the widest, 0.05 to 0.95, when none does
    that), and it reaches past `empty_score`, the score of a row without terms, by `LEAST_EVIDENCE`.
    """
    low, high = next(
        (band for band in map(around, range(round(WIDEST * _BAND_STEPS))) if _meets(demands, band)),
        around(round(WIDEST * _BAND_STEPS)),
    )
    nothing_below = math.floor(round((empty_score - LEAST_EVIDENCE) * _BAND_STEPS, 6)) / _BAND_STEPS
    nothing_above = math.ceil(round((empty_score + LEAST_EVIDENCE) * _BAND_STEPS, 6)) / _BAND_STEPS
    return max(min(low, nothing_below), 0.01), min(max(high, nothing_above), 0.99)


def around(steps: int) -> tuple[float, float]:
    """Return the band of so many steps of 0.01 to each side of 0.5."""
    return round(0.5 - steps / _BAND_STEPS, 2), round(0.5 + steps / _BAND_STEPS, 2)


def _meets(demands: Sequence[PrecisionTarget], band: tuple[float, float]) -> bool:
    """Tell whether the answers outside a band are right as often as each demand wants."""
    return all(outside(each.probabilities, each.labels, band)[1] >= each.precision for each in demands)


def outside(probabilities: Floats, labels: Integers, band: tuple[float, float]) -> tuple[float, float]:
    """Return the share of answers outside a band, its ends included, and how many of those are right (0..1)."""
    sure = (probabilities <= band[0]) | (probabilities >= band[1])
    if not sure.any():
        return 0.0, 0.0
    return float(sure.mean()), float(((probabilities > 0.5) == labels)[sure].mean())


def few_known_words(known_shares: Floats) -> float:
    """Return the share of known words, in steps of 0.05, below which fewer than `UNUSUAL_SHARE` of reviews lie."""
    return math.floor(float(np.quantile(known_shares, UNUSUAL_SHARE)) * _SHARE_STEPS) / _SHARE_STEPS
