"""Step `logs`: what an endpoint, the app or a job has logged, and with --follow what comes in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there
from operations.endpoint import endpoint_state
from operations.inventory.log_events import Source, events, follow
from operations.inventory.resources import TRAINING_JOB, TRANSFORM_JOB
from operations.inventory.supporting import APP_LOGS, ENDPOINT_LOGS, JOB_LOGS

OF_ENDPOINT, OF_APP, OF_JOB = "endpoint", "app", "job"


def source_of(aws: Aws, stage: str, what: str, name: str) -> Source:
    """Find the log that is meant; raises `AwsError` when a job or an endpoint has to be named, or is not there."""
    if what == OF_APP:
        return Source(f"{APP_LOGS}{names.APP}-{stage}")
    if what == OF_JOB:
        return _of_job(aws, name)
    return Source(f"{ENDPOINT_LOGS}{name or _endpoint(aws, stage)}")


def _endpoint(aws: Aws, stage: str) -> str:
    """Name the newest endpoint of a stage."""
    found = endpoint_state.find_all(aws.account, stage)
    if not found:
        raise AwsError(
            f"Stage {stage} has no endpoint. The log of one that is gone: verdict logs endpoint NAME. "
            f"To deploy one: verdict deploy --stage {stage}",
            "absent",
        )
    if len(found) > 1:
        others = ", ".join(one.name for one in found[1:])
        aws.say(f"The newest endpoint, {found[0].name}. There are others: {others}")
    return found[0].name


def _of_job(aws: Aws, name: str) -> Source:
    """Find out what kind of job a name is of, and where such jobs log."""
    if not name:
        raise AwsError("Name the job: verdict logs job NAME. `status` lists those that run.", "no-name")
    sagemaker = aws.account.client("sagemaker")
    kinds: list[tuple[Callable[..., Any], str, Source]] = [
        (sagemaker.describe_training_job, "TrainingJobName", Source(JOB_LOGS[TRAINING_JOB], f"{name}/")),
        (sagemaker.describe_transform_job, "TransformJobName", Source(JOB_LOGS[TRANSFORM_JOB], f"{name}/")),
        (
            sagemaker.describe_hyper_parameter_tuning_job,
            "HyperParameterTuningJobName",
            Source(JOB_LOGS[TRAINING_JOB], f"{name}-"),  # its training jobs are named after it
        ),
    ]
    for describe, member, source in kinds:
        if if_there(describe, **{member: name}):
            return source
    raise AwsError(f"There is no job {name} in {aws.account.region}.", "absent")


def show(aws: Aws, source: Source, since: datetime, say: Callable[[str], None]) -> None:
    """Print what was logged since a time; says so when there is nothing."""
    found = events(aws.account, source, since)
    where = f"{source.group}{f', streams {source.streams}...' if source.streams else ''}"
    if found is None:
        aws.say(f"There is no log yet in {where}. It comes with the first line; --follow waits for it.")
    elif not found:
        aws.say(f"Nothing was logged in {where} since {names.moment(since)}. Look further back with --since 1d.")
    for event in found or ():
        say(str(event))


def keep_showing(aws: Aws, source: Source, since: datetime, say: Callable[[str], None]) -> None:
    """Print what was logged and what comes in, until Ctrl-C."""
    aws.say(f"{source.group}; Ctrl-C ends it.")
    try:
        for event in follow(aws.account, source, since, aws.pause):
            say(str(event))
    except KeyboardInterrupt:
        aws.say("")
