"""The gate: a retrained model beside the packaged one, on old and on new reviews, before it may be released.

A model passes if it is not worse on the official test (one-sided 95% bound of the paired difference within a margin),
better on new reviews that it has not seen (exact McNemar test, one-sided), about as well calibrated, and no worse on
any kind of the authors' sentences that the packaged one does not merely guess, negation and its relatives among them.

Source of the test: Quinn McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages", Psychometrika 12 (1947), in its exact form.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm

from training import atomic
from training.data.authored_sentences import load_sentences
from training.evaluation.metrics import expected_calibration_error
from training.evaluation.packaged_model import ScoringModel
from training.evaluation.predictions import Floats, ScoredReviews
from training.evaluation.sentence_counts import groups_by_kind, is_correct
from training.model.run_folder import RunError

GATE_NAME = "gate.json"
MARGIN = 0.003  # of accuracy on the official test
SIGNIFICANT = 0.05
CALIBRATION_SAMPLES = 200
CALIBRATION_MARGINS = {"official test": 0.005, "new reviews": 0.03}  # of the expected calibration error
KIND_MARGIN = 0.03  # of a kind's sentences; one sentence is always allowed

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """A condition of the gate: the figures of the packaged and of the new model, and what was required.

    `is_guessed` states that the packaged model does no better than chance, so that any figure of the new one passes.
    """

    name: str
    packaged: str
    new: str
    required: str
    passed: bool
    is_guessed: bool = False

    @property
    def result(self) -> str:
        """The result in one or two words."""
        return "ignored" if self.is_guessed else "passed" if self.passed else "FAILED"


@dataclass(frozen=True)
class Gate:
    """What a gate decided; `override` is the reason why a failed gate was overridden, "" if it was not.

    `packaged` is the release that the new model was compared with. `training` and `judged` count the new reviews.
    """

    packaged: str
    training: int
    judged: int
    conditions: list[Condition] = field(default_factory=list)
    override: str = ""

    @property
    def passed(self) -> bool:
        """Whether every condition holds."""
        return all(condition.passed for condition in self.conditions)

    @property
    def allows_release(self) -> bool:
        """Whether the model may be released."""
        return self.passed or bool(self.override)

    def as_facts(self) -> dict[str, Any]:
        """Return what a release states about its gate."""
        failed = [condition.name for condition in self.conditions if not condition.passed]
        return {
            "compared_with": self.packaged,
            "new_reviews": self.training,
            "judged_reviews": self.judged,
            "failed": failed,
            "override": self.override,
        }

    @property
    def guessed(self) -> str:
        """A sentence about the conditions that decide nothing, "" if all of them decide."""
        count = sum(condition.is_guessed for condition in self.conditions)
        if not count:
            return ""
        kinds, these = ("1 kind", "It decides") if count == 1 else (f"{count} kinds", "These decide")
        return (
            f"Ignored: {kinds} of sentences on which the packaged model is not better than chance (exact binomial "
            f"test, one-sided, p above {SIGNIFICANT}). {these} nothing, because a guess cannot get worse."
        )

    @property
    def judgement(self) -> str:
        """A sentence about the decision."""
        if self.passed:
            return "The new model passes the gate."
        failed = "; ".join(condition.name for condition in self.conditions if not condition.passed)
        return f"The new model fails the gate: {failed}."


UNDECIDED = Condition("not decided, because `verdict retrain` did not end", "", "", "", passed=False)


def not_worse(name: str, packaged: ScoredReviews, new: ScoredReviews, margin: float = MARGIN) -> Condition:
    """Require that the accuracy on the same reviews is not lower by more than a margin, with 95% confidence."""
    before, after = _correct(packaged), _correct(new)
    differences = after.astype(float) - before
    difference = float(differences.mean())
    bound = difference - norm.ppf(0.95) * float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return Condition(
        f"{name}: accuracy not worse",
        _percent(before.mean()),
        f"{_percent(after.mean())} ({difference * 100:+.2f} points)",
        f"lower bound {bound * 100:+.2f} above -{margin * 100:.2f} points",
        bool(bound > -margin),
    )


def better(name: str, packaged: ScoredReviews, new: ScoredReviews) -> Condition:
    """Require that the accuracy on the same reviews is higher, and not by chance."""
    before, after = _correct(packaged), _correct(new)
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    p_value = binomtest(won, won + lost, 0.5, alternative="greater").pvalue if won + lost else 1.0
    return Condition(
        f"{name}: accuracy better",
        f"{_percent(before.mean())} of {len(before):,}",
        f"{_percent(after.mean())}: {won:,} corrected, {lost:,} spoilt",
        f"exact McNemar p = {p_value:.2g}, at most {SIGNIFICANT}",
        bool(p_value <= SIGNIFICANT),
    )


def calibrated(name: str, packaged: ScoredReviews, new: ScoredReviews) -> Condition:
    """Require that the expected calibration error is not higher by more than its margin, with 95% confidence.

    It fails if the increase exceeds the margin in more than 95% of samples of the reviews, drawn with replacement.
    """
    before, after = (expected_calibration_error(each.probabilities, each.labels) for each in (packaged, new))
    margin, labels, count = CALIBRATION_MARGINS[name], new.labels, len(new.labels)
    samples = np.random.default_rng(0).integers(count, size=(CALIBRATION_SAMPLES, count))
    increases = [
        expected_calibration_error(new.probabilities[each], labels[each])
        - expected_calibration_error(packaged.probabilities[each], labels[each])
        for each in samples
    ]
    return Condition(
        f"{name}: calibration error",
        _percent(before),
        _percent(after),
        f"at most {margin * 100:.1f} points more in 5% of samples",
        bool(np.quantile(increases, SIGNIFICANT) <= margin),
    )


def behaves(packaged: ScoringModel, new: ScoringModel) -> list[Condition]:
    """Require for each kind of the authors' sentences that about as many answers are correct."""
    sentences = load_sentences()
    texts = [sentence.text for sentence in sentences]
    scores = [model.score(texts).tolist() for model in (packaged, new)]
    before, after = (groups_by_kind(list(zip(sentences, each, strict=True))) for each in scores)
    return [_kind(kind, before[kind], after[kind]) for kind in before]


