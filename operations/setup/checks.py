"""What `doctor` looks at, one function a check: found, missing with what to do about it, or not checked and why.

A check that cannot be made says so; it never counts as passed.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.errors import SentimentError
from operations.aws import bucket, role
from operations.aws.account import Account
from operations.aws.errors import AwsError, code_of, is_absent, translate_errors
from operations.endpoint import candidate
from operations.setup import service_quotas
from training.model import container_image as images

OK, MISSING, UNCHECKED = "ok", "missing", "not checked"
MAKE_IT = "verdict doctor --create"
CHALICE_CONFIG = Path(".chalice/config.json")
_CANNOT_TELL = ("no-permission", "throttled", "unavailable", "not-reached", "not-asked", "refused")  # kinds of AwsError
_UNSET = (
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchBucketPolicy",
)


@dataclass(frozen=True)
class Check:
    """What a check came to: `found` is what is there, `cure` what to do where it is not."""

    name: str
    state: str
    found: str
    cure: str = ""


def made(name: str, check: Callable[[], Check]) -> Check:
    """Make a check; what AWS does not tell is not checked, every other error is what is missing."""
    try:
        with translate_errors():
            return check()
    except AwsError as error:
        state = UNCHECKED if error.kind in _CANNOT_TELL else MISSING
        return Check(name, state, "", error.detail)
    except SentimentError as error:
        return Check(name, MISSING, "", error.detail)


def credentials(account: Account) -> Check:
    """Say who asks, in which account."""
    advice = "These are the root user's. Make a user or role for this work." if account.caller.endswith(":root") else ""
    return Check("credentials", OK, f"{account.caller}, account {account.number}", advice)


def the_bucket(account: Account) -> Check:
    """Tell whether the bucket is there, in this region, and closed to others."""
    name, said = bucket.bucket_name(account), "bucket"
    if not bucket.exists(account):
        cure = MAKE_IT if bucket.is_managed() else "Make it, or unset VERDICT_BUCKET."
        return Check(said, MISSING, f"{name} is not there", cure)
    region = account.client("s3").head_bucket(Bucket=name).get("BucketRegion", account.region)
    if region != account.region:
        return Check(said, MISSING, f"{name} is in {region}", f"Jobs need one in {account.region}: set VERDICT_BUCKET.")
    bucket.refuse_untagged(account)
    open_ways = openings(account)
    if open_ways:
        cure = MAKE_IT if bucket.is_managed() else "Close it: VERDICT_BUCKET is yours to look after."
        return Check(said, MISSING, f"{name} lacks {', '.join(open_ways)}", cure)
    return Check(said, OK, f"{name}: private, encrypted, HTTPS only")


def openings(account: Account) -> list[str]:
    """Name what a bucket lacks to be closed."""
    s3, name = account.client("s3"), bucket.bucket_name(account)
    blocked = _setting(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    encrypted = _setting(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"])
    policy = _setting(lambda: json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"])
    closed = {
        "a block on public access": bool(blocked) and all(blocked.values()),
        "encryption": bool(encrypted),
        "a policy against plain HTTP": any("aws:SecureTransport" in json.dumps(one) for one in policy or ()),
    }
    return [what for what, is_so in closed.items() if not is_so]


def _setting(ask: Callable[[], Any]) -> Any:
    """Return a bucket's setting, None where it was never made."""
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in _UNSET or is_absent(error):
            return None
        raise


def the_role(account: Account) -> Check:
    """Tell whether the execution role is there, lets SageMaker in, and has the policy of today."""
    arn, said = role.find(account), "execution role"
    name = arn.rpartition("/")[2] or role.role_name(account)
    iam = account.client("iam")
    try:
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if not is_absent(error):
            raise
        cure = MAKE_IT if not arn else "Set VERDICT_ROLE to the ARN of one that exists, or unset it."
        return Check(said, MISSING, f"{name} is not there", cure)
    if not lets_sagemaker_in(trust):
        return Check(said, MISSING, f"{name} does not trust SageMaker", f"Let {role.SERVICE} assume it.")
    if name != role.role_name(account):
        return Check(said, OK, f"{arn}; VERDICT_ROLE's policy is yours to look after")
    role.refuse_untagged(account)
    stated = _setting(lambda: iam.get_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)["PolicyDocument"])
    if stated != role.policy(account):
        return Check(said, MISSING, f"{name} has another policy than this version's", MAKE_IT)
    return Check(said, OK, arn)


