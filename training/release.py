"""Step `release`: makes a run the packaged release, which the app ships and the endpoint on this machine serves.

`chalicelib/release/release.json` is written last. Until then it describes the release before, and every reader
refuses the mix: it states the SHA-256 of the vocabulary and of the model.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from chalicelib.release import FACTS_NAME, FORMAT_VERSION, PACKAGED, VOCABULARY_NAME, Release, ReleaseFacts, load
from chalicelib.text import CLEANER_VERSION
from chalicelib.vocabulary import ENCODING
from training import atomic
from training.data import DATA_FOLDER
from training.evaluate import evaluate, show
from training.evaluation import REPORT_NAME, Evaluation, load_evaluation
from training.progress import Tick, bars, silent, table
from training.reviews import read_manifest
from training.run_folder import MODEL_NAME, RUNS_FOLDER, Run, RunError, load_run, run_folder
from training.scoring import load_booster
from training.train import DEFAULT_RUN

XGBOOST_VERSION = "3.0.5"  # the image's
IMAGE = "sagemaker-xgboost:3.0-5"
MODEL_FOLDER = Path("model")
FIGURES_NAME = "report.json"


@dataclass(frozen=True)
class Released:
    """What was packaged: the release as its readers see it, and the evaluation it states."""

    release: Release
    evaluation: Evaluation
    files: Sequence[Path]


def release(
    run_path: Path,
    data_folder: Path,
    release_folder: Path = PACKAGED,
    model_folder: Path = MODEL_FOLDER,
    tick: Tick = silent,
) -> Released:
    """Package a run; raises `RunError` or `ReleaseError` when its parts do not belong together.

    A run that was not evaluated, or not yet on a test that the data has, is evaluated first: the last word.
    """
    run = load_run(run_path)
    _check_model(run)
    evaluation = _last_word(run, data_folder, tick)
    facts = describe(run, evaluation)
    contents = {
        release_folder / VOCABULARY_NAME: run.vocabulary.dumps().encode(),
        model_folder / MODEL_NAME: run.model,
        model_folder / REPORT_NAME: (run_path / REPORT_NAME).read_bytes(),
        model_folder / FIGURES_NAME: evaluation.dumps().encode(),
        release_folder / FACTS_NAME: facts.dumps().encode(),
    }
    for path, content in contents.items():
        atomic.write_bytes(path, content)
    packaged = load(release_folder)
    packaged.check_model((model_folder / MODEL_NAME).read_bytes())
    return Released(packaged, evaluation, list(contents))


def _check_model(run: Run) -> None:
    """Raise `RunError` unless the model reads this vocabulary's columns and comes from the image's xgboost."""
    trained_with = run.record.versions.get("xgboost")
    if trained_with != XGBOOST_VERSION:
        raise RunError(f"Run {run.folder} was trained with xgboost {trained_with}; {IMAGE} has {XGBOOST_VERSION}.")
    columns = load_booster(run.model).num_features()
    if columns != run.vocabulary.last_column + 1:
        raise RunError(
            f"The model of {run.folder} reads {columns} columns, its vocabulary makes {run.vocabulary.last_column + 1}."
        )


def _last_word(run: Run, data_folder: Path, tick: Tick) -> Evaluation:
    """Return the run's evaluation, on test too where there is one."""
    evaluation = load_evaluation(run)
    if evaluation and "test" in evaluation.splits:
        return evaluation
    has_test = read_manifest(data_folder).total("test") > 0
    if evaluation and not has_test:
        return evaluation
    precision = {"precision": evaluation.precision} if evaluation else {}
    return evaluate(run.folder, data_folder, look_at_test=has_test, tick=tick, **precision)


def describe(run: Run, evaluation: Evaluation) -> ReleaseFacts:
    """Return the facts of the release that a run makes."""
    return ReleaseFacts(
        format_version=FORMAT_VERSION,
        cleaner_version=CLEANER_VERSION,
        encoding=ENCODING,
        columns=run.vocabulary.last_column + 1,
        vocabulary_fingerprint=run.vocabulary.fingerprint,
        vocabulary_sha256=hashlib.sha256(run.vocabulary.dumps().encode()).hexdigest(),
        model_sha256=run.record.model_sha256,
        not_sure_band=evaluation.not_sure_band,
        few_known_words=evaluation.few_known_words,
        xgboost_version=XGBOOST_VERSION,
        image=IMAGE,
        data_fingerprint=run.record.data_fingerprint,
        hyperparameters=run.record.hyperparameters,
        metrics={split: figures.headline() for split, figures in evaluation.splits.items()},
    )


@click.command(name="release")
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=DATA_FOLDER, show_default=True)
def command(name: str, data: Path) -> None:
    """Make a run the packaged release, with the official test as the last word on it."""
    console = Console(stderr=True)
    with bars(console, "Scoring") as (tick,):
        released = release(run_folder(RUNS_FOLDER, name), data, tick=tick)
    show(console, released.evaluation)
    rows = [(path.name, f"{path.stat().st_size:,} bytes") for path in released.files]
    console.print(table(f"Release {released.release.release_id}", rows))
    if "test" not in released.evaluation.splits:
        console.print("These reviews have no test split: the release states figures of validation alone.")
