"""Precompiled bytecode for the deployment package, for faster cold starts.

`chalice` zips app.py, chalicelib, its own runtime, and everything in `vendor/`. Lambda's disk is read-only, so without
bytecode each cold start compiles the sources again. Python checks the bytecode's source hash at import and ignores
bytecode that is out of date.
"""

import compileall
import importlib.util
import py_compile
from dataclasses import dataclass
from pathlib import Path

import click

from training.project import ROOT

CHALICE_RUNTIME = ("chalice.app", "chalice")  # the two files that `chalice` adds to every zip
PACKAGES = ("jinja2", "markupsafe")  # packages of requirements.txt that render the page
_CHECKED = py_compile.PycInvalidationMode.CHECKED_HASH


@dataclass(frozen=True)
class Compiled:
    """The number of compiled files, and the size of the bytecode in `vendor/`."""

    files: int
    vendor_bytes: int


def compile_for_lambda(root: Path = ROOT) -> Compiled:
    """Compile chalicelib in place, and the other shipped files into `vendor/`, which `chalice` packages."""
    compileall.compile_dir(root / "chalicelib", quiet=1, force=True, invalidation_mode=_CHECKED)
    in_place = list((root / "chalicelib").rglob("*.py"))
    vendor = root / "vendor"
    compiled = [_compile(root / "app.py", vendor)]
    compiled += [_compile(_source(name), vendor / "chalice") for name in CHALICE_RUNTIME]
    for name in PACKAGES:
        package = _source(name).parent
        sources = sorted(package.rglob("*.py"))
        compiled += [_compile(source, vendor / name / source.relative_to(package).parent) for source in sources]
    return Compiled(len(in_place) + len(compiled), sum(path.stat().st_size for path in compiled))


def _source(module: str) -> Path:
    """Return the source file of an installed module."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise click.ClickException(f"{module} is not installed. Install requirements-run.txt first.")
    return Path(spec.origin)


def _compile(source: Path, folder: Path) -> Path:
    """Compile a file into the `__pycache__` of another folder, and return the bytecode's path."""
    cached = Path(importlib.util.cache_from_source(str(folder / source.name)))
    py_compile.compile(str(source), str(cached), dfile=source.name, doraise=True, invalidation_mode=_CHECKED)
    return cached
