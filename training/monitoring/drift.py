"""Drift: whether new reviews differ from those that the model was trained on, and how.

There is drift if one of four marks is passed: the lower end of the classifier's 95% interval is above `AUC_MARK`; the
stability index of the lengths, scores or verdicts is above 0.25 and above chance; or the share of known words fell by
more than `KNOWN_WORDS_MARK`, at the lower end of its 95% interval. Changed words and the cosine similarity explain, and
decide nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from chalicelib.sentiment import MIN_KNOWN_WORDS, NEGATIVE, NOT_SURE, POSITIVE, label_of
from training.evaluation.packaged_model import PackagedModel
from training.monitoring.distributions import DRIFT, Shift, category_shift, numeric_shift
from training.monitoring.domain_classifier import Separation, separate
from training.monitoring.sample import Sample, Sides
from training.monitoring.word_changes import WordChanges, changed_words, cosine_similarity
from training.progress import ProgressCallback, silent

Floats = npt.NDArray[np.float64]
AUC_MARK = 0.7  # far above chance: in 50 comparisons of 100 with 100 official reviews, no interval began above 0.55
KNOWN_WORDS_MARK = 0.02  # a difference of shares: 2 percentage points
MANY_SHARED = 0.1  # share of the new reviews that are also old ones, from which it is reported
LENGTHS, SCORES, VERDICTS = "lengths", "scores", "verdicts"
_TWO_SIDED_95 = 1.96  # standard errors
_STEPS = 4


@dataclass(frozen=True)
class KnownWords:
    """The mean share of known words (0..1) then and now, and the 95% interval of the fall from one to the other."""

    old: float
    new: float
    low: float
    high: float


@dataclass(frozen=True)
class SampleSize:
    """The name of a side, its number of different reviews and of repeated ones, and the number compared."""

    name: str
    total: int
    repeated: int
    compared: int


@dataclass(frozen=True)
class Drift:
    """The comparison of new reviews with old ones.

    `reasons` has a part of a sentence for each mark that is passed: without any, there is no drift. `remarks` are parts
    of sentences about what else is unusual. `shifts` are of lengths (words),
    scores and verdicts. `scored` are the old reviews whose scores and known words are compared.
    """

    release: str
    old: SampleSize
    new: SampleSize
    scored: SampleSize
    seen_in_training: bool
    separation: Separation
    shifts: dict[str, Shift]
    known_words: KnownWords
    similarity: float
    words: WordChanges
    reasons: list[str]
    remarks: list[str]
    old_scores: list[float]
    new_scores: list[float]
    old_lengths: list[int]
    new_lengths: list[int]

    @property
    def is_drift(self) -> bool:
        """Whether a mark is passed."""
        return bool(self.reasons)

    @property
    def judgement(self) -> str:
        """A sentence for people."""
        if self.reasons:
            return f"Drift: {'; '.join(self.reasons)}."
        smaller = f", but {'; '.join(self.remarks)}" if self.remarks else ""
        return f"No drift: no mark is passed{smaller}."

    def figures(self) -> dict[str, Any]:
        """Return all figures for JSON, without the values of single reviews."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {name: value for name, value in values.items() if not name.endswith(("_scores", "_lengths"))}
        return {
            **values,
            "separation": self.separation._asdict(),
            "words": {side: [word._asdict() for word in words] for side, words in self.words._asdict().items()},
        }


@dataclass(frozen=True)
class _Scored:
    """The scores, shares of known words and verdicts of a sample's reviews."""

    scores: Floats
    known_shares: Floats
    verdicts: list[str]


def measure_drift(sides: Sides, model: PackagedModel, seed: int = 1, tick: ProgressCallback = silent) -> Drift:
    """Compare two sides; the same reviews and seed give the same result."""
    tick(0, _STEPS, "words")
    words = changed_words(sides.old.words, sides.new.words)
    tick(1, _STEPS, "classifier")
    separation = separate(sides.old.words, sides.new.words, seed)
    tick(2, _STEPS, "scores then")
    old = _score(sides.old_scored, model)
    tick(3, _STEPS, "scores now")
    new = _score(sides.new, model)
    lengths = [np.array([len(text) for text in side.words]) for side in (sides.old, sides.new)]
    shifts = {
        LENGTHS: numeric_shift(LENGTHS, lengths[0], lengths[1], "{:,.0f} words"),
        SCORES: numeric_shift(SCORES, old.scores, new.scores, "{:.1%}"),
        VERDICTS: category_shift(VERDICTS, (POSITIVE, NOT_SURE, NEGATIVE), old.verdicts, new.verdicts),
    }
    known_words = _known_words(old.known_shares, new.known_shares)
    tick(_STEPS, _STEPS, "")
    return Drift(
        release=model.release.release_id,
        old=_size_of(sides.old),
        new=_size_of(sides.new),
        scored=_size_of(sides.old_scored),
        seen_in_training=sides.seen_in_training,
        separation=separation,
        shifts=shifts,
        known_words=known_words,
        similarity=cosine_similarity(sides.old.words, sides.new.words),
        words=words,
        reasons=reasons_for(separation, shifts, known_words),
        remarks=_remarks(sides, shifts),
        old_scores=old.scores.tolist(),
        new_scores=new.scores.tolist(),
        old_lengths=lengths[0].tolist(),
        new_lengths=lengths[1].tolist(),
    )


