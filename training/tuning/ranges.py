"""What a search may try: a file of ranges in the form that a SageMaker tuning job takes.

The file is a JSON object with three members named and shaped as in `CreateHyperParameterTuningJob`:
`ParameterRanges` and `HyperParameterTuningJobObjective` (of `HyperParameterTuningJobConfig`), and
`StaticHyperParameters` (of `TrainingJobDefinition`); without the last, the default recipe's are taken. It is checked
against botocore's model of the service, then against what the container takes, so that what is searched here can be
searched there.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.errors import SentimentError
from training.model.hyperparameters import PRESETS as RECIPES
from training.model.hyperparameters import parse, parse_value
from training.tuning.service_model import shape_problems

PRESETS_FOLDER = Path(__file__).with_name("presets")
DIRECTIONS = {  # metric of the validation channel -> the type of objective it is good for
    "error": "Minimize",
    "logloss": "Minimize",
    "auc": "Maximize",
    "rmse": "Minimize",
    "mae": "Minimize",
}
_SHARES_OF_COLUMNS = ("colsample_bytree", "colsample_bylevel", "colsample_bynode")
_AGAINST_OVERFITTING = ("alpha", "gamma", "lambda", "max_delta_step", "min_child_weight")
TUNABLE = frozenset(  # all that a tuning job with the built-in algorithm may vary; others it takes as static only
    ("eta", "max_depth", "num_round", "subsample", *_SHARES_OF_COLUMNS, *_AGAINST_OVERFITTING)
)
_SHAPES = {  # member of the file -> its shape in the service's model
    "ParameterRanges": "ParameterRanges",
    "HyperParameterTuningJobObjective": "HyperParameterTuningJobObjective",
    "StaticHyperParameters": "HyperParameters",
}
_OPTIONAL = "StaticHyperParameters"
_NEVER_SEARCHED = frozenset(("objective", "eval_metric", "seed", "nthread", "verbosity"))
_AUTO_LOGARITHMIC_RATIO = 100  # MaxValue / MinValue from which `Auto` searches logarithms


class RangesError(SentimentError):
    """A file of ranges that a tuning job or the container would refuse."""

    type = "ranges-refused"
    title = "These ranges cannot be searched"


@dataclass(frozen=True)
class Interval:
    """A hyperparameter's numbers `low` to `high`, both included; `scale` is a ScalingType other than Auto."""

    name: str
    low: float
    high: float
    whole: bool
    scale: str


@dataclass(frozen=True)
class Choice:
    """A hyperparameter's values to choose from."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class SearchSpace:
    """A checked file of ranges. `document` is what it held; `start` is the default recipe's values of what is searched.

    `start` is empty unless the other hyperparameters are the default recipe's too and all its values are in range.
    """

    ranges: tuple[Interval | Choice, ...]
    static: dict[str, str]
    metric: str
    maximize: bool
    start: dict[str, str]
    document: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """The hyperparameters that are searched."""
        return tuple(one.name for one in self.ranges)

    @property
    def here_only(self) -> tuple[str, ...]:
        """Those of them that a SageMaker tuning job would refuse to vary."""
        return tuple(name for name in self.names if name not in TUNABLE)

    def hyperparameters(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return all hyperparameters of a trial; the metric comes last, so that early stopping watches it."""
        return _watching(self.metric, {**self.static, **values})


def presets() -> list[str]:
    """Name the files of ranges that come with the project."""
    return sorted(path.stem for path in PRESETS_FOLDER.glob("*.json"))


def read_ranges(path: Path) -> SearchSpace:
    """Read and check a file of ranges; raises `RangesError` or `HyperparameterError` saying what is wrong with it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_name_twice)
    except (OSError, ValueError) as error:
        raise RangesError(f"{path} cannot be read as JSON: {error}") from error
    return check_ranges(document)


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of a file, unless it would silently lose a member."""
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise ValueError(f"an object names {name!r} twice")
    return dict(pairs)


def check_ranges(document: Any) -> SearchSpace:
    """Check what a file of ranges holds, and return it as a search takes it."""
    _check_shapes(document)
    ranges = tuple(_ranges(document["ParameterRanges"]))
    names = [one.name for one in ranges]
    _check_names(names, document.get(_OPTIONAL, {}))
    metric, maximize = _objective(document["HyperParameterTuningJobObjective"])
    recipe = RECIPES["default"]
    static = document.get(_OPTIONAL, {name: value for name, value in recipe.items() if name not in names})
    examples = {one.name: one.values[0] if isinstance(one, Choice) else str(one.low) for one in ranges}
    parse(_watching(metric, {**static, **examples}))
    start = {} if _OPTIONAL in document else {name: recipe[name] for name in names if name in recipe}
    within = len(start) == len(ranges) and all(_holds(one, start[one.name]) for one in ranges)
    return SearchSpace(ranges, static, metric, maximize, start if within else {}, document)


def _watching(metric: str, stated: dict[str, str]) -> dict[str, str]:
    """Put a metric last in `eval_metric`."""
    others = [name for name in stated.get("eval_metric", "").split(",") if name not in ("", metric)]
    return {**stated, "eval_metric": ",".join([*others, metric])}


