"""The `verdict check` command."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from chalicelib.errors import ReleaseError
from cli import options
from cli.output import print_json
from training import atomic
from training.checking import check as checking
from training.checking.check import Check, summary_rows
from training.checking.label_errors import LikelyError, likely_label_errors, out_of_fold_reviews
from training.checking.neighbours import TrainingBags, training_bags
from training.checking.new_reviews import NewReview, read_new_reviews
from training.data.columns import ColumnChoice
from training.data.reviews import DataError, read_manifest
from training.evaluation.evaluate import load_run_of
from training.evaluation.packaged_model import PackagedModel, load_packaged_model, packaged_figures, packaged_model
from training.evaluation.predictions import Predict
from training.model.run_folder import RUNS_FOLDER, RunError, run_folder
from training.model.train import DEFAULT_RUN
from training.prediction.judge import Judge
from training.progress import ProgressCallback, bars, table

LABEL_ERRORS = 20


@click.command(name="check")
@click.argument("labelled", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options.review_column_option
@options.label_column_option
@options.data_option
@click.option(
    "--run", "run_name", default=DEFAULT_RUN, show_default=True, help="The run with out-of-fold scores of the data."
)
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("runs/check.html"),
    show_default=True,
    help="Report to write.",
)
@options.json_option
@options.on("endpoint", "batch")
@options.scoring_options
def command(
    labelled: tuple[Path, ...],
    review_column: str | None,
    label_column: str | None,
    data: Path,
    run_name: str,
    into: Path,
    as_json: bool,
    on: str,
    verbose: bool,
    **job_options: Any,
) -> None:
    """Check the packaged release on newly labelled reviews, and show what it gets wrong and why.

    Reads files of `verdict label`, exports of feedback with corrections, and tables with a column of labels. Prints
    each figure with its 95% interval beside those of the official test, and whether the model is worse. The report has
    the most confident mistakes, each with the words that decided it and, if the training data is in --data, the nearest
    training reviews; and likely label errors in the training data, if --run was trained on it.
    """
    console = Console(stderr=True)
    notes: list[str] = []
    choice = ColumnChoice(review_column, label_column)
    reviews = read_new_reviews(labelled, choice, notes.append)
    model = load_packaged_model()
    if on == options.LOCAL:
        options.refuse_locally("verbose", *job_options)
        found = _check(reviews, model, model.predict, notes)
    else:
        found = _check_on_aws(reviews, model, on, verbose, job_options, notes)
    with bars(console, "Training data", "Label errors") as (bags_tick, errors_tick):
        bags = _training_bags(data, model, notes, bags_tick)
        errors = _label_errors(data, run_name, notes, errors_tick) if bags else []
    atomic.write_text(into, _render(found, model, bags, errors, notes))
    _show(found, notes, into, console)
    if as_json:
        print_json(checking.as_json(found))


def _check(reviews: list[NewReview], model: PackagedModel, predict: Predict, notes: list[str]) -> Check:
    """Measure the packaged release with a model that is here or elsewhere."""
    try:
        figures = packaged_figures(model.release)
    except ReleaseError as error:
        notes.append(f"The accuracy is compared with that of the test's whole reviews: {error.detail}")
        figures = None
    return checking.check(reviews, model.release, predict, figures)


def _check_on_aws(
    reviews: list[NewReview],
    model: PackagedModel,
    on: str,
    verbose: bool,
    job_options: dict[str, Any],
    notes: list[str],
) -> Check:
    """Measure the packaged release with its model on SageMaker."""
    from cli.aws_command import connected
    from operations.endpoint.candidate import PACKAGED_NAME
    from operations.jobs.remote_predictor import remote_predictor  # boto3: slow to import, and only needed here

    with connected(verbose) as aws:
        return _check(reviews, model, remote_predictor(aws, on, PACKAGED_NAME, **job_options), notes)


def _training_bags(data: Path, model: PackagedModel, notes: list[str], tick: ProgressCallback) -> TrainingBags | None:
    """Read the training reviews; None, with a note, if they are not there."""
    try:
        read_manifest(data)
    except DataError as error:
        notes.append(f"No nearest training reviews and no label errors: {error.detail}")
        return None
    return training_bags(data, model.release.encoder.vocabulary, tick)


def _label_errors(data: Path, run_name: str, notes: list[str], tick: ProgressCallback) -> list[LikelyError]:
    """Find likely label errors; none, with a note, if the run is not there or of other data."""
    try:
        run = load_run_of(run_folder(RUNS_FOLDER, run_name), data)
    except RunError as error:
        notes.append(f"No label errors: {error.detail}")
        return []
    return likely_label_errors(out_of_fold_reviews(run, data, tick), data, LABEL_ERRORS)


def _render(
    found: Check, model: PackagedModel, bags: TrainingBags | None, errors: list[LikelyError], notes: list[str]
) -> str:
    """Return the report's HTML."""
    from training.checking.check_report import mistakes_of, render  # matplotlib: slow to import

    judge = Judge(model.release, packaged_model(model.release), explain=True)
    return render(found, mistakes_of(found, judge, bags), errors, notes)


def _show(found: Check, notes: list[str], into: Path, console: Console) -> None:
    """Print the figures, the judgement and the report's path."""
    for note in notes:
        console.print(note, markup=False, highlight=False)
    console.print(table(f"Release {found.release} on new reviews", summary_rows(found), ("", "", "95% interval")))
    console.print(found.judgement, highlight=False)
    if not found.is_random:
        console.print("Some labels were not made in a random order, so the figures are no estimate of use.")
    console.print(f"Report: {into}", soft_wrap=True)
