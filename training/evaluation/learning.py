"""Step `learning`: whether more reviews would help, seen from what fewer of them give.

For each of a few numbers of reviews, drawn by their ids alone, everything is done again as it was for the run: the
vocabulary and the evidence, the channels and the five folds' models, with the run's recipe and hyperparameters. What
those models say of the reviews held out makes a point of the curve; the run itself is the last one. The test is never
asked about. All work is done in a folder that goes away, so stopping half-way leaves nothing behind.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from training import atomic
from training.data.reviews import REVIEWS_NAME, read_manifest
from training.data.splits import limited
from training.evaluation.evaluation import load_evaluation
from training.evaluation.learning_curve import LEARNING_NAME, LearningCurve, Point
from training.evaluation.metrics import accuracy_of
from training.evaluation.predictions import recall
from training.features.ngram_weights import SLOTS
from training.features.prepare import Recipe, prepare
from training.model.run_folder import Run, RunError, load_run
from training.model.train import train
from training.progress import ProgressCallback, silent

SIZES = (1_500, 3_000, 6_000, 12_000)  # reviews; the run's own number comes after them


def learning(
    run_path: Path,
    data_folder: Path,
    sizes: Sequence[int] = SIZES,
    tick: ProgressCallback = silent,
    step_tick: ProgressCallback = silent,
) -> LearningCurve:
    """Find a run's learning curve, write `learning.json` into its folder, and draw it into its report if it has one.

    Sizes that the run does not exceed are passed over. `tick` counts points, `step_tick` is of the work on one.
    Raises `RunError` for a run of other data than the folder's.
    """
    run = load_run(run_path)
    if read_manifest(data_folder).fingerprint != run.record.prepared.data_fingerprint:
        raise RunError(f"Run {run_path} was trained on other reviews than those in {data_folder}. Train it again.")
    whole = _point(run, data_folder)
    smaller = sorted(size for size in set(sizes) if size < whole.reviews)
    points: list[Point] = []
    for done, size in enumerate(smaller):
        tick(done, len(smaller), f"{size:,} reviews")
        points.append(_smaller(run, data_folder, size, step_tick))
    tick(len(smaller), len(smaller), "")
    curve = LearningCurve(run.record.model_sha256, [*points, whole])
    atomic.write_text(run_path / LEARNING_NAME, curve.dumps())
    _draw(run)
    return curve


def _smaller(run: Run, data_folder: Path, reviews: int, tick: ProgressCallback) -> Point:
    """Do all that was done for a run again, with fewer reviews."""
    recipe = replace(Recipe(**run.record.prepared.recipe), reviews=reviews)  # type: ignore[arg-type]  # from JSON
    evidence = run.encoder.ngram_table
    slots = len(evidence.checks) if evidence else SLOTS
    ticks = tuple(_saying(tick, what) for what in ("counting terms", "learning evidence", "writing rows"))
    with TemporaryDirectory() as folder:
        channels, made = Path(folder) / "channels", Path(folder) / "run"
        prepare(data_folder, channels, (ticks[0], ticks[1], ticks[2]), recipe, slots)
        train(channels, made, run.record.hyperparameters, _saying(tick, "cross-validating"), tick)
        return _point(load_run(made), data_folder)


def _saying(tick: ProgressCallback, what: str) -> ProgressCallback:
    """Make a `ProgressCallback` that says what it is of."""
    return lambda done, total, seen: tick(done, total, seen or what)


def _point(run: Run, data_folder: Path) -> Point:
    """Measure a run on what was held out of its training."""
    recipe, path = run.record.prepared.recipe, data_folder / REVIEWS_NAME
    asked = recall(run.held_out, run.encoder, path, limited(path, recipe["reviews"]), bool(recipe["crops"]))
    crops = accuracy_of(asked.crops) if asked.crops else (None, None)
    return Point(len(asked.reviews.labels), *accuracy_of(asked.reviews), *crops)


def _draw(run: Run) -> None:
    """Render the report of a run that was evaluated again."""
    from training.evaluation.report import write_report  # matplotlib: slow to import, and only needed here

    if evaluation := load_evaluation(run):
        write_report(run, evaluation)
