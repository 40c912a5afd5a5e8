"""The `verdict split` command."""

import click

from chalicelib import release
from cli.aws_command import on_aws
from cli.options import stage_option, yes_option
from operations.aws.command import Aws
from operations.endpoint.candidate import load_candidate, refuse_failed_gate
from operations.inventory.reminders import remind
from operations.rollout.split import SplitSpec, parse_weights, split


@on_aws("split")
@click.argument("variants", nargs=-1, required=True, metavar="NAME=WEIGHT...")
@stage_option
@click.option("--drop-others", is_flag=True, help="Remove all variants that are not named, at the end of a test.")
@yes_option
def command(aws: Aws, variants: tuple[str, ...], stage: str, drop_others: bool, yes: bool) -> None:
    """Split live traffic between models by weight, for an A/B test.

    NAME is `release` for the packaged release, or a run's name: `verdict split release=90 linear=10`. To end the test,
    give the winner all traffic and delete the other's instances: `verdict split linear=1 --drop-others`.
    """
    weights, fingerprint = parse_weights(variants), release.load().encoder.fingerprint
    for name in (name for name, weight in weights.items() if weight):
        refuse_failed_gate(name)
    requested = SplitSpec(stage, fingerprint, [load_candidate(name) for name in weights], weights, drop_others)
    endpoint = split(aws, requested, yes)
    total = sum(variant.weight for variant in endpoint.variants) or 1.0
    shares = ", ".join(f"{variant.name} {variant.weight / total:.0%}" for variant in endpoint.variants)
    aws.print(f"Endpoint {endpoint.name}: {shares}.")
    remind(aws)