def lets_sagemaker_in(trust: dict[str, Any]) -> bool:
    """Tell whether a role's trust policy names SageMaker."""
    stated = trust["Statement"] if isinstance(trust["Statement"], list) else [trust["Statement"]]
    return any(
        one["Effect"] == "Allow" and isinstance(one["Principal"], dict) and role.SERVICE in one["Principal"]["Service"]
        for one in stated
        if "Service" in one.get("Principal", {})
    )


def the_image(account: Account) -> Check:
    """Tell whether the image is in the region, by its registry, or else only by this project's table."""
    address, said = images.image_uri(account.region), "XGBoost image"
    registry = images.accounts()[account.region]
    wanted = [{"imageTag": images.TAG}]
    try:
        told = account.client("ecr").batch_get_image(
            registryId=registry, repositoryName=images.REPOSITORY, imageIds=wanted
        )
    except ClientError as error:
        return Check(said, UNCHECKED, address, f"In the table; its registry does not say ({code_of(error)}).")
    if not told.get("images"):
        return Check(said, MISSING, address, "The registry has no such image. Choose another region.")
    return Check(said, OK, address)


def the_quotas(account: Account, wanted: dict[str, float]) -> list[Check]:
    """Tell whether the quotas are what is wanted of them: name -> at least so much."""
    found = service_quotas.read(account, wanted)
    return [_quota(found.get(name), name, least) for name, least in wanted.items()]


def _quota(found: service_quotas.Quota | None, name: str, least: float) -> Check:
    said = f"quota: {name}"
    if found is None:
        return Check(said, UNCHECKED, "", "Service Quotas does not list it in this region.")
    if found.value >= least:
        return Check(said, OK, f"{found.value:g}")
    if found.pending is not None:
        return Check(said, MISSING, f"{found.value:g}, {found.pending:g} asked for", "AWS has not decided yet.")
    return Check(said, MISSING, f"{found.value:g}", f"verdict quotas --request '{name}={least:g}'")


def the_chalice_command() -> Check:
    """Tell whether the command that deploys the app is installed."""
    version = _version("chalice")
    if not version:
        return Check("chalice", MISSING, "not installed", "pip install -r requirements-run.txt")
    return Check("chalice", OK, version)


def the_xgboost() -> Check:
    """Tell whether xgboost here is the image's: `3.0-5` has 3.0.5."""
    wanted, found = images.TAG.replace("-", "."), _version("xgboost", "xgboost-cpu")
    if found != wanted:
        cure = f"pip install xgboost-cpu=={wanted}: models and scores here must be those of the image."
        return Check("xgboost", MISSING, found or "not installed", cure)
    return Check("xgboost", OK, f"{found}, as in the image {images.TAG}")


def _version(*packages: str) -> str:
    """Return the version of whichever of these packages is installed, "" for none."""
    for package in packages:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return ""


def the_release() -> Check:
    """Tell whether the packaged release is whole."""
    return Check("packaged release", OK, candidate.packaged_candidate().release_id)


def the_stage(stage: str, config: Path = CHALICE_CONFIG) -> Check:
    """Tell whether `chalice deploy` knows the stage, and the app of that stage asks the endpoints of that stage."""
    said = "stage of the app"
    try:
        stated = json.loads(config.read_text(encoding="utf-8"))["stages"]
        environment = stated.get(stage, {}).get("environment_variables", {})
    except (OSError, ValueError, KeyError) as error:
        return Check(said, MISSING, "", f"{config} cannot be read: {error}.")
    if environment.get("VERDICT_STAGE") != stage:
        return Check(said, MISSING, f"{stage} is not in {config}", f"Known are: {', '.join(stated)}.")
    return Check(said, OK, stage)


def problems(found: Iterable[Check], state: str = MISSING) -> list[Check]:
    """Return the checks in a state."""
    return [check for check in found if check.state == state]
