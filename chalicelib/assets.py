"""The static files and the packaged report, with their media types and content hashes; each is read once."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from chalicelib.errors import NotFoundError
from chalicelib.release import PACKAGED, REPORT_NAME

FOLDER = Path(__file__).parent.parent / "static"  # beside app.py, in a checkout and in the Lambda zip alike
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_VERSION_LENGTH = 12  # hexadecimal digits


class Asset(NamedTuple):
    """A file to serve; `version` is a hash of its text."""

    media_type: str
    text: str
    version: str

    @property
    def etag(self) -> str:
        """The entity tag, with quotes as in HTTP."""
        return f'"{self.version}"'


def media_types() -> list[str]:
    """Return the media types of the files in `static/`, without parameters."""
    return [media_type.partition(";")[0] for media_type in _MEDIA_TYPES.values()]


@cache
def _servable() -> dict[str, Path]:
    """Return the files to serve by name, without the page's template."""
    return {path.name: path for path in FOLDER.iterdir() if path.suffix in _MEDIA_TYPES}


@cache
def asset(name: str) -> Asset:
    """Read a file of `static/` by name; raises `NotFoundError` for any other name or path."""
    path = _servable().get(name)
    if path is None:
        raise NotFoundError("There is no such file.")
    return _read(path, _MEDIA_TYPES[path.suffix])


@cache
def report(folder: Path = PACKAGED) -> Asset:
    """Read the packaged report of a release; raises `NotFoundError` if there is none."""
    try:
        return _read(folder / REPORT_NAME, "text/html; charset=utf-8")
    except FileNotFoundError as error:
        raise NotFoundError("This release was packaged without a report.") from error


def _read(path: Path, media_type: str) -> Asset:
    """Read a file and compute its version."""
    content = path.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:_VERSION_LENGTH]
    return Asset(media_type, content.decode("utf-8"), version)


def asset_version(name: str) -> str:
    """Return the content hash of a file, for the page's links."""
    return asset(name).version
