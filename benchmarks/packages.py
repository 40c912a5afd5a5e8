"""Installed packages: their presence, requirements and size."""

import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def is_installed(distribution: str) -> bool:
    """Return whether a distribution is installed."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def with_requirements(distributions: Iterable[str]) -> set[str]:
    """Return the canonical names of these distributions and of all their requirements."""
    found: set[str] = set()
    waiting = list(distributions)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        requirements = map(Requirement, importlib.metadata.requires(name) or [])
        waiting += [each.name for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def installed_bytes(distribution: str) -> int:
    """Return the size of a distribution's files, without compiled Python."""
    files = (path.locate() for path in importlib.metadata.files(distribution) or [] if path.suffix != ".pyc")
    return sum(Path(str(file)).stat().st_size for file in files if Path(str(file)).is_file())
