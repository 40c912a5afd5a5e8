"""S3 objects, as jobs and containers read and write them: prefixes, manifests, gzip, and model archives."""

import gzip
import io
import json
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

MODEL_NAME = "xgboost-model"
MAX_UNPACKED_BYTES = 1024 * 1024 * 1024


class StorageError(Exception):
    """S3 refused a request, or an object is invalid; the message has the reason."""


class ArchiveError(Exception):
    """A model archive cannot be downloaded or extracted; the message is the service's own."""


@dataclass(frozen=True)
class StoredObject:
    """An S3 object and its path relative to the prefix it was found under."""

    bucket: str
    key: str
    path: str

    @property
    def url(self) -> str:
        """The s3 URL."""
        return f"s3://{self.bucket}/{self.key}"


def split_url(url: str) -> tuple[str, str]:
    """`s3://bucket/a/b` -> `("bucket", "a/b")`."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def join_url(url: str, *parts: str) -> str:
    """`("s3://b/a/", "c", "d")` -> `s3://b/a/c/d`."""
    return "/".join([url.rstrip("/"), *parts])


def exists(s3: Any, url: str) -> bool:
    """Return whether an object exists and can be read."""
    bucket, key = split_url(url)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def find(s3: Any, source: dict[str, Any]) -> list[StoredObject]:
    """Return the objects of an S3DataSource; raises `StorageError` for an invalid manifest."""
    in_source = find_in_manifest if source["S3DataType"] == "ManifestFile" else find_by_prefix
    return in_source(s3, source["S3Uri"])


def find_by_prefix(s3: Any, url: str) -> list[StoredObject]:
    """Return the objects whose keys start with a URL's key, sorted by key; none if the bucket does not exist.

    Folder markers (keys that end with a slash) are skipped.
    """
    bucket, prefix = split_url(url)
    try:
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    except ClientError:
        return []
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return [StoredObject(bucket, key, _relative(key, prefix)) for key in sorted(keys) if not key.endswith("/")]


def _relative(key: str, prefix: str) -> str:
    """`("a/b/c.csv", "a/b")` -> `c.csv`; a prefix that ends within a name counts up to its last slash."""
    if key == prefix:
        return key.rpartition("/")[2]
    is_folder = prefix.endswith("/") or key[len(prefix)] == "/"
    return key[len(prefix if is_folder else prefix[: prefix.rfind("/") + 1]) :].lstrip("/")


def find_in_manifest(s3: Any, url: str) -> list[StoredObject]:
    """Return the objects that a manifest lists; raises `StorageError` if the manifest is invalid.

    `[{"prefix": "s3://bucket/a/"}, "b.csv", "c.csv"]` lists two objects.
    """
    bucket, key = split_url(url)
    try:
        first, *names = json.loads(read(s3, StoredObject(bucket, key, key)))
        target, prefix = split_url(first["prefix"])
        return [StoredObject(target, prefix + name, name) for name in names]
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{url} is not a valid manifest ({error})") from error


def read(s3: Any, stored: StoredObject, compression: str | None = None) -> bytes:
    """Return an object's content, decompressed if `compression` is Gzip; raises `StorageError`."""
    try:
        content: bytes = s3.get_object(Bucket=stored.bucket, Key=stored.key)["Body"].read()
        return gzip.decompress(content) if compression == "Gzip" else content
    except ClientError as error:
        raise StorageError(str(error)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise StorageError(f"{stored.url} is not compressed with gzip ({error})") from error


def write(s3: Any, url: str, content: bytes) -> None:
    """Write an object; raises `StorageError`."""
    bucket, key = split_url(url)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    except ClientError as error:
        raise StorageError(str(error)) from error


def pack_model(model: bytes) -> bytes:
    """Pack a model file into a model.tar.gz, as the service does."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(MODEL_NAME)
        member.size = len(model)
        tar.addfile(member, io.BytesIO(model))
    return archive.getvalue()


def read_archive(s3: Any, url: str) -> dict[str, bytes]:
    """Return the regular, visible files in the root of a model.tar.gz: name -> content; raises `ArchiveError`.

    Nothing is written to disk.
    """
    bucket, key = split_url(url)
    try:
        archive = read(s3, StoredObject(bucket, key, key))
    except StorageError as error:
        raise ArchiveError(
            f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there '
            "is an object located at the URL and that the role passed to CreateModel has permissions to download the "
            "object."
        ) from error
    try:
        return _unpack(archive)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ArchiveError(
            f'Failed to extract model data archive for container "container_1" from URL "{url}". Please ensure that '
            "the object located at the URL is a valid tar.gz archive."
        ) from error


def _unpack(archive: bytes) -> dict[str, bytes]:
    """Read an archive; raises `tarfile.TarError` for links, which the service does not extract, and for a huge one."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        size = 0
        for member in tar:
            size += member.size
            if member.issym() or member.islnk() or size > MAX_UNPACKED_BYTES:
                raise tarfile.ExtractError(f"{member.name} cannot be extracted")
            path = PurePosixPath(member.name)  # drops a leading ./
            content = tar.extractfile(member) if len(path.parts) == 1 else None
            if content and not path.name.startswith("."):
                files[path.name] = content.read()
    return files
