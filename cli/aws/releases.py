"""The `verdict releases` command."""

import json

import click

from chalicelib import release
from cli.aws_command import on_aws
from operations.aws.command import Aws
from operations.endpoint.candidate import packaged
from operations.inventory import registry, stored_releases
from operations.releases import document, local_release, show


@on_aws("releases")
@click.option("--register", "group", default="", metavar="GROUP", help="Register the packaged release in this group.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(aws: Aws, group: str, as_json: bool) -> None:
    """List the releases in the bucket with their lineage, figures and where they serve; or register one."""
    if group:
        arn, is_new = registry.register(aws, group, packaged(), release.load().facts)
        aws.say(f"{'Registered' if is_new else 'Registered already'}: {arn}")
    found, local = stored_releases.all_of(aws.account), local_release()
    if as_json:
        click.echo(json.dumps([document(one, local) for one in found], indent=1))
    else:
        show(found, local, click.echo)