def _size_of(sample: Sample) -> SampleSize:
    """Return the size of a sample."""
    return SampleSize(sample.name, sample.total, sample.repeated, len(sample))


def _score(sample: Sample, model: PackagedModel) -> _Scored:
    """Score a sample; a review with too few known words gets the verdict "not sure", as in the app."""
    scores = model.score_words(sample.words)
    shares = [model.release.encoder.known_share(text) for text in sample.words]
    verdicts = [
        label_of(float(score), model.release) if share >= MIN_KNOWN_WORDS else NOT_SURE
        for score, share in zip(scores, shares, strict=True)
    ]
    return _Scored(scores, np.array(shares), verdicts)


def _known_words(old: Floats, new: Floats) -> KnownWords:
    """Compare shares of known words."""
    fall = float(old.mean() - new.mean())
    error = _TWO_SIDED_95 * float(np.sqrt(old.var(ddof=1) / len(old) + new.var(ddof=1) / len(new)))
    return KnownWords(float(old.mean()), float(new.mean()), fall - error, fall + error)


def reasons_for(separation: Separation, shifts: dict[str, Shift], known_words: KnownWords) -> list[str]:
    """Return a part of a sentence for each mark that is passed."""
    reasons: list[str] = []
    if separation.low > AUC_MARK:
        reasons.append(
            f"a classifier separates old from new (AUC {separation.auc:.2f}, 95% interval {separation.low:.2f} to "
            f"{separation.high:.2f}; the mark is {AUC_MARK})"
        )
    for name, shift in shifts.items():
        if shift.level == "drift":
            reasons.append(f"the {name} shifted (PSI {shift.psi:.2f}; the mark is {DRIFT})")
    if known_words.low > KNOWN_WORDS_MARK:
        reasons.append(
            f"the share of known words fell from {known_words.old:.1%} to {known_words.new:.1%} (the mark is "
            f"{KNOWN_WORDS_MARK * 100:.0f} points)"
        )
    return reasons


def _remarks(sides: Sides, shifts: dict[str, Shift]) -> list[str]:
    """Return a part of a sentence for each shift below its mark, and one if many new reviews are also old ones."""
    remarks = [f"the {name} shifted somewhat (PSI {s.psi:.2f})" for name, s in shifts.items() if s.level == "some"]
    shared = len(sides.new.digests & sides.old.digests) / sides.new.total
    if shared > MANY_SHARED:
        remarks.append(f"{shared:.0%} of the new reviews are also old ones")
    return remarks


def summary_rows(drift: Drift) -> Sequence[tuple[object, ...]]:
    """Return the rows of the summary table."""
    separation, known = drift.separation, drift.known_words
    rows: list[tuple[object, ...]] = [
        ("old reviews compared", f"{drift.old.compared:,} of {drift.old.total:,}"),
        ("new reviews compared", f"{drift.new.compared:,} of {drift.new.total:,}"),
        ("classifier's AUC", f"{separation.auc:.3f} ({separation.low:.3f} to {separation.high:.3f})"),
    ]
    rows += [
        (f"PSI of {name}", f"{shift.psi:.3f} (chance: up to {shift.chance:.3f})")
        for name, shift in drift.shifts.items()
    ]
    rows += [
        ("known words", f"{known.old:.1%} -> {known.new:.1%}"),
        ("cosine similarity", f"{drift.similarity:.3f}"),
        ("words gone", ", ".join(f"{each.word} {each.old}->{each.new}" for each in drift.words.gone[:8]) or "none"),
        ("words come", ", ".join(f"{each.word} {each.old}->{each.new}" for each in drift.words.come[:8]) or "none"),
    ]
    return rows
