"""The deployment package of this project, made by the real `chalice package` from a copy of what ships."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from chalicelib.errors import SentimentError
from training.bytecode import ROOT, compile_for_lambda
from training.simulator.runtime import REGION

SHIPPED = ("app.py", ".chalice/config.json", ".chalice/policy-dev.json", "requirements.txt", "chalicelib", "static")


class PackagingError(SentimentError):
    """`chalice package` failed."""

    type = "packaging-failed"
    title = "The deployment package could not be made"


def package_project(folder: Path) -> Path:
    """Package a copy of the project, bytecode included, in a folder, and return the zip; raises `PackagingError`."""
    project = _copy_of_what_ships(folder / "project")
    compile_for_lambda(project)
    ran = subprocess.run(
        [Path(sys.executable).with_name("chalice"), "package", "--stage", "dev", "out"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={"AWS_DEFAULT_REGION": REGION, "PATH": "/usr/bin:/bin", "HOME": str(Path.home())},
    )
    if ran.returncode:
        raise PackagingError(f"`chalice package` failed: {ran.stdout}{ran.stderr}")
    return project / "out" / "deployment.zip"


def unpack(zipped: Path, folder: Path) -> Path:
    """Unpack a package into a folder, as Lambda does, and return the folder."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


def _copy_of_what_ships(project: Path) -> Path:
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
