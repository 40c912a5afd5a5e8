"""Autoscaling targets, alarms, logs, the bucket, the role, tables of feedback, and model package groups.

AWS creates log groups without tags. They are ours if their endpoint or app is, and get our tags before it is deleted
(`operations.endpoint.endpoint_state`). An autoscaling target is ours if its endpoint is.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from botocore.exceptions import ClientError

from operations.aws import bucket, role
from operations.aws.errors import if_there, is_absent
from operations.aws.listing import tags_by_key, tags_of
from operations.aws.names import APP, STAGE_TAG, STAGES
from operations.aws.plan import MINOR_COST
from operations.endpoint.autoscaling import NAMESPACE
from operations.feedback import table
from operations.inventory.deployed_app import STACK_TAG
from operations.inventory.ownership import APP_LOGS, ENDPOINT_LOGS, owns_endpoint, owns_log_group
from operations.inventory.resources import Kind, Resource
from operations.inventory.search import Search, stage_of

JOB_LOGS = {Kind.TRAINING_JOB: "/aws/sagemaker/TrainingJobs", Kind.TRANSFORM_JOB: "/aws/sagemaker/TransformJobs"}
TRANSFORM_PREFIX = f"{bucket.PREFIX}/transform/"
_ENDPOINT = rf"{APP}-(?P<stage>{STAGES.pattern})-[0-9a-f]{{12}}"
_TARGET = re.compile(rf"endpoint/(?P<endpoint>{_ENDPOINT})/variant/.+")
_TABLE = re.compile(rf"{APP}-({STAGES.pattern})-feedback")
_GROUP = re.compile(rf"{ENDPOINT_LOGS}{_ENDPOINT}|{APP_LOGS}{APP}-(?P<app_stage>{STAGES.pattern})")


def scalable_targets(search: Search) -> Iterator[Resource]:
    """Yield the autoscaled variants."""
    service, operation = "application-autoscaling", "describe_scalable_targets"
    for found in search.pages(service, operation, "ScalableTargets", ServiceNamespace=NAMESPACE):
        match = _TARGET.fullmatch(found["ResourceId"])
        if match and search.includes(match["stage"]):
            if not owns_endpoint(search.account, match["endpoint"]):
                search.untagged.append(f"{Kind.SCALABLE_TARGET} {found['ResourceId']}")
                continue
            yield Resource(
                Kind.SCALABLE_TARGET,
                found["ResourceId"],
                found.get("ScalableTargetARN", ""),
                match["stage"],
                state=f"{found['MinCapacity']} to {found['MaxCapacity']}",
                created=found.get("CreationTime"),
                facts={"dimension": found["ScalableDimension"], "endpoint": match["endpoint"]},
            )


def alarms(search: Search) -> Iterator[Resource]:
    """Yield the alarms, except those that belong to a CloudFormation stack."""
    list_tags = search.account.client("cloudwatch").list_tags_for_resource
    for found in search.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=search.prefix):
        name, arn = found["AlarmName"], found["AlarmArn"]
        all_tags = tags_by_key((if_there(list_tags, ResourceARN=arn) or {}).get("Tags", ()))
        tags = None if STACK_TAG in all_tags else search.if_ours(Kind.ALARM, name, all_tags)
        if tags:
            stage = tags.get(STAGE_TAG, "")
            yield Resource(Kind.ALARM, name, arn, stage, state=found["StateValue"], price=MINOR_COST, tags=tags)


def log_groups(search: Search) -> Iterator[Resource]:
    """Yield the log groups of endpoints and apps, including deleted ones."""
    for group_prefix in (f"{ENDPOINT_LOGS}{search.prefix}", f"{APP_LOGS}{search.prefix.rstrip('-')}"):
        for found in search.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=group_prefix):
            name = found["logGroupName"]
            match = _GROUP.fullmatch(name)
            stage = (match["stage"] or match["app_stage"]) if match else None
            if stage and search.includes(stage):
                if not owns_log_group(search.account, name):
                    search.untagged.append(f"{Kind.LOG_GROUP} {name}")
                    continue
                created = datetime.fromtimestamp(found["creationTime"] / 1000, UTC)
                facts = {"bytes": found.get("storedBytes", 0)}
                yield Resource(
                    Kind.LOG_GROUP, name, found["arn"], stage, created=created, price=MINOR_COST, facts=facts
                )


def job_logs(search: Search) -> Iterator[Resource]:
    """Yield our jobs' log streams, per stage. All jobs of the account log to the same groups."""
    for kind, group in JOB_LOGS.items():
        streams: dict[str, list[str]] = {}
        for job, job_streams in groupby(_streams(search, group), key=lambda stream: stream.partition("/")[0]):
            tags = search.tags(Kind.LOG_STREAMS, job, search.account.arn("sagemaker", f"{kind}/{job}"))
            if tags:
                streams.setdefault(tags.get(STAGE_TAG, ""), []).extend(job_streams)
        for stage, found in streams.items():
            facts = {"group": group, "streams": tuple(found)}
            state = f"{len(found)} stream{'s' if len(found) > 1 else ''}"
            yield Resource(
                Kind.LOG_STREAMS, f"{group}:{APP}-{stage}-", "", stage, state=state, price=MINOR_COST, facts=facts
            )


