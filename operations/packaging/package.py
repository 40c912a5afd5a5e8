"""The deployment package and its CloudFormation template, with alarms, a dashboard, throttling and a log group.

`stack.yaml` has the resources that are merged into the template of `chalice package`. `chalice deploy` does not use it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from chalicelib.errors import SentimentError
from chalicelib.release import load
from operations.aws import names
from operations.packaging.bytecode import compile_for_lambda
from training.project import ROOT

STACK = Path(__file__).with_name("stack.yaml")
DEFAULT_REGION = "us-east-1"  # `chalice` requires a region; the template is valid in all regions


class PackagingError(SentimentError):
    """A failed `chalice package`, or an unknown stage."""

    type = "packaging-failed"
    title = "The deployment package could not be created"


class _StackTemplate(Template):
    delimiter = "%"  # CloudFormation uses the dollar sign


@dataclass(frozen=True)
class Package:
    """The files of a package: the zip archive, and the template that refers to it."""

    archive: Path
    template: Path


def package(stage: str, into: Path, project: Path = ROOT) -> Package:
    """Compile bytecode, then run `chalice package` with `stack.yaml` merged in; raises `PackagingError`."""
    _check_stage(stage, project)
    compile_for_lambda(project)
    facts = load(project / "chalicelib" / "release").facts
    resources = stack_template(stage, facts.vocabulary_fingerprint, facts.few_known_words)
    shutil.rmtree(project / ".chalice" / "deployments", ignore_errors=True)  # a cache that ignores file names
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "stack.json"  # chalice writes the format that it merges
        merged.write_text(json.dumps(resources), encoding="utf-8")
        _chalice(["package", "--stage", stage, "--merge-template", str(merged), str(into.absolute())], project)
    return Package(into / "deployment.zip", into / "sam.json")


def stack_template(stage: str, fingerprint: str, few_known_words: float) -> dict[str, Any]:
    """Return `stack.yaml` for a stage and a release's facts; raises `NameRefusedError` if the stage name is invalid."""
    text = _StackTemplate(STACK.read_text(encoding="utf-8"))
    filled = text.substitute(
        stage=names.checked_stage(stage),
        endpoint=names.endpoint(stage, fingerprint),
        few_known_words=few_known_words,
    )
    template: dict[str, Any] = yaml.safe_load(filled)
    return template


def function_name(stage: str) -> str:
    """Return the function's name, which is also the stack's name: the same as with `chalice deploy`."""
    return names.prefix(stage).removesuffix("-")


def _check_stage(stage: str, project: Path) -> None:
    """Raise `PackagingError` if .chalice/config.json does not define the stage."""
    stages = json.loads((project / ".chalice" / "config.json").read_text(encoding="utf-8"))["stages"]
    if stage not in stages:
        raise PackagingError(f"There is no stage {stage!r} in .chalice/config.json. It has: {', '.join(stages)}.")


def _chalice(arguments: Iterable[str], project: Path) -> None:
    """Run the `chalice` command that is installed beside this Python."""
    completed = subprocess.run(
        [Path(sys.executable).with_name("chalice"), *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={"AWS_DEFAULT_REGION": DEFAULT_REGION, **os.environ},
    )
    if completed.returncode:
        raise PackagingError(f"`chalice package` failed: {completed.stdout}{completed.stderr}")
