"""Step `evaluate`: what a run is worth, on validation, and with `--test` on the official test as the last word.

Validation is where choices are made, so that is what is looked at by default; the not-sure band and the threshold
of few known words are chosen on it here. Each look at the official test is counted in the run's folder, as every
look that leads to another try makes its figure worth less. `release` takes that look when nobody has.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training import atomic
from training.data import DATA_FOLDER
from training.evaluation import EVALUATION_NAME, REPORT_NAME, Evaluation, load_evaluation
from training.metrics import measure
from training.progress import Tick, bars, silent, table
from training.reviews import REVIEWS_NAME, DataError, read, read_manifest
from training.run_folder import RUNS_FOLDER, Run, RunError, load_run, run_folder
from training.scoring import empty_score, load_booster, score
from training.splits import assign
from training.thresholds import PRECISION, few_known_words, not_sure_band
from training.train import DEFAULT_RUN

EXCERPT_CHARACTERS = 400


def evaluate(
    run_path: Path, data_folder: Path, look_at_test: bool = False, precision: float = PRECISION, tick: Tick = silent
) -> Evaluation:
    """Evaluate a run and write `evaluation.json` and `report.html` into its folder.

    Raises `RunError` for a run of other data than the folder's, `DataError` for a test that is not there.
    """
    from training.report import render  # matplotlib: slow to import, and only needed here

    run = load_run(run_path)
    manifest = read_manifest(data_folder)
    if manifest.fingerprint != run.record.data_fingerprint:
        raise RunError(f"Run {run_path} was trained on other reviews than those in {data_folder}. Train it again.")
    if look_at_test and not manifest.total("test"):
        raise DataError(f"The reviews in {data_folder} have no test split to look at.")
    before = load_evaluation(run)
    evaluation = _measure(run, data_folder / REVIEWS_NAME, look_at_test, precision, tick)
    if before:
        evaluation = _continue(before, evaluation)
    atomic.write_text(run_path / EVALUATION_NAME, evaluation.dumps())
    atomic.write_text(run_path / REPORT_NAME, render(run.record, evaluation))
    return evaluation


def _measure(run: Run, path: Path, look_at_test: bool, precision: float, tick: Tick) -> Evaluation:
    """Score and measure; the band that validation chooses is the one that test is measured with."""
    splits = assign(path)
    booster = load_booster(run.model)
    names = ("validation", "test") if look_at_test else ("validation",)
    scored = {name: score(booster, run.vocabulary, path, splits, name, tick) for name in names}
    validation, nothing = scored["validation"], empty_score(booster, run.vocabulary)
    band = not_sure_band(validation.probabilities, validation.labels, nothing, precision)
    figures = {name: measure(scored[name], band) for name in names}
    _add_excerpts(path, [mistake for by in figures.values() for mistake in by.mistakes])
    return Evaluation(
        run=run.folder.name,
        model_sha256=run.record.model_sha256,
        data_fingerprint=run.record.data_fingerprint,
        not_sure_band=band,
        few_known_words=few_known_words(validation.known_shares),
        precision=precision,
        test_looks=int(look_at_test),
        splits=figures,
    )


def _add_excerpts(path: Path, mistakes: Sequence[dict[str, Any]]) -> None:
    """Add the beginning of its text to each mistake."""
    wanted = {mistake["id"]: mistake for mistake in mistakes}
    for review in read(path):
        if review.id in wanted:
            text = " ".join(review.text.replace("<br />", " ").split())
            cut = len(text) > EXCERPT_CHARACTERS
            wanted[review.id]["text"] = text[:EXCERPT_CHARACTERS] + ("…" if cut else "")


def _continue(before: Evaluation, now: Evaluation) -> Evaluation:
    """Add up the looks at the test, and keep its earlier figures where they were measured with the same band."""
    splits = now.splits
    if before.not_sure_band == now.not_sure_band:
        splits = {**before.splits, **now.splits}
    return replace(now, test_looks=before.test_looks + now.test_looks, splits=splits)


def summary_rows(evaluation: Evaluation) -> list[tuple[object, ...]]:
    """Return the lines of the summary table: a figure, then its value for each split."""
    figures = list(evaluation.splits.values())
    return [
        ("reviews", *(f"{by.reviews:,}" for by in figures)),
        ("accuracy, %", *(f"{by.accuracy:.2%} ± {by.accuracy_error:.2%}".replace("%", "") for by in figures)),
        ("AUC", *(f"{by.auc:.4f}" for by in figures)),
        ("log loss", *(f"{by.log_loss:.4f}" for by in figures)),
        ("calibration error, %", *(f"{by.calibration_error:.2%}"[:-1] for by in figures)),
        ("negative as positive", *(f"{by.confusion['negative']['positive']:,}" for by in figures)),
        ("positive as negative", *(f"{by.confusion['positive']['negative']:,}" for by in figures)),
        ("answered outside the band, %", *(f"{by.answered:.1%}"[:-1] for by in figures)),
        ("accuracy of those, %", *(f"{by.answered_accuracy:.2%}"[:-1] for by in figures)),
    ]


def show(console: Console, evaluation: Evaluation) -> None:
    """Print the summary of an evaluation."""
    low, high = evaluation.not_sure_band
    console.print(table(f"Run {evaluation.run}", summary_rows(evaluation), ("", *evaluation.splits)))
    console.print(f"Not sure between {low} and {high}; few known words below {evaluation.few_known_words:.0%}.")
    times = "once" if evaluation.test_looks == 1 else f"{evaluation.test_looks} times"
    console.print(f"Looked at the official test {times}." if evaluation.test_looks else "The test was not looked at.")


@click.command(name="evaluate")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option("--test", "look_at_test", is_flag=True, help="Also score the official test. Each look is counted.")
@click.option("--precision", type=click.FloatRange(0.5, 1), default=PRECISION, show_default=True)
def command(name: str, data: Path, look_at_test: bool, precision: float) -> None:
    """Measure a run on validation, and on the official test as the last word.

    Chooses the not-sure band on validation: the narrowest outside of which the share --precision of answers is right.
    Writes evaluation.json and report.html into the run's folder.
    """
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    with bars(console, "Scoring") as (tick,):
        evaluation = evaluate(folder, data, look_at_test, precision, tick)
    show(console, evaluation)
    console.print(f"Report: {folder / REPORT_NAME}", soft_wrap=True)
