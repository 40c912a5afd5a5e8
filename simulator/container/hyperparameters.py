"""The container's hyperparameters (image 3.0-5): parsing and validation.

A superset of `training.model.hyperparameters`. Source: `algorithm_mode/hyperparameter_validation.py` of
github.com/aws/sagemaker-xgboost-container, messages included. Kept from there: any `eval_metric` without an `objective`
fails the job with a bare KeyError. Not simulated, and rejected: `_NOT_SIMULATED`, and updaters of trees.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.container.errors import TrainingFailedError, algorithm_error
from simulator.container.eval_metrics import MAXIMIZED, MINIMIZED

ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
TUNING_METRIC = "_tuning_objective_metric"  # set by a tuning job
_NOT_SIMULATED = frozenset(
    (
        *("process_type", "refresh_leaf", "monotone_constraints", "interaction_constraints"),
        *("_kfold", "_num_cv_round", "use_dask_gpu_training"),
    )
)
LINEAR_UPDATERS = ("shotgun", "coord_descent")
_OBJECTIVES = (
    *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
    *("multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror"),
    *("reg:logistic", "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror", "reg:tweedie", "reg:absoluteerror"),
    *("survival:aft", "survival:cox"),
)
_TREE_UPDATERS = (  # as the container's message lists them
    "'grow_colmaker', 'distcol', 'grow_histmaker', 'grow_local_histmaker', 'grow_skmaker', 'grow_quantile_histmaker', "
    "'sync', 'refresh', 'prune', 'shortgun', 'coord_descent'"
)
_WITH_THRESHOLD = ("error", "ndcg", "map")  # as in error@0.7


@dataclass(frozen=True)
class _Interval:
    """An interval, written as in the container's messages."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: float) -> bool:
        below = value <= self.low if self.low_open else value < self.low
        above = value >= self.high if self.high_open else value > self.high
        return not (below or above)

    def __str__(self) -> str:
        low = "(-inf" if math.isinf(self.low) else f"{'(' if self.low_open else '['}{self.low}"
        high = "+inf)" if math.isinf(self.high) else f"{self.high}{')' if self.high_open else ']'}"
        return f"{low}, {high}"


class _Metrics(tuple[str, ...]):
    """The evaluation metrics, some of which take a threshold."""

    def __contains__(self, metric: object) -> bool:
        name, *thresholds = (part.strip() for part in str(metric).split("@"))
        if not thresholds:
            return super().__contains__(metric)
        if name not in _WITH_THRESHOLD:
            raise TrainingFailedError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should be one "
                "of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(thresholds[0])
        except ValueError as error:
            raise TrainingFailedError(f"Threshold value 't' in '{name}@t' expects float input.") from error
        return True


@dataclass(frozen=True)
class _Rule:
    """The parser of a value, and its allowed values."""

    parse: Callable[[str], Any]
    allowed: Any


def _from(low: float, kind: Callable[[str], Any] = float) -> _Rule:
    """Return a rule for numbers of at least `low`."""
    return _Rule(kind, _Interval(low))


def _one_of(*values: str) -> _Rule:
    """Return a rule for an enumeration."""
    return _Rule(str, list(values))


