"""The `verdict split` command."""

import click

from chalicelib import release
from cli.aws_command import on_aws
from cli.options import stage_option, yes_option
from operations.aws.command import Aws
from operations.endpoint.candidate import candidate
from operations.inventory.reminders import remind
from operations.rollout.split import Split, parse_weights, split


@on_aws("split")
@click.argument("variants", nargs=-1, required=True, metavar="NAME=WEIGHT...")
@stage_option
@click.option("--drop-others", is_flag=True, help="Take variants that are not named away: the end of a test.")
@yes_option
def command(aws: Aws, variants: tuple[str, ...], stage: str, drop_others: bool, yes: bool) -> None:
    """Split live traffic by weight, as release=90 linear=10: `release` is the packaged one, other names are runs.

    All traffic to the winner: split linear=1, and with --drop-others the loser's machines go too.
    """
    weights, fingerprint = parse_weights(variants), release.load().encoder.fingerprint
    wanted = Split(stage, fingerprint, [candidate(name) for name in weights], weights, drop_others)
    seen = split(aws, wanted, yes)
    total = sum(variant.weight for variant in seen.variants) or 1.0
    shares = ", ".join(f"{one.name} {one.weight / total:.0%}" for one in seen.variants)
    aws.say(f"Endpoint {seen.name}: {shares}.")
    remind(aws)
