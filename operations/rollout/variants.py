"""Step `variants`: who answers behind an endpoint, with what share, how often, and what each says of a text."""

from datetime import UTC, datetime, timedelta

from chalicelib import release
from chalicelib.text import words
from operations.aws import names
from operations.aws.account import Account
from operations.endpoint import canary
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.invocation_metrics import invocations

HOUR = timedelta(hours=1)


def rows(account: Account, found: DeployedEndpoint, text: str) -> list[tuple[object, ...]]:
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


def _said(account: Account, found: DeployedEndpoint, variant: str, row: str) -> str:
    """Return a variant's score of a row, the variant pinned where there can be several."""
    scores, _ = canary.ask(account, found.name, [row], "" if found.hosting.is_serverless else variant)
    return f"{scores[0]:.4f}"