_SHARE = _Rule(float, _Interval(0, 1, low_open=True))
_UNIT = _Rule(float, _Interval(0, 1))
_FLAG = _Rule(int, _Interval(0, 1))
_BOOLEAN = _one_of("true", "false")
_RULES: dict[str, _Rule] = {
    "num_round": _from(1, int),
    "csv_weights": _FLAG,
    "early_stopping_rounds": _from(1, int),
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "updater": _Rule(str, LINEAR_UPDATERS),
    "verbosity": _Rule(int, _Interval(0, 3)),
    "nthread": _from(1, int),
    "eta": _UNIT,
    "gamma": _from(0),
    "max_depth": _from(0, int),
    "min_child_weight": _from(0),
    "max_delta_step": _from(0),
    "subsample": _SHARE,
    "colsample_bytree": _SHARE,
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "lambda": _from(0),
    "alpha": _from(0),
    "tree_method": _one_of("auto", "exact", "approx", "hist", "gpu_hist"),
    "sketch_eps": _Rule(float, _Interval(0, 1, low_open=True, high_open=True)),
    "scale_pos_weight": _Rule(float, _Interval(0, low_open=True)),
    "dsplit": _one_of("row", "col"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _from(0, int),
    "max_bin": _from(0, int),
    "predictor": _one_of("auto", "cpu_predictor", "gpu_predictor"),
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _UNIT,
    "one_drop": _FLAG,
    "skip_drop": _UNIT,
    "lambda_bias": _UNIT,
    "tweedie_variance_power": _Rule(float, _Interval(1, 2, low_open=True, high_open=True)),
    "objective": _one_of(*_OBJECTIVES),
    "num_class": _from(2, int),
    "base_score": _from(0),
    TUNING_METRIC: _one_of(*(f"validation:{name}" for name in (*MAXIMIZED, *MINIMIZED))),
    "eval_metric": _Rule(lambda text: text.split(","), _Metrics((*MAXIMIZED, *MINIMIZED))),
    "seed": _Rule(int, _Interval(-(2**31), 2**31 - 1, low_open=True, high_open=True)),
    "num_parallel_tree": _from(1, int),
    "save_model_on_termination": _BOOLEAN,
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _from(0),
    "deterministic_histogram": _BOOLEAN,
    "sampling_method": _one_of("uniform", "gradient_based"),
    "prob_buffer_row": _Rule(int, _Interval(1.0, low_open=True)),
}


def parse(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Parse and validate hyperparameters in the container's order; raises `TrainingFailedError` with its message."""
    named = {ALIASES.get(name, name): text for name, text in hyperparameters.items()}
    if "num_round" not in named:
        raise TrainingFailedError("Missing required hyperparameter: num_round")
    parsed = {name: _parse(name, text) for name, text in named.items()}
    for name, value in parsed.items():
        _check_range(name, value)
    _check_together(parsed)
    return parsed


def _parse(name: str, text: str) -> Any:
    """Parse a hyperparameter; raises `TrainingFailedError`."""
    if name in _NOT_SIMULATED or (name == "updater" and text not in LINEAR_UPDATERS):
        raise algorithm_error(f"The container supports the hyperparameter {name}, the simulator does not.")
    if name not in _RULES:
        raise TrainingFailedError(f"Extraneous hyperparameter found: {name}")
    try:
        return _RULES[name].parse(text)
    except ValueError as error:
        raise TrainingFailedError(f"Hyperparameter {name}: could not parse value (caused by ValueError)") from error


def _check_range(name: str, value: Any) -> None:
    """Raise `TrainingFailedError` for a value that is not allowed."""
    allowed = _RULES[name].allowed
    if isinstance(value, list):
        if any(item not in allowed for item in value):
            raise TrainingFailedError(f"Hyperparameter {name}: value {value} not in range {list(allowed)}")
    elif value not in allowed:
        raise TrainingFailedError(f"Hyperparameter {name}: {value} is not in {allowed}")


def _check_together(parsed: Mapping[str, Any]) -> None:
    """Raise `TrainingFailedError` for hyperparameters that exclude each other."""
    if "updater" in parsed and parsed.get("booster") != "gblinear":
        raise TrainingFailedError(f"Tree updater should be selected from these options: {_TREE_UPDATERS}.")
    objective = parsed.get("objective", "")
    if objective.startswith("multi:") and "num_class" not in parsed:
        raise TrainingFailedError("Require input for parameter 'num_class' for multi-classification")
    if "eval_metric" in parsed:
        _check_metrics(parsed["eval_metric"], parsed)


def _check_metrics(metrics: Sequence[str], parsed: Mapping[str, Any]) -> None:
    """Raise `TrainingFailedError` for metrics without an objective, or with one that they do not apply to."""
    if "objective" not in parsed:
        raise TrainingFailedError("'objective'", "KeyError")
    objective = parsed["objective"]
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise TrainingFailedError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise TrainingFailedError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")
