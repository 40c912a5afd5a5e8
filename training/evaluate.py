"""Step `evaluate`: what a run is worth, on what was held out, and with `--test` on the official test as the last word.

What the folds' models say of the reviews they never saw is where choices are made, so that is what is looked at by
default; the not-sure band and the threshold of few known words are chosen on it here. Each look at the official test is
counted in the run's folder, as every look that leads to another try makes its figure worth less. `release` takes that
look when nobody has.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training import atomic
from training.crops import crops_of
from training.data import DATA_FOLDER
from training.evaluation import (
    EVALUATION_NAME,
    HELD_OUT,
    HELD_OUT_CROPS,
    REPORT_NAME,
    TEST,
    TEST_CROPS,
    Evaluation,
    load_evaluation,
)
from training.metrics import Figures, measure
from training.progress import Tick, bars, silent, table
from training.reviews import REVIEWS_NAME, DataError, read, read_manifest
from training.run_folder import RUNS_FOLDER, Run, RunError, load_run, run_folder
from training.scoring import Asked, Scored, empty_score, load_booster, recall, score
from training.splits import limited
from training.thresholds import PRECISION, SHORT_PRECISION, Demand, few_known_words, not_sure_band
from training.train import DEFAULT_RUN

EXCERPT_CHARACTERS = 400


DEFAULT_PRECISION = {HELD_OUT: PRECISION, HELD_OUT_CROPS: SHORT_PRECISION}


def evaluate(
    run_path: Path,
    data_folder: Path,
    look_at_test: bool = False,
    precision: Mapping[str, float] = DEFAULT_PRECISION,
    tick: Tick = silent,
) -> Evaluation:
    """Evaluate a run and write `evaluation.json` and `report.html` into its folder.

    Raises `RunError` for a run of other data than the folder's, `DataError` for a test that is not there.
    """
    from training.report import write_report  # matplotlib: slow to import, and only needed here

    run = load_run(run_path)
    manifest = read_manifest(data_folder)
    if manifest.fingerprint != run.record.prepared.data_fingerprint:
        raise RunError(f"Run {run_path} was trained on other reviews than those in {data_folder}. Train it again.")
    if look_at_test and not manifest.total("test"):
        raise DataError(f"The reviews in {data_folder} have no test split to look at.")
    before = load_evaluation(run)
    evaluation = _measure(run, data_folder / REVIEWS_NAME, look_at_test, precision, tick)
    if before:
        evaluation = _continue(before, evaluation)
    atomic.write_text(run_path / EVALUATION_NAME, evaluation.dumps())
    write_report(run, evaluation)
    return evaluation


def _measure(run: Run, path: Path, look_at_test: bool, precision: Mapping[str, float], tick: Tick) -> Evaluation:
    """Score and measure; the band that is chosen on what was held out is the one that the test is measured with."""
    recipe = run.record.prepared.recipe
    splits, crops = limited(path, recipe["reviews"]), bool(recipe["crops"])
    booster = load_booster(run.model)
    scored = _named(HELD_OUT, HELD_OUT_CROPS, recall(run.held_out, run.encoder, path, splits, crops, tick))
    if look_at_test:
        scored |= _named(TEST, TEST_CROPS, score(booster, run.encoder, path, splits, crops, tick))
    wanted = {name: precision[name] for name in precision if name in scored}
    demands = [Demand(scored[name].probabilities, scored[name].labels, share) for name, share in wanted.items()]
    band = not_sure_band(demands, empty_score(booster, run.encoder))
    figures = {name: measure(each, band) for name, each in scored.items()}
    _add_excerpts(path, figures)
    return Evaluation(
        run=run.folder.name,
        model_sha256=run.record.model_sha256,
        data_fingerprint=run.record.prepared.data_fingerprint,
        not_sure_band=band,
        few_known_words=few_known_words(scored[HELD_OUT].known_shares),
        precision=wanted,
        test_looks=int(look_at_test),
        asked=figures,
    )


def _named(whole: str, cropped: str, asked: Asked) -> dict[str, Scored]:
    """Name what was asked about: the reviews, and the crops where there are any."""
    return {whole: asked.reviews} | ({cropped: asked.crops} if asked.crops else {})


def _add_excerpts(path: Path, figures: Mapping[str, Figures]) -> None:
    """Add the beginning of its text, or its crop, to each mistake."""
    wanted: dict[str, list[tuple[dict[str, Any], bool]]] = defaultdict(list)
    for name, by in figures.items():
        for mistake in by.mistakes:
            wanted[mistake["id"]].append((mistake, name in (HELD_OUT_CROPS, TEST_CROPS)))
    for review in read(path):
        for mistake, cropped in wanted.get(review.id, ()):
            said = crops_of(review.id, review.text, 1)[0] if cropped else review.text
            text = " ".join(said.replace("<br />", " ").split())
            mistake["text"] = text[:EXCERPT_CHARACTERS] + ("…" if len(text) > EXCERPT_CHARACTERS else "")


def _continue(before: Evaluation, now: Evaluation) -> Evaluation:
    """Add up the looks at the test, and keep its earlier figures where they were measured with the same band."""
    asked = now.asked
    if before.not_sure_band == now.not_sure_band:
        asked = {**before.asked, **now.asked}
    return replace(now, test_looks=before.test_looks + now.test_looks, asked=asked)


def summary_rows(evaluation: Evaluation) -> list[tuple[object, ...]]:
    """Return the lines of the summary table: a figure, then its value for all that was asked."""
    figures = list(evaluation.asked.values())
    return [
        ("reviews", *(f"{by.reviews:,}" for by in figures)),
        ("accuracy, %", *(f"{by.accuracy:.2%} ± {by.accuracy_error:.2%}".replace("%", "") for by in figures)),
        ("between folds, %", *(f"± {by.accuracy_spread:.2%}"[:-1] if by.accuracy_spread else "" for by in figures)),
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
    console.print(table(f"Run {evaluation.run}", summary_rows(evaluation), ("", *evaluation.asked)))
    console.print(f"Not sure between {low} and {high}; few known words below {evaluation.few_known_words:.0%}.")
    times = "once" if evaluation.test_looks == 1 else f"{evaluation.test_looks} times"
    console.print(f"Looked at the official test {times}." if evaluation.test_looks else "The test was not looked at.")


@click.command(name="evaluate")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option("--test", "look_at_test", is_flag=True, help="Also score the official test. Each look is counted.")
@click.option("--precision", type=click.FloatRange(0.5, 1), default=PRECISION, show_default=True)
@click.option("--short-precision", type=click.FloatRange(0.5, 1), default=SHORT_PRECISION, show_default=True)
def command(name: str, data: Path, look_at_test: bool, precision: float, short_precision: float) -> None:
    """Measure a run on what was held out of its training, and on the official test as the last word.

    Chooses the not-sure band on what was held out: the narrowest outside of which the share --precision of the answers
    on reviews is right, and --short-precision of those on crops. Writes evaluation.json and report.html into the run's
    folder.
    """
    console = Console(stderr=True)
    folder = run_folder(RUNS_FOLDER, name)
    with bars(console, "Scoring") as (tick,):
        evaluation = evaluate(folder, data, look_at_test, {HELD_OUT: precision, HELD_OUT_CROPS: short_precision}, tick)
    show(console, evaluation)
    console.print(f"Report: {folder / REPORT_NAME}", soft_wrap=True)
