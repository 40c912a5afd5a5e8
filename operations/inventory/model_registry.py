"""Registration of releases in SageMaker's model registry, as versions in a model package group."""

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.endpoint import ACCEPT, CONTENT_TYPE
from chalicelib.release import FACTS_NAME, ReleaseFacts
from operations.aws import bucket, prices
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, if_there, is_taken
from operations.aws.listing import list_all
from operations.aws.names import APP, APP_TAG
from operations.endpoint import models
from operations.endpoint.candidate import Candidate
from training.model import container_image as images

_MAX_PROPERTIES, _MAX_CHARACTERS = 50, 256  # the registry's limits, the second for each value


def register(aws: Aws, group: str, candidate: Candidate, facts: ReleaseFacts) -> tuple[str, bool]:
    """Register a release, pending approval; returns its ARN in the registry, and whether it is new."""
    _ensure_group(aws, group)
    found = registered(aws, group, candidate.release_id)
    if found:
        return found, False
    models.store(aws, candidate)
    created = aws.account.client("sagemaker").create_model_package(**request(aws, group, candidate, facts))
    return str(created["ModelPackageArn"]), True


def _ensure_group(aws: Aws, group: str) -> None:
    """Create the group if it does not exist; a group of another owner is used unchanged."""
    sagemaker = aws.account.client("sagemaker")
    if if_there(sagemaker.describe_model_package_group, ModelPackageGroupName=group):
        return
    if not group.startswith(APP):
        raise AwsError(
            f"There is no model package group {group}. Create it first, or use a name that begins with {APP!r}: such a "
            "group is created automatically.",
            "absent",
        )
    try:
        sagemaker.create_model_package_group(
            ModelPackageGroupName=group,
            ModelPackageGroupDescription="Releases of Verdict: is a movie review positive?",
            Tags=[{"Key": APP_TAG, "Value": APP}],
        )
    except ClientError as error:
        if not is_taken(error):  # by another command, just now
            raise


def registered(aws: Aws, group: str, release: str) -> str:
    """Return the ARN of a release in a group, "" if it is not registered."""
    describe = aws.account.client("sagemaker").describe_model_package
    for arn in package_arns(aws.account, group):
        package = if_there(describe, ModelPackageName=arn) or {}
        if package.get("CustomerMetadataProperties", {}).get("release") == release:
            return arn
    return ""


def package_arns(account: Account, group: str) -> list[str]:
    """Return the ARNs of the model packages in a group."""
    member = "ModelPackageSummaryList"
    listed = list_all(account, "sagemaker", "list_model_packages", member, ModelPackageGroupName=group)
    return [str(package["ModelPackageArn"]) for package in listed]


def request(aws: Aws, group: str, candidate: Candidate, facts: ReleaseFacts) -> dict[str, Any]:
    """Return the CreateModelPackage request: image, archive and properties, pending approval."""
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
            "SupportedRealtimeInferenceInstanceTypes": sorted(prices.INSTANCE_TYPES["hosting"]),
            "SupportedTransformInstanceTypes": sorted(prices.INSTANCE_TYPES["transform"]),
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
        "CustomerMetadataProperties": properties(facts),
        "ModelApprovalStatus": "PendingManualApproval",
        # Concurrent requests with the same token create a single version.
        "ClientToken": hashlib.sha256(f"{group} {candidate.release_id}".encode()).hexdigest()[:36],
    }


def properties(facts: ReleaseFacts) -> dict[str, str]:
    """Return a release's properties in the registry: fingerprints, versions, and metrics."""
    result = {
        "release": facts.release_id,
        "vocabulary_fingerprint": facts.vocabulary_fingerprint,
        "data_fingerprint": facts.data_fingerprint,
        "model_sha256": facts.model_sha256,
        "xgboost_version": facts.xgboost_version,
        "image": facts.image,
    }
    for split, metrics in facts.metrics.items():
        result |= {f"{split} {name}": str(value) for name, value in metrics.items() if value is not None}
    return {key: value[:_MAX_CHARACTERS] for key, value in list(result.items())[:_MAX_PROPERTIES]}
