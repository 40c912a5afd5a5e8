"""Hyperparameter ranges in the form of a SageMaker tuning job, and their conversion to Optuna's distributions.

A file of ranges is a JSON object with three members named and shaped as in `CreateHyperParameterTuningJob`:
`ParameterRanges` and `HyperParameterTuningJobObjective` (of `HyperParameterTuningJobConfig`), and
`StaticHyperParameters` (of `TrainingJobDefinition`, the default preset's if absent). It is checked against botocore's
service model and against the values that the container accepts, so that one file serves local searches and tuning jobs.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from chalicelib.errors import SentimentError
from training.model.hyperparameters import PRESETS as HYPERPARAMETER_PRESETS
from training.model.hyperparameters import parse, parse_value
from training.tuning.service_model import shape_problems

PRESETS_FOLDER = Path(__file__).with_name("presets")
DIRECTIONS = {  # metric of the validation channel -> the objective type that improves it
    "error": "Minimize",
    "logloss": "Minimize",
    "auc": "Maximize",
    "rmse": "Minimize",
    "mae": "Minimize",
}
_COLUMN_SAMPLING = ("colsample_bytree", "colsample_bylevel", "colsample_bynode")
_REGULARIZATION = ("alpha", "gamma", "lambda", "max_delta_step", "min_child_weight")
TUNABLE = frozenset(  # hyperparameters that a tuning job of the built-in algorithm can vary; others must be static
    ("eta", "max_depth", "num_round", "subsample", *_COLUMN_SAMPLING, *_REGULARIZATION)
)
_SHAPES = {  # member of the file -> shape in the service model
    "ParameterRanges": "ParameterRanges",
    "HyperParameterTuningJobObjective": "HyperParameterTuningJobObjective",
    "StaticHyperParameters": "HyperParameters",
}
_OPTIONAL = "StaticHyperParameters"
_NOT_SEARCHABLE = frozenset(("objective", "eval_metric", "seed", "nthread", "verbosity"))
_AUTO_LOGARITHMIC_RATIO = 100  # MaxValue / MinValue from which `Auto` means Logarithmic
_SIGNIFICANT_DIGITS = 6  # of a drawn number


class RangesError(SentimentError):
    """Ranges that a tuning job or the container would refuse."""

    type = "ranges-refused"
    title = "These ranges cannot be searched"


@dataclass(frozen=True)
class NumericRange:
    """An integer or continuous range, `low` and `high` included; `scale` is a ScalingType other than Auto."""

    name: str
    low: float
    high: float
    is_integer: bool
    scale: str


@dataclass(frozen=True)
class CategoricalRange:
    """A list of values to choose from."""

    name: str
    values: tuple[str, ...]


Range = NumericRange | CategoricalRange


@dataclass(frozen=True)
class SearchSpace:
    """A checked file of ranges. `document` is its content.

    `start` has the default preset's values of the searched hyperparameters. It is empty unless all of them are in range
    and the static hyperparameters are the default preset's too.
    """

    ranges: tuple[Range, ...]
    static: dict[str, str]
    metric: str
    maximize: bool
    start: dict[str, str]
    document: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the searched hyperparameters."""
        return tuple(range_.name for range_ in self.ranges)

    @property
    def local_only(self) -> tuple[str, ...]:
        """Names of those that a SageMaker tuning job cannot vary."""
        return tuple(name for name in self.names if name not in TUNABLE)

    def hyperparameters(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return a trial's hyperparameters; the objective is the last metric, so early stopping uses it."""
        return _with_last_metric(self.metric, {**self.static, **values})


def presets() -> list[str]:
    """Return the names of the project's files of ranges."""
    return sorted(path.stem for path in PRESETS_FOLDER.glob("*.json"))


def read_ranges(path: Path) -> SearchSpace:
    """Read and check a file of ranges; raises `RangesError` or `HyperparameterError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique_names)
    except (OSError, ValueError) as error:
        raise RangesError(f"{path} cannot be read as JSON: {error}") from error
    return check_ranges(document)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Create a dictionary from a JSON object; raises `ValueError` for a repeated name."""
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise ValueError(f"an object has {name!r} twice")
    return dict(pairs)


def check_ranges(document: Any) -> SearchSpace:
    """Check a document of ranges; raises `RangesError` or `HyperparameterError`."""
    _check_shapes(document)
    ranges = tuple(_ranges(document["ParameterRanges"]))
    names = [range_.name for range_ in ranges]
    _check_names(names, document.get(_OPTIONAL, {}))
    metric, maximize = _objective(document["HyperParameterTuningJobObjective"])
    preset = HYPERPARAMETER_PRESETS["default"]
    static = document.get(_OPTIONAL, {name: value for name, value in preset.items() if name not in names})
    examples = {
        range_.name: range_.values[0] if isinstance(range_, CategoricalRange) else str(range_.low) for range_ in ranges
    }
    parse(_with_last_metric(metric, {**static, **examples}))
    start = {} if _OPTIONAL in document else {name: preset[name] for name in names if name in preset}
    within = len(start) == len(ranges) and all(_contains(range_, start[range_.name]) for range_ in ranges)
    return SearchSpace(ranges, static, metric, maximize, start if within else {}, document)


def _with_last_metric(metric: str, stated: dict[str, str]) -> dict[str, str]:
    """Move a metric to the end of `eval_metric`."""
    others = [name for name in stated.get("eval_metric", "").split(",") if name not in ("", metric)]
    return {**stated, "eval_metric": ",".join([*others, metric])}


def _contains(range_: Range, value: str) -> bool:
    """Return whether a value is in a range."""
    return value in range_.values if isinstance(range_, CategoricalRange) else range_.low <= float(value) <= range_.high


def _check_shapes(document: Any) -> None:
    """Raise `RangesError` unless all members are present, known, and valid in the service model."""
    if not isinstance(document, dict):
        raise RangesError(f"Ranges must be a JSON object with the members {', '.join(_SHAPES)}.")
    unknown = document.keys() - _SHAPES.keys()
    missing = _SHAPES.keys() - document.keys() - {_OPTIONAL}
    if unknown or missing:
        faults = [f"unknown member {name!r}" for name in sorted(unknown)] + [
            f"missing member {name!r}" for name in sorted(missing)
        ]
        raise RangesError(f"The ranges have {', '.join(faults)}; the members are {', '.join(_SHAPES)}.")
    for member, value in document.items():
        problems = shape_problems(_SHAPES[member], value, member)
        if problems:
            raise RangesError(f"SageMaker would refuse {member}: {' '.join(problems)}")


def _ranges(document: Mapping[str, Any]) -> Iterator[Range]:
    """Yield the ranges of all kinds; raises `RangesError` for one that cannot be searched."""
    if document.get("AutoParameters"):
        raise RangesError("AutoParameters are not supported: state the ranges.")
    for item in document.get("IntegerParameterRanges", ()):
        yield _numeric_range(item, is_integer=True)
    for item in document.get("ContinuousParameterRanges", ()):
        yield _numeric_range(item, is_integer=False)
    for item in document.get("CategoricalParameterRanges", ()):
        yield _categorical_range(item)


def _categorical_range(item: Mapping[str, Any]) -> CategoricalRange:
    """Read a categorical range; the container must accept each value."""
    name, values = item["Name"], tuple(item["Values"])
    for value in values:
        parse_value(name, value)
    if len(set(values)) < len(values):
        raise RangesError(f"The values of {name} contain a duplicate.")
    return CategoricalRange(name, values)


def _numeric_range(item: Mapping[str, str], is_integer: bool) -> NumericRange:
    """Read an integer or continuous range; the container must accept both ends."""
    name = item["Name"]
    ends = [item["MinValue"], item["MaxValue"]]
    if any(isinstance(parse_value(name, text), int) for text in ends) and not is_integer:
        raise RangesError(f"{name} takes integers: move it to IntegerParameterRanges.")
    try:
        low, high = (int(text) if is_integer else float(text) for text in ends)
    except ValueError as error:
        raise RangesError(f"The range of {name} in IntegerParameterRanges is not of integers: {error}.") from error
    if not low < high or math.isinf(high):
        raise RangesError(f"The range of {name} is {ends[0]} to {ends[1]}: MaxValue must be finite and above MinValue.")
    return NumericRange(name, low, high, is_integer, _scale(name, low, high, item.get("ScalingType", "Auto")))


def _scale(name: str, low: float, high: float, scaling_type: str) -> str:
    """Return the scale of a range; raises `RangesError` where SageMaker does not allow it."""
    if scaling_type == "Auto":
        return "Logarithmic" if low > 0 and high / low >= _AUTO_LOGARITHMIC_RATIO else "Linear"
    if scaling_type == "Logarithmic" and low <= 0:
        raise RangesError(f"The range of {name} starts at {low}: a Logarithmic range must start above 0.")
    if scaling_type == "ReverseLogarithmic" and high >= 1:
        raise RangesError(f"The range of {name} ends at {high}: a ReverseLogarithmic range must end below 1.")
    return scaling_type


def _check_names(names: list[str], static: Mapping[str, str]) -> None:
    """Raise `RangesError` for no range, a repeated hyperparameter, or one that no metric can compare."""
    if not names:
        raise RangesError("The ranges have no hyperparameter to search.")
    for name, times in Counter([*names, *static]).items():
        if times > 1:
            raise RangesError(f"{name} occurs {times} times: state it once, as a range or as static.")
    for name in _NOT_SEARCHABLE.intersection(names):
        raise RangesError(f"{name} decides how trials are compared, not how good a model is: state it as static.")


def _objective(objective: Mapping[str, str]) -> tuple[str, bool]:
    """Return the metric of an objective, and whether it is maximized."""
    name, kind = objective["MetricName"], objective["Type"]
    split, _, metric = name.partition(":")
    if metric in ("accuracy", "f1"):
        raise RangesError(
            f"{name} is wrong in the container: for binary:logistic it treats every probability above 0 as positive. "
            "Use validation:error."
        )
    if split != "validation" or metric not in DIRECTIONS:
        known = ", ".join(f"validation:{known}" for known in DIRECTIONS)
        raise RangesError(f"{name!r} cannot be an objective. Use one of {known}.")
    if kind != DIRECTIONS[metric]:
        raise RangesError(f"{kind} is the wrong type for {name}: use {DIRECTIONS[metric]}.")
    return metric, kind == "Maximize"


def optuna_distribution(range_: Range) -> BaseDistribution:
    """Return the Optuna distribution of a range; a ReverseLogarithmic one is the distance to 1, on a log scale."""
    if isinstance(range_, CategoricalRange):
        return CategoricalDistribution(range_.values)
    if range_.scale == "ReverseLogarithmic":
        return FloatDistribution(1 - range_.high, 1 - range_.low, log=True)
    logarithmic = range_.scale == "Logarithmic"
    if range_.is_integer:
        return IntDistribution(int(range_.low), int(range_.high), log=logarithmic)
    return FloatDistribution(range_.low, range_.high, log=logarithmic)


def from_optuna(range_: Range, drawn: Any) -> str:
    """Convert a value drawn by Optuna to the container's string."""
    if isinstance(range_, CategoricalRange) or range_.is_integer:
        return str(drawn)
    return f"{1 - drawn if range_.scale == 'ReverseLogarithmic' else drawn:.{_SIGNIFICANT_DIGITS}g}"


def to_optuna(range_: Range, value: str) -> Any:
    """Convert the container's string to the value that Optuna would draw; the inverse of `from_optuna`."""
    if isinstance(range_, CategoricalRange):
        return value
    if range_.is_integer:
        return int(value)
    return 1 - float(value) if range_.scale == "ReverseLogarithmic" else float(value)
