"""Endpoint configurations: serverless, or instances by type and count.

A configuration is named by its content and never changes, so an existing one can be reused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.errors import SentimentError
from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there, is_taken
from operations.aws.prices import Price, PriceList

MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)
DEFAULT_MEMORY_MB = 2048
DEFAULT_CONCURRENCY = 5
STARTUP_SECONDS = 600  # limit for a container to load its model; ours needs one second


class HostingError(SentimentError):
    """A hosting option that SageMaker does not offer."""

    type = "hosting-refused"
    title = "This endpoint cannot be hosted"


@dataclass(frozen=True)
class HostingSpec:
    """`count` instances of a type, or serverless if `instance_type` is ""."""

    instance_type: str = ""
    count: int = 1
    memory_mb: int = DEFAULT_MEMORY_MB
    concurrency: int = DEFAULT_CONCURRENCY

    @property
    def is_serverless(self) -> bool:
        """Whether the endpoint runs, and is billed, only while it answers requests."""
        return not self.instance_type

    def price(self, price_list: PriceList, variants: int = 1) -> Price:
        """Return the hourly price of an endpoint with this many variants."""
        if self.is_serverless:
            return price_list.serverless(self.memory_mb)
        return price_list.instance("hosting", self.instance_type, self.count * variants)

    def __str__(self) -> str:
        """`serverless, 2048 MB, 5 concurrent requests`, or `2 x ml.m5.large`."""
        if self.is_serverless:
            return f"serverless, {self.memory_mb} MB, {self.concurrency} concurrent requests"
        return f"{self.count} x {self.instance_type}"


@dataclass(frozen=True)
class VariantSpec:
    """A production variant to configure: its name, SageMaker model, weight, and number of instances."""

    name: str
    model: str
    weight: float = 1.0
    count: int = 1


def hosting_from_options(instance_type: str, count: int, memory: str, concurrency: int) -> HostingSpec:
    """Create a hosting specification from command-line values; raises `HostingError` for an unknown instance type."""
    if instance_type.startswith("ml.t3."):
        raise HostingError("SageMaker does not host on ml.t3. The smallest types are ml.t2.medium and ml.m5.large.")
    if instance_type and not instance_type.startswith("ml."):
        raise HostingError(f"{instance_type!r} is not an instance type of SageMaker. Use one such as ml.m5.large.")
    return HostingSpec(instance_type, count, int(memory), concurrency)


def check_max_count(hosting: HostingSpec, max_count: int) -> int:
    """Return the maximum number of instances for autoscaling, 0 for none; raises `HostingError` if it has no effect."""
    if max_count and hosting.is_serverless:
        raise HostingError("--max-count needs --instance-type. A serverless endpoint scales by --concurrency.")
    if max_count and max_count <= hosting.count:
        raise HostingError(f"--max-count {max_count} must be more than --count {hosting.count}.")
    return max_count


def read_hosting(variant: Mapping[str, Any]) -> HostingSpec:
    """Read the hosting specification of a variant in a DescribeEndpointConfig response."""
    if "ServerlessConfig" in variant:
        serverless = variant["ServerlessConfig"]
        return HostingSpec(memory_mb=serverless["MemorySizeInMB"], concurrency=serverless["MaxConcurrency"])
    return HostingSpec(variant["InstanceType"], variant.get("InitialInstanceCount", 1))


def request(
    stage: str, endpoint: str, release: str, hosting: HostingSpec, variants: Sequence[VariantSpec]
) -> dict[str, Any]:
    """Return the CreateEndpointConfig request for these variants, all hosted alike."""
    if hosting.is_serverless and len(variants) > 1:
        raise HostingError(
            "A serverless endpoint has one variant. To split traffic, deploy on instances: take this endpoint down, "
            f"then `verdict deploy --stage {stage} --instance-type ml.m5.large`."
        )
    production_variants = [_production_variant(hosting, variant) for variant in variants]
    return {
        "EndpointConfigName": names.configuration(endpoint, production_variants),
        "ProductionVariants": production_variants,
        "Tags": names.tags(stage, release),
    }


def _production_variant(hosting: HostingSpec, variant: VariantSpec) -> dict[str, Any]:
    """Return a variant as CreateEndpointConfig takes it."""
    common = {"VariantName": variant.name, "ModelName": variant.model, "InitialVariantWeight": variant.weight}
    if hosting.is_serverless:
        serverless = {"MemorySizeInMB": hosting.memory_mb, "MaxConcurrency": hosting.concurrency}
        return {**common, "ServerlessConfig": serverless}
    instances = {"InstanceType": hosting.instance_type, "InitialInstanceCount": variant.count}
    return {**common, **instances, "ContainerStartupHealthCheckTimeoutInSeconds": STARTUP_SECONDS}


def describe(account: Account, name: str) -> dict[str, Any] | None:
    """Return the description of a configuration, None if it does not exist."""
    return if_there(account.client("sagemaker").describe_endpoint_config, EndpointConfigName=name)


def ensure(aws: Aws, request: Mapping[str, Any]) -> str:
    """Create a configuration if it does not exist, and return its name."""
    create(aws, request)
    return str(request["EndpointConfigName"])


def create(aws: Aws, request: Mapping[str, Any]) -> bool:
    """Create a configuration, and return True; returns False if it exists, even if it was created just now."""
    if describe(aws.account, request["EndpointConfigName"]):
        return False
    try:
        aws.account.client("sagemaker").create_endpoint_config(**request)
    except ClientError as error:
        if is_taken(error):
            return False
        raise
    return True
