"""The population stability index (PSI) of a figure's distribution then and now.

With the shares p and q of a bin, the index is the sum of (q - p) ln(q / p) over the bins. Its usual marks are 0.1 (some
shift) and 0.25 (drift). Few reviews exceed a mark by chance: without a shift, the index divided by (1/n + 1/m) for n
old and m new reviews has about a chi-squared distribution (Bilal Yurdakul, "Statistical properties of population
stability index", Western Michigan University, 2018). So an index counts only above what chance reaches once in 1,000
comparisons.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SOME_SHIFT, DRIFT = 0.1, 0.25  # the usual marks
BINS = 5  # of equal numbers of old reviews
_CHANCE = 1e-3
_PSEUDO_COUNT = 0.5  # added to each bin, so that an empty one has a logarithm


@dataclass(frozen=True)
class Shift:
    """A figure's distribution then and now: the share of reviews (0..1) in each bin, its PSI, and the PSI of chance."""

    name: str
    bins: list[str]
    old: list[float]
    new: list[float]
    psi: float
    chance: float

    @property
    def level(self) -> str:
        """The meaning of the index: "none", "some" or "drift"."""
        if self.psi <= max(self.chance, SOME_SHIFT):
            return "none"
        return "drift" if self.psi > DRIFT else "some"


def numeric_shift(name: str, old: Floats, new: Floats, form: str) -> Shift:
    """Compare numbers in bins of equal numbers of old reviews; `form` formats the edges of the bins."""
    inner = np.unique(np.quantile(old, np.linspace(0, 1, BINS + 1)[1:-1]))
    names = [form.format(edge) for edge in inner]
    bins = [f"up to {names[0]}", *(f"{low} to {high}" for low, high in itertools.pairwise(names))]
    counts = [np.bincount(np.searchsorted(inner, side), minlength=len(inner) + 1) for side in (old, new)]
    return _shift(name, [*bins, f"over {names[-1]}"], *counts)


def category_shift(name: str, categories: Sequence[str], old: Sequence[str], new: Sequence[str]) -> Shift:
    """Compare the shares of categories."""
    counts = [np.array([list(side).count(each) for each in categories]) for side in (old, new)]
    return _shift(name, list(categories), *counts)


def _shift(name: str, bins: list[str], old: npt.NDArray[np.int64], new: npt.NDArray[np.int64]) -> Shift:
    """Return the shift between two lists of counts."""
    from scipy.stats import chi2

    p, q = ((counts + _PSEUDO_COUNT) / (counts + _PSEUDO_COUNT).sum() for counts in (old, new))
    used = int(((old + new) > 0).sum())
    chance = chi2.isf(_CHANCE, max(used - 1, 1)) * (1 / old.sum() + 1 / new.sum())
    return Shift(
        name,
        bins,
        (old / old.sum()).tolist(),
        (new / new.sum()).tolist(),
        psi=float(((q - p) * np.log(q / p)).sum()),
        chance=float(chance),
    )
