"""The S3 bucket: private, encrypted, and with all objects under one prefix.

    verdict/channels/<digest>/{train,validation}/...     training data of jobs
    verdict/jobs/<job>/output/model.tar.gz                models that jobs output
    verdict/releases/<release>/...                        all files of every deployed release
    verdict/transform/<job>/{input,output}/...            input and output of batch transforms

`VERDICT_BUCKET` names the user's own bucket, which is used unchanged and never deleted.
"""

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError, code_of, if_there, is_absent, is_taken
from operations.aws.names import APP, APP_TAG
from training.progress import ProgressCallback, silent

PREFIX = "verdict"
KEPT_TRANSFORM_DAYS = 7
KEPT_VERSION_DAYS = 30  # of objects that were overwritten or deleted
_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def bucket_name(account: Account) -> str:
    """Return `VERDICT_BUCKET`, or `verdict-<account>-<region>`."""
    return os.environ.get("VERDICT_BUCKET") or f"{APP}-{account.number}-{account.region}"


def is_managed() -> bool:
    """Return whether the bucket is the project's own, so `VERDICT_BUCKET` is not set."""
    return not os.environ.get("VERDICT_BUCKET")


def exists(account: Account) -> bool:
    """Return whether the bucket exists; raises `AwsError` if its name belongs to another account."""
    name = bucket_name(account)
    try:
        account.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account.number)
    except ClientError as error:
        if is_absent(error):
            return False
        if code_of(error) == "403":
            raise AwsError(
                f"The bucket {name} belongs to another account, or these credentials do not allow s3:ListBucket on it. "
                "Set VERDICT_BUCKET to a bucket of this account, or request the permission.",
                "name-taken",
            ) from error
        raise
    return True


def ensure(aws: Aws) -> str:
    """Create the bucket if it does not exist, and return its name. It is private, encrypted and HTTPS-only.

    An empty bucket without the project's tag is from an interrupted creation, which is completed. Raises `AwsError`
    for an untagged bucket with objects, because it is not the project's.
    """
    account, name = aws.account, bucket_name(aws.account)
    if exists(account):
        refuse_untagged(account)
        if is_managed() and not is_tagged(account):
            secure(account)
        return name
    if not is_managed():
        raise AwsError(
            f"VERDICT_BUCKET names {name}, which does not exist. Create it, or unset VERDICT_BUCKET.", "absent"
        )
    location = {} if account.region == "us-east-1" else {"CreateBucketConfiguration": _location(account)}
    try:
        account.client("s3").create_bucket(Bucket=name, **location)
    except ClientError as error:
        if code_of(error) == "BucketAlreadyOwnedByYou":  # another command created it just now
            refuse_untagged(account)
        elif is_taken(error):
            raise AwsError(f"The bucket name {name} is taken. Set VERDICT_BUCKET to another.", "name-taken") from error
        else:
            raise
    secure(account)
    return name


def _location(account: Account) -> dict[str, str]:
    return {"LocationConstraint": account.region}


def secure(account: Account) -> None:
    """Block public access and plain HTTP, encrypt and version objects, and expire temporary objects; idempotent.

    The tag is set last, so a tagged bucket has all settings.
    """
    s3, name = account.client("s3"), bucket_name(account)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_PRIVATE)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(_encrypted_only(account, name)))
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": _lifecycle_rules()})
    values = {**tags(account), APP_TAG: APP}  # the call replaces all tags
    s3.put_bucket_tagging(
        Bucket=name, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in values.items()]}
    )


def tags(account: Account) -> dict[str, str]:
    """Return the bucket's tags."""
    try:
        found = account.client("s3").get_bucket_tagging(Bucket=bucket_name(account))["TagSet"]
    except ClientError as error:
        if code_of(error) == "NoSuchTagSet":
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in found}


