"""The `verdict train` command."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli import options
from training.features.channels import CHANNELS_FOLDER
from training.model.hyperparameters import PRESETS, with_settings
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import DEFAULT_RUN, summary_rows, train
from training.progress import bars, table


@click.command(name="train")
@click.option(
    "--channels", type=click.Path(file_okay=False, path_type=Path), default=CHANNELS_FOLDER, show_default=True
)
@click.option("--name", default=DEFAULT_RUN, show_default=True, help="The run's folder, in runs/.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter in place of the preset's."
)
@options.on("sagemaker")
@options.training_job_options
def command(
    channels: Path, name: str, preset: str, settings: tuple[str, ...], on: str, verbose: bool, **there: Any
) -> None:
    """Train a model on all reviews, for as many rounds as five-fold cross-validation finds best.

    On SageMaker each fold is a training job, and so is the model of all reviews. Ctrl-C stops waiting for them; the
    same command goes on, and with --stop it stops them.
    """
    folder = run_folder(RUNS_FOLDER, name)
    stated = with_settings(preset, settings)
    if on == options.LOCAL:
        options.refuse_locally("verbose", *there)
        console = Console(stderr=True)
        with bars(console, "Cross-validating", "Training") as (fold_tick, tick):
            trained = train(channels, folder, stated, fold_tick, tick)
        console.print(table(f"Run {folder}", summary_rows(trained)))
        return
    from cli.aws_command import connected
    from operations.jobs import training_order  # boto3: slow to import, and only needed here

    with connected(verbose) as aws:
        done = training_order.command(aws, channels, folder, stated, **there)
        if done:
            aws.console.print(table(f"Run {folder}", summary_rows(done, "billable seconds")))
