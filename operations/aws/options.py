"""The options of steps that run here or on SageMaker; without boto3, so that a step's `--help` stays quick."""

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from operations.aws.names import checked_stage

HERE = "here"
DEFAULT_STAGE = "dev"
INSTANCE_TYPE = "ml.m5.xlarge"

Command = TypeVar("Command", bound=Callable[..., Any])
Option = Callable[[Command], Command]

stage_option = click.option(
    "--stage",
    default=DEFAULT_STAGE,
    show_default=True,
    callback=lambda _context, _parameter, value: checked_stage(value),
    help="Whose endpoint: the stage of `chalice deploy --stage`.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
verbose_option = click.option("--verbose", "-v", is_flag=True, help="Also show what AWS said, word for word.")
instance_type_option = click.option(
    "--instance-type", default=INSTANCE_TYPE, show_default=True, help="The machine of a job."
)
_spot_option = click.option("--spot", is_flag=True, help="Spare machines: cheaper, may be interrupted and go on later.")
_stop_option = click.option("--stop", is_flag=True, help="Stop what the same command began on SageMaker.")
_count_option = click.option("--instance-count", type=click.IntRange(1, 20), default=1, show_default=True)
_parallel_option = click.option(
    "--parallel", type=click.IntRange(1, 100), default=5, show_default=True, help="Jobs at a time."
)
_minutes_option = click.option(
    "--max-minutes", type=click.IntRange(1, 5 * 24 * 60), default=60, show_default=True, help="What a job may take."
)


def on(*elsewhere: str) -> Option[Command]:
    """Make the option --on: where a step runs, here unless told otherwise."""
    return click.option("--on", type=click.Choice([HERE, *elsewhere]), default=HERE, show_default=True)


def together(*several: Option[Any]) -> Option[Command]:
    """Make one decorator of several options, shown in this order."""
    return lambda command: reduce(lambda done, option: option(done), reversed(several), command)


training_machines: Option[Any] = together(
    instance_type_option,
    _count_option,
    _spot_option,
    _parallel_option,
    _minutes_option,
    stage_option,
    _stop_option,
    yes_option,
    verbose_option,
)


scoring: Option[Any] = together(
    instance_type_option,
    click.option("--variant", default="", help="The endpoint's variant to ask, of several."),
    stage_option,
    yes_option,
    verbose_option,
)
tuning: Option[Any] = together(
    click.option("--max-jobs", type=click.IntRange(1, 750), default=20, show_default=True, help="Trials of a job."),
    click.option(
        "--max-parallel", type=click.IntRange(1, 100), default=2, show_default=True, help="Of them at a time."
    ),
    click.option(
        "--strategy",
        type=click.Choice(["Bayesian", "Random", "Grid", "Hyperband"]),
        default="Bayesian",
        show_default=True,
    ),
)


def refuse_here(*names: str) -> None:
    """Raise `click.UsageError` when one of these parameters was given, which mean nothing for what runs here."""
    refuse("is about work on SageMaker: give it with --on.", *names)


def refuse(why: str, *names: str) -> None:
    """Raise `click.UsageError` when one of these parameters was given; `why` is said after the option's name."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} {why}")
