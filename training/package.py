"""Step `package`: the deployment package and a CloudFormation template with alarms, dashboard, throttling and log.

`chalice deploy` needs none of this; it also cannot make what the template adds (`training.stack`).
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

import click

from chalicelib.errors import SentimentError
from chalicelib.release import load
from training.aws import names
from training.bytecode import ROOT, compile_for_lambda
from training.stack.extras import extras, function_name

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


@click.command("package")
@click.option("--stage", default="prod", show_default=True, help="A stage of .chalice/config.json.")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/package"), show_default=True
)
def command(stage: str, into: Path) -> None:
    """Write the package and template of a CloudFormation stack, which has alarms, a dashboard and throttling."""
    made = package(stage, into)
    click.echo(
        f"Wrote {made.archive} ({made.archive.stat().st_size / 1e6:.1f} MB) and {made.template}. To deploy them:"
    )
    ready = into / "packaged.yaml"
    tags = " ".join(f"{tag['Key']}={tag['Value']}" for tag in names.tags(stage))
    click.echo(
        f"  aws cloudformation package --template-file {made.template} --s3-bucket BUCKET "
        f"--output-template-file {ready}\n"
        f"  aws cloudformation deploy --template-file {ready} --stack-name {function_name(stage)} "
        f"--capabilities CAPABILITY_IAM --tags {tags}"
    )
