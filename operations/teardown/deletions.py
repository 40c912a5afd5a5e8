"""How each kind of thing is deleted. All of it may be asked twice: what is gone already is fine with `removal`."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of, if_there, message_of
from operations.aws.names import APP_TAG
from operations.endpoint import endpoint_state
from operations.endpoint.autoscaling import NAMESPACE
from operations.inventory.resources import (
    ALARM,
    BUCKET,
    CONFIGURATION,
    ENDPOINT,
    LOG_GROUP,
    LOG_STREAMS,
    MODEL,
    PACKAGE_GROUP,
    ROLE,
    SCALING,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TRANSFORMED,
    TUNING_JOB,
    Resource,
)

Deletion = Callable[[Aws, Resource], None]
MOST_OBJECTS_AT_ONCE = 1000
JOB_OPERATIONS = {  # kind -> what stops it, what describes it, and the members that hold its name and its status
    TRAINING_JOB: ("stop_training_job", "describe_training_job", "TrainingJob"),
    TRANSFORM_JOB: ("stop_transform_job", "describe_transform_job", "TransformJob"),
    TUNING_JOB: ("stop_hyper_parameter_tuning_job", "describe_hyper_parameter_tuning_job", "HyperParameterTuningJob"),
}


def scalable_target(aws: Aws, target: Resource) -> None:
    """End the autoscaling of a variant; its policies, and the alarms that AWS made for them, go with it."""
    aws.account.client("application-autoscaling").deregister_scalable_target(
        ServiceNamespace=NAMESPACE, ResourceId=target.name, ScalableDimension=target.facts["dimension"]
    )


def alarm(aws: Aws, found: Resource) -> None:
    """Delete an alarm."""
    aws.account.client("cloudwatch").delete_alarms(AlarmNames=[found.name])


def endpoint(aws: Aws, found: Resource) -> None:
    """Begin to delete an endpoint; while the service refuses because it is still moving, wait until it rests."""
    delete = aws.account.client("sagemaker").delete_endpoint
    try:
        delete(EndpointName=found.name)
    except ClientError as error:
        if not re.search(r"in.progress", message_of(error)):
            raise
        resume = f"verdict teardown {found.whose}"
        if endpoint_state.wait_until_stable(aws, found.name, resume):
            delete(EndpointName=found.name)


def job(aws: Aws, found: Resource) -> None:
    """Begin to stop a job; one that has just ended, or is stopping already, is fine."""
    stop, describe, member = JOB_OPERATIONS[found.kind]
    sagemaker = aws.account.client("sagemaker")
    try:
        getattr(sagemaker, stop)(**{f"{member}Name": found.name})
    except ClientError as error:
        state = getattr(sagemaker, describe)(**{f"{member}Name": found.name})[f"{member}Status"]
        if code_of(error) != "ValidationException" or state == "InProgress":
            raise


def configuration(aws: Aws, found: Resource) -> None:
    """Delete an endpoint configuration."""
    aws.account.client("sagemaker").delete_endpoint_config(EndpointConfigName=found.name)


def model(aws: Aws, found: Resource) -> None:
    """Delete a model; its archive in the bucket stays."""
    aws.account.client("sagemaker").delete_model(ModelName=found.name)


def package_group(aws: Aws, group: Resource) -> None:
    """Delete the model packages of a group, and the group; a package that is gone by now hides none of the rest."""
    sagemaker = aws.account.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group.name)
    for package in [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]:
        if_there(sagemaker.delete_model_package, ModelPackageName=package)
        aws.journal.write("deleted", "model-package", package)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group.name)


def log_group(aws: Aws, group: Resource) -> None:
    """Delete a log group with all that was logged."""
    aws.account.client("logs").delete_log_group(logGroupName=group.name)


def log_streams(aws: Aws, found: Resource) -> None:
    """Delete what our jobs logged, out of a group that all jobs share; a stream that is gone hides none of the rest."""
    delete = aws.account.client("logs").delete_log_stream
    for stream in found.facts["streams"]:
        if_there(delete, logGroupName=found.facts["group"], logStreamName=stream)


def transform_output(aws: Aws, found: Resource) -> None:
    """Delete what batch transforms of a stage read and wrote."""
    name, _, below = found.name.removeprefix("s3://").partition("/")
    _empty(aws, name, below)


def whole_bucket(aws: Aws, found: Resource) -> None:
    """Delete the bucket with all in it; raises `AwsError` for one that this project did not make."""
    if not bucket.is_ours():
        raise AwsError(f"VERDICT_BUCKET names {found.name}: it is yours, and is never deleted.", "refused")
    if not bucket.is_tagged(aws.account):
        raise AwsError(
            f"It has no tag {APP_TAG}, so it may be somebody's of the same name. If it is yours and not needed, "
            "delete it yourself.",
            "refused",
        )
    _empty(aws, found.name)
    aws.account.client("s3").delete_bucket(Bucket=found.name)


def _empty(aws: Aws, name: str, below: str = "") -> None:
    """Delete every object, every old version and every mark of a deletion below a key."""
    s3 = aws.account.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=below):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        _delete_objects(s3, name, ({"Key": one["Key"], "VersionId": one["VersionId"]} for one in found))
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name, Prefix=below):
        for begun in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=name, Key=begun["Key"], UploadId=begun["UploadId"])


def _delete_objects(s3: Any, name: str, objects: Iterable[dict[str, str]]) -> None:
    """Delete objects; raises `AwsError` naming the first that is refused."""
    for several in _batches(list(objects), MOST_OBJECTS_AT_ONCE):
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": several, "Quiet": True})
        for refused in answer.get("Errors", ()):
            raise AwsError(f"S3 did not delete {refused['Key']} from {name}: {refused.get('Message')}")


def _batches(items: list[dict[str, str]], size: int) -> list[list[dict[str, str]]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def role(aws: Aws, found: Resource) -> None:
    """Delete the execution role, its policies first."""
    iam = aws.account.client("iam")
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=found.name):
        for policy in page["PolicyNames"]:
            if_there(iam.delete_role_policy, RoleName=found.name, PolicyName=policy)
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=found.name):
        for policy in page["AttachedPolicies"]:
            if_there(iam.detach_role_policy, RoleName=found.name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=found.name)


DELETIONS: dict[str, Deletion] = {  # kind -> how; what uses others goes before what it uses
    SCALING: scalable_target,
    ALARM: alarm,
    ENDPOINT: endpoint,
    TUNING_JOB: job,
    TRAINING_JOB: job,
    TRANSFORM_JOB: job,
    CONFIGURATION: configuration,
    MODEL: model,
    TRANSFORMED: transform_output,
    PACKAGE_GROUP: package_group,
    LOG_STREAMS: log_streams,
    LOG_GROUP: log_group,
    BUCKET: whole_bucket,
    ROLE: role,
}
