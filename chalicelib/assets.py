"""The files of `static/` and the packaged report, read once: what may be served, with its media type and a hash."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chalicelib.errors import NotFoundError
from chalicelib.release import PACKAGED

FOLDER = Path(__file__).parent.parent / "static"  # beside app.py, in a checkout and in the Lambda zip alike
REPORT_NAME = "report.html"
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_VERSION_LENGTH = 12  # hexadecimal digits


@dataclass(frozen=True)
class Asset:
    """A servable file; `version` is a hash of its text, so a changed file has a new one."""

    media_type: str
    text: str
    version: str

    @property
    def etag(self) -> str:
        """The entity tag, quoted as HTTP wants it."""
        return f'"{self.version}"'


@cache
def _servable() -> dict[str, Path]:
    """Return the files that may be served, by name; the page's template is not among them."""
    return {path.name: path for path in FOLDER.iterdir() if path.suffix in _MEDIA_TYPES}


@cache
def asset(name: str) -> Asset:
    """Read a file of `static/` by its name; raises `NotFoundError` for any other name, paths included."""
    path = _servable().get(name)
    if path is None:
        raise NotFoundError("There is no such file here.")
    return _read(path, _MEDIA_TYPES[path.suffix])


@cache
def report(folder: Path = PACKAGED) -> Asset:
    """Read the report that a release was packaged with; raises `NotFoundError` where it has none."""
    try:
        return _read(folder / REPORT_NAME, "text/html; charset=utf-8")
    except FileNotFoundError as error:
        raise NotFoundError("This release was packaged without a report.") from error


def _read(path: Path, media_type: str) -> Asset:
    """Read a file."""
    content = path.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:_VERSION_LENGTH]
    return Asset(media_type, content.decode("utf-8"), version)


def asset_version(name: str) -> str:
    """Return the content hash of a file, for the page's links."""
    return asset(name).version
