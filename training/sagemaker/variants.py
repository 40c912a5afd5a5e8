"""Step `variants`: who answers behind an endpoint, with what share, how often, and what each says of a text."""

from datetime import UTC, datetime, timedelta

import click

from chalicelib import release
from chalicelib.text import words
from training.aws import names
from training.aws.account import Account
from training.aws.command import Aws, on_aws, stage_option
from training.progress import table
from training.sagemaker.serving import canary, endpoints
from training.sagemaker.serving.endpoints import Endpoint
from training.sagemaker.serving.metrics import invocations

HOUR = timedelta(hours=1)


def rows(account: Account, found: Endpoint, text: str) -> list[tuple[object, ...]]:
    """Return a line a variant: name, share, wanted share, instances, calls of the last hour, its score of the text."""
    total = sum(variant.weight for variant in found.variants) or 1.0
    wanted = sum(variant.desired_weight for variant in found.variants) or 1.0
    now = datetime.now(UTC) + timedelta(minutes=1)  # CloudWatch's clock may be ahead of ours
    row = release.load().encoder.row(words(text)) if text else ""
    return [
        (
            one.name,
            f"{one.weight / total:.0%}",
            f"{one.desired_weight / wanted:.0%}",
            one.instances or "serverless",
            invocations(account, found.name, one.name, now - HOUR, now),
            names.release_of_model(one.model),
            *([_said(account, found, one.name, row)] if row else []),
        )
        for one in found.variants
    ]


def _said(account: Account, found: Endpoint, variant: str, row: str) -> str:
    """Return a variant's score of a row, the variant pinned where there can be several."""
    scores, _ = canary.ask(account, found.name, [row], "" if found.hosting.is_serverless else variant)
    return f"{scores[0]:.4f}"


@on_aws("variants")
@stage_option
@click.option("--ask", default="", metavar="TEXT", help="Let every variant score a text, each pinned in turn.")
def command(aws: Aws, stage: str, ask: str) -> None:
    """Show an endpoint's variants: shares, instances, calls in the last hour, and what each says of a text."""
    found = endpoints.need(aws.account, names.endpoint(stage, release.load().encoder.fingerprint), stage)
    headings = ("variant", "share", "wanted", "instances", "calls, 1 h", "release", *(["score"] if ask else []))
    aws.console.print(table(f"Endpoint {found.name}", rows(aws.account, found, ask), headings))
