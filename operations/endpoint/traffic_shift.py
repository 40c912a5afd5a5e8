"""Traffic shifts: an endpoint moves to another configuration while it serves, and rolls back on an alarm.

SageMaker starts the new fleet beside the old one. If both have the same variants on two or more instances, traffic can
move as a canary or in linear steps, guarded by the endpoint's alarms; otherwise it moves all at once.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from operations.aws.command import Aws
from operations.aws.errors import AwsError, translate_errors
from operations.endpoint import alarms, autoscaling, endpoint_config, endpoint_state
from operations.endpoint.endpoint_state import IN_SERVICE, LONGEST_MINUTES, DeployedEndpoint

KINDS = {"canary": "CANARY", "linear": "LINEAR", "all": "ALL_AT_ONCE"}
CANARY_STEPS, LINEAR_STEPS = 10, 4  # a canary is a tenth of the instances; a linear step is a quarter of them
MIN_INSTANCES = 2  # to move traffic in steps: a step takes half of the instances at most
OLD_FLEET_SECONDS = 120  # the old fleet is kept after the last step, for a rollback
MAX_BAKE_SECONDS = 3600
STARTUP_SECONDS = 1800  # for the new instances to start


class ShiftError(AwsError):
    """A traffic shift that SageMaker does not offer."""


@dataclass(frozen=True)
class RolloutStrategy:
    """How traffic moves (`canary`, `linear`, `all`), and how long each step bakes.

    With `watched`, an alarm rolls the update back. With `retains`, variants keep their current number of instances
    instead of that in the configuration.
    """

    kind: str = "canary"
    bake_seconds: int = 300
    watched: bool = True
    retains: bool = False
    minutes: float | None = None  # longest wait; None: as long as all steps may take


AT_ONCE = RolloutStrategy("all", bake_seconds=0, watched=False)


def deployment_config(strategy: RolloutStrategy, instances: int, alarm_names: list[str]) -> dict[str, Any]:
    """Return the DeploymentConfig of an update; raises `ShiftError` if the bake time is too long."""
    if strategy.bake_seconds > MAX_BAKE_SECONDS:
        raise ShiftError(
            f"A step can bake for one hour at most, not {strategy.bake_seconds / 60:.0f} minutes: use --bake 1h."
        )
    steps, routing = _routing(strategy.kind if instances >= MIN_INSTANCES else "all", instances)
    seconds = steps * strategy.bake_seconds + OLD_FLEET_SECONDS + STARTUP_SECONDS
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {**routing, "WaitIntervalInSeconds": strategy.bake_seconds},
            "TerminationWaitInSeconds": OLD_FLEET_SECONDS,
            "MaximumExecutionTimeoutInSeconds": seconds,  # at most seven steps of an hour; SageMaker's limit is eight
        }
    }
    if alarm_names:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarm_names]}
    return config


def _routing(kind: str, instances: int) -> tuple[int, dict[str, Any]]:
    """Return the number of steps, and the routing."""
    if kind == "canary":
        size = max(1, instances // CANARY_STEPS)
        return 2, {"Type": KINDS[kind], "CanarySize": {"Type": "INSTANCE_COUNT", "Value": size}}
    if kind == "linear":
        size = max(1, instances // LINEAR_STEPS)
        steps = -(-instances // size)
        return steps, {"Type": KINDS[kind], "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": size}}
    return 1, {"Type": KINDS["all"]}


def shift(
    aws: Aws, endpoint: DeployedEndpoint, configuration: str, strategy: RolloutStrategy, resume: str
) -> DeployedEndpoint:
    """Move an endpoint to a configuration and wait.

    Raises `AwsError` if SageMaker rolled the update back, or another command changed the endpoint since it was read.
    """
    if endpoint.configuration == configuration:
        return endpoint
    endpoint_state.check_unchanged(aws.account, endpoint)
    staying = _variants_of(aws, configuration)
    leaving = [variant.name for variant in endpoint.variants if variant.name not in staying]
    same_variants = not leaving and len(staying) == len(endpoint.variants)
    options = {**_guards(aws, endpoint, strategy), **_retained(endpoint, strategy)} if same_variants else {}
    scaled = autoscaling.deregister(aws, endpoint.name, leaving)
    minutes, started = strategy.minutes or LONGEST_MINUTES + _guard_minutes(options), datetime.now(UTC)
    try:
        with translate_errors():
            aws.account.client("sagemaker").update_endpoint(
                EndpointName=endpoint.name, EndpointConfigName=configuration, **options
            )
        moved = wait_for_configuration(aws, endpoint.name, configuration, minutes, resume, started)
    except AwsError:
        for limits in scaled:
            autoscaling.ensure(aws, endpoint.name, limits)
        raise
    if len(staying) == 1:  # the winner of a split is scaled as the loser was
        for limits in scaled:
            autoscaling.ensure(aws, endpoint.name, replace(limits, variant=staying[0]))
    alarms.delete(aws, endpoint.name, leaving)
    if not moved.hosting.is_serverless:
        alarms.ensure(aws, endpoint.stage, endpoint.name, staying)
    return moved


def _variants_of(aws: Aws, configuration: str) -> list[str]:
    """Return the names of a configuration's variants."""
    described = endpoint_config.describe(aws.account, configuration) or {"ProductionVariants": []}
    return [str(variant["VariantName"]) for variant in described["ProductionVariants"]]


