"""The download of one file over HTTP: progress, resuming after an interruption, and a check of the size."""

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
_RETRY = "Run the command again to resume the download, or use --archive with a copy of the file."

Opener = Callable[..., Any]  # like urllib.request.urlopen


def download(
    url: str, target: Path, size_bytes: int, tick: ProgressCallback = silent, opener: Opener = urllib.request.urlopen
) -> Path:
    """Download `url` to `target` if it isn't there yet; raises `DataError` if the download fails or is interrupted.

    The bytes received so far stay beside the target in `<name>.part`. The next call requests the rest, and starts over
    if the server does not support ranges.
    """
    if target.exists() and target.stat().st_size == size_bytes:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    if part.exists() and part.stat().st_size > size_bytes:
        part.unlink()
    try:
        _fetch_rest(url, part, size_bytes, tick, opener)
    except (OSError, HTTPException) as error:
        reason = f"{error.code} {error.reason}" if isinstance(error, urllib.error.HTTPError) else error
        raise DataError(f"{url} could not be downloaded ({reason}). {_RETRY}") from error
    received = part.stat().st_size
    if received < size_bytes:
        raise DataError(f"The download of {url} stopped at {received:,} of {size_bytes:,} bytes. {_RETRY}")
    os.replace(part, target)  # noqa: PTH105  (atomic on every system)
    return target


def _fetch_rest(url: str, part: Path, size_bytes: int, tick: ProgressCallback, opener: Opener) -> None:
    """Download the bytes that `part` lacks."""
    present = part.stat().st_size if part.exists() else 0
    if present == size_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={present}-"} if present else {})
    with opener(request, timeout=TIMEOUT_SECONDS) as response:
        start = present if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        _check_size(url, response, start, size_bytes)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                tick(file.tell(), size_bytes, f"{file.tell() / 1e6:.0f} of {size_bytes / 1e6:.0f} MB")


def _check_size(url: str, response: HTTPResponse, start: int, size_bytes: int) -> None:
    """Raise `DataError` unless the response, from `start` on, completes a file of the expected size."""
    stated = response.headers.get("Content-Length")
    if stated is not None and start + int(stated) != size_bytes:
        raise DataError(f"{url} has {start + int(stated):,} bytes, but {size_bytes:,} are expected.")
    first = f"bytes {start}-"
    if start and not response.headers.get("Content-Range", "").startswith(first):
        raise DataError(f"{url} returned a different part of the file than was requested.")
