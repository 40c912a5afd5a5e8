"""The checks of `verdict doctor`: each is ok, missing with a remedy, or not checked with a reason.

A check that fails to run never counts as passed.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.errors import SentimentError
from operations.aws import bucket, names, role
from operations.aws.account import Account
from operations.aws.errors import AwsError, code_of, is_absent, translate_errors
from operations.endpoint import candidate
from operations.feedback import app_settings, chalice_config, table
from operations.feedback.app_settings import DeployedFunction
from operations.feedback.chalice_config import CHALICE_CONFIG
from operations.setup import service_quotas
from training.model import container_image as images

OK, MISSING, UNCHECKED = "ok", "missing", "not checked"
CREATE = "verdict doctor --create"
_INCONCLUSIVE = (
    "no-permission",
    "throttled",
    "unavailable",
    "not-reached",
    "request-failed",
    "refused",
)  # kinds of AwsError
_UNSET = (
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
)


@dataclass(frozen=True)
class Check:
    """The result of a check: its state, what was found, and a remedy if something is missing."""

    name: str
    state: str
    found: str
    remedy: str = ""


def run_check(name: str, check: Callable[[], Check]) -> Check:
    """Run a check; an inconclusive AWS error means not checked, any other error means missing."""
    try:
        with translate_errors():
            return check()
    except AwsError as error:
        state = UNCHECKED if error.kind in _INCONCLUSIVE else MISSING
        return Check(name, state, "", error.detail)
    except SentimentError as error:
        return Check(name, MISSING, "", error.detail)


def check_credentials(account: Account) -> Check:
    """Report the caller and the account."""
    advice = (
        "These are the root user's credentials. Create a user or role for this work."
        if account.caller.endswith(":root")
        else ""
    )
    return Check("credentials", OK, f"{account.caller}, account {account.number}", advice)


def check_bucket(account: Account) -> Check:
    """Check that the bucket exists, is in this region, and is private."""
    name, label = bucket.bucket_name(account), "bucket"
    if not bucket.exists(account):
        remedy = CREATE if bucket.is_managed() else "Create it, or unset VERDICT_BUCKET."
        return Check(label, MISSING, f"{name} does not exist", remedy)
    region = account.client("s3").head_bucket(Bucket=name).get("BucketRegion", account.region)
    if region != account.region:
        return Check(
            label, MISSING, f"{name} is in {region}", f"Jobs need a bucket in {account.region}: set VERDICT_BUCKET."
        )
    bucket.refuse_untagged(account)
    lacking = missing_protections(account)
    if lacking:
        remedy = CREATE if bucket.is_managed() else "Add this: these commands do not change VERDICT_BUCKET."
        return Check(label, MISSING, f"{name} lacks {', '.join(lacking)}", remedy)
    return Check(label, OK, f"{name}: private, encrypted, HTTPS only")


def missing_protections(account: Account) -> list[str]:
    """Return the names of the protections that the bucket lacks."""
    s3, name = account.client("s3"), bucket.bucket_name(account)
    blocked = _setting(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    encrypted = _setting(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"])
    policy = _setting(lambda: json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"])
    protections = {
        "a block on public access": bool(blocked) and all(blocked.values()),
        "encryption": bool(encrypted),
        "a policy against plain HTTP": any(
            "aws:SecureTransport" in json.dumps(statement) for statement in policy or ()
        ),
    }
    return [name for name, is_set in protections.items() if not is_set]


def _setting(read: Callable[[], Any]) -> Any:
    """Return a setting, None if it is not configured."""
    try:
        return read()
    except ClientError as error:
        if code_of(error) in _UNSET or is_absent(error):
            return None
        raise


def check_role(account: Account) -> Check:
    """Check that the execution role exists, trusts SageMaker, and has the current policy."""
    arn, label = role.find(account), "execution role"
    name = arn.rpartition("/")[2] or role.role_name(account)
    iam = account.client("iam")
    try:
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if not is_absent(error):
            raise
        remedy = CREATE if not arn else "Set VERDICT_ROLE to the ARN of an existing role, or unset it."
        return Check(label, MISSING, f"{name} does not exist", remedy)
    if not role.trusts_sagemaker(trust):
        return Check(label, MISSING, f"{name} does not trust SageMaker", f"Allow {role.SERVICE} to assume it.")
    if name != role.role_name(account):
        return Check(label, OK, f"{arn}; the policy of VERDICT_ROLE was not checked")
    role.refuse_untagged(account)
    current = _setting(lambda: iam.get_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)["PolicyDocument"])
    if current != role.policy(account):
        return Check(label, MISSING, f"{name} has a policy of another version", CREATE)
    return Check(label, OK, arn)


def check_feedback(account: Account, stage: str) -> Check:
    """Check that what a stage's app collects can be stored, in a table with all protections."""
    label, name, enable = "feedback", names.feedback_table(stage), f"verdict feedback enable --stage {stage}"
    function, found = app_settings.find_function(account, stage), table.describe(account, name)
    collects = function is not None and function.collects
    if found is None:
        return Check(label, MISSING, f"the app has no table {name}", enable) if collects else Check(label, OK, "off")
    if not found.is_ours:
        remedy = "Delete it if it is yours and not needed, or use another --stage."
        return Check(label, MISSING if collects else OK, f"{name} was not created by Verdict", remedy)
    lacking = table.missing_protections(account, name)
    if lacking:
        return Check(label, MISSING, f"{name} lacks {', '.join(lacking)}", enable)
    if function and not collects and app_settings.is_enabled(found.tags):
        return Check(label, OK, "off, because `chalice deploy` has reset the app's settings", f"{enable} --again")
    if function and collects:
        return _check_collecting(account, stage, function, found)
    return Check(label, OK, f"{name}: encrypted, with backups and expiry; the app is off")


