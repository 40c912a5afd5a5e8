"""The `verdict teardown` command."""

import click

from cli.aws_command import on_aws
from cli.options import yes_option
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.names import DEFAULT_STAGE
from operations.feedback.app_settings import forget
from operations.teardown.app_deletion import clear_records
from operations.teardown.teardown import OPTIONAL, Scope, all_deletions, teardown


def _optional(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Parse a list such as `bucket,logs`."""
    stated = tuple(name.strip() for name in value.split(",") if name.strip())
    unknown = [name for name in stated if name not in OPTIONAL]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(OPTIONAL)}.")
    return stated


@on_aws("teardown")
@click.option(
    "--stage",
    callback=lambda _context, _parameter, value: value and names.checked_stage(value),
    help=f"Only this stage.  [default: {DEFAULT_STAGE}]",
)
@click.option("--all-stages", is_flag=True, help="All stages.")
@click.option("--expired", is_flag=True, help="Only expired endpoints, and what belongs to them.")
@click.option("--jobs", is_flag=True, help="Only running jobs, and what belongs to them.")
@click.option(
    "--with",
    "optional",
    default="",
    callback=_optional,
    metavar="WHAT,...",
    help=f"Also delete these, which are kept by default: {', '.join(OPTIONAL)}.",
)
@click.option("--everything", is_flag=True, help="Also delete all of those.")
@click.option(
    "--app/--no-app", default=True, show_default=True, help="Also delete the Chalice app, with `chalice delete`."
)
@yes_option
def command(
    aws: Aws,
    stage: str | None,
    all_stages: bool,
    expired: bool,
    jobs: bool,
    optional: tuple[str, ...],
    everything: bool,
    app: bool,
    yes: bool,
) -> None:
    """Delete what was created on AWS, and verify that nothing billed is left.

    Lists everything first and asks for confirmation. The exit status is 1 if something billed is left.
    """
    if stage and all_stages:
        raise click.UsageError("Use either --stage or --all-stages.")
    if expired and jobs:
        raise click.UsageError("Use either --expired or --jobs.")
    of = None if all_stages else stage or DEFAULT_STAGE
    scope = Scope(of, expired, tuple(OPTIONAL) if everything else optional, app, jobs)
    after = teardown(aws, scope, yes, all_deletions())
    if app and not scope.is_partial:
        clear_records(aws, after, of)
    if "feedback" in scope.optional and not scope.is_partial:
        forget(aws, of)
