"""Moves an endpoint to another configuration while it answers, and back by itself when the new one does badly.

SageMaker makes the new fleet ready beside the old one. Where both have the same variants, on two instances or more,
traffic can move as a canary or in linear steps, watched by the endpoint's alarms; else it moves in one step.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from operations.aws.command import Aws
from operations.aws.errors import AwsError, explained
from operations.endpoint import alarms, autoscaling, endpoint_config, endpoint_state
from operations.endpoint.endpoint_state import IN_SERVICE, LONGEST_MINUTES, DeployedEndpoint

KINDS = {"canary": "CANARY", "linear": "LINEAR", "all": "ALL_AT_ONCE"}
CANARY_SHARE, LINEAR_SHARE = 10, 4  # a tenth first; a quarter each time
MOST_OF_A_STEP = 2  # a step takes half of the instances at most
OLD_FLEET_SECONDS = 120  # kept after the last step, to turn back to
LONGEST_BAKE_SECONDS = 3600
SHIFT_SECONDS = 1800  # for the machines to come, beside all watching


class ShiftError(AwsError):
    """A way to move traffic that SageMaker does not offer."""


@dataclass(frozen=True)
class RolloutStrategy:
    """How traffic moves (`canary`, `linear`, `all`), how long each step is watched, and whether by alarms.

    With `retains`, variants keep the instances that they have now, instead of those that the configuration states.
    """

    kind: str = "canary"
    bake_seconds: int = 300
    watched: bool = True
    retains: bool = False
    minutes: float | None = None  # to wait at most; None: as long as all of it may take


AT_ONCE = RolloutStrategy("all", bake_seconds=0, watched=False)


def deployment(manner: RolloutStrategy, instances: int, alarm_names: list[str]) -> dict[str, Any]:
    """Return the DeploymentConfig of an update of so many instances; raises `ShiftError` for a step that is too long.

    One instance has no tenth: its traffic moves at once, and is watched all the same.
    """
    kind = manner.kind if instances >= MOST_OF_A_STEP else "all"
    steps, routing = _routing(kind, instances)
    if manner.bake_seconds > LONGEST_BAKE_SECONDS:
        raise ShiftError(
            f"A step is watched for an hour at most, not {manner.bake_seconds / 60:.0f} minutes: --bake 1h."
        )
    longest = steps * manner.bake_seconds + OLD_FLEET_SECONDS + SHIFT_SECONDS
    policy = {
        "TrafficRoutingConfiguration": {**routing, "WaitIntervalInSeconds": manner.bake_seconds},
        "TerminationWaitInSeconds": OLD_FLEET_SECONDS,
        "MaximumExecutionTimeoutInSeconds": longest,  # seven steps of an hour at most: SageMaker allows eight hours
    }
    watched = {"Alarms": [{"AlarmName": name} for name in alarm_names]}
    return {"BlueGreenUpdatePolicy": policy} | ({"AutoRollbackConfiguration": watched} if alarm_names else {})


def _routing(kind: str, instances: int) -> tuple[int, dict[str, Any]]:
    """Return how many steps a shift takes, and the routing that makes them."""
    if kind == "canary":
        size = max(1, instances // CANARY_SHARE)
        return 2, {"Type": KINDS[kind], "CanarySize": {"Type": "INSTANCE_COUNT", "Value": size}}
    if kind == "linear":
        size = max(1, instances // LINEAR_SHARE)
        steps = -(-instances // size)
        return steps, {"Type": KINDS[kind], "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": size}}
    return 1, {"Type": KINDS["all"]}


def shift(
    aws: Aws, stage: str, found: DeployedEndpoint, configuration: str, manner: RolloutStrategy, resume: str
) -> DeployedEndpoint:
    """Bring an endpoint to a configuration and wait; raises `AwsError` when SageMaker went back to the old one."""
    before = found.configuration
    if before == configuration:
        return found
    staying = _variants_of(aws, configuration)
    leaving = [variant.name for variant in found.variants if variant.name not in staying]
    same = not leaving and len(staying) == len(found.variants)
    extra = {**_guarded(aws, stage, found, manner), **_retaining(found, manner)} if same else {}
    released = autoscaling.release(aws, found.name, leaving)
    minutes, began = manner.minutes or LONGEST_MINUTES + _guard_minutes(extra), datetime.now(UTC)
    try:
        with explained():
            aws.account.client("sagemaker").update_endpoint(
                EndpointName=found.name, EndpointConfigName=configuration, **extra
            )
        aws.journal.write("updated", "endpoint", found.name, configuration=configuration, before=before)
        moved = arrived(aws, found.name, configuration, minutes, resume, began)
    except AwsError:
        autoscaling.restore(aws, found.name, released)
        raise
    if len(staying) == 1:  # the winner of a split is scaled as the loser was
        autoscaling.restore(aws, found.name, [replace(one, variant=staying[0]) for one in released])
    alarms.remove(aws, found.name, leaving)
    if not moved.hosting.is_serverless:
        alarms.ensure(aws, stage, found.name, staying)
    return moved


def _variants_of(aws: Aws, configuration: str) -> list[str]:
    """Name the variants of a configuration."""
    described = endpoint_config.describe(aws.account, configuration) or {"ProductionVariants": []}
    return [str(variant["VariantName"]) for variant in described["ProductionVariants"]]


def _guarded(aws: Aws, stage: str, found: DeployedEndpoint, manner: RolloutStrategy) -> dict[str, Any]:
    """Return how an update is to be guarded: nothing for a serverless endpoint, which moves in one step."""
    if found.hosting.is_serverless or not (manner.watched or manner.bake_seconds):
        return {}
    names = [variant.name for variant in found.variants]
    loud = alarms.alarms_in_alarm(aws, found.name) if manner.watched else []
    if loud:
        raise AwsError(
            f"{', '.join(loud)} is in alarm now, so SageMaker would turn the update back. Go back to the release "
            f"before (verdict rollback --stage {stage}), or update unwatched: --unwatched",
            "alarm",
        )
    watching = alarms.ensure(aws, stage, found.name, names) if manner.watched else []
    instances = min(variant.instances for variant in found.variants)
    return {"DeploymentConfig": deployment(manner, instances, watching)}


def _retaining(found: DeployedEndpoint, manner: RolloutStrategy) -> dict[str, Any]:
    """Return what keeps the instances as they are: autoscaling may have added some."""
    if found.hosting.is_serverless or not manner.retains:
        return {}
    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    return {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": excluded}


def _guard_minutes(extra: dict[str, Any]) -> float:
    """Return how much longer than usual a guarded update may take."""
    policy = extra.get("DeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
    return float(policy.get("MaximumExecutionTimeoutInSeconds", 0)) / 60


def arrived(aws: Aws, name: str, configuration: str, minutes: float, resume: str, since: datetime) -> DeployedEndpoint:
    """Wait until an endpoint has moved to a configuration; raises `AwsError` when it has not."""
    seen = endpoint_state.wait_until_stable(aws, name, resume, minutes)
    if not seen:
        raise AwsError(f"Endpoint {name} was deleted while it was being updated.", "absent")
    if seen.status != IN_SERVICE or seen.configuration != configuration:
        lines = "".join(f"\n  {line}" for line in endpoint_state.recent_log_lines(aws.account, name, since))
        now = "in service with what it had before" if seen.status == IN_SERVICE else seen.status
        raise AwsError(
            f"The update did not hold: {seen.failure or 'no reason was given.'} Endpoint {name} is {now}."
            f"{' Its log ends:' if lines else ''}{lines}",
            "rolled-back",
        )
    return seen
