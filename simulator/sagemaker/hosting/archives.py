"""model.tar.gz: from S3 into memory, as the service brings it to a container. Nothing is written to disk."""

import io
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

LARGEST_UNPACKED_BYTES = 1024 * 1024 * 1024


class ArchiveError(Exception):
    """The archive cannot be brought to the container; the message is the service's own."""


def split_url(url: str) -> tuple[str, str]:
    """`s3://bucket/a/b` -> `("bucket", "a/b")`."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def exists(s3: Any, url: str) -> bool:
    """Tell whether an object is there to read."""
    bucket, key = split_url(url)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def files_in_root(s3: Any, url: str) -> dict[str, bytes]:
    """Return the plain files in an archive's root that are not hidden, name -> content; raises `ArchiveError`."""
    archive = _fetch(s3, url)
    try:
        return _unpack(archive)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ArchiveError(
            f'Failed to extract model data archive for container "container_1" from URL "{url}". Please ensure that '
            "the object located at the URL is a valid tar.gz archive."
        ) from error


def _fetch(s3: Any, url: str) -> bytes:
    bucket, key = split_url(url)
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise ArchiveError(
            f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there '
            "is an object located at the URL and that the role passed to CreateModel has permissions to download the "
            "object."
        ) from error
    return content


def _unpack(archive: bytes) -> dict[str, bytes]:
    """Read an archive; raises `tarfile.TarError` for links, which the service does not extract, and absurd sizes."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        size = 0
        for member in tar:
            size += member.size
            if member.issym() or member.islnk() or size > LARGEST_UNPACKED_BYTES:
                raise tarfile.ExtractError(f"{member.name} cannot be extracted")
            path = PurePosixPath(member.name)  # leaves out a leading ./
            content = tar.extractfile(member) if len(path.parts) == 1 else None
            if content and not path.name.startswith("."):
                files[path.name] = content.read()
    return files
