"""Chooses, on validation, where the app stops being sure and where it warns of unknown words."""

import math

import numpy as np

from training.scoring import Floats, Integers

PRECISION = 0.92  # of the answers that are given, so many shall be right
WIDEST = 0.45  # a band never reaches further from 0.5
UNUSUAL_SHARE = 0.005  # so many of ordinary reviews may carry the warning of few known words
_BAND_STEPS = 100  # a step is 0.01
_SHARE_STEPS = 20  # a step is 0.05


def not_sure_band(probabilities: Floats, labels: Integers, precision: float = PRECISION) -> tuple[float, float]:
    """Return the narrowest band around 0.5, in steps of 0.01, outside of which `precision` of the answers are right.

    Scores strictly between its ends are "not sure". The widest band, (0.05, 0.95), when none reaches the precision.
    """
    for steps in range(round(WIDEST * _BAND_STEPS)):
        half = steps / _BAND_STEPS
        _, right = outside(probabilities, labels, half)
        if right >= precision:
            return round(0.5 - half, 2), round(0.5 + half, 2)
    return round(0.5 - WIDEST, 2), round(0.5 + WIDEST, 2)


def outside(probabilities: Floats, labels: Integers, half: float) -> tuple[float, float]:
    """Return the share of answers outside a band of 0.5 +- `half`, and how many of those are right (0..1)."""
    sure = np.round(np.abs(probabilities - 0.5), 6) >= half
    if not sure.any():
        return 0.0, 0.0
    return float(sure.mean()), float(((probabilities > 0.5) == labels)[sure].mean())


def few_known_words(known_shares: Floats) -> float:
    """Return the share of known words, in steps of 0.05, below which fewer than `UNUSUAL_SHARE` of reviews lie."""
    return math.floor(float(np.quantile(known_shares, UNUSUAL_SHARE)) * _SHARE_STEPS) / _SHARE_STEPS
