"""A fleet: the production variants of one endpoint configuration, each with a container that has loaded its model."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.container.serving import Container
from simulator.runtime import INSTANCE_BODY_BYTES, SERVERLESS_BODY_BYTES, Variant


@dataclass
class Serving:
    """One production variant of a fleet, as it is asked for and as it is now."""

    name: str
    model: str
    image: str
    weight: float
    instance_type: str = ""
    instances: int = 0
    serverless: dict[str, Any] = field(default_factory=dict)
    desired_weight: float = 0.0
    desired_instances: int = 0
    container: Container | None = None  # None: still starting
    resolved_at: datetime | None = None

    def __post_init__(self) -> None:
        self.desired_weight = self.weight
        self.desired_instances = self.instances

    @property
    def concurrency(self) -> int:
        """How many requests a serverless variant may answer at once; 0 with instances."""
        return int(self.serverless.get("MaxConcurrency", 0))

    def settle(self) -> None:
        """Let what is asked for come true."""
        self.weight = self.desired_weight
        self.instances = self.desired_instances

    def described(self, status: str, since: datetime) -> dict[str, Any]:
        """Describe the variant as DescribeEndpoint does; `status` "" for one at rest."""
        facts: dict[str, Any] = {
            "VariantName": self.name,
            "DeployedImages": [self._deployed_image(since)],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.desired_weight,
        }
        if self.serverless:
            facts |= {"CurrentServerlessConfig": self.serverless, "CurrentInstanceCount": 0}
        else:
            facts |= {"CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.desired_instances}
        return facts | ({"VariantStatus": [{"Status": status, "StartTime": since}]} if status else {})

    def _deployed_image(self, since: datetime) -> dict[str, Any]:
        digest = hashlib.sha256(self.image.encode()).hexdigest()
        return {
            "SpecifiedImage": self.image,
            "ResolvedImage": f"{self.image.partition(':')[0]}@sha256:{digest}",
            "ResolutionTime": self.resolved_at or since,
        }


@dataclass
class Fleet:
    """The variants of one configuration."""

    config: str
    variants: list[Serving]
    since: datetime
    status: str = ""  # of its variants, while an update is under way: Creating, Baking

    @property
    def is_serverless(self) -> bool:
        """Whether there are no instances."""
        return any(variant.serverless for variant in self.variants)

    @property
    def names(self) -> set[str]:
        """What its variants are called."""
        return {variant.name for variant in self.variants}

    @property
    def largest_body_bytes(self) -> int:
        """How large a request it takes."""
        return SERVERLESS_BODY_BYTES if self.is_serverless else INSTANCE_BODY_BYTES

    @property
    def instances(self) -> int:
        """How many instances it has in all."""
        return sum(variant.desired_instances for variant in self.variants)

    def named(self, name: str) -> Serving | None:
        """Return a variant; None when it is absent."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def described(self) -> list[dict[str, Any]]:
        """Describe the variants as DescribeEndpoint does."""
        return [variant.described(self.status, self.since) for variant in self.variants]

    def described_as_pending(self) -> dict[str, Any]:
        """Describe a fleet on its way, as `PendingDeploymentSummary` does."""
        variants = self.described()
        for facts, variant in zip(variants, self.variants, strict=True):
            if variant.instance_type:
                facts["InstanceType"] = variant.instance_type
        return {"EndpointConfigName": self.config, "ProductionVariants": variants, "StartTime": self.since}

    def taking(self, share: float) -> tuple[Variant, ...]:
        """Return the variants with weights that add up to a share of the traffic; none at all for 0."""
        total = sum(variant.weight for variant in self.variants)
        return tuple(
            Variant(variant.name, share * variant.weight / total if total else share, variant.container)
            for variant in self.variants
            if variant.container and share > 0
        )


def fleet_of(config: str, variants: list[dict[str, Any]], image: Callable[[str], str], now: datetime) -> Fleet:
    """Make the fleet that a configuration asks for, with nothing started; `image` tells a model's image."""
    return Fleet(
        config,
        [
            Serving(
                name=variant["VariantName"],
                model=variant["ModelName"],
                image=image(variant["ModelName"]),
                weight=variant["InitialVariantWeight"],
                instance_type=variant.get("InstanceType", ""),
                instances=variant.get("InitialInstanceCount", 0),
                serverless=variant.get("ServerlessConfig", {}),
            )
            for variant in variants
        ],
        now,
        "Creating",
    )


def retain(new: Fleet, old: Fleet, excluded: set[str]) -> None:
    """Keep, for variants of the same name, what was set on the old fleet: weights and instance counts."""
    for variant in new.variants:
        before = old.named(variant.name)
        if before and "DesiredWeight" not in excluded:
            variant.weight = variant.desired_weight = before.desired_weight
        if before and before.instances and variant.instances and "DesiredInstanceCount" not in excluded:
            variant.instances = variant.desired_instances = before.desired_instances
