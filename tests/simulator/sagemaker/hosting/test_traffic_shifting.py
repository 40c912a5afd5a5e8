"""Traffic shifting steps from deployment configurations."""

from typing import Any

import pytest

from simulator.sagemaker.backend import ServiceError
from simulator.sagemaker.hosting.traffic_shifting import Step, alarm_names, steps

PERCENT = "CAPACITY_PERCENT"


def blue_green(routing: dict[str, Any], **more: int) -> dict[str, Any]:
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}}


def test_all_traffic_shifts_at_once_by_default() -> None:
    assert steps({}, 1, is_serverless=True) == [Step(1.0, 0.0)]


def test_canary_comes_first_and_a_pace_is_five_minutes() -> None:
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": 300, "CanarySize": {"Type": PERCENT, "Value": 10}}
    assert steps(blue_green(routing, TerminationWaitInSeconds=600), 4, False) == [Step(0.1, 1.0), Step(1.0, 3.0)]


def test_linear_steps_are_equal_and_end_at_100_percent() -> None:
    routing = {"Type": "LINEAR", "WaitIntervalInSeconds": 0, "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 1}}
    shares = [step.share for step in steps(blue_green(routing), 3, False)]
    assert shares == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]


def test_rolling_batches_are_equal_steps() -> None:
    rolling = {"MaximumBatchSize": {"Type": PERCENT, "Value": 50}, "WaitIntervalInSeconds": 60}
    assert steps({"RollingUpdatePolicy": rolling}, 2, False) == [Step(0.5, 0.2), Step(1.0, 0.2)]


@pytest.mark.parametrize(("member", "kind", "value"), [("CanarySize", "CANARY", 60), ("LinearStepSize", "LINEAR", 5)])
def test_step_size_outside_the_aws_limits_is_refused(member: str, kind: str, value: int) -> None:
    routing = {"Type": kind, "WaitIntervalInSeconds": 0, member: {"Type": PERCENT, "Value": value}}
    with pytest.raises(ServiceError, match=member):
        steps(blue_green(routing), 10, False)


def test_names_of_rollback_alarms_are_returned() -> None:
    assert alarm_names({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]}}) == [
        "a",
        "b",
    ]
    assert alarm_names({}) == []