def _guards(aws: Aws, endpoint: DeployedEndpoint, strategy: RolloutStrategy) -> dict[str, Any]:
    """Return the UpdateEndpoint options that guard an update; none for a serverless endpoint, which moves at once."""
    if endpoint.hosting.is_serverless or not (strategy.watched or strategy.bake_seconds):
        return {}
    in_alarm = alarms.alarms_in_alarm(aws, endpoint.name) if strategy.watched else []
    if in_alarm:
        raise AwsError(
            f"{', '.join(in_alarm)} is in ALARM, so SageMaker would roll the update back. Roll back to the previous "
            f"release (verdict rollback --stage {endpoint.stage}), or update with --unwatched.",
            "alarm",
        )
    variants = [variant.name for variant in endpoint.variants]
    alarm_names = alarms.ensure(aws, endpoint.stage, endpoint.name, variants) if strategy.watched else []
    instances = min(variant.count for variant in endpoint.variants)
    return {"DeploymentConfig": deployment_config(strategy, instances, alarm_names)}


def _retained(endpoint: DeployedEndpoint, strategy: RolloutStrategy) -> dict[str, Any]:
    """Return the UpdateEndpoint options that keep the number of instances, to which autoscaling may have added."""
    if endpoint.hosting.is_serverless or not strategy.retains:
        return {}
    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    return {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": excluded}


def _guard_minutes(options: dict[str, Any]) -> float:
    """Return the time limit of a guarded update, 0 for an unguarded one."""
    policy = options.get("DeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
    return float(policy.get("MaximumExecutionTimeoutInSeconds", 0)) / 60


def wait_for_configuration(
    aws: Aws, name: str, configuration: str, minutes: float, resume: str, since: datetime
) -> DeployedEndpoint:
    """Wait until an endpoint has moved to a configuration; raises `AwsError` if it was rolled back or failed."""
    endpoint = endpoint_state.wait_until_stable(aws, name, resume, minutes)
    if not endpoint:
        raise AwsError(f"The endpoint {name} was deleted during the update.", "absent")
    if endpoint.status != IN_SERVICE or endpoint.configuration != configuration:
        log = endpoint_state.error_log(aws.account, name, since)
        raise AwsError(f"{_failure(aws, endpoint)}{log}", "rolled-back")
    return endpoint


def _failure(aws: Aws, endpoint: DeployedEndpoint) -> str:
    """Return why an endpoint did not move to a configuration: SageMaker's reason, or what its state suggests."""
    name, in_alarm = endpoint.name, alarms.alarms_in_alarm(aws, endpoint.name)
    if endpoint.status != IN_SERVICE:
        return f"The update failed: Endpoint {name} is {endpoint.status}. {endpoint.failure}".rstrip()
    now = f"Endpoint {name} is in service with configuration {endpoint.configuration}."
    if endpoint.failure:
        return f"The update failed: {endpoint.failure} {now}"
    if in_alarm:
        return f"The update was rolled back: {', '.join(in_alarm)} is in ALARM. {now}"
    return (
        f"The update was rolled back or replaced by another one, and SageMaker does not report why. {now} "
        f"Check `verdict status --stage {endpoint.stage}` and `verdict logs --stage {endpoint.stage}`, and repeat the "
        "command."
    )
