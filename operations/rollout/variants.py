"""`variants`: an endpoint's variants with their traffic shares, recent invocations, and scores of a text."""

from datetime import UTC, datetime, timedelta

from chalicelib import release
from chalicelib.text import words
from operations.aws import names
from operations.aws.account import Account
from operations.endpoint import canary
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.invocation_metrics import invocations

HOUR = timedelta(hours=1)


def rows(account: Account, endpoint: DeployedEndpoint, text: str) -> list[tuple[object, ...]]:
    """Return a table row per variant: name, share, target share, instances, invocations in the last hour, release.

    With a text, also the variant's score of it.
    """
    total = sum(variant.weight for variant in endpoint.variants) or 1.0
    desired_total = sum(variant.desired_weight for variant in endpoint.variants) or 1.0
    now = datetime.now(UTC) + timedelta(minutes=1)  # CloudWatch's clock may be ahead of ours
    row = release.load().encoder.row(words(text)) if text else ""
    return [
        (
            variant.name,
            f"{variant.weight / total:.0%}",
            f"{variant.desired_weight / desired_total:.0%}",
            variant.count or "serverless",
            invocations(account, endpoint.name, variant.name, now - HOUR, now),
            names.release_of_model(variant.model),
            *([_score(account, endpoint, variant.name, row)] if row else []),
        )
        for variant in endpoint.variants
    ]


def _score(account: Account, endpoint: DeployedEndpoint, variant: str, row: str) -> str:
    """Return a variant's score of a row; on instances the variant is named in the request."""
    scores, _ = canary.score_rows(account, endpoint.name, [row], "" if endpoint.hosting.is_serverless else variant)
    return f"{scores[0]:.4f}"
