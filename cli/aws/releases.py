"""The `verdict releases` command."""

import click

from chalicelib import release
from cli.aws_command import on_aws
from cli.options import json_option
from cli.output import print_json
from operations.aws.command import Aws
from operations.endpoint.candidate import packaged_candidate
from operations.inventory import model_registry
from operations.releases import document, find_all, local_release, show


@on_aws("releases")
@click.option(
    "--register",
    "group",
    default="",
    metavar="GROUP",
    help="Register the packaged release in this model package group.",
)
@json_option
def command(aws: Aws, group: str, as_json: bool) -> None:
    """List stored releases with their figures and where they are deployed, or register one."""
    if group:
        arn, is_new = model_registry.register(aws, group, packaged_candidate(), release.load().facts)
        aws.print(f"{'Registered' if is_new else 'Already registered'}: {arn}")
    found, local = find_all(aws.account), local_release()
    if as_json:
        print_json([document(release_, local) for release_ in found])
    else:
        show(found, local, click.echo)
