"""A folder in S3 that may be in any bucket: its files, and errors that name it and the missing permissions."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.errors import AwsError, code_of, is_absent, is_denied, message_of


@dataclass(frozen=True)
class StoredFile:
    """What S3 lists about a file; `has_sha256` is whether it stores a SHA-256."""

    etag: str
    size_bytes: int
    modified: datetime
    has_sha256: bool


@dataclass(frozen=True)
class S3Folder:
    """A folder in S3, `s3://bucket/prefix`."""

    account: Account
    address: str

    @property
    def bucket(self) -> str:
        """The bucket."""
        return self.address.removeprefix("s3://").partition("/")[0]

    def key(self, name: str) -> str:
        """Return the key of a file in the folder."""
        prefix = self.address.removeprefix("s3://").partition("/")[2].strip("/")
        return f"{prefix}/{name}" if prefix else name

    def statements(self) -> list[dict[str, Any]]:
        """Return the permissions to read the folder."""
        arn = f"arn:{self.account.partition}:s3:::{self.bucket}"
        allowed = {"s3:ListBucket": arn, "s3:GetObject": f"{arn}/{self.key('*')}"}
        return [{"Effect": "Allow", "Action": [action], "Resource": [on]} for action, on in allowed.items()]

    def check_region(self) -> None:
        """Raise `AwsError` unless the bucket exists in this region: jobs read no other."""
        with self._errors():
            region = self.account.client("s3").head_bucket(Bucket=self.bucket).get("BucketRegion", self.account.region)
        if region != self.account.region:
            raise AwsError(
                f"The bucket {self.bucket} is in {region}, and jobs in {self.account.region} cannot read it. Set "
                f"AWS_DEFAULT_REGION to {region}, or copy it to a bucket in {self.account.region}.",
                "region",
            )

    def files(self) -> dict[str, StoredFile]:
        """Return what S3 lists below the folder, by name; markers of folders are left out."""
        start = self.key("")
        with self._errors():
            pages = self.account.client("s3").get_paginator("list_objects_v2")
            found = [
                item for page in pages.paginate(Bucket=self.bucket, Prefix=start) for item in page.get("Contents", ())
            ]
        named = {item["Key"].removeprefix(start): item for item in found if not item["Key"].endswith("/")}
        return {
            name: StoredFile(
                item["ETag"], item["Size"], item["LastModified"], "SHA256" in item.get("ChecksumAlgorithm", ())
            )
            for name, item in named.items()
        }

    def sha256(self, name: str) -> str:
        """Return the SHA-256 that S3 stores of a file, in hexadecimal digits; "" if it has only those of its parts."""
        with self._errors():
            head = self.account.client("s3").head_object(Bucket=self.bucket, Key=self.key(name), ChecksumMode="ENABLED")
        checksum = head.get("ChecksumSHA256", "-")
        return "" if "-" in checksum else base64.b64decode(checksum).hex()

    def stream(self, name: str) -> IO[bytes]:
        """Return the content of a file as a stream."""
        with self._errors():
            content: IO[bytes] = self.account.client("s3").get_object(Bucket=self.bucket, Key=self.key(name))["Body"]
        return content

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Convert errors of S3 to those that name this folder."""
        try:
            yield
        except ClientError as error:
            if is_denied(error):
                needed = " and ".join(f"{each['Action'][0]} on {each['Resource'][0]}" for each in self.statements())
                raise AwsError(
                    f"These credentials may not read {self.address}. Allow {needed}; if another account owns the "
                    "bucket, in the bucket's policy too.",
                    "no-permission",
                    message_of(error),
                ) from error
            if is_absent(error):
                what = f"file in {self.address} any more" if code_of(error) == "NoSuchKey" else f"bucket {self.bucket}"
                raise AwsError(f"There is no {what}. Check the address.", "absent", message_of(error)) from error
            raise
