"""A release in SageMaker's model registry: a version in a model package group, with what is known of it."""

import hashlib
from collections.abc import Iterator
from typing import Any

from chalicelib.endpoint import ACCEPT, CONTENT_TYPE
from chalicelib.release import FACTS_NAME, ReleaseFacts
from operations.aws import bucket, prices
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there
from operations.aws.names import APP, APP_TAG
from operations.endpoint import models
from operations.endpoint.candidate import Candidate
from training.model import container_image as images

_LONGEST_VALUE = 256  # characters of a property


def register(aws: Aws, group: str, candidate: Candidate, facts: ReleaseFacts) -> tuple[str, bool]:
    """Register a release; returns its ARN in the registry, and whether that is new. It waits there for approval."""
    _ensure_group(aws, group)
    found = registered(aws, group, candidate.release_id)
    if found:
        return found, False
    models.store(aws, candidate)
    answer = aws.account.client("sagemaker").create_model_package(**request(aws, group, candidate, facts))
    arn = str(answer["ModelPackageArn"])
    aws.journal.write("created", "model-package", arn, release=candidate.release_id)
    return arn, True


def _ensure_group(aws: Aws, group: str) -> None:
    """Make the group where it is absent; one that somebody else made is used as it is."""
    sagemaker = aws.account.client("sagemaker")
    if if_there(sagemaker.describe_model_package_group, ModelPackageGroupName=group):
        return
    if not group.startswith(APP):
        raise AwsError(
            f"There is no model package group {group}. Make it first, or name one that begins with {APP!r}: such a one "
            "is made here.",
            "absent",
        )
    sagemaker.create_model_package_group(
        ModelPackageGroupName=group,
        ModelPackageGroupDescription="Releases of Verdict: is a movie review positive?",
        Tags=[{"Key": APP_TAG, "Value": APP}],
    )
    aws.journal.write("created", "package-group", group)


def registered(aws: Aws, group: str, release: str) -> str:
    """Return the ARN under which a release is registered in a group, "" when it is not."""
    describe = aws.account.client("sagemaker").describe_model_package
    for arn in _packages(aws, group):
        package = if_there(describe, ModelPackageName=arn) or {}
        if package.get("CustomerMetadataProperties", {}).get("release") == release:
            return arn
    return ""


def _packages(aws: Aws, group: str) -> Iterator[str]:
    pages = aws.account.client("sagemaker").get_paginator("list_model_packages")
    for page in pages.paginate(ModelPackageGroupName=group):
        yield from (str(one["ModelPackageArn"]) for one in page["ModelPackageSummaryList"])


def request(aws: Aws, group: str, candidate: Candidate, facts: ReleaseFacts) -> dict[str, Any]:
    """Return the CreateModelPackage request: image and archive, what is known of the model, and no approval yet."""
    folder = f"releases/{candidate.release_id}"
    archive = bucket.uri(aws.account, f"{folder}/{models.ARCHIVE_NAME}")
    statistics = {"ContentType": "application/json", "S3Uri": bucket.uri(aws.account, f"{folder}/{FACTS_NAME}")}
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": f"Verdict release {candidate.release_id}",
        "InferenceSpecification": {
            "Containers": [{"Image": images.image_uri(aws.account.region), "ModelDataUrl": archive}],
            "SupportedContentTypes": [CONTENT_TYPE],
            "SupportedResponseMIMETypes": [ACCEPT],
            "SupportedRealtimeInferenceInstanceTypes": sorted(prices.table()["hosting"]),
            "SupportedTransformInstanceTypes": sorted(prices.table()["transform"]),
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
        "CustomerMetadataProperties": properties(facts),
        "ModelApprovalStatus": "PendingManualApproval",
        # A second order that crosses the first one makes no second version.
        "ClientToken": hashlib.sha256(f"{group} {candidate.release_id}".encode()).hexdigest()[:36],
    }


def properties(facts: ReleaseFacts) -> dict[str, str]:
    """Return what the registry is told of a release: fingerprints, versions, figures."""
    told = {
        "release": facts.release_id,
        "vocabulary_fingerprint": facts.vocabulary_fingerprint,
        "data_fingerprint": facts.data_fingerprint,
        "model_sha256": facts.model_sha256,
        "xgboost_version": facts.xgboost_version,
        "image": facts.image,
    }
    for asked, figures in facts.metrics.items():
        told |= {f"{asked} {name}": str(value) for name, value in figures.items() if value is not None}
    return {key: value[:_LONGEST_VALUE] for key, value in list(told.items())[:50]}
