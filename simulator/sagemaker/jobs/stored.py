"""Objects in S3 as jobs use them: all below a prefix or of a manifest, read and written whole."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from simulator.sagemaker.hosting.archives import split_url


class StorageError(Exception):
    """S3 refused, or has no such object; the message is S3's own."""


@dataclass(frozen=True)
class Stored:
    """An object: where it is, and its path relative to the prefix that was asked for."""

    bucket: str
    key: str
    path: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.key}"


def find(s3: Any, url: str) -> list[Stored]:
    """Return the objects whose keys begin as the URL does, in the order of their keys; none for a bucket that is not.

    Markers of folders, keys that end with a slash, are left out.
    """
    bucket, prefix = split_url(url)
    try:
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    except ClientError:
        return []
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return [Stored(bucket, key, _relative(key, prefix)) for key in sorted(keys) if not key.endswith("/")]


def _relative(key: str, prefix: str) -> str:
    """`("a/b/c.csv", "a/b")` -> `c.csv`; a prefix that ends within a name counts up to its last slash."""
    if key == prefix:
        return key.rpartition("/")[2]
    whole = prefix.endswith("/") or key[len(prefix)] == "/"
    return key[len(prefix if whole else prefix[: prefix.rfind("/") + 1]) :].lstrip("/")


def in_manifest(s3: Any, url: str) -> list[Stored]:
    """Return the objects that a manifest lists; raises `StorageError` when it cannot be read as one.

    `[{"prefix": "s3://bucket/a/"}, "b.csv", "c.csv"]` lists two.
    """
    bucket, key = split_url(url)
    try:
        first, *names = json.loads(read(s3, bucket, key))
        target, prefix = split_url(first["prefix"])
        return [Stored(target, prefix + name, name) for name in names]
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{url} is no manifest ({error})") from error


def read(s3: Any, bucket: str, key: str) -> bytes:
    """Return an object's content; raises `StorageError`."""
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise StorageError(str(error)) from error
    return content


def write(s3: Any, url: str, content: bytes) -> None:
    """Write an object; raises `StorageError`."""
    bucket, key = split_url(url)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    except ClientError as error:
        raise StorageError(str(error)) from error


def remove(s3: Any, stored: Stored) -> None:
    """Remove an object; one that is not there is no error."""
    s3.delete_object(Bucket=stored.bucket, Key=stored.key)


def below(url: str, *parts: str) -> str:
    """`("s3://b/a/", "c", "d")` -> `s3://b/a/c/d`."""
    return "/".join([url.rstrip("/"), *parts])
