"""Comparison of the simulated container with the real container's code, for those who have it.

    git clone https://github.com/aws/sagemaker-xgboost-container
    python -m simulator.container.real_container sagemaker-xgboost-container --tag 3.0-5

Hyperparameter sets and request bodies go through both; a line for each difference is printed, and the exit status is 1
if there is one. The checkout must be of the tag's branch, and its code is imported from there: none of it is in this
project. Packages that it imports and that are not installed here are replaced by empty ones. Error messages are not
compared, and recordio-protobuf bodies are not sent.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import xgboost

from simulator.container import hyperparameters
from simulator.container.serving import SHIFTING_TAGS, parse_body
from training.model.container_image import TAG

REFUSED = "refused"
_ABSENT = ("mlio", "pyarrow", "sagemaker_containers", "sagemaker_inference", "pandas", "flask", "gunicorn")
_LOGISTIC = {"objective": "binary:logistic"}
HYPERPARAMETERS: tuple[dict[str, str], ...] = (  # each is completed with num_round
    *({"eval_metric": name} for name in ("error", "logloss", "auc", "aucpr", "rmse", "mae", "map", "accuracy", "f1")),
    *(_LOGISTIC | {"eval_metric": name} for name in ("error", "error@0.7", "error @ 0.7", "auc@1", "aft-nloglik", "")),
    *({"objective": name} for name in ("reg:absoluteerror", "reg:quantileerror", "multi:softmax", "survival:cox")),
    *({"objective": "multi:softprob", "num_class": text} for text in ("1", "2", "x")),
    *({"eta": text} for text in ("0", "1", "1.1", "-0.1", "nan", "x")),
    *({"tree_method": name} for name in ("auto", "hist", "gpu_hist", "new")),
    *({"booster": "gblinear", "updater": name} for name in ("shotgun", "coord_descent")),
    *({name: "true"} for name in ("single_precision_histogram", "deterministic_histogram", "unknown")),
    *({name: "1"} for name in ("silent", "verbosity", "csv_weights", "seed", "max_leaves", "reg_alpha")),
)
REQUESTS: tuple[tuple[bytes, str | None], ...] = (  # body, content type
    *((b"0:1 2:1\n1:1", name) for name in (None, "", "libsvm", "text/x-libsvm; a=b", "application/json")),
    *((b"1,2\n3,4", name) for name in ("csv", "text/csv; label_size=0", "text/csv;label_size=1", "TEXT/CSV")),
    *((body, "libsvm") for body in (b"2:1 5:1", b"1 0:1", b"0:1\n0:1\n1", b"0:1\t3:1", b"0:1 3:1\0", b"5:1 5:2", b"x")),
    *((body, "csv") for body in (b"1,2,\n3,,4", b"1,2\0", b"1\x002\x003", b"1;2", b"a,b", b"1,2\n1", b"\xff\xfe")),
    (b"PAR1", "application/x-parquet"),
)


class _EmptyPackages(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds an empty package for every name below `_ABSENT` that is not installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in _ABSENT:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _EmptyPackage(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


class _EmptyPackage(ModuleType):
    """A package whose every attribute is a lower-case name, which serves for constants that are not used here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return {"CSV": "text/csv"}.get(name, name.lower())


def load(checkout: Path) -> tuple[Any, Any]:
    """Import the hyperparameters and the module `serve_utils` of a checkout."""
    sys.path.insert(0, str(checkout / "src"))
    empty = _EmptyPackages()
    sys.meta_path.append(empty)
    package = "sagemaker_xgboost_container.algorithm_mode"
    try:
        metrics = importlib.import_module(f"{package}.metrics").initialize()
        real = importlib.import_module(f"{package}.hyperparameter_validation").initialize(metrics)
        return real, importlib.import_module(f"{package}.serve_utils")
    finally:  # xgboost must not find them
        sys.meta_path.remove(empty)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _EmptyPackage)]:
            del sys.modules[name]


def differences(real: Any, serve_utils: Any, tag: str) -> Iterator[str]:
    """Yield a line for each hyperparameter set or request with different results."""
    for strings in HYPERPARAMETERS:
        complete = {"num_round": "2", **strings}
        there = _outcome(lambda case=complete: _names(real.validate(dict(case))))  # type: ignore[misc]
        here = _outcome(lambda case=complete: _names(hyperparameters.parse(case)))  # type: ignore[misc]
        if there != here:
            yield f"hyperparameters {strings}: {_short(there)} there, {_short(here)} here"
    for body, kind in REQUESTS:
        there = _outcome(lambda b=body, k=kind: _content(serve_utils.parse_content_data(b, k)[0]))  # type: ignore[misc]
        here = _outcome(lambda b=body, k=kind: _content(parse_body(b, k, tag in SHIFTING_TAGS)))  # type: ignore[misc]
        if there != here:
            yield f"request {body!r} of type {kind}: {there} there, {here} here"


def _outcome(run: Callable[[], Any]) -> Any:
    """Return a result, or `REFUSED` for any error: the real code raises whatever its libraries raise."""
    try:
        return run()
    except Exception:  # noqa: BLE001
        return REFUSED


def _short(outcome: Any) -> str:
    return REFUSED if outcome == REFUSED else "accepted"


def _names(parsed: dict[str, Any]) -> list[str]:
    return sorted(hyperparameters.ALIASES.get(name, name) for name in parsed)


def _content(matrix: xgboost.DMatrix) -> tuple[tuple[int, int], list[list[float]]]:
    """Return a matrix's shape, and (row, column, value) of all values that are not missing."""
    data = matrix.get_data().tocoo()
    values = np.stack([data.row, data.col, data.data], axis=1).astype(float).tolist()
    return (matrix.num_row(), matrix.num_col()), values


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and return the exit status."""
    parser = argparse.ArgumentParser(description="Compare the simulated container with the real one's code.")
    parser.add_argument("checkout", type=Path, help="a checkout of github.com/aws/sagemaker-xgboost-container")
    parser.add_argument("--tag", default=TAG, help="the image that the checkout belongs to (default: %(default)s)")
    parsed = parser.parse_args(arguments)
    found = list(differences(*load(parsed.checkout), parsed.tag))
    nothing = f"No difference in {len(HYPERPARAMETERS)} hyperparameter sets and {len(REQUESTS)} requests."
    sys.stdout.write("\n".join(found or [nothing]) + "\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
