"""Anytime-valid confidence intervals for a difference between two variants, from 0/1 outcomes.

A usual 95% interval holds at one look that was planned beforehand. Who looks every day sees it exclude zero by chance
far more often than in 5% of all comparisons. The intervals here hold at all looks together, so a comparison may be read
at any time and be ended at any time.

Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences", Annals of Statistics 52 (2024), Theorem 2.2, tuned for a number of outcomes as in its appendix. They are
asymptotic, so three things protect small samples: `MIN_OUTCOMES`, two outcomes of each kind that are added for the
variance (Agresti and Coull, 1998), and a clock that counts unequal samples as smaller equal ones of the same variance.
`tests/operations/comparison/test_confidence_sequence.py` measures the coverage.
"""

import math
from dataclasses import dataclass

ALPHA = 0.05  # the share of comparisons in which any of all intervals misses the true difference
TIGHTEST_AT = 1000  # outcomes for which the intervals are narrowest relative to the standard error
MIN_OUTCOMES = 30  # of each variant; the interval of fewer is infinite
MAX_OUTCOMES = 10**9


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of a variant, each 0 or 1: the number of ones, and of all."""

    ones: float
    count: int

    @property
    def share(self) -> float:
        """The share of ones; NaN without outcomes."""
        return self.ones / self.count if self.count else math.nan

    @property
    def variance_of_share(self) -> float:
        """The estimated variance of the share, with two outcomes of each kind added, so that it is never 0."""
        share = (self.ones + 2) / (self.count + 4)
        return share * (1 - share) / self.count if self.count else math.inf


@dataclass(frozen=True)
class Difference:
    """An estimated difference (new - baseline) from `count` outcomes, with its standard error.

    `clock` is the number of outcomes of two equal samples with the same variance, or of pairs; 0 if they are too few.
    """

    value: float
    standard_error: float
    count: int
    clock: float
    alpha: float = ALPHA

    @property
    def half_width(self) -> float:
        """Half the width of the interval that is valid at all looks."""
        return critical_value(self.clock, self.alpha) * self.standard_error if self.clock else math.inf

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.value - self.half_width if self.clock else -math.inf

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.value + self.half_width if self.clock else math.inf

    def outcomes_to_detect(self, difference: float) -> int:
        """Return how many more outcomes make the interval narrow enough to exclude 0 at a true difference above 0.

        The shares, and the split of the traffic, are assumed to stay as they are. 0 if there are enough already.
        """
        low, high = 1, MAX_OUTCOMES
        while low < high:
            middle = (low + high) // 2
            error = self.standard_error * math.sqrt(self.clock / middle)
            if critical_value(middle, self.alpha) * error <= difference:
                high = middle
            else:
                low = middle + 1
        return max(0, math.ceil((low - self.clock) * self.count / self.clock))


def critical_value(clock: float, alpha: float = ALPHA) -> float:
    """Return half the interval's width in standard errors: about 3.0 at `TIGHTEST_AT` outcomes for 95%, not 1.96."""
    mixture = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) * clock / TIGHTEST_AT
    return math.sqrt(2 * (mixture + 1) / mixture * math.log(math.sqrt(mixture + 1) / alpha))


def of_two_samples(new: Outcomes, baseline: Outcomes, alpha: float = ALPHA) -> Difference:
    """Return the difference between the shares of ones of two variants with requests of their own."""
    error = math.sqrt(new.variance_of_share + baseline.variance_of_share)
    enough = min(new.count, baseline.count) >= MIN_OUTCOMES
    clock = 4 / (1 / new.count + 1 / baseline.count) if enough else 0.0
    return Difference(new.share - baseline.share, error, new.count + baseline.count, clock, alpha)


def of_pairs(only_new: int, only_baseline: int, count: int, alpha: float = ALPHA) -> Difference:
    """Return the difference between two variants' shares of ones on the same `count` texts.

    `only_new` is the number of texts with outcome 1 for the new variant alone, `only_baseline` for the baseline alone.
    Much fewer texts suffice than in two samples, because the variants agree on most texts.
    """
    if count < MIN_OUTCOMES:
        return Difference((only_new - only_baseline) / count if count else math.nan, math.inf, count, 0.0, alpha)
    mean = (only_new - only_baseline) / count
    variance = (only_new + only_baseline + 4) / (count + 4) - mean**2
    return Difference(mean, math.sqrt(variance / count), count, float(count), alpha)


def planned(share: float, new_weight: float, baseline_weight: float, alpha: float = ALPHA) -> Difference:
    """Return the difference of one outcome before there is any, to plan with `outcomes_to_detect`.

    `share` is the assumed share of ones of both variants, and the weights are those of the traffic.
    """
    total = new_weight + baseline_weight
    inverse = total / new_weight + total / baseline_weight
    return Difference(0.0, math.sqrt(share * (1 - share) * inverse), 1, 4 / inverse, alpha)
