"""The deployment package of this project, made by the real `chalice package` from a copy of what ships."""

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
    """Package a copy of the project in a folder, as step `package` does; raises `PackagingError`."""
    project = copy_of_what_ships(folder / "project")
    return package(stage, folder / "out", project)


def unpack(zipped: Path, folder: Path) -> Path:
    """Unpack a package into a folder, as Lambda does, and return the folder."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


def copy_of_what_ships(project: Path) -> Path:
    """Copy what `chalice` puts into the package, without the bytecode of this machine; returns the copy's folder."""
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
