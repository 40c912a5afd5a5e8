"""Hyperparameters: presets, and validation of the container's strings into xgboost's parameters.

Names and ranges are those of the built-in XGBoost algorithm for `binary:logistic`, with trees or a linear model. A name
or value that the container would refuse after minutes in a queue is refused at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import SentimentError

EVAL_METRICS = ("error", "logloss", "auc", "aucpr", "rmse", "mae", "map")
MAXIMIZED = ("auc", "aucpr", "map")  # larger is better

PRESETS: dict[str, dict[str, str]] = {
    "default": {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_leaves": "32",
        "max_depth": "0",
        "eta": "0.03",
        "lambda": "10",
        "min_child_weight": "20",
        "subsample": "0.5",
        "colsample_bynode": "0.3",
        "eval_metric": "error,logloss",
        "num_round": "1500",
        "early_stopping_rounds": "100",
        "seed": "1",
        "nthread": "1",  # folds are trained in parallel
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
    """An unknown hyperparameter, or a value out of range."""

    type = "hyperparameter-refused"
    title = "This hyperparameter cannot be used"


@dataclass(frozen=True)
class Hyperparameters:
    """Parsed hyperparameters: `strings` as the container takes them, `booster` as xgboost takes them.

    `early_stopping_rounds` is None for no early stopping; it uses the last evaluation metric on validation.
    """

    strings: dict[str, str]
    booster: dict[str, Any]
    num_round: int
    early_stopping_rounds: int | None

    @property
    def is_linear(self) -> bool:
        """Whether the model is linear; its rounds cannot be truncated after training."""
        return self.booster.get("booster") == LINEAR

    @property
    def watched_metric(self) -> str:
        """The metric of early stopping."""
        metrics: list[str] = self.booster["eval_metric"]
        return metrics[-1]


def _number(
    kind: Callable[[str], float], low: float, high: float = float("inf"), exclude_low: bool = False
) -> Callable[[str], float]:
    """Return a parser of numbers in [low, high], or in (low, high] with `exclude_low`."""

    def parse(text: str) -> float:
        value = kind(text)
        if not (low < value <= high if exclude_low else low <= value <= high):
            raise ValueError(f"it must be {'above' if exclude_low else 'at least'} {low} and at most {high}")
        return value

    return parse


def _enumeration(*known: str) -> Callable[[str], str]:
    """Return a parser that accepts only these strings."""

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(f"it must be {' or '.join(known)}")
        return text

    return parse


def _metrics(text: str) -> list[str]:
    """Parse a comma-separated list of evaluation metrics."""
    return [_enumeration(*EVAL_METRICS)(name) for name in text.split(",")]


_SHARE = _number(float, 0, 1, exclude_low=True)
_PARSERS: dict[str, Callable[[str], Any]] = {
    "objective": _enumeration("binary:logistic"),
    "booster": _enumeration("gbtree", LINEAR),
    "updater": _enumeration("coord_descent", "shotgun"),
    "tree_method": _enumeration("hist", "approx", "auto"),
    "grow_policy": _enumeration("depthwise", "lossguide"),
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
_REQUIRED = ("objective", "num_round", "eval_metric", "seed", "nthread")  # to compare and repeat runs
_NOT_FOR_BOOSTER = ("num_round", "early_stopping_rounds")
_LINEAR_PARAMETERS = frozenset(  # others apply to trees, or stop early, which fails a job with a linear model
    (*_REQUIRED, "booster", "updater", "eta", "lambda", "alpha", "base_score", "scale_pos_weight", "verbosity")
)
_LINEAR_ONLY = frozenset(("updater",))


def parse_value(name: str, text: str) -> Any:
    """Parse one hyperparameter; raises `HyperparameterError` for an unknown name or a value out of range."""
    if name not in _PARSERS:
        raise HyperparameterError(f"Unknown hyperparameter {name!r}. Known: {', '.join(_PARSERS)}.")
    try:
        return _PARSERS[name](text)
    except ValueError as error:
        raise HyperparameterError(f"Hyperparameter {name} cannot be {text!r}: {error}.") from error


def parse(strings: Mapping[str, str]) -> Hyperparameters:
    """Parse the container's strings; raises `HyperparameterError` with the faulty name."""
    parsed = {name: parse_value(name, text) for name, text in strings.items()}
    missing = [name for name in _REQUIRED if name not in parsed]
    if missing:
        raise HyperparameterError(f"Required hyperparameters are missing: {', '.join(missing)}.")
    _check_together(parsed)
    booster = {name: value for name, value in parsed.items() if name not in _NOT_FOR_BOOSTER}
    return Hyperparameters(dict(strings), booster, parsed["num_round"], parsed.get("early_stopping_rounds"))


def _check_together(parsed: Mapping[str, Any]) -> None:
    """Raise `HyperparameterError` for a parameter that does not apply to the booster, or fails a job with it."""
    linear = parsed.get("booster") == LINEAR
    inapplicable = [name for name in parsed if (name not in _LINEAR_PARAMETERS if linear else name in _LINEAR_ONLY)]
    if inapplicable and linear:
        raise HyperparameterError(
            f"{', '.join(inapplicable)}: not for a linear model. The preset `linear` has its parameters."
        )
    if inapplicable:
        raise HyperparameterError(f"{', '.join(inapplicable)}: for a linear model only (booster={LINEAR}).")


def for_rounds(strings: Mapping[str, str], rounds: int) -> dict[str, str]:
    """Return the hyperparameters with a fixed number of rounds and without early stopping."""
    return {name: text for name, text in strings.items() if name != "early_stopping_rounds"} | {
        "num_round": str(rounds)
    }


def with_settings(preset: str, settings: tuple[str, ...]) -> dict[str, str]:
    """Return a preset changed by `key=value` settings; an empty value removes the key.

    Settings with `booster=gblinear` start from the preset `linear`, since most tree parameters do not apply.
    """
    chosen = dict(PRESETS["linear" if f"booster={LINEAR}" in settings else preset])
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise HyperparameterError(f"{setting!r} is not in the form key=value.")
        chosen[name.strip()] = value.strip()
    return {name: value for name, value in chosen.items() if value}