def is_tagged(account: Account) -> bool:
    """Return whether the bucket has the project's tag, so these commands created and secured it."""
    return tags(account).get(APP_TAG) == APP


def refuse_untagged(account: Account) -> None:
    """Raise `AwsError` if the bucket has the project's name and objects, but not its tag.

    Old versions and delete markers count, because emptying the bucket would delete them too.
    """
    if not is_managed() or is_tagged(account):
        return
    name = bucket_name(account)
    held = account.client("s3").list_object_versions(Bucket=name, MaxKeys=1)
    if held.get("Versions") or held.get("DeleteMarkers"):
        raise AwsError(
            f"The bucket {name} has objects that these commands did not create: it has no tag {APP_TAG}. "
            "Set VERDICT_BUCKET to another.",
            "name-taken",
        )


def _encrypted_only(account: Account, name: str) -> dict[str, Any]:
    """Return a bucket policy that refuses plain HTTP."""
    arn = f"arn:{account.partition}:s3:::{name}"
    statement = {
        "Sid": "HttpsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _lifecycle_rules() -> list[dict[str, Any]]:
    return [
        {
            "ID": "transform-output",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{PREFIX}/transform/"},
            "Expiration": {"Days": KEPT_TRANSFORM_DAYS},
        },
        {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": KEPT_VERSION_DAYS},
        },
        {
            "ID": "unfinished-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ]


def uri(account: Account, key: str) -> str:
    """Return the s3:// URI of a key under the prefix."""
    return f"s3://{bucket_name(account)}/{PREFIX}/{key}"


def put_file(account: Account, key: str, path: Path, tick: ProgressCallback = silent) -> bool:
    """Upload a file, in parts if it is large; returns False if the same content is stored already."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if _is_stored(account, key, sha256, path.stat().st_size):
        return False
    total, sent, lock = path.stat().st_size, 0, threading.Lock()

    def count(more: int) -> None:  # called by several threads
        nonlocal sent
        with lock:
            sent += more
            tick(sent, total, f"{path.name}, {sent / 1e6:.0f} of {total / 1e6:.0f} MB")

    extra = {"ServerSideEncryption": "AES256", "Metadata": {"sha256": sha256}}
    account.client("s3").upload_file(
        str(path), bucket_name(account), f"{PREFIX}/{key}", ExtraArgs=extra, Callback=count
    )
    return True


def put_bytes(account: Account, key: str, content: bytes) -> bool:
    """Upload bytes; returns False if the same content is stored already."""
    sha256 = hashlib.sha256(content).hexdigest()
    if _is_stored(account, key, sha256, len(content)):
        return False
    account.client("s3").put_object(
        Bucket=bucket_name(account),
        Key=f"{PREFIX}/{key}",
        Body=content,
        ServerSideEncryption="AES256",
        Metadata={"sha256": sha256},
    )
    return True


def _is_stored(account: Account, key: str, sha256: str, size_bytes: int) -> bool:
    """Return whether a stored object has this hash and size."""
    head = if_there(account.client("s3").head_object, Bucket=bucket_name(account), Key=f"{PREFIX}/{key}")
    if head is None:
        return False
    return (head["Metadata"].get("sha256"), head["ContentLength"]) == (sha256, size_bytes)


def get_bytes(account: Account, key: str) -> bytes:
    """Return an object under the prefix."""
    return fetch(account, uri(account, key))


def fetch(account: Account, address: str) -> bytes:
    """Return the object at an s3:// URI; raises `AwsError` if it does not exist."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        content: bytes = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if is_absent(error):
            raise AwsError(f"There is no object at {address}.", "absent") from error
        raise
    return content


def keys(account: Account, below: str) -> list[str]:
    """Return the sorted keys that start with `below`, without the prefix."""
    pages = account.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=bucket_name(account), Prefix=f"{PREFIX}/{below}")
    return [item["Key"].removeprefix(f"{PREFIX}/") for page in found for item in page.get("Contents", ())]
