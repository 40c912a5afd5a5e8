"""Which packages are installed, what they need, and how much room they take."""

import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def installed(distribution: str) -> bool:
    """Say whether a distribution is installed."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def with_requirements(distributions: Iterable[str]) -> set[str]:
    """Return these distributions and all that they need, by canonical name."""
    found: set[str] = set()
    waiting = list(distributions)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        stated = map(Requirement, importlib.metadata.requires(name) or [])
        waiting += [each.name for each in stated if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def installed_bytes(distribution: str) -> int:
    """Return the size of a distribution's files, compiled Python aside."""
    files = (path.locate() for path in importlib.metadata.files(distribution) or [] if path.suffix != ".pyc")
    return sum(Path(str(file)).stat().st_size for file in files if Path(str(file)).is_file())
