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

import click
from rich.console import Console

from training import atomic
from training.data import DATA_FOLDER
from training.evaluation import REPORT_NAME, load_evaluation
from training.evidence import SLOTS
from training.features import Recipe, prepare
from training.learning_curve import LEARNING_NAME, LearningCurve, Point
from training.metrics import accuracy_of
from training.progress import Tick, bars, silent, table
from training.reviews import REVIEWS_NAME, read_manifest
from training.run_folder import RUNS_FOLDER, Run, RunError, load_run, run_folder
from training.scoring import recall
from training.splits import limited
from training.train import DEFAULT_RUN, train

SIZES = (1_500, 3_000, 6_000, 12_000)  # reviews; the run's own number comes after them


def learning(
    run_path: Path,
    data_folder: Path,
    sizes: Sequence[int] = SIZES,
    tick: Tick = silent,
    step_tick: Tick = silent,
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


def _smaller(run: Run, data_folder: Path, reviews: int, tick: Tick) -> Point:
    """Do all that was done for a run again, with fewer reviews."""
    recipe = replace(Recipe(**run.record.prepared.recipe), reviews=reviews)  # type: ignore[arg-type]  # from JSON
    evidence = run.encoder.evidence
    slots = len(evidence.checks) if evidence else SLOTS
    ticks = tuple(_saying(tick, what) for what in ("counting terms", "learning evidence", "writing rows"))
    with TemporaryDirectory() as folder:
        channels, made = Path(folder) / "channels", Path(folder) / "run"
        prepare(data_folder, channels, (ticks[0], ticks[1], ticks[2]), recipe, slots)
        train(channels, made, run.record.hyperparameters, _saying(tick, "cross-validating"), tick)
        return _point(load_run(made), data_folder)


def _saying(tick: Tick, what: str) -> Tick:
    """Make a `Tick` that says what it is of."""
    return lambda done, total, seen: tick(done, total, seen or what)


def _point(run: Run, data_folder: Path) -> Point:
    """Measure a run on what was held out of its training."""
    recipe, path = run.record.prepared.recipe, data_folder / REVIEWS_NAME
    asked = recall(run.held_out, run.encoder, path, limited(path, recipe["reviews"]), bool(recipe["crops"]))
    crops = accuracy_of(asked.crops) if asked.crops else (None, None)
    return Point(len(asked.reviews.labels), *accuracy_of(asked.reviews), *crops)


def _draw(run: Run) -> None:
    """Render the report of a run that was evaluated again."""
    from training.report import write_report  # matplotlib: slow to import, and only needed here

    if evaluation := load_evaluation(run):
        write_report(run, evaluation)


@click.command(name="learning")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option(
    "--size", "sizes", type=click.IntRange(1), multiple=True, default=SIZES, show_default=True, help="So many reviews."
)
def command(name: str, data: Path, sizes: tuple[int, ...]) -> None:
    """Learn from fewer reviews, to see what more would bring, and draw the curve into the report.

    Takes some minutes. Writes learning.json into the run's folder; the test is not looked at.
    """
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    with bars(console, "Learning curve", "This point") as (tick, step_tick):
        curve = learning(folder, data, sizes, tick, step_tick)
    rows = [
        (f"{point.reviews:,}", _percent(point.accuracy, point.error), _percent(point.crops, point.crops_error))
        for point in curve.points
    ]
    console.print(table(f"Run {folder}", rows, ("reviews", "accuracy, %", "of crops, %")))
    if (folder / REPORT_NAME).exists():
        console.print(f"Report: {folder / REPORT_NAME}", soft_wrap=True)


def _percent(accuracy: float | None, error: float | None) -> str:
    """Write an accuracy with its standard error; nothing for none."""
    return "" if accuracy is None or error is None else f"{accuracy * 100:.2f} ± {error * 100:.2f}"
