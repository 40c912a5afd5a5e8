"""The `verdict train` command."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli import options
from training.model.hyperparameters import PRESETS, with_settings
from training.model.run_folder import RUNS_FOLDER, run_folder
from training.model.train import DEFAULT_RUN, summary_rows, train
from training.progress import bars, table


@click.command(name="train")
@options.channels_or_s3_option
@options.run_option(DEFAULT_RUN)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="default",
    show_default=True,
    help="Hyperparameters to start from.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A hyperparameter that replaces the preset's."
)
@options.on("sagemaker")
@options.training_job_options
def command(
    channels: Path | str, name: str, preset: str, settings: tuple[str, ...], on: str, verbose: bool, **job_options: Any
) -> None:
    """Cross-validate, then train a model on all reviews.

    The number of rounds is the best one of five-fold cross-validation. On SageMaker each fold is a training job, and
    so is the final model. Ctrl-C stops waiting for the jobs: repeat the command to resume, or stop them
    by the name of the run: --name NAME --stop.
    """
    folder = run_folder(RUNS_FOLDER, name)
    hyperparameters = with_settings(preset, settings)
    if on == options.LOCAL:
        options.refuse_locally("verbose", *job_options)
        if isinstance(channels, str):
            raise click.UsageError(f"--channels in S3 needs --on sagemaker. {options.COPY_CHANNELS}")
        console = Console(stderr=True)
        with bars(console, "Cross-validating", "Training") as (fold_progress, progress):
            trained = train(channels, folder, hyperparameters, fold_progress, progress)
        console.print(table(f"Run {folder}", summary_rows(trained)))
        return
    from cli.aws_command import connected, report_stopped
    from operations.jobs.run_jobs import JobOptions  # boto3: slow to import, and only needed here
    from operations.jobs.sagemaker_training import train_on_sagemaker
    from operations.jobs.stopping import stop_run

    requested = JobOptions(run=name, **job_options)
    with connected(verbose) as aws:
        if requested.stop:
            report_stopped(aws, name, stop_run(aws, requested.stage, name))
            return
        trained = train_on_sagemaker(aws, channels, folder, hyperparameters, requested)
        aws.console.print(table(f"Run {folder}", summary_rows(trained, "billable seconds")))
