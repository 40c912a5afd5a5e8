"""The `verdict deploy` command."""

from datetime import UTC, datetime, timedelta

import click

from cli.aws_command import on_aws
from cli.options import duration_option, stage_option, yes_option
from operations.aws import names
from operations.aws.command import Aws
from operations.endpoint import endpoint_config
from operations.endpoint.candidate import packaged_candidate
from operations.endpoint.endpoint_state import LONGEST_MINUTES
from operations.feedback import app_settings
from operations.inventory.reminders import remind
from operations.rollout.deploy import DeploymentSpec, deploy


@on_aws("deploy")
@stage_option
@click.option("--instance-type", default="", help="Such as ml.m5.large, billed by the hour. Default: serverless.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="Number of instances.")
@click.option(
    "--memory",
    type=click.Choice([str(size) for size in endpoint_config.MEMORY_MB]),
    default=str(endpoint_config.DEFAULT_MEMORY_MB),
    show_default=True,
    help="Memory in MB, serverless only.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 200),
    default=endpoint_config.DEFAULT_CONCURRENCY,
    show_default=True,
    help="Concurrent requests, serverless only.",
)
@click.option(
    "--max-count",
    type=click.IntRange(0),
    default=0,
    show_default="no autoscaling",
    help="Largest number of instances, with autoscaling.",
)
@click.option("--expire", callback=duration_option, metavar="4h", help="Mark the endpoint as expired after this time.")
@click.option(
    "--max-minutes",
    type=click.FloatRange(0, min_open=True),
    default=LONGEST_MINUTES,
    show_default=True,
    help="Longest wait.",
)
@click.option("--feedback", "with_feedback", is_flag=True, help="Also enable feedback, as `verdict feedback enable`.")
@yes_option
def command(
    aws: Aws,
    stage: str,
    instance_type: str,
    count: int,
    memory: str,
    concurrency: int,
    max_count: int,
    expire: timedelta | None,
    max_minutes: float,
    with_feedback: bool,
    yes: bool,
) -> None:
    """Deploy the packaged release to an endpoint, serverless or on instances.

    A failed deployment is deleted again. Repeat the command to resume an interrupted one.
    """
    expires = names.utc_text(datetime.now(UTC) + expire) if expire else ""
    on = endpoint_config.hosting_from_options(instance_type, count, memory, concurrency)
    spec = DeploymentSpec(stage, on, endpoint_config.check_max_count(on, max_count), expires, max_minutes)
    ready = deploy(aws, packaged_candidate(), spec, yes)
    aws.print(f"Endpoint {ready.name} is in service with release {ready.release}: {ready.hosting}.")
    if expires:
        aws.print(f"Expires at {expires}. To delete it then: verdict teardown --stage {stage} --expired")
    aws.print(f"Next, deploy the app: chalice deploy --stage {stage}")
    if with_feedback:
        app_settings.enable(aws, stage, app_settings.chosen(aws.account, stage, None, None, None), yes)
    remind(aws)
