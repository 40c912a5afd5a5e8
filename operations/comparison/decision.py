"""The decision of a comparison: the new variant wins, loses, makes no difference, or more answers are needed.

The rule: a proven higher error rate loses. Otherwise the accuracy on labelled answers decides, and without labels
nothing does. Each decision has a sentence, and the `split` command that acts on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from operations.comparison.confidence_sequence import MIN_OUTCOMES, Difference, planned

MARGIN = 0.02  # a difference in accuracy below 2 percentage points is not worth a change
MAX_NEEDED = 10**8  # a larger number is not worth stating
ERROR_RATE = "error_rate"  # a key of differences


class Result(StrEnum):
    """The result of a comparison, for the new variant."""

    WINS = "wins"
    LOSES = "loses"
    NO_DIFFERENCE = "no difference"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Contest:
    """A new variant and its baseline: their weights, and what is known of the differences between them.

    `accuracy` is None without labelled answers. `labels` has the number of answers with each label. `assumed_accuracy`
    is the release's, to plan with while nothing is known.
    """

    stage: str
    new: str
    baseline: str
    new_weight: float
    baseline_weight: float
    error_rate: Difference | None
    accuracy: Difference | None
    labels: Mapping[str, int]
    assumed_accuracy: float
    alpha: float


@dataclass(frozen=True)
class Decision:
    """A result with its sentence; `command` acts on it, "" if the split is best left as it is.

    `needed` is the number of labelled answers that are needed in addition, None if it is unknown or there are enough.
    """

    result: Result
    sentence: str
    command: str
    needed: int | None = None


def decide(contest: Contest) -> Decision:
    """Return the decision of a comparison."""
    errors, accuracy = contest.error_rate, contest.accuracy
    if errors and errors.low > 0:
        sentence = f"{contest.new} loses: its error rate is higher by {_size(errors)} percentage points."
        return Decision(Result.LOSES, sentence, _keep_only(contest, contest.baseline))
    absent = [label for label, count in contest.labels.items() if not count]
    if accuracy is None or len(absent) == len(contest.labels):
        return _without_labels(contest)
    if absent:
        return _one_class(contest, absent[0])
    if not accuracy.clock:
        return _too_few(contest)
    return _by_accuracy(contest, accuracy)


def _by_accuracy(contest: Contest, accuracy: Difference) -> Decision:
    """Return the decision by an accuracy that has an interval."""
    new, baseline = contest.new, contest.baseline
    if accuracy.low > 0:
        sentence = f"{new} wins: its accuracy is higher by {_size(accuracy)} percentage points."
        return Decision(Result.WINS, sentence, _keep_only(contest, new))
    if accuracy.high < 0:
        sentence = f"{new} loses: its accuracy is lower by {_size(accuracy)} percentage points."
        return Decision(Result.LOSES, sentence, _keep_only(contest, baseline))
    if accuracy.low > -MARGIN and accuracy.high < MARGIN:
        sentence = f"{new} and {baseline} are equally accurate, to within {MARGIN:.0%}: {_interval(accuracy)} points."
        return Decision(Result.NO_DIFFERENCE, sentence, _keep_only(contest, baseline))
    target = max(abs(accuracy.value), MARGIN)
    needed = accuracy.outcomes_to_detect(target)
    purpose = "decide" if target > MARGIN else f"detect a difference of {MARGIN * 100:g} percentage points"
    sentence = (
        f"Undecided: about {_rounded(needed)} more labelled answers are needed to {purpose}. So far the accuracy of "
        f"{new} differs by {accuracy.value * 100:+.1f} percentage points ({_interval(accuracy)})."
    )
    return Decision(Result.UNDECIDED, sentence, _even_out(contest), needed)


def _without_labels(contest: Contest) -> Decision:
    """Return the decision if no answer has a label."""
    needed = _planned(contest)
    sentence = (
        f"Undecided: no answer has a label yet. About {_rounded(needed)} labelled answers are needed to detect a "
        f"difference of {MARGIN * 100:g} percentage points in accuracy."
    )
    return Decision(Result.UNDECIDED, sentence, _even_out(contest), needed)


def _too_few(contest: Contest) -> Decision:
    """Return the decision if a variant has fewer labelled answers than an interval needs."""
    needed = _planned(contest)
    sentence = (
        f"Undecided: each variant needs at least {MIN_OUTCOMES} labelled answers for any statement, and together they "
        f"need about {_rounded(needed)} to detect a difference of {MARGIN * 100:g} percentage points."
    )
    return Decision(Result.UNDECIDED, sentence, _even_out(contest), needed)


def _one_class(contest: Contest, absent: str) -> Decision:
    """Return the decision if all labels are of one class, which a constant answer would get right."""
    total = sum(contest.labels.values())
    sentence = (
        f"Undecided: none of the {total} labelled answers is labelled {absent}, so they do not measure accuracy. "
        f"Label {absent} reviews too."
    )
    return Decision(Result.UNDECIDED, sentence, "")


def _planned(contest: Contest) -> int:
    """Return the number of labelled answers that detects a difference of `MARGIN`, from none."""
    weights = (contest.new_weight, contest.baseline_weight)
    shares = weights if min(weights) > 0 else (1.0, 1.0)
    return planned(contest.assumed_accuracy, *shares, contest.alpha).outcomes_to_detect(MARGIN)


def _keep_only(contest: Contest, winner: str) -> str:
    """Return the command that ends the comparison."""
    return f"verdict split {winner}=1 --stage {contest.stage} --drop-others"


def _even_out(contest: Contest) -> str:
    """Return the command that gives both variants the same traffic, which needs the fewest answers; "" if they do."""
    if contest.new_weight == contest.baseline_weight:
        return ""
    return f"verdict split {contest.baseline}=50 {contest.new}=50 --stage {contest.stage}"


def _interval(difference: Difference) -> str:
    """`+0.8 to +3.1`, in percentage points."""
    return f"{difference.low * 100:+.1f} to {difference.high * 100:+.1f}"


def _size(difference: Difference) -> str:
    """`0.8 to 3.1`: the absolute size of a difference whose interval excludes zero, in percentage points."""
    smallest, largest = sorted(abs(end) * 100 for end in (difference.low, difference.high))
    return f"{smallest:.1f} to {largest:.1f}"


def _rounded(number: int) -> str:
    """Round up to two digits, which is all that an estimate is good for: 2,287 -> `2,300`."""
    if number >= MAX_NEEDED:
        return "more than 100,000,000"
    unit = 10 ** max(len(str(number)) - 2, 0)
    return f"{-(-number // unit) * unit:,}"
