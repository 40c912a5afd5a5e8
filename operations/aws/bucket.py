"""The S3 bucket: private, encrypted, ours by its name, and everything in it under one prefix.

    verdict/channels/<digest>/{train,validation}/...     what jobs learn from
    verdict/jobs/<job>/output/model.tar.gz                what they make
    verdict/releases/<release>/...                        every release that was deployed, whole
    verdict/transform/<job>/{input,output}/...            what batch transforms read and write

`VERDICT_BUCKET` names another bucket, which then is used as it is and never deleted.
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
    """Tell whether the bucket is one that this project made and may delete."""
    return not os.environ.get("VERDICT_BUCKET")


def exists(account: Account) -> bool:
    """Tell whether the bucket is there; raises `AwsError` when its name is somebody else's."""
    name = bucket_name(account)
    try:
        account.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account.number)
    except ClientError as error:
        if is_absent(error):
            return False
        if code_of(error) == "403":
            raise AwsError(
                f"The bucket {name} is another account's, or these credentials may not use it. Set VERDICT_BUCKET to "
                "one of your own, or ask for s3:ListBucket on it.",
                "name-taken",
            ) from error
        raise
    return True


def ensure(aws: Aws) -> str:
    """Make the bucket where it is absent, and return its name: no public access, encrypted, HTTPS only.

    One that lacks our tag and is empty was made and not closed: it is closed now. Raises `AwsError` when there is
    something in it, since it is a stranger's then.
    """
    account, name = aws.account, bucket_name(aws.account)
    if exists(account):
        refuse_untagged(account)
        if is_managed() and not is_tagged(account):
            secure(account)
        return name
    if not is_managed():
        raise AwsError(f"VERDICT_BUCKET names {name}, which is not there. Make it, or unset VERDICT_BUCKET.", "absent")
    place = {} if account.region == "us-east-1" else {"CreateBucketConfiguration": _place(account)}
    try:
        account.client("s3").create_bucket(Bucket=name, **place)
    except ClientError as error:
        if is_taken(error):
            raise AwsError(f"The bucket name {name} is taken. Set VERDICT_BUCKET to another.", "name-taken") from error
        raise
    secure(account)
    return name


def _place(account: Account) -> dict[str, str]:
    return {"LocationConstraint": account.region}


def secure(account: Account) -> None:
    """Let nobody in from outside, encrypt all that comes, and forget what is left over; safe to repeat.

    The tag comes last: a bucket that carries it has all of the rest.
    """
    s3, name = account.client("s3"), bucket_name(account)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_PRIVATE)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(_encrypted_only(account, name)))
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": _leftovers()})
    stated = {**tags(account), APP_TAG: APP}  # what is put replaces all that was there
    s3.put_bucket_tagging(
        Bucket=name, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in stated.items()]}
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
    """Tell whether the bucket carries our tag: these commands made it, and closed it."""
    return tags(account).get(APP_TAG) == APP


def refuse_untagged(account: Account) -> None:
    """Raise `AwsError` when the bucket has our name and not our tag, and anything in it: nothing of it may be changed.

    Old versions and marks of deletions count: emptying the bucket would take them too.
    """
    if not is_managed() or is_tagged(account):
        return
    name = bucket_name(account)
    held = account.client("s3").list_object_versions(Bucket=name, MaxKeys=1)
    if held.get("Versions") or held.get("DeleteMarkers"):
        raise AwsError(
            f"The bucket {name} has that name and something in it that these commands did not put there (it has no tag "
            f"{APP_TAG}). Set VERDICT_BUCKET to another.",
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


def _leftovers() -> list[dict[str, Any]]:
    return [
        {
            "ID": "transform-output",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{PREFIX}/transform/"},
            "Expiration": {"Days": KEPT_TRANSFORM_DAYS},
        },
        {
            "ID": "unfinished-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ]


def uri(account: Account, key: str) -> str:
    """Return the s3:// address of a key below the prefix."""
    return f"s3://{bucket_name(account)}/{PREFIX}/{key}"


def put_file(account: Account, key: str, path: Path, tick: ProgressCallback = silent) -> bool:
    """Store a file, encrypted, in parts when it is large; False when the same content is there already."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if _is_stored(account, key, sha256, path.stat().st_size):
        return False
    total, sent, lock = path.stat().st_size, 0, threading.Lock()

    def count(more: int) -> None:  # parts are sent by several threads
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
    """Store bytes, encrypted; False when they are there already."""
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
    """Tell whether an object states that hash of its content, and is as long as that."""
    head = if_there(account.client("s3").head_object, Bucket=bucket_name(account), Key=f"{PREFIX}/{key}")
    if head is None:
        return False
    return (head["Metadata"].get("sha256"), head["ContentLength"]) == (sha256, size_bytes)


def get_bytes(account: Account, key: str) -> bytes:
    """Fetch an object below the prefix."""
    return fetch(account, uri(account, key))


def fetch(account: Account, address: str) -> bytes:
    """Fetch an object by its s3:// address; raises `AwsError` when it is not there."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    try:
        content: bytes = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if is_absent(error):
            raise AwsError(f"There is nothing at {address}.", "absent") from error
        raise
    return content


def keys(account: Account, below: str) -> list[str]:
    """Return the keys below a key, both without the prefix, in their order."""
    pages = account.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=bucket_name(account), Prefix=f"{PREFIX}/{below}")
    return [one["Key"].removeprefix(f"{PREFIX}/") for page in found for one in page.get("Contents", ())]
