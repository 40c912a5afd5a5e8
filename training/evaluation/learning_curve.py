"""The `learning` step: the learning curve, a run's accuracy by the number of training reviews.

For each of a few numbers of reviews, drawn by id alone, the vocabulary, the n-gram features, the channels and the five
folds' models are made again with the run's recipe and hyperparameters. The out-of-fold predictions of those models give
a point of the curve; the run itself is the last point. The test is not used. The work is done in a temporary folder, so
an interrupted step leaves nothing behind.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from training import atomic, locks
from training.data.reviews import REVIEWS_NAME
from training.data.splits import assign
from training.evaluation.evaluate import load_run_of
from training.evaluation.metrics import accuracy_of
from training.evaluation.predictions import out_of_fold_predictions
from training.features.ngram_weights import SLOTS
from training.features.prepare import FeatureRecipe, prepare
from training.model.run_folder import Run, RunError, load_run
from training.model.train import train
from training.progress import ProgressCallback, silent

LEARNING_NAME = "learning.json"
SIZES = (1_500, 3_000, 6_000, 12_000)  # reviews; the run's own number follows


@dataclass(frozen=True)
class CurvePoint:
    """The cross-validated accuracy (0..1) with a number of reviews, of which each fold's model has four fifths.

    The `error` of an accuracy is its standard error. The figures of excerpts are of one per review, and None for a run
    that was not trained on excerpts.
    """

    reviews: int
    accuracy: float
    error: float
    excerpt_accuracy: float | None
    excerpt_error: float | None


@dataclass(frozen=True)
class LearningCurve:
    """The points of a run, fewest reviews first; the last is the run itself."""

    model_sha256: str
    points: Sequence[CurvePoint]

    def dumps(self) -> str:
        """Return the text of `learning.json`, where the figures of excerpts are named `crops`."""
        points = [
            {
                "reviews": point.reviews,
                "accuracy": point.accuracy,
                "error": point.error,
                "crops": point.excerpt_accuracy,
                "crops_error": point.excerpt_error,
            }
            for point in self.points
        ]
        return json.dumps({"model_sha256": self.model_sha256, "points": points}, indent=1) + "\n"


def load_learning_curve(run: Run) -> LearningCurve | None:
    """Read the learning curve in a run's folder; None if there is none, or if it is of another model."""
    path = run.folder / LEARNING_NAME
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        points = [
            CurvePoint(each["reviews"], each["accuracy"], each["error"], each["crops"], each["crops_error"])
            for each in stored["points"]
        ]
        curve = LearningCurve(stored["model_sha256"], points)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error}). Remove it and run `verdict learning`.") from error
    return curve if curve.model_sha256 == run.record.model_sha256 else None


def compute_learning_curve(
    run_path: Path,
    data_folder: Path,
    sizes: Sequence[int] = SIZES,
    tick: ProgressCallback = silent,
    step_tick: ProgressCallback = silent,
) -> LearningCurve:
    """Compute a run's learning curve and write `learning.json` into its folder.

    Sizes that are not below the run's own number of reviews are skipped. `tick` counts points, `step_tick` reports the
    work on the current point. Raises `RunError` for a run that was trained on other reviews, and
    `InUseError` if another command is using a folder.
    """
    with locks.writing(run_path), locks.reading(data_folder):
        return _compute(run_path, data_folder, sizes, tick, step_tick)


def _compute(
    run_path: Path, data_folder: Path, sizes: Sequence[int], tick: ProgressCallback, step_tick: ProgressCallback
) -> LearningCurve:
    """Compute a run's learning curve, in locked folders."""
    run = load_run_of(run_path, data_folder)
    last = _point(run, data_folder)
    smaller = sorted(size for size in set(sizes) if size < last.reviews)
    points: list[CurvePoint] = []
    for done, size in enumerate(smaller):
        tick(done, len(smaller), f"{size:,} reviews")
        points.append(_smaller_point(run, data_folder, size, step_tick))
    tick(len(smaller), len(smaller), "")
    curve = LearningCurve(run.record.model_sha256, [*points, last])
    atomic.write_text(run_path / LEARNING_NAME, curve.dumps())
    return curve


def _smaller_point(run: Run, data_folder: Path, reviews: int, tick: ProgressCallback) -> CurvePoint:
    """Prepare and train as for the run, with fewer reviews, and measure the result."""
    recipe = replace(FeatureRecipe.from_json(run.record.prepared.recipe), reviews=reviews)
    table = run.encoder.ngram_table
    slots = len(table.checks) if table else SLOTS
    ticks = (
        _labelled(tick, "counting terms"),
        _labelled(tick, "learning n-gram weights"),
        _labelled(tick, "writing rows"),
    )
    with TemporaryDirectory() as folder:
        channels, smaller_run = Path(folder) / "channels", Path(folder) / "run"
        prepare(data_folder, channels, ticks, recipe, slots)
        train(channels, smaller_run, run.record.hyperparameters, _labelled(tick, "cross-validating"), tick)
        return _point(load_run(smaller_run), data_folder)


def _labelled(tick: ProgressCallback, label: str) -> ProgressCallback:
    """Return a `ProgressCallback` that shows this label whenever it is given none."""
    return lambda done, total, seen: tick(done, total, seen or label)


def _point(run: Run, data_folder: Path) -> CurvePoint:
    """Measure a run on its out-of-fold predictions."""
    recipe, path = run.record.prepared.recipe, data_folder / REVIEWS_NAME
    splits = assign(path, recipe["reviews"])
    held_out = out_of_fold_predictions(run.held_out, run.encoder, path, splits, bool(recipe["crops"]))
    excerpts = accuracy_of(held_out.excerpts) if held_out.excerpts else (None, None)
    return CurvePoint(len(held_out.reviews.labels), *accuracy_of(held_out.reviews), *excerpts)
