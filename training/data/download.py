"""Gets one file over HTTP: shows how far it is, goes on where it was cut, and takes nothing for whole that is not."""

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
_PIECE_BYTES = 1 << 18
_GO_ON = "Run the command again, which goes on from here, or name a copy that you have."

Opener = Callable[..., Any]  # like urllib.request.urlopen


def download(
    url: str, target: Path, size_bytes: int, tick: ProgressCallback = silent, opener: Opener = urllib.request.urlopen
) -> Path:
    """Fetch `url` into `target` unless it is there already; raises `DataError`, keeping what came, when it is cut.

    What came so far is kept beside the target as `<name>.part`; the next call asks for the rest, and starts again
    when the server does not give just that.
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
        raise DataError(f"{url} cannot be fetched ({reason}). {_GO_ON}") from error
    came = part.stat().st_size
    if came < size_bytes:
        raise DataError(f"{url} was cut at {came:,} of {size_bytes:,} bytes. {_GO_ON}")
    os.replace(part, target)  # noqa: PTH105  (the atomic one on every system)
    return target


def _fetch_rest(url: str, part: Path, size_bytes: int, tick: ProgressCallback, opener: Opener) -> None:
    """Add to `part` what it lacks."""
    have = part.stat().st_size if part.exists() else 0
    if have == size_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with opener(request, timeout=TIMEOUT_SECONDS) as response:
        start = have if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        _check_size(url, response, start, size_bytes)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while piece := response.read(_PIECE_BYTES):
                file.write(piece)
                tick(file.tell(), size_bytes, f"{file.tell() / 1e6:.0f} of {size_bytes / 1e6:.0f} MB")


def _check_size(url: str, response: HTTPResponse, start: int, size_bytes: int) -> None:
    """Raise `DataError` unless the answer, from `start` on, completes a file of the expected size."""
    stated = response.headers.get("Content-Length")
    if stated is not None and start + int(stated) != size_bytes:
        raise DataError(f"{url} offers {start + int(stated):,} bytes; the file meant here has {size_bytes:,}.")
    first = f"bytes {start}-"
    if start and not response.headers.get("Content-Range", "").startswith(first):
        raise DataError(f"{url} answered with another part of the file than was asked for.")
