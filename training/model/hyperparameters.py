"""Hyperparameters as the container takes them, strings by name, checked and parsed once into what xgboost takes.

The names and ranges are those of the built-in XGBoost algorithm for `binary:logistic`, with trees or, as a challenger,
a linear model. A name or value that it would refuse after minutes of queueing is refused here at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import SentimentError

EVAL_METRICS = ("error", "logloss", "auc", "aucpr", "rmse", "mae", "map")
MAXIMIZED = ("auc", "aucpr", "map")  # of these the larger is the better

PRESETS: dict[str, dict[str, str]] = {
    "default": {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_leaves": "16",
        "max_depth": "0",
        "eta": "0.03",
        "lambda": "10",
        "min_child_weight": "20",
        "subsample": "0.5",
        "colsample_bynode": "1",
        "eval_metric": "error,logloss",
        "num_round": "1500",
        "early_stopping_rounds": "100",
        "seed": "1",
        "nthread": "1",  # folds are trained side by side
    },
    "tutorial": {
        "objective": "binary:logistic",
        "max_depth": "5",
        "eta": "0.2",
        "gamma": "4",
        "min_child_weight": "6",
        "subsample": "0.8",
        "eval_metric": "error,logloss",
        "num_round": "500",
        "early_stopping_rounds": "10",
        "seed": "1",
        "nthread": "1",
    },
    "linear": {  # coord_descent gives the same weights on any number of threads, shotgun does not
        "objective": "binary:logistic",
        "booster": "gblinear",
        "updater": "coord_descent",
        "eta": "0.5",
        "lambda": "0.001",
        "eval_metric": "error,logloss",
        "num_round": "150",
        "seed": "1",
        "nthread": "1",
    },
}
LINEAR = "gblinear"


class HyperparameterError(SentimentError):
    """A hyperparameter that training does not know, or a value out of its range."""

    type = "hyperparameter-refused"
    title = "This hyperparameter cannot be used"


@dataclass(frozen=True)
class Hyperparameters:
    """Parsed hyperparameters: `booster` goes to xgboost as it is; `stated` are the strings they came from.

    `early_stopping_rounds` is None for none; it watches the last of the evaluation metrics on validation.
    """

    stated: dict[str, str]
    booster: dict[str, Any]
    num_round: int
    early_stopping_rounds: int | None

    @property
    def is_linear(self) -> bool:
        """Whether it is one weight a column instead of trees: then a model cannot be cut to fewer rounds."""
        return self.booster.get("booster") == LINEAR

    @property
    def watched_metric(self) -> str:
        """The metric that stops training early."""
        metrics: list[str] = self.booster["eval_metric"]
        return metrics[-1]


def _number(
    kind: Callable[[str], float], low: float, high: float = float("inf"), above: bool = False
) -> Callable[[str], float]:
    """Make a parser of numbers in [low, high], or with `above` in (low, high]."""

    def parse(text: str) -> float:
        value = kind(text)
        if not (low < value <= high if above else low <= value <= high):
            raise ValueError(f"it must be {'above' if above else 'at least'} {low} and at most {high}")
        return value

    return parse


def _one_of(*known: str) -> Callable[[str], str]:
    """Make a parser that takes these texts only."""

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(f"it must be {' or '.join(known)}")
        return text

    return parse


def _metrics(text: str) -> list[str]:
    """Parse a comma-separated list of evaluation metrics."""
    return [_one_of(*EVAL_METRICS)(name) for name in text.split(",")]


_SHARE = _number(float, 0, 1, above=True)
_PARSERS: dict[str, Callable[[str], Any]] = {
    "objective": _one_of("binary:logistic"),
    "booster": _one_of("gbtree", LINEAR),
    "updater": _one_of("coord_descent", "shotgun"),
    "tree_method": _one_of("hist", "approx", "auto"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _number(int, 0),
    "max_depth": _number(int, 0),
    "eta": _number(float, 0, 1),
    "gamma": _number(float, 0),
    "lambda": _number(float, 0),
    "alpha": _number(float, 0),
    "min_child_weight": _number(float, 0),
    "max_delta_step": _number(float, 0),
    "scale_pos_weight": _number(float, 0),
    "base_score": _number(float, 0, 1),
    "num_parallel_tree": _number(int, 1),
    "subsample": _SHARE,
    "colsample_bytree": _SHARE,
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "max_bin": _number(int, 2),
    "eval_metric": _metrics,
    "num_round": _number(int, 1),
    "early_stopping_rounds": _number(int, 1),
    "seed": _number(int, 0, 2**31 - 1),
    "nthread": _number(int, 1),
    "verbosity": _number(int, 0, 3),
}
_NEEDED = ("objective", "num_round", "eval_metric", "seed", "nthread")  # without these, runs cannot be compared
_NOT_FOR_BOOSTER = ("num_round", "early_stopping_rounds")
_FOR_LINEAR = frozenset(  # the others are about trees, or stop early, which fails a job with a linear model
    (*_NEEDED, "booster", "updater", "eta", "lambda", "alpha", "base_score", "scale_pos_weight", "verbosity")
)
_FOR_LINEAR_ALONE = frozenset(("updater",))


def parse_value(name: str, text: str) -> Any:
    """Parse one hyperparameter; raises `HyperparameterError` for an unknown name or a value out of its range."""
    if name not in _PARSERS:
        raise HyperparameterError(f"Unknown hyperparameter {name!r}; known are {', '.join(_PARSERS)}.")
    try:
        return _PARSERS[name](text)
    except ValueError as error:
        raise HyperparameterError(f"Hyperparameter {name} cannot be {text!r}: {error}.") from error


def parse(stated: Mapping[str, str]) -> Hyperparameters:
    """Parse string hyperparameters; raises `HyperparameterError` naming the one that is wrong."""
    parsed = {name: parse_value(name, text) for name, text in stated.items()}
    missing = [name for name in _NEEDED if name not in parsed]
    if missing:
        raise HyperparameterError(f"Hyperparameters lack {', '.join(missing)}.")
    _check_together(parsed)
    booster = {name: value for name, value in parsed.items() if name not in _NOT_FOR_BOOSTER}
    return Hyperparameters(dict(stated), booster, parsed["num_round"], parsed.get("early_stopping_rounds"))


def _check_together(parsed: Mapping[str, Any]) -> None:
    """Raise `HyperparameterError` for one that the booster does not take, or that fails the job with it."""
    linear = parsed.get("booster") == LINEAR
    wrong = [name for name in parsed if (name not in _FOR_LINEAR if linear else name in _FOR_LINEAR_ALONE)]
    if wrong and linear:
        raise HyperparameterError(f"A linear model takes no {', '.join(wrong)}: the preset `linear` has what it takes.")
    if wrong:
        raise HyperparameterError(f"Trees take no {', '.join(wrong)}; a linear model does: booster={LINEAR}.")


def for_rounds(stated: Mapping[str, str], rounds: int) -> dict[str, str]:
    """Return string hyperparameters that train for so many rounds, whatever is seen on the way."""
    return {name: text for name, text in stated.items() if name != "early_stopping_rounds"} | {"num_round": str(rounds)}


def with_settings(preset: str, settings: tuple[str, ...]) -> dict[str, str]:
    """Return a preset with `key=value` settings in place of its own; an empty value takes the key away.

    Settings that ask for a linear model begin with its own preset: those for trees have little that it takes.
    """
    chosen = dict(PRESETS["linear" if f"booster={LINEAR}" in settings else preset])
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise HyperparameterError(f"{setting!r} is not key=value.")
        chosen[name.strip()] = value.strip()
    return {name: value for name, value in chosen.items() if value}
