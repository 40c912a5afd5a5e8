"""Autoscaling of an endpoint on instances: as many as the traffic of the last minutes needs, within limits.

SageMaker refuses an update that takes a variant away while it is still a scalable target, so `release` comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from operations.aws.command import Aws

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
CALM_SECONDS = 300  # before instances are taken away; added ones may come after a fifth of it


def resource(endpoint: str, variant: str) -> str:
    """Name a variant as Application Auto Scaling does."""
    return f"endpoint/{endpoint}/variant/{variant}"


def ensure(aws: Aws, endpoint: str, variant: str, least: int, most: int, requests_a_minute: float) -> None:
    """Keep between `least` and `most` instances, as many as give each `requests_a_minute` invocations a minute."""
    scaling, name = aws.account.client("application-autoscaling"), resource(endpoint, variant)
    target = {"ServiceNamespace": NAMESPACE, "ResourceId": name, "ScalableDimension": DIMENSION}
    scaling.register_scalable_target(**target, MinCapacity=least, MaxCapacity=most)
    scaling.put_scaling_policy(
        **target,
        PolicyName=f"{endpoint}-{variant}",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": requests_a_minute,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": CALM_SECONDS,
            "ScaleOutCooldown": CALM_SECONDS // 5,
        },
    )
    aws.journal.write("created", "scalable-target", name, least=least, most=most)


@dataclass(frozen=True)
class AutoscalingLimits:
    """How a variant was scaled, to be scaled so again."""

    variant: str
    least: int
    most: int
    requests_a_minute: float


def of(aws: Aws, endpoint: str, variant: str) -> AutoscalingLimits | None:
    """Return how a variant is scaled; None where it is not."""
    scaling, name = aws.account.client("application-autoscaling"), resource(endpoint, variant)
    targets = scaling.describe_scalable_targets(ServiceNamespace=NAMESPACE, ResourceIds=[name])["ScalableTargets"]
    if not targets:
        return None
    policies = scaling.describe_scaling_policies(ServiceNamespace=NAMESPACE, ResourceId=name)["ScalingPolicies"]
    aim = policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] if policies else 0.0
    return AutoscalingLimits(variant, targets[0]["MinCapacity"], targets[0]["MaxCapacity"], aim)


def release(aws: Aws, endpoint: str, variants: Sequence[str]) -> list[AutoscalingLimits]:
    """Scale these variants no longer; those that were not scaled are fine. Returns how they were."""
    scaling = aws.account.client("application-autoscaling")
    released = [scaled for variant in variants if (scaled := of(aws, endpoint, variant))]
    for one in released:
        name = resource(endpoint, one.variant)
        scaling.deregister_scalable_target(ServiceNamespace=NAMESPACE, ResourceId=name, ScalableDimension=DIMENSION)
        aws.journal.write("deleted", "scalable-target", name)
        aws.say(f"{name} is no longer scaled by itself.")
    return released


def restore(aws: Aws, endpoint: str, released: Sequence[AutoscalingLimits]) -> None:
    """Scale variants again as they were."""
    for one in released:
        ensure(aws, endpoint, one.variant, one.least, one.most, one.requests_a_minute)
