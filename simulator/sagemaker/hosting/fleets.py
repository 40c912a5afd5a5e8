"""Fleets: the production variants of an endpoint configuration, with the containers that serve them."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.container.serving import Container
from simulator.endpoint.runtime import INSTANCE_BODY_BYTES, SERVERLESS_BODY_BYTES, Variant

CONCURRENCY_QUOTA = "Maximum total concurrency that can be allocated across all serverless endpoints"
ENDPOINTS_QUOTA = "Maximum number of serverless endpoints"


def instance_quota(instance_type: str) -> str:
    """Return the name of the quota for endpoint instances of a type."""
    return f"{instance_type} for endpoint usage"


@dataclass
class VariantState:
    """A production variant's current and desired state."""

    name: str
    model: str
    image: str
    weight: float
    instance_type: str = ""
    instances: int = 0
    serverless: dict[str, Any] = field(default_factory=dict)
    desired_weight: float = 0.0
    desired_instances: int = 0
    container: Container | None = None  # None while it starts
    resolved_at: datetime | None = None

    def __post_init__(self) -> None:
        self.desired_weight = self.weight
        self.desired_instances = self.instances

    @property
    def concurrency(self) -> int:
        """The most concurrent requests of a serverless variant; 0 for instances."""
        return int(self.serverless.get("MaxConcurrency", 0))

    def apply_desired(self) -> None:
        """Set the current weight and instance count to the desired ones."""
        self.weight = self.desired_weight
        self.instances = self.desired_instances

    def describe(self, status: str, since: datetime) -> dict[str, Any]:
        """Describe the variant as DescribeEndpoint does; `status` is "" for a stable variant."""
        digest = hashlib.sha256(self.image.encode()).hexdigest()
        image = {
            "SpecifiedImage": self.image,
            "ResolvedImage": f"{self.image.partition(':')[0]}@sha256:{digest}",
            "ResolutionTime": self.resolved_at or since,
        }
        facts: dict[str, Any] = {
            "VariantName": self.name,
            "DeployedImages": [image],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.desired_weight,
        }
        if self.serverless:
            facts |= {"CurrentServerlessConfig": self.serverless, "CurrentInstanceCount": 0}
        else:
            facts |= {"CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.desired_instances}
        return facts | ({"VariantStatus": [{"Status": status, "StartTime": since}]} if status else {})


@dataclass
class Fleet:
    """The variants of one configuration."""

    config: str
    variants: list[VariantState]
    since: datetime
    status: str = ""  # of its variants during an update: Creating, Baking

    @property
    def is_serverless(self) -> bool:
        """Whether it has no instances."""
        return any(variant.serverless for variant in self.variants)

    @property
    def names(self) -> set[str]:
        """The names of its variants."""
        return {variant.name for variant in self.variants}

    @property
    def max_body_bytes(self) -> int:
        """The size of the largest request it accepts."""
        return SERVERLESS_BODY_BYTES if self.is_serverless else INSTANCE_BODY_BYTES

    @property
    def instances(self) -> int:
        """The number of instances of all variants."""
        return sum(variant.desired_instances for variant in self.variants)

    @property
    def quota_usage(self) -> Counter[str]:
        """The amount of each quota that it uses."""
        usage = Counter({ENDPOINTS_QUOTA: int(self.is_serverless)})
        for variant in self.variants:
            if variant.serverless:
                usage[CONCURRENCY_QUOTA] += variant.concurrency
            else:
                usage[instance_quota(variant.instance_type)] += variant.desired_instances
        return usage

    def find(self, name: str) -> VariantState | None:
        """Return a variant, None if there is none with this name."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def describe(self) -> list[dict[str, Any]]:
        """Describe the variants as DescribeEndpoint does."""
        return [variant.describe(self.status, self.since) for variant in self.variants]

    def describe_pending(self) -> dict[str, Any]:
        """Describe a fleet that is being deployed, as `PendingDeploymentSummary` does."""
        variants = [
            facts | ({"InstanceType": variant.instance_type} if variant.instance_type else {})
            for facts, variant in zip(self.describe(), self.variants, strict=True)
        ]
        return {"EndpointConfigName": self.config, "ProductionVariants": variants, "StartTime": self.since}

    def with_share(self, share: float) -> tuple[Variant, ...]:
        """Return the variants, weighted to receive a share of the traffic in total; none for a share of 0."""
        total = sum(variant.weight for variant in self.variants)
        return tuple(
            Variant(variant.name, share * variant.weight / total if total else share, variant.container)
            for variant in self.variants
            if variant.container and share > 0
        )

    def retain(self, old: "Fleet", excluded: set[str]) -> None:
        """Copy the desired weights and instance counts of an old fleet's variants of the same names."""
        for variant in self.variants:
            before = old.find(variant.name)
            if before and "DesiredWeight" not in excluded:
                variant.weight = variant.desired_weight = before.desired_weight
            if before and before.instances and variant.instances and "DesiredInstanceCount" not in excluded:
                variant.instances = variant.desired_instances = before.desired_instances


def create_fleet(config: str, variants: list[dict[str, Any]], image_of: Callable[[str], str], now: datetime) -> Fleet:
    """Create the fleet of a configuration, before its containers start; `image_of` returns a model's image."""
    states = [
        VariantState(
            name=variant["VariantName"],
            model=variant["ModelName"],
            image=image_of(variant["ModelName"]),
            weight=variant["InitialVariantWeight"],
            instance_type=variant.get("InstanceType", ""),
            instances=variant.get("InitialInstanceCount", 0),
            serverless=variant.get("ServerlessConfig", {}),
        )
        for variant in variants
    ]
    return Fleet(config, states, now, "Creating")
