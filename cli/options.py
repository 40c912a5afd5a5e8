"""Command-line options that several subcommands share.

boto3 is not imported here, so that `--help` and work on this machine start quickly.
"""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from operations.aws.names import DEFAULT_STAGE, checked_stage

LOCAL = "here"
EXIT_INTERRUPTED = 130  # the status that a shell reports for a program ended by Ctrl-C
INSTANCE_TYPE = "ml.m5.xlarge"
COPY_CHANNELS = "Or copy them to this machine: aws s3 sync s3://bucket/channels runs/channels"
_S3 = re.compile(r"s3[an]?://+", re.IGNORECASE)  # Spark writes s3a://
_DURATION = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Command], Command]


def duration(text: str) -> timedelta:
    """Parse a duration such as `30s`, `15m`, `4h` or `2d`; raises `ValueError`."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a duration. Write 30s, 15m, 4h or 2d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def duration_option(_context: click.Context, _parameter: click.Parameter, text: str | None) -> timedelta | None:
    """Parse a duration as a click callback; None if the option is absent."""
    if text is None:
        return None
    try:
        return duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


stage_option = click.option(
    "--stage",
    default=DEFAULT_STAGE,
    show_default=True,
    callback=lambda _context, _parameter, value: checked_stage(value),
    help="The deployment stage, as in `chalice deploy --stage`.",
)
data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder that `verdict data` wrote.",
)
review_column_option = click.option(
    "--review-column", metavar="NAME", help="Your file's column of reviews, by name or by number from 1."
)
label_column_option = click.option(
    "--label-column", metavar="NAME", help="Your file's column of labels or ratings, by name or by number from 1."
)


def _channels(context: click.Context, parameter: click.Parameter, text: str) -> Path | str:
    """Parse the option --channels: a folder of this machine, or an address `s3://bucket/prefix`."""
    if not _S3.match(text):
        return Path(click.Path(file_okay=False, path_type=Path).convert(text, parameter, context))
    place = _S3.sub("", text).rstrip("/")
    if not place:
        raise click.BadParameter(f"{text} has no bucket. Write s3://bucket/channels.")
    return f"s3://{place}"


def _local_channels(context: click.Context, parameter: click.Parameter, text: str) -> Path:
    """Parse the option --channels of a command that reads folders of this machine only."""
    channels = _channels(context, parameter, text)
    if isinstance(channels, str):
        raise click.BadParameter(f"only `verdict train --on sagemaker` reads channels in S3. {COPY_CHANNELS}")
    return channels


def _channels_option(parse: Callable[[click.Context, click.Parameter, str], Path | str], more: str = "") -> Option[Any]:
    return click.option(
        "--channels",
        metavar="FOLDER",
        default="runs/channels",
        show_default=True,
        callback=parse,
        help=f"Folder that `verdict prepare` wrote.{more}",
    )


channels_option = _channels_option(_local_channels)
channels_or_s3_option = _channels_option(_channels, " With --on sagemaker, also one in S3: s3://bucket/channels.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Proceed without confirmation.")
verbose_option = click.option("--verbose", "-v", is_flag=True, help="Also show AWS's own error message.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document to standard output.")


def run_option(default: str) -> Option[Any]:
    """Create the option --name, which names a run."""
    return click.option("--name", default=default, show_default=True, help="Name of the run: its folder in runs/.")


instance_type_option = click.option(
    "--instance-type", default=INSTANCE_TYPE, show_default=True, help="Instance type of each job."
)


def on(*elsewhere: str) -> Option[Command]:
    """Create the option --on, which chooses where a command does its work; `here` is this machine."""
    return click.option(
        "--on", type=click.Choice([LOCAL, *elsewhere]), default=LOCAL, show_default=True, help="Where to do the work."
    )


def combine(*options: Option[Any]) -> Option[Command]:
    """Combine options into one decorator, shown in this order."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(options), command)


training_job_options: Option[Any] = combine(
    instance_type_option,
    click.option(
        "--instance-count", type=click.IntRange(1, 20), default=1, show_default=True, help="Instances of each job."
    ),
    click.option("--spot", is_flag=True, help="Use spot instances: cheaper, but jobs may be interrupted and resumed."),
    click.option("--parallel", type=click.IntRange(1, 100), default=5, show_default=True, help="Concurrent jobs."),
    click.option(
        "--max-minutes",
        type=click.IntRange(1, 5 * 24 * 60),
        default=60,
        show_default=True,
        help="Time limit of a job.",
    ),
    stage_option,
    click.option("--stop", is_flag=True, help="Stop the jobs of the run --name on SageMaker."),
    yes_option,
    verbose_option,
)
scoring_options: Option[Any] = combine(
    instance_type_option,
    click.option("--variant", default="", help="The endpoint's variant to invoke, if it has several."),
    stage_option,
    yes_option,
    verbose_option,
)
tuning_job_options: Option[Any] = combine(
    click.option(
        "--max-jobs", type=click.IntRange(1, 750), default=20, show_default=True, help="Trials of a tuning job."
    ),
    click.option(
        "--max-parallel", type=click.IntRange(1, 100), default=2, show_default=True, help="Trials at the same time."
    ),
    click.option(
        "--strategy",
        type=click.Choice(["Bayesian", "Random", "Grid", "Hyperband"]),
        default="Bayesian",
        show_default=True,
        help="Search strategy of a tuning job.",
    ),
)


def existing(paths: Sequence[str], name: str) -> list[Path]:
    """Return paths of this machine, values of the parameter `name`; raises `click.BadParameter` if one is missing."""
    kind = click.Path(exists=True, path_type=Path)
    return [Path(kind.convert(path, _parameter(name), click.get_current_context())) for path in paths]


def file_to_write(path: str | None, name: str) -> Path | None:
    """Return a path of this machine, value of the parameter `name`; raises `click.BadParameter` if it is a folder."""
    kind = click.Path(dir_okay=False, path_type=Path)
    return None if path is None else Path(kind.convert(path, _parameter(name), click.get_current_context()))


def _parameter(name: str) -> click.Parameter:
    """Return a parameter of the current command."""
    return next(each for each in click.get_current_context().command.params if each.name == name)


def refuse_locally(*parameters: str) -> None:
    """Raise `click.UsageError` if one of these parameters was given, since they only apply to work on SageMaker."""
    refuse("applies to work on SageMaker only: add --on.", *parameters)


def refuse(reason: str, *parameters: str) -> None:
    """Raise `click.UsageError`, with the option's name and the reason, if one of these parameters was given."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name in parameters:
            raise click.UsageError(f"{parameter.opts[0]} {reason}")
