"""The download of one file over HTTP: progress, resuming after an interruption, and a check of the size if known."""

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from training.data.reviews import DataError
from training.progress import ProgressCallback, silent

TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 1 << 18
_RETRY = "Run the command again to resume the download, or use {option} with a copy of the file."

Opener = Callable[..., Any]  # like urllib.request.urlopen


def download(
    url: str,
    target: Path,
    size_bytes: int | None,
    tick: ProgressCallback = silent,
    opener: Opener = urllib.request.urlopen,
    option: str = "--archive",
) -> Path:
    """Download `url` to `target` if it isn't there yet; raises `DataError` if the download fails or is interrupted.

    The bytes received so far stay beside the target in `<name>.part`. The next call requests the rest, and starts over
    if the server does not support ranges, or if `size_bytes` is None: then the size is the one that the server states.
    `option` is the command's option that takes a copy of the file.
    """
    if target.exists() and size_bytes in (None, target.stat().st_size):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    if part.exists() and (size_bytes is None or part.stat().st_size > size_bytes):
        part.unlink()
    try:
        size_bytes = _fetch_rest(url, part, size_bytes, tick, opener)
    except (OSError, HTTPException) as error:
        reason = f"{error.code} {error.reason}" if isinstance(error, urllib.error.HTTPError) else error
        raise DataError(f"{url} could not be downloaded ({reason}). {_RETRY.format(option=option)}") from error
    received = part.stat().st_size
    if received < size_bytes:
        raise DataError(
            f"The download of {url} stopped at {received:,} of {size_bytes:,} bytes. {_RETRY.format(option=option)}"
        )
    os.replace(part, target)  # noqa: PTH105  (atomic on every system)
    return target


def _fetch_rest(url: str, part: Path, size_bytes: int | None, tick: ProgressCallback, opener: Opener) -> int:
    """Download the bytes that `part` lacks; returns the size of the whole file, 0 if it is not known."""
    present = part.stat().st_size if part.exists() else 0
    if present == size_bytes:
        return present
    request = urllib.request.Request(url, headers={"Range": f"bytes={present}-"} if present else {})
    with opener(request, timeout=TIMEOUT_SECONDS) as response:
        start = present if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        size = _checked_size(url, response, start, size_bytes)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                tick(file.tell(), size or file.tell(), f"{file.tell() / 1e6:.0f} of {size / 1e6:.0f} MB")
    return size


def _checked_size(url: str, response: HTTPResponse, start: int, size_bytes: int | None) -> int:
    """Return the size of the whole file, 0 if it is not known; raises `DataError` if the response is another part."""
    stated = response.headers.get("Content-Length")
    size = size_bytes or 0 if stated is None else start + int(stated)
    if size_bytes not in (None, size):
        raise DataError(f"{url} has {size:,} bytes, but {size_bytes:,} are expected.")
    first = f"bytes {start}-"
    if start and not response.headers.get("Content-Range", "").startswith(first):
        raise DataError(f"{url} returned a different part of the file than was requested.")
    return size