def _streams(search: Search, group: str) -> Iterator[str]:
    """Yield a group's streams with our prefix, sorted; none if the group does not exist."""
    request = {"logGroupName": group, "logStreamNamePrefix": search.prefix}
    try:
        for found in search.pages("logs", "describe_log_streams", "logStreams", **request):
            yield str(found["logStreamName"])
    except ClientError as error:
        if not is_absent(error):
            raise


def buckets(search: Search) -> Iterator[Resource]:
    """Yield the bucket, if it exists, with the number and total size of its objects."""
    account = search.account
    if not bucket.exists(account):
        return
    name = bucket.bucket_name(account)
    prefix = {} if bucket.is_managed() else {"Prefix": f"{bucket.PREFIX}/"}
    sizes = [found["Size"] for found in search.pages("s3", "list_objects_v2", "Contents", Bucket=name, **prefix)]
    facts = {"objects": len(sizes), "bytes": sum(sizes), "ours": bucket.is_managed()}
    yield Resource(Kind.BUCKET, name, f"arn:{account.partition}:s3:::{name}", price=MINOR_COST, facts=facts)


def transform_output(search: Search) -> Iterator[Resource]:
    """Yield, per batch transform job, its input and output, unless the bucket belongs to another project."""
    name = bucket.bucket_name(search.account)
    if not bucket.exists(search.account) or (bucket.is_managed() and not bucket.is_tagged(search.account)):
        return
    sizes: dict[str, list[int]] = {}  # job -> bytes of each object
    prefix = f"{TRANSFORM_PREFIX}{search.prefix}"
    for found in search.pages("s3", "list_objects_v2", "Contents", Bucket=name, Prefix=prefix):
        job = found["Key"].removeprefix(TRANSFORM_PREFIX).partition("/")[0]
        sizes.setdefault(job, []).append(found["Size"])
    for job, of_job in sizes.items():
        if stage := stage_of(job):
            facts = {"objects": len(of_job), "bytes": sum(of_job)}
            address = f"s3://{name}/{TRANSFORM_PREFIX}{job}/"
            yield Resource(Kind.TRANSFORM_OUTPUT, address, "", stage, price=MINOR_COST, facts=facts)


def roles(search: Search) -> Iterator[Resource]:
    """Yield this region's execution role, unless VERDICT_ROLE names another."""
    name = role.role_name(search.account)
    found = if_there(search.account.client("iam").get_role, RoleName=name)
    if found and search.is_ours(Kind.ROLE, name, tags_by_key(found["Role"].get("Tags", ()))):
        yield Resource(Kind.ROLE, name, found["Role"]["Arn"], created=found["Role"]["CreateDate"])


def feedback_tables(search: Search) -> Iterator[Resource]:
    """Yield each stage's table of feedback."""
    for name in search.pages("dynamodb", "list_tables", "TableNames"):
        match = _TABLE.fullmatch(name)
        found = table.describe(search.account, name) if match and search.includes(match[1]) else None
        if match and found and search.is_ours(Kind.FEEDBACK_TABLE, name, dict(found.tags)):
            yield Resource(
                Kind.FEEDBACK_TABLE,
                name,
                found.arn,
                match[1],
                state=f"about {table.count_records(found.records)}",  # DynamoDB counts every six hours
                created=found.created,
                price=table.PRICE,
                facts={"bytes": found.size_bytes},
                tags=found.tags,
            )


def package_groups(search: Search) -> Iterator[Resource]:
    """Yield the model package groups with registered releases."""
    listed = search.pages("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", NameContains=APP)
    for found in listed:
        name, arn = found["ModelPackageGroupName"], found["ModelPackageGroupArn"]
        tags = tags_of(search.account, arn)
        if tags is not None and search.is_ours(Kind.PACKAGE_GROUP, name, tags):
            yield Resource(Kind.PACKAGE_GROUP, name, arn, created=found["CreationTime"], tags=tags)
