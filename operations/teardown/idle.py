"""Which endpoints nobody asks any more, by CloudWatch's own count of their invocations."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from operations.aws.account import Account
from operations.aws.errors import of_service
from operations.endpoint.invocation_metrics import invocations, reported_variants
from operations.inventory.resources import Resource

SETTLED = ("InService", "Failed", "OutOfService")


@dataclass(frozen=True)
class Use:
    """How much an endpoint is used: its invocations over a time, None where they could not be told; and in words."""

    endpoint: Resource
    invocations: int | None
    why: str

    @property
    def is_idle(self) -> bool:
        """Whether it is certain that nobody asked it."""
        return self.invocations == 0 and not self.why


def use_of(account: Account, endpoint: Resource, idle: timedelta, now: datetime) -> Use:
    """Count an endpoint's invocations over the last while. What cannot be read is never taken for idle.

    Nor is an endpoint that is on the move, or that is younger than the while: nobody may have come to ask it yet.
    """
    if endpoint.state not in SETTLED:
        return Use(endpoint, None, f"it is {endpoint.state}")
    if endpoint.created is None or now - endpoint.created < idle:
        return Use(endpoint, None, "it is not old enough to tell")
    try:
        variants = sorted(
            {variant.name for variant in endpoint.variants} | set(reported_variants(account, endpoint.name))
        )
        counts = [invocations(account, endpoint.name, name, now - idle, now) for name in variants]
    except ClientError as error:
        return Use(endpoint, None, f"its invocations could not be read: {of_service(error).detail}")
    return Use(endpoint, sum(counts), "")
