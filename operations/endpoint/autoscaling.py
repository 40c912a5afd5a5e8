"""Autoscaling of an endpoint's instances, by the invocations per instance and minute.

SageMaker refuses an update that removes a variant while it is a scalable target, so `deregister` comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from operations.aws.command import Aws

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SCALE_IN_COOLDOWN_SECONDS = 300
SCALE_OUT_COOLDOWN_SECONDS = 60


@dataclass(frozen=True)
class AutoscalingLimits:
    """How a variant is scaled: between two numbers of instances, to a number of requests per instance and minute."""

    variant: str
    min_instances: int
    max_instances: int
    requests_a_minute: float


def resource_id(endpoint: str, variant: str) -> str:
    """Return a variant's resource id in Application Auto Scaling."""
    return f"endpoint/{endpoint}/variant/{variant}"


def _target(endpoint: str, variant: str) -> dict[str, Any]:
    """Return the parameters that identify a scalable target."""
    name = resource_id(endpoint, variant)
    return {"ServiceNamespace": NAMESPACE, "ResourceId": name, "ScalableDimension": DIMENSION}


def ensure(aws: Aws, endpoint: str, limits: AutoscalingLimits) -> None:
    """Scale a variant within limits."""
    scaling, target = aws.account.client("application-autoscaling"), _target(endpoint, limits.variant)
    scaling.register_scalable_target(**target, MinCapacity=limits.min_instances, MaxCapacity=limits.max_instances)
    scaling.put_scaling_policy(
        **target,
        PolicyName=f"{endpoint}-{limits.variant}",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": limits.requests_a_minute,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": SCALE_IN_COOLDOWN_SECONDS,
            "ScaleOutCooldown": SCALE_OUT_COOLDOWN_SECONDS,
        },
    )


def find(aws: Aws, endpoint: str, variant: str) -> AutoscalingLimits | None:
    """Return how a variant is scaled, None if it is not."""
    scaling, name = aws.account.client("application-autoscaling"), resource_id(endpoint, variant)
    targets = scaling.describe_scalable_targets(ServiceNamespace=NAMESPACE, ResourceIds=[name])["ScalableTargets"]
    if not targets:
        return None
    policies = scaling.describe_scaling_policies(ServiceNamespace=NAMESPACE, ResourceId=name)["ScalingPolicies"]
    value = policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] if policies else 0.0
    return AutoscalingLimits(variant, targets[0]["MinCapacity"], targets[0]["MaxCapacity"], value)


def deregister(aws: Aws, endpoint: str, variants: Sequence[str]) -> list[AutoscalingLimits]:
    """Stop scaling these variants, and return the limits of those that were scaled."""
    scaled = [limits for variant in variants if (limits := find(aws, endpoint, variant))]
    for limits in scaled:
        aws.account.client("application-autoscaling").deregister_scalable_target(**_target(endpoint, limits.variant))
        aws.print(f"Stopped autoscaling of variant {limits.variant} of {endpoint}.")
    return scaled