def _check_collecting(account: Account, stage: str, function: DeployedFunction, found: table.TableState) -> Check:
    """Check that an app that collects can write, has a key for receipts, and goes on after the next deployment."""
    label, name = "feedback", names.feedback_table(stage)
    again = f"verdict feedback enable --stage {stage} --again"
    if not app_settings.has_permission(account, stage, function, found.arn):
        return Check(label, MISSING, f"the role {function.role} may not use {name}", again)
    if not table.has_key(account, name):
        return Check(label, MISSING, f"{name} has no key for receipts", again)
    collects = f"{name}: encrypted, with backups and expiry; the app collects"
    if not function.stack and chalice_config.variables(stage).get(app_settings.TABLE) != name:
        return Check(label, OK, f"{collects} until the next `chalice deploy`, as {CHALICE_CONFIG} lacks it", again)
    return Check(label, OK, collects)


def check_image(account: Account) -> Check:
    """Check that the region's registry has the image."""
    address, label = images.image_uri(account.region), "XGBoost image"
    registry = images.accounts()[account.region]
    wanted = [{"imageTag": images.TAG}]
    try:
        response = account.client("ecr").batch_get_image(
            registryId=registry, repositoryName=images.REPOSITORY, imageIds=wanted
        )
    except ClientError as error:
        return Check(label, UNCHECKED, address, f"The registry could not be read ({code_of(error)}).")
    if not response.get("images"):
        return Check(label, MISSING, address, "The registry does not have this image. Choose another region.")
    return Check(label, OK, address)


def check_quotas(account: Account, wanted: dict[str, float]) -> list[Check]:
    """Check quotas; `wanted` maps each name to its minimum."""
    found = service_quotas.read(account, wanted)
    return [_quota(found.get(name), name, minimum) for name, minimum in wanted.items()]


def _quota(found: service_quotas.Quota | None, name: str, minimum: float) -> Check:
    label = f"quota: {name}"
    if found is None:
        return Check(label, UNCHECKED, "", "Service Quotas does not list it in this region.")
    if found.value >= minimum:
        return Check(label, OK, f"{found.value:g}")
    if found.pending is not None:
        return Check(label, MISSING, f"{found.value:g}, {found.pending:g} requested", "AWS has not decided yet.")
    return Check(label, MISSING, f"{found.value:g}", f"verdict quotas --request '{name}={minimum:g}'")


def check_chalice() -> Check:
    """Check that the command that deploys the app is installed."""
    version = _version("chalice")
    if not version:
        return Check("chalice", MISSING, "not installed", "pip install -r requirements-run.txt")
    return Check("chalice", OK, version)


def check_xgboost() -> Check:
    """Check that the installed xgboost has the image's version: 3.0.5 for `3.0-5`."""
    wanted, found = images.TAG.replace("-", "."), _version("xgboost", "xgboost-cpu")
    if found != wanted:
        remedy = f"pip install xgboost-cpu=={wanted}: models and scores must equal those of the image."
        return Check("xgboost", MISSING, found or "not installed", remedy)
    return Check("xgboost", OK, f"{found}, as in the image {images.TAG}")


def _version(*packages: str) -> str:
    """Return the version of the first installed package, "" if none is installed."""
    for package in packages:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return ""


def check_release() -> Check:
    """Check that the packaged release is complete."""
    return Check("packaged release", OK, candidate.packaged_candidate().release_id)


def check_stage(stage: str, config: Path = CHALICE_CONFIG) -> Check:
    """Check that the Chalice configuration defines the stage, and that its app uses the stage's endpoints."""
    label = "stage of the app"
    if chalice_config.variables(stage, config).get("VERDICT_STAGE") != stage:
        known = ", ".join(chalice_config.stages(config)) or "none"
        return Check(label, MISSING, f"{stage} is not in {config}", f"The stages are: {known}.")
    return Check(label, OK, stage)


def problems(found: Iterable[Check], state: str = MISSING) -> list[Check]:
    """Return the checks in a state."""
    return [check for check in found if check.state == state]
