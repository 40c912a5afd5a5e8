"""Step `check`: a model's figures on newly labelled reviews, with intervals, beside those of the official test.

Short reviews are harder than long ones, so the new accuracy is compared with the one that the test has for reviews of
the same numbers of words. Whether a lower accuracy may be chance is an exact binomial test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from chalicelib.release import Release
from training.checking.new_reviews import UNKNOWN, NewReview, require_both_labels
from training.data.reviews import DataError
from training.evaluation.metrics import LENGTH_EDGES, Figures, expected_calibration_error, length_name, measure
from training.evaluation.predictions import Predict, ScoredReviews, score_reviews

MIN_LABELS = 30  # below, no figure means anything
SIGNIFICANT = 0.05  # a smaller p-value is not taken for chance
_RESAMPLES = 2_000
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """A share of reviews, `count` of `total`, with its 95% interval (Wilson's)."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0..1; NaN of no reviews."""
        return self.count / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the interval, 0..1."""
        if not self.total:
            return 0.0, 1.0
        found = binomtest(self.count, self.total).proportion_ci(_CONFIDENCE, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Group:
    """The accuracy of a group of new reviews.

    `answered` is that of the verdicts which the app gave at the time, None if the source does not state their scores.
    """

    name: str
    accuracy: Share
    answered: Share | None


@dataclass(frozen=True)
class Check:
    """What a check found.

    `accuracy` ignores the not-sure band; `coverage` is the share of reviews outside it, and `precision` that of the
    correct ones among those. `calibration_error` has its 95% interval. `expected` is the test's accuracy (0..1) for
    reviews of these lengths, None if the release has no test, and `p_value` the probability of at most as many correct
    answers if that were the true accuracy. `groups` maps "week", "release" and "variant" to the groups of each.
    """

    release: str
    reviews: Sequence[NewReview]
    scored: ScoredReviews
    figures: Figures
    accuracy: Share
    coverage: Share
    precision: Share
    calibration_error: tuple[float, float, float]
    expected: float | None
    p_value: float | None
    groups: dict[str, list[Group]]
    is_random: bool

    @property
    def is_worse(self) -> bool:
        """Whether the accuracy is below the expected one, and not by chance."""
        return self.p_value is not None and self.p_value < SIGNIFICANT

    @property
    def judgement(self) -> str:
        """A sentence on whether the model does worse on the new reviews than on the test."""
        low, high = self.accuracy.interval
        share = f"{self.accuracy.value:.1%} of {self.accuracy.total:,} new reviews"
        found = f"The model is right on {share} ({low:.1%} to {high:.1%})"
        if self.expected is None or self.p_value is None:
            return f"{found}. The release was not evaluated on a test, so there is nothing to compare with."
        test = f"the test has {self.expected:.1%} on reviews of these lengths"
        if self.is_worse:
            return f"{found}; {test}. This is worse, and not by chance (exact binomial test, p = {self.p_value:.2g})."
        if self.accuracy.value < self.expected:
            return f"{found}; {test}. The difference may be chance (exact binomial test, p = {self.p_value:.2g})."
        return f"{found}; {test}. It is not worse."


def check(
    reviews: Sequence[NewReview], release: Release, predict: Predict, test_figures: Mapping[str, Figures] | None
) -> Check:
    """Measure a release's model on newly labelled reviews; `test_figures` has the release's own, by name of set.

    Without these, the expected accuracy is that of whole test reviews, which the release states. Raises `DataError` for
    too few labels, or only one label.
    """
    if len(reviews) < MIN_LABELS:
        raise DataError(f"{len(reviews)} labels are too few to say anything. Label at least {MIN_LABELS} reviews.")
    require_both_labels(reviews)
    scored = score_reviews(predict, release.encoder, [review.as_review(n) for n, review in enumerate(reviews)])
    band = release.facts.not_sure_band
    correct = (scored.probabilities > 0.5) == scored.labels
    sure = (scored.probabilities <= band[0]) | (scored.probabilities >= band[1])
    expected = release.facts.metrics.get("test", {}).get("accuracy")
    if test_figures is not None:
        expected = expected_accuracy(scored.word_counts.tolist(), test_figures)
    p_value = None
    if expected is not None:
        p_value = float(binomtest(int(correct.sum()), len(correct), expected, alternative="less").pvalue)
    return Check(
        release=release.release_id,
        reviews=reviews,
        scored=scored,
        figures=measure(scored, band),
        accuracy=Share(int(correct.sum()), len(correct)),
        coverage=Share(int(sure.sum()), len(sure)),
        precision=Share(int((correct & sure).sum()), int(sure.sum())),
        calibration_error=_calibration_error(scored),
        expected=expected,
        p_value=p_value,
        groups=_groups(reviews, correct.tolist()),
        is_random=all(review.is_random for review in reviews),
    )


def expected_accuracy(word_counts: Sequence[int], figures: Mapping[str, Figures]) -> float | None:
    """Return the mean over reviews of the accuracy of test texts with as many words (0..1); None without such."""
    totals: dict[str, tuple[float, int]] = {}
    for name, each in figures.items():
        if not name.startswith("test"):
            continue
        for group in each.by_length:
            correct, total = totals.get(group["name"], (0.0, 0))
            totals[group["name"]] = correct + group["accuracy"] * group["reviews"], total + group["reviews"]
    if not totals:
        return None
    overall = sum(correct for correct, _ in totals.values()) / sum(total for _, total in totals.values())
    names = [length_name(int(bin_number)) for bin_number in np.digitize(word_counts, LENGTH_EDGES)]
    return float(np.mean([totals[name][0] / totals[name][1] if name in totals else overall for name in names]))


def _calibration_error(scored: ScoredReviews) -> tuple[float, float, float]:
    """Return the expected calibration error and its bootstrap interval, without the bias that a resample adds."""
    generator = np.random.default_rng(1)
    count = len(scored.labels)
    draws = [generator.integers(0, count, count) for _ in range(_RESAMPLES)]
    errors = [expected_calibration_error(scored.probabilities[draw], scored.labels[draw]) for draw in draws]
    error = expected_calibration_error(scored.probabilities, scored.labels)
    low, high = np.quantile(errors, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2]) - (np.mean(errors) - error)
    return error, max(float(low), 0.0), float(high)


def _groups(reviews: Sequence[NewReview], correct: Sequence[bool]) -> dict[str, list[Group]]:
    """Return the groups by week, by release and by variant; a grouping that the sources do not state is left out."""
    keys: dict[str, Callable[[NewReview], str]] = {
        "week": lambda review: review.week,
        "release": lambda review: review.source.release or UNKNOWN,
        "variant": lambda review: review.source.variant or UNKNOWN,
    }
    found: dict[str, list[Group]] = {}
    for kind, key in keys.items():
        members: dict[str, list[int]] = {}
        for place, review in enumerate(reviews):
            members.setdefault(key(review), []).append(place)
        if members.keys() != {UNKNOWN}:
            found[kind] = [_group(name, members[name], reviews, correct) for name in sorted(members)]
    return found


def _group(name: str, places: Sequence[int], reviews: Sequence[NewReview], correct: Sequence[bool]) -> Group:
    """Return a group of reviews, given by their places."""
    scores = [(reviews[place].source.score, reviews[place].label) for place in places]
    stated = [(score > 0.5) == (label == 1) for score, label in scores if score is not None]
    answered = Share(sum(stated), len(stated)) if stated else None
    return Group(name, Share(sum(correct[place] for place in places), len(places)), answered)


def summary_rows(found: Check) -> list[tuple[object, ...]]:
    """Return the rows of the summary table: a figure, its value, and its 95% interval."""
    error, low, high = found.calibration_error
    shares = {"accuracy": found.accuracy, "coverage": found.coverage, "precision at coverage": found.precision}
    rows: list[tuple[object, ...]] = [("reviews", f"{len(found.reviews):,}", "")]
    rows += [(f"{name}, %", f"{each.value * 100:.1f}", _percents(*each.interval)) for name, each in shares.items()]
    rows.append(("calibration error, %", f"{error * 100:.1f}", _percents(low, high)))
    if found.expected is not None:
        rows.append(("the test's accuracy at these lengths, %", f"{found.expected * 100:.1f}", ""))
    for kind, groups in found.groups.items():
        for group in groups:
            answered = f"; as answered {group.answered.value * 100:.1f}" if group.answered else ""
            values = f"{group.accuracy.value * 100:.1f} of {group.accuracy.total:,}{answered}"
            rows.append((f"{kind} {group.name}", values, _percents(*group.accuracy.interval)))
    return rows


def _percents(low: float, high: float) -> str:
    """Return an interval of shares as percentages."""
    return f"{low * 100:.1f} to {high * 100:.1f}"


def as_json(found: Check) -> dict[str, Any]:
    """Return the figures of a check as one JSON object."""
    shares = {"accuracy": found.accuracy, "coverage": found.coverage, "precision": found.precision}
    return {
        "release": found.release,
        "reviews": len(found.reviews),
        **{name: {"value": each.value, "interval": each.interval} for name, each in shares.items()},
        "calibration_error": {"value": found.calibration_error[0], "interval": found.calibration_error[1:]},
        "expected": found.expected,
        "p_value": found.p_value,
        "is_worse": found.is_worse,
        "is_random": found.is_random,
        "groups": {
            kind: [
                {"name": each.name, "reviews": each.accuracy.total, "accuracy": each.accuracy.value} for each in groups
            ]
            for kind, groups in found.groups.items()
        },
        "judgement": found.judgement,
    }
