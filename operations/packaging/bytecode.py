"""Compile what the first answer on Lambda imports, so that a cold start need not: `verdict bytecode`.

`chalice` zips the sources of app.py, chalicelib and its own small runtime, and everything in `vendor/`; Lambda's disk
is read-only, so without this each cold start compiles them again. The bytecode carries a hash of its source and is
checked against it at import: bytecode that is out of date is passed over, never run.
"""

import compileall
import importlib.util
import py_compile
from dataclasses import dataclass
from pathlib import Path

import click

from training.project import ROOT

CHALICE_RUNTIME = ("chalice.app", "chalice")  # the two files that `chalice` puts into every zip
PACKAGES = ("jinja2", "markupsafe")  # of requirements.txt: the page waits for them
_CHECKED = py_compile.PycInvalidationMode.CHECKED_HASH


@dataclass(frozen=True)
class Compiled:
    """What was compiled: the number of files, and the bytes of bytecode under `vendor/`."""

    files: int
    vendor_bytes: int


def compile_for_lambda(root: Path = ROOT) -> Compiled:
    """Compile chalicelib in place, and all else that ships into `vendor/`, where `chalice` picks it up."""
    compileall.compile_dir(root / "chalicelib", quiet=1, force=True, invalidation_mode=_CHECKED)
    ours = list((root / "chalicelib").rglob("*.py"))
    vendor = root / "vendor"
    written = [_compile(root / "app.py", vendor)]
    written += [_compile(_source(name), vendor / "chalice") for name in CHALICE_RUNTIME]
    for name in PACKAGES:
        package = _source(name).parent
        sources = sorted(package.rglob("*.py"))
        written += [_compile(source, vendor / name / source.relative_to(package).parent) for source in sources]
    return Compiled(len(ours) + len(written), sum(path.stat().st_size for path in written))


def _source(module: str) -> Path:
    """Return the file of an installed module."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise click.ClickException(f"{module} is not installed here. Install requirements-run.txt first.")
    return Path(spec.origin)


def _compile(source: Path, folder: Path) -> Path:
    """Compile a file into the `__pycache__` of another folder, under the name that its import looks for."""
    cached = Path(importlib.util.cache_from_source(str(folder / source.name)))
    py_compile.compile(str(source), str(cached), dfile=source.name, doraise=True, invalidation_mode=_CHECKED)
    return cached
