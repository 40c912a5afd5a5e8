"""The `verdict evaluate` command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli import options
from training.data.collect import DATA_FOLDER
from training.evaluation.evaluate import _show_figures, evaluate, evaluate_labelled, show
from training.evaluation.evaluation import HELD_OUT, HELD_OUT_CROPS, REPORT_NAME, Evaluation
from training.evaluation.predictions import Predict
from training.evaluation.thresholds import PRECISION, SHORT_PRECISION
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import DEFAULT_RUN
from training.progress import ProgressCallback, bars, silent


@click.command(name="evaluate")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
@click.option("--test", "look_at_test", is_flag=True, help="Also score the official test. Each look is counted.")
@click.option("--precision", type=click.FloatRange(0.5, 1), default=PRECISION, show_default=True)
@click.option("--short-precision", type=click.FloatRange(0.5, 1), default=SHORT_PRECISION, show_default=True)
@click.option(
    "--labelled", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Score your own .csv or .jsonl."
)
@options.on("batch", "endpoint")
@options.scoring_options
def command(
    name: str,
    data: Path,
    look_at_test: bool,
    precision: float,
    short_precision: float,
    labelled: Path | None,
    on: str,
    verbose: bool,
    **there: Any,
) -> None:
    """Measure a run on what was held out of its training, and on the official test as the last word.

    Chooses the not-sure band on what was held out: the narrowest outside of which the share --precision of the answers
    on reviews is right, and --short-precision of those on crops. Writes evaluation.json and report.html into the run's
    folder. With --labelled only that file is scored, and nothing written. A batch transform or the live endpoint can be
    asked instead of the model here, about the test or a file; then every answer must be the same as here.
    """
    wanted = {HELD_OUT: precision, HELD_OUT_CROPS: short_precision}
    asked = _Asked(name, data, look_at_test, wanted, labelled)
    if on == options.LOCAL:
        options.refuse_locally("verbose", *there)
        with bars(asked.console, "Scoring") as (tick,):
            evaluation = _evaluate(asked, tick)
    else:
        if not look_at_test and not labelled:
            raise click.UsageError(f"Say what --on {on} shall score: --test, or --labelled with a file.")
        evaluation = _evaluate_there(asked, on, verbose, there)
    _tell(asked, evaluation)


@dataclass(frozen=True)
class _Asked:
    """What the command was asked for."""

    name: str
    data: Path
    look_at_test: bool
    precision: Mapping[str, float]
    labelled: Path | None
    console: Console = field(default_factory=lambda: Console(stderr=True))

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return run_folder(RUNS_FOLDER, self.name)


def _evaluate(asked: _Asked, tick: ProgressCallback, predict: Predict | None = None) -> Evaluation:
    """Do what was asked for, by the model here or whoever `predict` asks."""
    if asked.labelled:
        return evaluate_labelled(asked.folder, asked.labelled, predict, tick)
    return evaluate(asked.folder, asked.data, asked.look_at_test, asked.precision, tick, predict)


def _evaluate_there(asked: _Asked, on: str, verbose: bool, there: dict[str, Any]) -> Evaluation:
    """Do what was asked for by a model on SageMaker."""
    from cli.aws_command import connected
    from operations.jobs import scoring  # boto3: slow to import, and only needed here

    with connected(verbose) as aws:
        return _evaluate(asked, silent, scoring.predictor(aws, on, asked.name, **there))


def _tell(asked: _Asked, evaluation: Evaluation) -> None:
    """Print what was found."""
    if asked.labelled:
        _show_figures(asked.console, evaluation)
        return
    show(asked.console, evaluation)
    asked.console.print(f"Report: {asked.folder / REPORT_NAME}", soft_wrap=True)
