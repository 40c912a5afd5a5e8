"""This project's deployment package, built by the real `chalice package`."""

import shutil
import zipfile
from pathlib import Path

from operations.packaging.package import Package, package
from training.project import ROOT

SHIPPED = (
    "app.py",
    ".chalice/config.json",
    ".chalice/policy-dev.json",
    ".chalice/policy-prod.json",
    "requirements.txt",
    "chalicelib",
    "static",
)


def package_project(folder: Path, stage: str = "dev") -> Package:
    """Package a copy of the app in a folder, as `verdict package` does; raises `PackagingError`."""
    project = copy_app(folder / "project")
    return package(stage, folder / "out", project)


def unpack(zipped: Path, folder: Path) -> Path:
    """Unpack a package into a folder, as Lambda does, and return the folder."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


def copy_app(project: Path) -> Path:
    """Copy what `chalice` packages, without compiled bytecode; returns the copy's folder."""
    for name in SHIPPED:
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (project / "vendor").mkdir()
    (project / "vendor" / "static").symlink_to("../static")
    return project
