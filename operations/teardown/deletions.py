"""Deletion functions, one for each kind of resource. `removal` ignores resources that no longer exist."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from operations.aws import bucket, log_groups
from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of, if_there
from operations.aws.listing import list_all
from operations.aws.names import APP_TAG
from operations.endpoint import endpoint_state
from operations.endpoint.autoscaling import NAMESPACE
from operations.feedback import table
from operations.inventory.model_registry import package_arns
from operations.inventory.resources import Kind, Resource
from operations.inventory.running_jobs import API_NAMES, job_operation

Deletion = Callable[[Aws, Resource], None]


def delete_scalable_target(aws: Aws, target: Resource) -> None:
    """Stop the autoscaling of a variant; AWS deletes its policies and their alarms."""
    aws.account.client("application-autoscaling").deregister_scalable_target(
        ServiceNamespace=NAMESPACE, ResourceId=target.name, ScalableDimension=target.facts["dimension"]
    )


def delete_alarm(aws: Aws, alarm: Resource) -> None:
    """Delete an alarm."""
    aws.account.client("cloudwatch").delete_alarms(AlarmNames=[alarm.name])


def delete_endpoint(aws: Aws, endpoint: Resource) -> None:
    """Start the deletion of an endpoint, after the end of a change that is in progress."""
    log_groups.tag(aws.account, f"{endpoint_state.LOGS}{endpoint.name}", endpoint.stage)
    endpoint_state.start_deletion(aws, endpoint.name, endpoint.created, f"verdict teardown {endpoint.stage_option}")


def stop_job(aws: Aws, job: Resource) -> None:
    """Stop a job; one that has ended or is being stopped is ignored."""
    try:
        job_operation(aws.account, "Stop", job.kind, job.name)()
    except ClientError as error:
        status = job_operation(aws.account, "Describe", job.kind, job.name)()[f"{API_NAMES[job.kind]}Status"]
        if code_of(error) != "ValidationException" or status == "InProgress":
            raise


def delete_configuration(aws: Aws, configuration: Resource) -> None:
    """Delete an endpoint configuration."""
    aws.account.client("sagemaker").delete_endpoint_config(EndpointConfigName=configuration.name)


def delete_model(aws: Aws, model: Resource) -> None:
    """Delete a model; its archive stays in the bucket."""
    aws.account.client("sagemaker").delete_model(ModelName=model.name)


def delete_feedback_table(aws: Aws, found: Resource) -> None:
    """Delete a table of feedback; raises `AwsError` without our tag."""
    table.delete(aws, found.name, found.stage)


def delete_package_group(aws: Aws, group: Resource) -> None:
    """Delete a model package group and its packages; raises `AwsError` if somebody else has registered one in it."""
    sagemaker, arns = aws.account.client("sagemaker"), package_arns(aws.account, group.name)
    for arn in arns:
        found = if_there(sagemaker.describe_model_package, ModelPackageName=arn)
        if found and "release" not in found.get("CustomerMetadataProperties", {}):
            raise AwsError(f"It has {arn}, which these commands did not register. Delete that one first.", "refused")
    for arn in arns:
        if_there(sagemaker.delete_model_package, ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group.name)


def delete_log_group(aws: Aws, group: Resource) -> None:
    """Delete a log group with its events."""
    aws.account.client("logs").delete_log_group(logGroupName=group.name)


def delete_log_streams(aws: Aws, streams: Resource) -> None:
    """Delete our jobs' log streams from a log group shared by all jobs of the account."""
    delete = aws.account.client("logs").delete_log_stream
    for stream in streams.facts["streams"]:
        if_there(delete, logGroupName=streams.facts["group"], logStreamName=stream)


def delete_transform_output(aws: Aws, output: Resource) -> None:
    """Delete the input and output of a stage's batch transforms."""
    name, _, prefix = output.name.removeprefix("s3://").partition("/")
    _delete_objects(aws, name, prefix)


def delete_bucket(aws: Aws, found: Resource) -> None:
    """Delete the bucket with all objects; raises `AwsError` if these commands did not create it."""
    if not bucket.is_managed():
        raise AwsError(f"VERDICT_BUCKET names {found.name}: your own bucket is never deleted.", "refused")
    if not bucket.is_tagged(aws.account):
        raise AwsError(
            f"It has no tag {APP_TAG}, so it may belong to another project. If it is yours and not needed, delete it "
            "yourself.",
            "refused",
        )
    _delete_objects(aws, found.name)
    aws.account.client("s3").delete_bucket(Bucket=found.name)


def _delete_objects(aws: Aws, name: str, prefix: str = "") -> None:
    """Delete all objects with a prefix, including old versions, delete markers, and unfinished uploads.

    Raises `AwsError` if S3 refuses one. A page has at most 1,000 versions, as many as a request may delete.
    """
    s3 = aws.account.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix):
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        deleted = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}) if objects else {}
        for refused in deleted.get("Errors", ()):
            raise AwsError(f"S3 did not delete {refused['Key']} from {name}: {refused.get('Message')}")
    for upload in list_all(aws.account, "s3", "list_multipart_uploads", "Uploads", Bucket=name, Prefix=prefix):
        s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])


def delete_role(aws: Aws, role: Resource) -> None:
    """Delete the execution role and its policies."""
    iam = aws.account.client("iam")
    for policy in list_all(aws.account, "iam", "list_role_policies", "PolicyNames", RoleName=role.name):
        if_there(iam.delete_role_policy, RoleName=role.name, PolicyName=policy)
    attached = list_all(aws.account, "iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role.name)
    for policy in attached:
        if_there(iam.detach_role_policy, RoleName=role.name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=role.name)


DELETIONS: dict[Kind, Deletion] = {  # by kind; resources are deleted before those that they use
    Kind.SCALABLE_TARGET: delete_scalable_target,
    Kind.ALARM: delete_alarm,
    Kind.ENDPOINT: delete_endpoint,
    Kind.TUNING_JOB: stop_job,
    Kind.TRAINING_JOB: stop_job,
    Kind.TRANSFORM_JOB: stop_job,
    Kind.CONFIGURATION: delete_configuration,
    Kind.MODEL: delete_model,
    Kind.TRANSFORM_OUTPUT: delete_transform_output,
    Kind.FEEDBACK_TABLE: delete_feedback_table,
    Kind.PACKAGE_GROUP: delete_package_group,
    Kind.LOG_STREAMS: delete_log_streams,
    Kind.LOG_GROUP: delete_log_group,
    Kind.BUCKET: delete_bucket,
    Kind.ROLE: delete_role,
}
