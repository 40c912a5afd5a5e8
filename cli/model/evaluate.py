"""The `verdict evaluate` command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli import options
from cli.output import print_json
from training.data.columns import ColumnChoice
from training.evaluation.evaluate import (
    DEFAULT_PRECISION,
    HELD_OUT,
    HELD_OUT_EXCERPTS,
    Evaluation,
    evaluate,
    evaluate_labelled,
    print_evaluation,
    print_figures,
)
from training.evaluation.predictions import Predict
from training.evaluation.thresholds import PRECISION, SHORT_PRECISION
from training.model.run_folder import RUNS_FOLDER, load_run, run_folder
from training.model.train import DEFAULT_RUN
from training.progress import ProgressCallback, bars, silent


@click.command(name="evaluate")
@options.run_option(DEFAULT_RUN)
@options.data_option
@click.option("--test", "look_at_test", is_flag=True, help="Also score the official test; every use is counted.")
@click.option(
    "--precision",
    type=click.FloatRange(0.5, 1),
    default=PRECISION,
    show_default=True,
    help="Precision outside the not-sure band, on whole reviews.",
)
@click.option(
    "--short-precision",
    type=click.FloatRange(0.5, 1),
    default=SHORT_PRECISION,
    show_default=True,
    help="The same on excerpts of one to three sentences.",
)
@click.option(
    "--labelled",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Score only your own .csv, .tsv or .jsonl file.",
)
@options.review_column_option
@options.label_column_option
@options.json_option
@options.on("batch", "endpoint")
@options.scoring_options
def command(
    name: str,
    data: Path,
    look_at_test: bool,
    precision: float,
    short_precision: float,
    labelled: Path | None,
    review_column: str | None,
    label_column: str | None,
    as_json: bool,
    on: str,
    verbose: bool,
    **job_options: Any,
) -> None:
    """Measure a run on held-out reviews and, on request, on the official test.

    Chooses the not-sure band on held-out reviews: the narrowest band outside of which precision is at least --precision
    on whole reviews and --short-precision on excerpts. Writes evaluation.json and report.html into the run's folder.
    With --labelled, scores that file only and writes nothing. With --on, a batch transform or the live endpoint scores
    the test or the file, and every score must equal the local one.
    """
    wanted = {**DEFAULT_PRECISION, HELD_OUT: precision, HELD_OUT_EXCERPTS: short_precision}
    if not labelled:
        options.refuse("needs --labelled.", "review_column", "label_column")
    request = _Request(name, data, look_at_test, wanted, labelled, ColumnChoice(review_column, label_column))
    if on == options.LOCAL:
        options.refuse_locally("verbose", *job_options)
        load_run(request.folder)  # fails before a progress bar is drawn
        with bars(request.console, "Scoring") as (progress,):
            evaluation = _evaluate(request, progress)
    else:
        if not look_at_test and not labelled:
            raise click.UsageError(f"--on {on} needs something to score: add --test, or --labelled with a file.")
        evaluation = _evaluate_on_aws(request, on, verbose, job_options)
    _show(request, evaluation)
    if as_json:
        print_json(evaluation)


@dataclass(frozen=True)
class _Request:
    """What to evaluate, with which precision targets."""

    name: str
    data: Path
    look_at_test: bool
    precision: Mapping[str, float]
    labelled: Path | None
    choice: ColumnChoice
    notes: list[str] = field(default_factory=list)  # about the labelled file
    console: Console = field(default_factory=lambda: Console(stderr=True))

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(RUNS_FOLDER, self.name)


def _evaluate(request: _Request, progress: ProgressCallback, predict: Predict | None = None) -> Evaluation:
    """Evaluate with the local model, or with `predict` if given."""
    if request.labelled:
        return evaluate_labelled(
            request.folder, request.labelled, predict, progress, request.choice, request.notes.append
        )
    return evaluate(request.folder, request.data, request.look_at_test, request.precision, progress, predict)


def _evaluate_on_aws(request: _Request, on: str, verbose: bool, job_options: dict[str, Any]) -> Evaluation:
    """Evaluate with a model on SageMaker."""
    from cli.aws_command import connected
    from operations.jobs.remote_predictor import remote_predictor  # boto3: slow to import, and only needed here

    with connected(verbose) as aws:
        return _evaluate(request, silent, remote_predictor(aws, on, request.name, **job_options))


def _show(request: _Request, evaluation: Evaluation) -> None:
    """Print the figures; write the report and print its path."""
    if request.labelled:
        for note in request.notes:
            request.console.print(note, markup=False, highlight=False)
        print_figures(request.console, evaluation)
        return
    from training.evaluation.report import write_report  # matplotlib: slow to import, and only needed here

    report = write_report(load_run(request.folder), evaluation)
    print_evaluation(request.console, evaluation)
    request.console.print(f"Report: {report}", soft_wrap=True)
