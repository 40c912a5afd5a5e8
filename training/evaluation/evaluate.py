"""Step `evaluate`: what a run is worth, on what was held out, and with `--test` on the official test as the last word.

What the folds' models say of the reviews they never saw is where choices are made, so that is what is looked at by
default; the not-sure band and the threshold of few known words are chosen on it here. Each look at the official test is
counted in the run's folder, as every look that leads to another try makes its figure worth less. `release` takes that
look when nobody has.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from training import atomic
from training.data.excerpts import excerpts_of
from training.data.labelled import read_labelled
from training.data.reviews import REVIEWS_NAME, DataError, read, read_manifest
from training.data.splits import limited
from training.evaluation.evaluation import (
    EVALUATION_NAME,
    HELD_OUT,
    HELD_OUT_CROPS,
    TEST,
    TEST_CROPS,
    Evaluation,
    load_evaluation,
)
from training.evaluation.metrics import Figures, measure
from training.evaluation.predictions import Asked, Predict, Scored, empty_score, predictor, recall, score, score_all
from training.evaluation.thresholds import PRECISION, SHORT_PRECISION, PrecisionTarget, few_known_words, not_sure_band
from training.model.run_folder import Run, RunError, load_run
from training.progress import ProgressCallback, silent, table

EXCERPT_CHARACTERS = 400


DEFAULT_PRECISION = {HELD_OUT: PRECISION, HELD_OUT_CROPS: SHORT_PRECISION}


def evaluate(
    run_path: Path,
    data_folder: Path,
    look_at_test: bool = False,
    precision: Mapping[str, float] = DEFAULT_PRECISION,
    tick: ProgressCallback = silent,
    predict: Predict | None = None,
) -> Evaluation:
    """Evaluate a run and write `evaluation.json` and `report.html` into its folder.

    `predict` is who is asked about the test, the run's model here unless told otherwise.
    Raises `RunError` for a run of other data than the folder's, `DataError` for a test that is not there.
    """
    from training.evaluation.report import write_report  # matplotlib: slow to import, and only needed here

    run = load_run(run_path)
    manifest = read_manifest(data_folder)
    if manifest.fingerprint != run.record.prepared.data_fingerprint:
        raise RunError(f"Run {run_path} was trained on other reviews than those in {data_folder}. Train it again.")
    if look_at_test and not manifest.total("test"):
        raise DataError(f"The reviews in {data_folder} have no test split to look at.")
    before = load_evaluation(run)
    here = predictor(run.model, run.encoder.columns)
    asking = _Asking(here, (predict or here) if look_at_test else None)
    evaluation = _measure(run, data_folder / REVIEWS_NAME, asking, precision, tick)
    if before:
        evaluation = _continue(before, evaluation)
    atomic.write_text(run_path / EVALUATION_NAME, evaluation.dumps())
    write_report(run, evaluation)
    return evaluation


@dataclass(frozen=True)
class _Asking:
    """Who answers: the model here, and whoever is asked about the test, None for not looking at it."""

    here: Predict
    of_test: Predict | None


def _measure(
    run: Run, path: Path, asking: _Asking, precision: Mapping[str, float], tick: ProgressCallback
) -> Evaluation:
    """Score and measure; the band that is chosen on what was held out is the one that the test is measured with."""
    recipe = run.record.prepared.recipe
    splits, crops = limited(path, recipe["reviews"]), bool(recipe["crops"])
    scored = _named(HELD_OUT, HELD_OUT_CROPS, recall(run.held_out, run.encoder, path, splits, crops, tick))
    if asking.of_test:
        scored |= _named(TEST, TEST_CROPS, score(asking.of_test, run.encoder, path, splits, crops, tick))
    wanted = {name: precision[name] for name in precision if name in scored}
    demands = [
        PrecisionTarget(scored[name].probabilities, scored[name].labels, share) for name, share in wanted.items()
    ]
    band = not_sure_band(demands, empty_score(asking.here, run.encoder))
    figures = {name: measure(each, band) for name, each in scored.items()}
    _add_excerpts(path, figures)
    return Evaluation(
        run=run.folder.name,
        model_sha256=run.record.model_sha256,
        data_fingerprint=run.record.prepared.data_fingerprint,
        not_sure_band=band,
        few_known_words=few_known_words(scored[HELD_OUT].known_shares),
        precision=wanted,
        test_looks=int(asking.of_test is not None),
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
            said = excerpts_of(review.id, review.text, 1)[0] if cropped else review.text
            text = " ".join(said.replace("<br />", " ").split())
            mistake["text"] = text[:EXCERPT_CHARACTERS] + ("…" if len(text) > EXCERPT_CHARACTERS else "")


def _continue(before: Evaluation, now: Evaluation) -> Evaluation:
    """Add up the looks at the test, and keep its earlier figures where they were measured with the same band."""
    asked = now.asked
    if before.not_sure_band == now.not_sure_band:
        asked = {**before.asked, **now.asked}
    return replace(now, test_looks=before.test_looks + now.test_looks, asked=asked)


def evaluate_labelled(
    run_path: Path, file: Path, predict: Predict | None = None, tick: ProgressCallback = silent
) -> Evaluation:
    """Measure a run on a labelled .csv or .jsonl, outside of the band that was chosen for it; writes nothing.

    Raises `RunError` for a run that was not evaluated yet, `DataError` for a file that lacks a label.
    """
    run = load_run(run_path)
    known = load_evaluation(run)
    if not known:
        raise RunError(f"Run {run_path} has no not-sure band yet. First run `verdict evaluate`.")
    reviews = list(read_labelled(file, tick))
    if {review.label for review in reviews} != {0, 1}:
        raise DataError(f"{file} must have reviews of both labels to measure anything.")
    scored = score_all(predict or predictor(run.model, run.encoder.columns), run.encoder, reviews)
    return replace(known, test_looks=0, asked={file.name: measure(scored, known.not_sure_band)})


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
    _show_figures(console, evaluation)
    times = "once" if evaluation.test_looks == 1 else f"{evaluation.test_looks} times"
    console.print(f"Looked at the official test {times}." if evaluation.test_looks else "The test was not looked at.")


def _show_figures(console: Console, evaluation: Evaluation) -> None:
    """Print an evaluation's table, and its band."""
    low, high = evaluation.not_sure_band
    console.print(table(f"Run {evaluation.run}", summary_rows(evaluation), ("", *evaluation.asked)))
    console.print(f"Not sure between {low} and {high}; few known words below {evaluation.few_known_words:.0%}.")
