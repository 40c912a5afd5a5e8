"""What stands around the endpoints: autoscaling, alarms, log groups, the bucket, the role, model package groups.

What carries no tags of its own (log groups, autoscaling) is ours when its name holds that of an endpoint or an app of
ours in full: `verdict-<stage>-<fingerprint>`, twelve hexadecimal digits and all.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import bucket, role
from operations.aws.errors import if_there, is_absent
from operations.aws.names import APP, STAGE_TAG, STAGES
from operations.aws.plan import PENNIES
from operations.endpoint.autoscaling import NAMESPACE
from operations.inventory.deployed_app import STACK_TAG
from operations.inventory.resources import (
    ALARM,
    BUCKET,
    LOG_GROUP,
    LOG_STREAMS,
    PACKAGE_GROUP,
    ROLE,
    SCALING,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TRANSFORMED,
    Resource,
)
from operations.inventory.search import Search, stage_of

ENDPOINT_LOGS, APP_LOGS = "/aws/sagemaker/Endpoints/", "/aws/lambda/"
JOB_LOGS = {TRAINING_JOB: "/aws/sagemaker/TrainingJobs", TRANSFORM_JOB: "/aws/sagemaker/TransformJobs"}
TRANSFORM_PREFIX = f"{bucket.PREFIX}/transform/"
_ENDPOINT = rf"{APP}-(?P<stage>{STAGES.pattern})-[0-9a-f]{{12}}"
_TARGET = re.compile(rf"endpoint/(?P<endpoint>{_ENDPOINT})/variant/.+")
_GROUP = re.compile(rf"{ENDPOINT_LOGS}{_ENDPOINT}|{APP_LOGS}{APP}-(?P<app_stage>{STAGES.pattern})")


def scalable_targets(search: Search) -> Iterator[Resource]:
    """Yield the variants that are scaled by themselves."""
    listed = search.pages(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace=NAMESPACE
    )
    for found in listed:
        named = _TARGET.fullmatch(found["ResourceId"])
        if named and search.stage in (None, named["stage"]):
            least, most = found["MinCapacity"], found["MaxCapacity"]
            yield Resource(
                SCALING,
                found["ResourceId"],
                found.get("ScalableTargetARN", ""),
                named["stage"],
                state=f"{least} to {most}",
                created=found.get("CreationTime"),
                facts={"dimension": found["ScalableDimension"], "endpoint": named["endpoint"]},
            )


def alarms(search: Search) -> Iterator[Resource]:
    """Yield the alarms."""
    pages = search.account.client("cloudwatch").get_paginator("describe_alarms")
    for found in (one for page in pages.paginate(AlarmNamePrefix=search.prefix) for one in page["MetricAlarms"]):
        name, arn = found["AlarmName"], found["AlarmArn"]
        answer = if_there(search.account.client("cloudwatch").list_tags_for_resource, ResourceARN=arn) or {}
        stated = _read(answer.get("Tags", ()))
        tags = None if STACK_TAG in stated else search.if_ours(ALARM, name, stated)  # a stack's goes with its stack
        if tags:
            yield Resource(
                ALARM, name, arn, tags.get(STAGE_TAG, ""), state=found["StateValue"], price=PENNIES, tags=tags
            )


def log_groups(search: Search) -> Iterator[Resource]:
    """Yield the log groups of endpoints and apps, those that are gone among them."""
    for beginning in (ENDPOINT_LOGS, APP_LOGS):
        looked = f"{beginning}{search.prefix.rstrip('-') if beginning == APP_LOGS else search.prefix}"
        for found in search.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=looked):
            name = found["logGroupName"]
            named = _GROUP.fullmatch(name)
            stage = (named["stage"] or named["app_stage"]) if named else None
            if stage and search.stage in (None, stage):
                created = datetime.fromtimestamp(found["creationTime"] / 1000, UTC)
                facts = {"bytes": found.get("storedBytes", 0)}
                yield Resource(LOG_GROUP, name, found["arn"], stage, created=created, price=PENNIES, facts=facts)


def job_logs(search: Search) -> Iterator[Resource]:
    """Yield what our jobs logged, per stage: streams in groups that all jobs of the account share."""
    for kind, group in JOB_LOGS.items():
        streams: dict[str, list[str]] = {}
        for job, named in groupby(_streams(search, group), key=lambda stream: stream.partition("/")[0]):
            tags = search.tags(LOG_STREAMS, job, search.account.arn("sagemaker", f"{kind}/{job}"))
            if tags:
                streams.setdefault(tags.get(STAGE_TAG, ""), []).extend(named)
        for stage, found in streams.items():
            facts = {"group": group, "streams": tuple(found)}
            state = f"{len(found)} stream{'s' if len(found) > 1 else ''}"
            yield Resource(LOG_STREAMS, f"{group}:{APP}-{stage}-", "", stage, state=state, price=PENNIES, facts=facts)


def _streams(search: Search, group: str) -> Iterator[str]:
    """Yield the streams of a group whose names begin like our jobs, in order; none where there is no group."""
    request = {"logGroupName": group, "logStreamNamePrefix": search.prefix}
    try:
        for found in search.pages("logs", "describe_log_streams", "logStreams", **request):
            yield str(found["logStreamName"])
    except ClientError as error:
        if not is_absent(error):
            raise


def buckets(search: Search) -> Iterator[Resource]:
    """Yield the bucket, where it is, with the number and the size of what it holds."""
    account = search.account
    if not bucket.exists(account):
        return
    name = bucket.bucket_name(account)
    prefix = {} if bucket.is_ours() else {"Prefix": f"{bucket.PREFIX}/"}
    sizes = [one["Size"] for one in search.pages("s3", "list_objects_v2", "Contents", Bucket=name, **prefix)]
    facts = {"objects": len(sizes), "bytes": sum(sizes), "ours": bucket.is_ours()}
    yield Resource(BUCKET, name, f"arn:{account.partition}:s3:::{name}", price=PENNIES, facts=facts)


def transformed(search: Search) -> Iterator[Resource]:
    """Yield, per stage, what batch transforms read and wrote in the bucket, unless that is a stranger's."""
    name = bucket.bucket_name(search.account)
    if not bucket.exists(search.account) or (bucket.is_ours() and not bucket.is_tagged(search.account)):
        return
    found: dict[str, list[int]] = {}
    below = f"{TRANSFORM_PREFIX}{search.prefix}"
    for one in search.pages("s3", "list_objects_v2", "Contents", Bucket=name, Prefix=below):
        found.setdefault(stage_of(one["Key"].removeprefix(TRANSFORM_PREFIX)), []).append(one["Size"])
    for stage, sizes in found.items():
        facts = {"objects": len(sizes), "bytes": sum(sizes)}
        address = f"s3://{name}/{TRANSFORM_PREFIX}{APP}-{stage}-"
        if stage:
            yield Resource(TRANSFORMED, address, "", stage, price=PENNIES, facts=facts)


def roles(search: Search) -> Iterator[Resource]:
    """Yield the execution role of this region, unless VERDICT_ROLE says that another is used."""
    name = role.role_name(search.account)
    found = if_there(search.account.client("iam").get_role, RoleName=name)
    if found and search.if_ours_shared(ROLE, name, _read(found["Role"].get("Tags", ()))):
        yield Resource(ROLE, name, found["Role"]["Arn"], created=found["Role"]["CreateDate"])


def package_groups(search: Search) -> Iterator[Resource]:
    """Yield the model package groups that releases were registered in."""
    listed = search.pages("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", NameContains=APP)
    for found in listed:
        name, arn = found["ModelPackageGroupName"], found["ModelPackageGroupArn"]
        tags = search.tags_of(arn)
        if tags is not None and search.if_ours_shared(PACKAGE_GROUP, name, tags):
            yield Resource(PACKAGE_GROUP, name, arn, created=found["CreationTime"], tags=tags)


def _read(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