def _holds(one: Interval | Choice, text: str) -> bool:
    """Tell whether a value is in a range."""
    return text in one.values if isinstance(one, Choice) else one.low <= float(text) <= one.high


def _check_shapes(document: Any) -> None:
    """Raise `RangesError` unless the members are there, known, and as the service's model describes them."""
    if not isinstance(document, dict):
        raise RangesError(f"Ranges are a JSON object with the members {', '.join(_SHAPES)}.")
    unknown = document.keys() - _SHAPES.keys()
    missing = _SHAPES.keys() - document.keys() - {_OPTIONAL}
    if unknown or missing:
        wrong = [f"unknown member {name!r}" for name in sorted(unknown)] + [f"no {name}" for name in sorted(missing)]
        raise RangesError(f"The ranges have {', '.join(wrong)}; they are made of {', '.join(_SHAPES)}.")
    for member, value in document.items():
        problems = shape_problems(_SHAPES[member], value, member)
        if problems:
            raise RangesError(f"{member} is not as SageMaker takes it: {' '.join(problems)}")


def _ranges(stated: Mapping[str, Any]) -> Iterator[Interval | Choice]:
    """Yield the ranges of all kinds; raises `RangesError` for one that cannot be searched."""
    if stated.get("AutoParameters"):
        raise RangesError("AutoParameters leave the ranges to SageMaker; a search here needs them stated.")
    for one in stated.get("IntegerParameterRanges", ()):
        yield _interval(one, whole=True)
    for one in stated.get("ContinuousParameterRanges", ()):
        yield _interval(one, whole=False)
    for one in stated.get("CategoricalParameterRanges", ()):
        yield _choice(one)


def _choice(stated: Mapping[str, Any]) -> Choice:
    """Read a categorical range, each of whose values the container takes."""
    name, values = stated["Name"], tuple(stated["Values"])
    for value in values:
        parse_value(name, value)
    if len(set(values)) < len(values):
        raise RangesError(f"The values of {name} repeat themselves.")
    return Choice(name, values)


def _interval(stated: Mapping[str, str], whole: bool) -> Interval:
    """Read an integer or continuous range, both of whose ends the container takes."""
    name = stated["Name"]
    ends = [stated["MinValue"], stated["MaxValue"]]
    if any(isinstance(parse_value(name, text), int) for text in ends) and not whole:
        raise RangesError(f"{name} takes whole numbers: search it under IntegerParameterRanges.")
    try:
        low, high = (int(text) if whole else float(text) for text in ends)
    except ValueError as error:
        raise RangesError(f"The range of {name} is under IntegerParameterRanges: {error}.") from error
    if not low < high or math.isinf(high):
        raise RangesError(f"The range of {name} goes from {ends[0]} to {ends[1]}: MaxValue must be above MinValue.")
    return Interval(name, low, high, whole, _scale(name, low, high, stated.get("ScalingType", "Auto")))


def _scale(name: str, low: float, high: float, stated: str) -> str:
    """Return the scale to search on, as SageMaker documents when each can be."""
    if stated == "Auto":
        return "Logarithmic" if low > 0 and high / low >= _AUTO_LOGARITHMIC_RATIO else "Linear"
    if stated == "Logarithmic" and low <= 0:
        raise RangesError(f"The range of {name} begins at {low}: a Logarithmic one must begin above 0.")
    if stated == "ReverseLogarithmic" and high >= 1:
        raise RangesError(f"The range of {name} ends at {high}: a ReverseLogarithmic one must end below 1.")
    return stated


def _check_names(names: list[str], static: Mapping[str, str]) -> None:
    """Raise `RangesError` for no range, a hyperparameter stated twice, or one that cannot be compared by the metric."""
    if not names:
        raise RangesError("The ranges name no hyperparameter to search.")
    for name, times in Counter([*names, *static]).items():
        if times > 1:
            raise RangesError(f"{name} is stated {times} times: once, under one kind of range or as static, is enough.")
    for name in _NEVER_SEARCHED.intersection(names):
        raise RangesError(f"{name} decides how trials compare, not how good a model is: state it as static.")


def _objective(stated: Mapping[str, str]) -> tuple[str, bool]:
    """Return the metric and whether more of it is better."""
    split, _, metric = stated["MetricName"].partition(":")
    if metric in ("accuracy", "f1"):
        raise RangesError(
            f"{stated['MetricName']} cannot be trusted: for binary:logistic the container calls every probability "
            "above 0 positive when it computes it. Use validation:error."
        )
    if split != "validation" or metric not in DIRECTIONS:
        known = ", ".join(f"validation:{name}" for name in DIRECTIONS)
        raise RangesError(f"A search cannot aim at {stated['MetricName']!r}; it can at {known}.")
    if stated["Type"] != DIRECTIONS[metric]:
        raise RangesError(f"{stated['Type']} is the wrong way for {stated['MetricName']}: use {DIRECTIONS[metric]}.")
    return metric, stated["Type"] == "Maximize"
