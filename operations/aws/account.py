"""The AWS account and region, from boto3's usual sources: environment, profile, or instance."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
from botocore.config import Config

from operations.aws.errors import AwsError, refuse_html, translate_errors
from operations.aws.prices import PriceList

PRICING_REGION = "us-east-1"  # answers for all regions
PRICING_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=10)
CLIENT_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=60)


def _no_client_in(service: str, region: str) -> Any:
    """Raise `AwsError`: this account has clients for its own region only."""
    raise AwsError(f"There is no connection to {service} in {region}.", "no-region")


@dataclass(frozen=True)
class Account:
    """An AWS account in a region: its number, its partition (`aws`, `aws-cn`, ...), and the caller's identity.

    `client` returns a boto3 client by service name; `client_in` one of another region, by service name and region.
    """

    number: str
    region: str
    partition: str
    caller: str  # the ARN of the user or role whose credentials are used
    client: Callable[[str], Any]
    client_in: Callable[[str, str], Any] = _no_client_in

    @cached_property
    def prices(self) -> PriceList:
        """The prices of the region."""
        return PriceList(lambda: self.client("pricing"), self.region)

    def arn(self, service: str, rest: str, region: bool = True) -> str:
        """Return an ARN of this account: `arn("iam", "role/x", region=False)`."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.number}:{rest}"


def connect(session: "boto3.Session | None" = None) -> Account:
    """Return the account, region and caller of a session; raises `AwsError` without a region or valid credentials."""
    with translate_errors():
        session = session or boto3.Session()
        region = session.region_name
        if not region:
            raise AwsError("No region is set. Set AWS_DEFAULT_REGION, or run `aws configure`.", "no-region")

        session.events.register("before-parse", refuse_html)

        @cache
        def client(service: str) -> Any:
            if service == "pricing":
                return session.client(service, region_name=PRICING_REGION, config=PRICING_CONFIG)
            return session.client(service, config=CLIENT_CONFIG)

        def client_in(service: str, region: str) -> Any:
            return session.client(service, region_name=region, config=CLIENT_CONFIG)

        partition = session.get_partition_for_region(region)
        identity = client("sts").get_caller_identity()
    return Account(identity["Account"], region, partition, identity["Arn"], client, client_in)
