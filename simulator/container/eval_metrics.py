"""The evaluation metrics of the built-in algorithm: names, directions, and those that the container computes itself.

xgboost computes most of them. The container computes the others with scikit-learn and counts a score above 0 as
positive. That is right for log-odds, but it receives probabilities, so with `binary:logistic` every row counts as
positive. Source: `constants/xgb_constants.py` and `metrics/custom_metrics.py` of
github.com/aws/sagemaker-xgboost-container. `mae` and `rmse` are computed by xgboost here, with the same result.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import xgboost

MAXIMIZED = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2"),
    *("recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZED = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy"),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_FIGURE = re.compile(r"#011(train|validation)-([^:#]+):([^\s#]+)")
_ROUND = re.compile(r".*\[(\d+)\]#011")
_CUSTOM: dict[
    str, tuple[str, dict[str, Any], bool]
] = {  # name -> scikit-learn's function, its options, and whether it takes classes (else scores)
    "accuracy": ("accuracy_score", {}, True),
    "balanced_accuracy": ("balanced_accuracy_score", {}, True),
    "f1": ("f1_score", {"average": "macro"}, True),
    "f1_binary": ("f1_score", {"average": "binary"}, True),
    "f1_macro": ("f1_score", {"average": "macro"}, True),
    "mse": ("mean_squared_error", {}, False),
    "precision": ("precision_score", {}, True),
    "precision_macro": ("precision_score", {"average": "macro"}, True),
    "precision_micro": ("precision_score", {"average": "micro"}, True),
    "r2": ("r2_score", {}, False),
    "recall": ("recall_score", {}, True),
    "recall_macro": ("recall_score", {"average": "macro"}, True),
    "recall_micro": ("recall_score", {"average": "micro"}, True),
}

Custom = Callable[[Any, xgboost.DMatrix], list[tuple[str, float]]]


def metric_definitions() -> list[dict[str, str]]:
    """Return the algorithm's metric definitions, as a job's description has them."""
    return [
        {"Name": f"{split}:{metric}", "Regex": rf".*\[[0-9]+\].*#011{split}-{metric}:{_NUMBER}.*"}
        for split in ("train", "validation")
        for metric in sorted((*MAXIMIZED, *MINIMIZED))
    ]


def split_metrics(names: Sequence[str]) -> tuple[list[str], Custom | None]:
    """Split metrics into xgboost's and a function that computes the container's own; None if there are none."""
    own = [name for name in names if name in _CUSTOM]
    return [name for name in names if name not in _CUSTOM], partial(_compute, own) if own else None


def _compute(names: Sequence[str], scores: Any, matrix: xgboost.DMatrix) -> list[tuple[str, float]]:
    """Compute the container's own metrics of a round, including its error."""
    from sklearn import metrics  # slow to import

    labels = matrix.get_label()
    classes = scores.argmax(axis=-1) if scores.ndim > 1 else (scores > 0).astype(int)
    figures = []
    for name in names:
        function, options, of_classes = _CUSTOM[name]
        if function in ("precision_score", "recall_score"):
            options = {"zero_division": 0.0, **options}
        figures.append((name, float(getattr(metrics, function)(labels, classes if of_classes else scores, **options))))
    return figures


def figures_of(line: str) -> tuple[int, dict[str, float]] | None:
    """Parse a line of the log by the algorithm's metric definitions.

    `[3]#011train-error:0.2#011validation-error:0.3` -> (3, {"train:error": 0.2, "validation:error": 0.3}); None for
    any other line.
    """
    number = _ROUND.match(line)
    if not number:
        return None
    return int(number[1]), {f"{split}:{metric}": float(value) for split, metric, value in _FIGURE.findall(line)}
