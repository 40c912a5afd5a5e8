"""The `verdict package` command."""

from pathlib import Path

import click

from operations.aws import names
from operations.packaging.package import function_name, package


@click.command("package")
@click.option("--stage", default="prod", show_default=True, help="A stage of .chalice/config.json.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/package"),
    show_default=True,
    help="Folder to write.",
)
def command(stage: str, into: Path) -> None:
    """Write a CloudFormation stack of the app, with alarms, a dashboard and throttling."""
    packaged = package(stage, into)
    megabytes = packaged.archive.stat().st_size / 1e6
    click.echo(f"Wrote {packaged.archive} ({megabytes:.1f} MB) and {packaged.template}. To deploy them:")
    ready = into / "packaged.yaml"
    tags = " ".join(f"{tag['Key']}={tag['Value']}" for tag in names.tags(stage))
    click.echo(
        f"  aws cloudformation package --template-file {packaged.template} --s3-bucket BUCKET "
        f"--output-template-file {ready}\n"
        f"  aws cloudformation deploy --template-file {ready} --stack-name {function_name(stage)} "
        f"--capabilities CAPABILITY_IAM --tags {tags}"
    )
