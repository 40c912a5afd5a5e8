"""Step `package`: the deployment package and a CloudFormation template with alarms, dashboard, throttling and log.

`chalice deploy` needs none of this; it also cannot make what the template adds (`operations.packaging.stack`).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import SentimentError
from chalicelib.release import load
from operations.packaging.bytecode import compile_for_lambda
from operations.packaging.stack.extras import extras
from training.project import ROOT

ANY_REGION = "us-east-1"  # `chalice` insists on one; the template works in all


class PackagingError(SentimentError):
    """`chalice package` failed, or cannot do what is asked."""

    type = "packaging-failed"
    title = "The deployment package could not be made"


@dataclass(frozen=True)
class Package:
    """What was written: the zip, and the template that names it."""

    archive: Path
    template: Path


def package(stage: str, into: Path, project: Path = ROOT) -> Package:
    """Compile, then run the real `chalice package` with our template merged in; raises `PackagingError`."""
    _check_stage(stage, project)
    compile_for_lambda(project)
    added = extras(stage, load(project / "chalicelib" / "release").encoder.fingerprint)
    shutil.rmtree(project / ".chalice" / "deployments", ignore_errors=True)  # a cache that is blind to file names
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "extras.json"
        merged.write_text(json.dumps(added), encoding="utf-8")
        _chalice(["package", "--stage", stage, "--merge-template", str(merged), str(into.absolute())], project)
    return Package(into / "deployment.zip", into / "sam.json")


def _check_stage(stage: str, project: Path) -> None:
    """Raise `PackagingError` for a stage that the project does not have."""
    config = json.loads((project / ".chalice" / "config.json").read_text(encoding="utf-8"))
    stages: Mapping[str, object] = config["stages"]
    if stage not in stages:
        raise PackagingError(f"There is no stage {stage!r} in .chalice/config.json. It has: {', '.join(stages)}.")


def _chalice(arguments: Iterable[str], project: Path) -> None:
    """Run the `chalice` command that is installed beside this Python."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("chalice"), *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={"AWS_DEFAULT_REGION": ANY_REGION, **os.environ},
    )
    if ran.returncode:
        raise PackagingError(f"`chalice package` failed: {ran.stdout}{ran.stderr}")