def _kind(kind: str, before: Sequence[Any], after: Sequence[Any]) -> Condition:
    """Require about as many correct answers on a kind of sentence, if the packaged model does better than chance."""
    counts = [sum(is_correct(sentence, score) for sentence, score in scored) for scored in (before, after)]
    by_chance = bool(binomtest(counts[0], len(before), 0.5, alternative="greater").pvalue > SIGNIFICANT)
    allowed = max(1, round(KIND_MARGIN * len(before)))
    return Condition(
        f"sentences, {kind}",
        f"{counts[0]} of {len(before)}",
        str(counts[1]),
        "-" if by_chance else f"at most {allowed} fewer",
        by_chance or counts[1] >= counts[0] - allowed,
        by_chance,
    )


def _correct(scored: ScoredReviews) -> Mask:
    """Return which reviews are classified correctly, ignoring the not-sure band."""
    correct: Mask = (scored.probabilities > 0.5) == scored.labels
    return correct


def _percent(share: Floats | float) -> str:
    """Return a share as a percentage."""
    return f"{float(share) * 100:.2f}%"


def write_gate(folder: Path, gate: Gate) -> None:
    """Write a gate into the folder of its run."""
    atomic.write_text(folder / GATE_NAME, json.dumps(asdict(gate), indent=1) + "\n")


def load_gate(folder: Path) -> Gate | None:
    """Read the gate of a run, None if it was not retrained; raises `RunError` for a damaged file."""
    path = folder / GATE_NAME
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        return Gate(**{**stated, "conditions": [Condition(**each) for each in stated["conditions"]]})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error}). Run `verdict retrain` again.") from error
