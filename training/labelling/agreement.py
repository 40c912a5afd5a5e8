"""The agreement of two people's labels: Cohen's kappa, its interval, and the reviews they differ on.

Source: Jacob Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
(1960). The interval is a bootstrap of the reviews.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.data.hand_labels import LABELS, HandLabel
from training.data.reviews import DataError

FEW_REVIEWS = 50  # below, the interval is too wide for most uses
_RESAMPLES = 5_000
_COMPARED = tuple(label for label in LABELS if label != "skipped")


class Difference(NamedTuple):
    """A review with two different labels, and the notes of both people."""

    id: str
    review: str
    first: str
    second: str
    first_note: str
    second_note: str


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the reviews that both labelled.

    `kappa` is 1 for full agreement and 0 for that of chance; None if both gave one label only, the same. `interval` is
    its 95% interval, None if kappa is or if there is no difference. `counts[i][j]` counts the reviews to which the
    first gave `labels[i]` and the second `labels[j]`.
    """

    labellers: tuple[str, str]
    reviews: int
    agreed: int
    kappa: float | None
    interval: tuple[float, float] | None
    labels: tuple[str, ...]
    counts: list[list[int]]
    differences: list[Difference]

    @property
    def judgement(self) -> str:
        """A sentence about what the figures show."""
        agreed = f"The same label for {self.agreed:,} of {self.reviews:,} reviews ({self.agreed / self.reviews:.0%})"
        if self.kappa is None:
            return f"{agreed}. Only one label was used, so Cohen's kappa is undefined."
        few = f" {self.reviews} reviews are few: label at least {FEW_REVIEWS}." if self.reviews < FEW_REVIEWS else ""
        if self.interval is None:
            return f"{agreed}; Cohen's kappa is {self.kappa:.2f}.{few}"
        low, high = self.interval
        return f"{agreed}; Cohen's kappa is {self.kappa:.2f} (95% interval {low:.2f} to {high:.2f}).{few}"


def compare_labels(first: Sequence[HandLabel], second: Sequence[HandLabel], seed: int = 1) -> Agreement:
    """Compare the labels of the reviews that both people labelled and neither skipped.

    Raises `DataError` if there is no such review.
    """
    others = {label.id: label for label in second if label.label != "skipped"}
    pairs = [(label, others[label.id]) for label in first if label.label != "skipped" and label.id in others]
    if not pairs:
        raise DataError("No review has a label in both files. Are they labels of the same reviews?")
    counts = np.zeros((len(_COMPARED), len(_COMPARED)), dtype=np.int64)
    for one, other in pairs:
        counts[_COMPARED.index(one.label), _COMPARED.index(other.label)] += 1
    kappa = float(_kappas(counts[np.newaxis])[0])
    differences = [
        Difference(one.id, one.review, one.label, other.label, one.note, other.note)
        for one, other in pairs
        if one.label != other.label
    ]
    return Agreement(
        labellers=(_names(first), _names(second)),
        reviews=len(pairs),
        agreed=len(pairs) - len(differences),
        kappa=None if np.isnan(kappa) else kappa,
        interval=None if np.isnan(kappa) or not differences else _interval(counts, seed),
        labels=_COMPARED,
        counts=counts.tolist(),
        differences=differences,
    )


def _names(labels: Sequence[HandLabel]) -> str:
    """Return the names of the people who gave labels."""
    return ", ".join(sorted({label.labeller for label in labels}))


def _kappas(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the kappa of each table of counts (tables, labels, labels); NaN where it is undefined."""
    shares = counts / counts.sum(axis=(1, 2), keepdims=True)
    observed = np.trace(shares, axis1=1, axis2=2)
    by_chance = (shares.sum(axis=1) * shares.sum(axis=2)).sum(axis=1)
    defined = by_chance < 1 - 1e-12
    kappas = np.full(len(counts), np.nan)
    kappas[defined] = (observed[defined] - by_chance[defined]) / (1 - by_chance[defined])
    return kappas


def _interval(counts: npt.NDArray[np.int64], seed: int) -> tuple[float, float]:
    """Return the 95% interval of kappa, by resampling the reviews."""
    reviews = int(counts.sum())
    resampled = np.random.default_rng(seed).multinomial(reviews, counts.ravel() / reviews, size=_RESAMPLES)
    low, high = np.nanpercentile(_kappas(resampled.reshape(-1, *counts.shape)), [2.5, 97.5])
    return float(low), float(high)
