"""The `verdict retrain` command."""

import sys
from pathlib import Path

import click
from rich.console import Console

from cli import options
from cli.output import notes_shown, print_json
from training.checking.new_reviews import read_new_reviews
from training.data.columns import ColumnChoice
from training.data.reviews import read_manifest
from training.evaluation.evaluate import print_evaluation
from training.evaluation.packaged_model import load_packaged_model
from training.features.prepare import DEFAULT_RECIPE, PRESETS
from training.model.hyperparameters import with_settings
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.progress import bars, table
from training.retraining.gate import MARGIN
from training.retraining.retrain import DATA_NAME, STEPS, Retrained, RetrainOptions, retrain

EXIT_FAILED_GATE = 4


@click.command(name="retrain")
@click.option(
    "--with",
    "labelled",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Newly labelled reviews, as for `verdict check`; repeatable.",
)
@options.review_column_option
@options.label_column_option
@options.data_option
@options.run_option("retrained")
@click.option("--new-vocabulary/--same-vocabulary", default=True, show_default=True, help="Choose the words anew.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="default",
    show_default=True,
    help="Recipe and hyperparameters, as of `prepare` and `train`.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter, as of `train`.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 10),
    default=MARGIN * 100,
    show_default=True,
    help="Points of accuracy that the official test may lose at most.",
)
@click.option("--override", metavar="REASON", default="", help="Allow the release of a model that fails the gate.")
@options.json_option
def command(
    labelled: tuple[Path, ...],
    review_column: str | None,
    label_column: str | None,
    data: Path,
    name: str,
    new_vocabulary: bool,
    preset: str,
    settings: tuple[str, ...],
    margin: float,
    override: str,
    as_json: bool,
) -> None:
    """Train a new model on old and new reviews, and let it pass a gate before it can be released.

    A third of the new reviews is held out, and judges the new model beside the packaged one: it has to be better there,
    not worse on the official test, about as well calibrated, and no worse on any kind of the authors' sentences, unless
    the packaged model merely guesses on that kind. Exits with status 4 if it fails; `verdict release` and `verdict
    split` then refuse the run, unless --override states a reason, which becomes a fact of the release. Every use of the
    official test is counted.
    """
    console, folder = Console(stderr=True), run_folder(RUNS_FOLDER, name)
    hyperparameters, recipe = with_settings(preset, settings), PRESETS.get(preset, DEFAULT_RECIPE)
    requested = RetrainOptions(hyperparameters, recipe, new_vocabulary, margin / 100, override)
    read_manifest(data)  # fails before a progress bar is drawn
    packaged = load_packaged_model()
    with notes_shown(console) as note:
        reviews = read_new_reviews(labelled, ColumnChoice(review_column, label_column), note)
        with bars(console, *STEPS) as ticks:
            retrained = retrain(reviews, data, folder, packaged, requested, ticks, note)
    show(retrained, folder, console)
    if as_json:
        print_json(retrained.gate)
    if not retrained.gate.allows_release:
        sys.exit(EXIT_FAILED_GATE)


def show(retrained: Retrained, folder: Path, console: Console) -> None:
    """Print the figures, the gate's conditions and its decision."""
    gate = retrained.gate
    print_evaluation(console, retrained.evaluation)
    rows = [(each.name, each.packaged, each.new, each.required, each.result) for each in gate.conditions]
    headings = ("condition", "packaged", "new", "required", "")
    console.print(table(f"{gate.training:,} new reviews in training, {gate.judged:,} held out", rows, headings))
    if gate.guessed:
        console.print(gate.guessed, highlight=False)
    console.print(gate.judgement, highlight=False)
    if gate.allows_release:
        reason = "" if gate.passed else f"The failed gate is overridden: {gate.override}. "
        package = f"verdict release --name {folder.name} --data {folder / DATA_NAME}"
        console.print(f"{reason}Package it with `{package}`.", markup=False, highlight=False, soft_wrap=True)
    else:
        console.print("Nothing is packaged.", highlight=False)
