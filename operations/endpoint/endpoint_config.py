"""What an endpoint runs on, and the configuration that says so: serverless, or instances by type and count.

A configuration is named by its content and never changes, so one that exists already is the one that is wanted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import SentimentError
from operations.aws import names, prices
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there
from operations.aws.prices import Price

MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)
DEFAULT_MEMORY_MB = 2048
DEFAULT_CONCURRENCY = 5
START_SECONDS = 600  # for a container to load its model; ours takes one


class HostingError(SentimentError):
    """A way to host that the service does not offer."""

    type = "hosting-refused"
    title = "An endpoint cannot be hosted so"


@dataclass(frozen=True)
class HostingSpec:
    """Serverless, with so much memory and concurrency, where `instance_type` is ""; else so many instances of it."""

    instance_type: str = ""
    count: int = 1
    memory_mb: int = DEFAULT_MEMORY_MB
    concurrency: int = DEFAULT_CONCURRENCY

    @property
    def is_serverless(self) -> bool:
        """Whether nothing runs, and nothing is billed, while nobody asks."""
        return not self.instance_type

    def price(self, region: str, variants: int = 1) -> Price:
        """Price an endpoint with so many variants by the hour."""
        if self.is_serverless:
            return prices.serverless(self.memory_mb, region)
        return prices.instance("hosting", self.instance_type, region, self.count * variants)

    def __str__(self) -> str:
        """`serverless, 2048 MB, 5 at a time`, or `2 x ml.m5.large`."""
        if self.is_serverless:
            return f"serverless, {self.memory_mb} MB, {self.concurrency} at a time"
        return f"{self.count} x {self.instance_type}"


@dataclass(frozen=True)
class VariantSpec:
    """A variant to be: its name, the SageMaker model behind it, its weight in the traffic, and how many instances."""

    name: str
    model: str
    weight: float = 1.0
    count: int = 1


def hosting_from_options(instance_type: str, count: int, memory: str, concurrency: int) -> HostingSpec:
    """Make a hosting of the options' values; raises `HostingError` for a type that does not exist for hosting."""
    if instance_type.startswith("ml.t3."):
        raise HostingError("There is no ml.t3 for hosting. The small ones are ml.t2.medium and ml.m5.large.")
    if instance_type and not instance_type.startswith("ml."):
        raise HostingError(f"{instance_type!r} is no instance type of SageMaker: they begin with ml., as ml.m5.large.")
    return HostingSpec(instance_type, count, int(memory), concurrency)


def check_max_count(hosting: HostingSpec, most: int) -> int:
    """Return how many instances autoscaling may come to, 0: none; raises `HostingError` where it would do nothing."""
    if most and hosting.is_serverless:
        raise HostingError("--max-count is of instances and needs --instance-type: serverless scales by --concurrency.")
    if most and most <= hosting.count:
        raise HostingError(f"--max-count {most} is no more than --count {hosting.count}: nothing would be scaled.")
    return most


def read_hosting(variant: Mapping[str, Any]) -> HostingSpec:
    """Read the hosting of a variant in DescribeEndpointConfig's answer."""
    if "ServerlessConfig" in variant:
        serverless = variant["ServerlessConfig"]
        return HostingSpec(memory_mb=serverless["MemorySizeInMB"], concurrency=serverless["MaxConcurrency"])
    return HostingSpec(variant["InstanceType"], variant.get("InitialInstanceCount", 1))


def request(
    stage: str, endpoint: str, release: str, hosting: HostingSpec, shares: Sequence[VariantSpec]
) -> dict[str, Any]:
    """Return the CreateEndpointConfig request for these variants, all hosted alike."""
    if hosting.is_serverless and len(shares) > 1:
        raise HostingError(
            "A serverless endpoint has one variant. To split traffic, deploy on instances: take this endpoint down, "
            f"then `verdict deploy --stage {stage} --instance-type ml.m5.large`."
        )
    variants = [_variant(hosting, share) for share in shares]
    return {
        "EndpointConfigName": names.configuration(endpoint, variants),
        "ProductionVariants": variants,
        "Tags": names.tags(stage, release),
    }


def _variant(hosting: HostingSpec, share: VariantSpec) -> dict[str, Any]:
    """Describe one variant."""
    common = {"VariantName": share.name, "ModelName": share.model, "InitialVariantWeight": share.weight}
    if hosting.is_serverless:
        serverless = {"MemorySizeInMB": hosting.memory_mb, "MaxConcurrency": hosting.concurrency}
        return {**common, "ServerlessConfig": serverless}
    instances = {"InstanceType": hosting.instance_type, "InitialInstanceCount": share.count}
    return {**common, **instances, "ContainerStartupHealthCheckTimeoutInSeconds": START_SECONDS}


def describe(account: Account, name: str) -> dict[str, Any] | None:
    """Return a configuration as the service describes it; None when it is absent."""
    return if_there(account.client("sagemaker").describe_endpoint_config, EndpointConfigName=name)


def ensure(aws: Aws, stage: str, wanted: Mapping[str, Any]) -> str:
    """Make a configuration where it is absent, and return its name."""
    name = str(wanted["EndpointConfigName"])
    if not describe(aws.account, name):
        aws.account.client("sagemaker").create_endpoint_config(**wanted)
        aws.journal.write("created", "endpoint-config", name, stage=stage)
    return name
