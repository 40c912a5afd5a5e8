"""Endpoint updates under traffic: traffic shifting, rollbacks and retained properties."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.sagemaker.account import SERVERLESS, Account, pack

INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
BAKING = "PendingDeploymentSummary.ProductionVariants[0].VariantStatus[0].Status"
WAIT = 60  # seconds on AWS, a fifth of a pace on the simulator
ALL_AT_ONCE: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": WAIT}
CANARY: dict[str, Any] = ALL_AT_ONCE | {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}
LINEAR: dict[str, Any] = ALL_AT_ONCE | {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}


class Traffic:
    """Continuous requests from several threads; records all scores and failures."""

    def __init__(self, account: Account, name: str) -> None:
        self.scores: list[float] = []
        self.failures: list[str] = []
        self._enough = threading.Condition()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send_requests, args=(account, name)) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _send_requests(self, account: Account, name: str) -> None:
        while not self._stop.is_set():
            try:
                score = account.invoke(name)[0]
            except ClientError as error:
                self.failures.append(str(error))
                continue
            with self._enough:
                self.scores.append(score)
                self._enough.notify_all()

    def wait_for(self, more: int) -> None:
        """Wait for a number of further responses."""
        with self._enough:
            wanted = len(self.scores) + more
            assert self._enough.wait_for(lambda: len(self.scores) >= wanted, timeout=20), self.failures[:3]

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def traffic(account: Account, name: str) -> Iterator[Traffic]:
    running = Traffic(account, name)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def endpoint(account: Account) -> Iterator[str]:
    """An endpoint on one instance with the packaged model, deleted after the test."""
    name = account.endpoint(INSTANCES)
    yield name
    account.delete(name)


def config_of(account: Account, model: bytes, **variant: Any) -> str:
    """Create a configuration with a model from one file."""
    return account.config({"ModelName": account.model(pack({"xgboost-model": model})), **INSTANCES, **variant})


def blue_green(routing: dict[str, Any], *alarms: str) -> dict[str, Any]:
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    return policy | (
        {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}} if alarms else {}
    )


@pytest.mark.parametrize("routing", [ALL_AT_ONCE, CANARY, LINEAR], ids=lambda routing: str(routing["Type"]))
def test_no_request_fails_while_the_model_is_replaced(
    account: Account, endpoint: str, other_model: bytes, routing: dict[str, Any]
) -> None:
    config = config_of(account, other_model)
    with traffic(account, endpoint) as running:
        running.wait_for(100)
        account.sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=blue_green(routing)
        )
        described = account.wait("endpoint_in_service", endpoint)
        running.wait_for(200)
    assert running.failures == []
    assert described["EndpointConfigName"] == config
    assert described["LastDeploymentConfig"] == blue_green(routing)
    assert running.scores[0] == pytest.approx(0.99, abs=0.01)
    assert running.scores[-100:] == [pytest.approx(0.5)] * 100


def test_canary_gets_its_share_while_it_bakes(account: Account, endpoint: str, other_model: bytes) -> None:
    before = account.describe(endpoint)["EndpointConfigName"]
    config = config_of(account, other_model)
    with account.at_pace(0.5):
        account.sagemaker.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=config,
            DeploymentConfig=blue_green(CANARY | {"WaitIntervalInSeconds": 3600}),
        )
        described = account.wait_until(endpoint, BAKING, "Baking")
        scores = [account.invoke(endpoint)[0] for _ in range(40)]
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", before)
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == config
    assert min(scores) == pytest.approx(0.5)
    assert max(scores) == pytest.approx(0.99, abs=0.01)
    assert account.invoke(endpoint, TargetVariant="AllTraffic")[1] == "AllTraffic"


def test_alarm_rolls_traffic_back_to_the_old_model(account: Account, endpoint: str, narrow_model: bytes) -> None:
    before = account.describe(endpoint)["EndpointConfigName"]
    account.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=f"verdict-{endpoint}-errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation4XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    slow = CANARY | {"WaitIntervalInSeconds": 3600}
    with traffic(account, endpoint) as running:
        account.sagemaker.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=config_of(account, narrow_model),
            DeploymentConfig=blue_green(slow, f"verdict-{endpoint}-errors"),
        )
        described = account.wait("endpoint_in_service", endpoint)
        failures = len(running.failures)
        running.wait_for(50)
    assert described["EndpointConfigName"] == before
    assert f"[verdict-{endpoint}-errors]" in described["FailureReason"]
    assert failures > 0
    assert len(running.failures) <= failures + 4  # requests in flight during the rollback


def test_old_model_stays_in_service_if_the_new_one_fails_to_load(account: Account, endpoint: str) -> None:
    before = account.describe(endpoint)["EndpointConfigName"]
    account.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config_of(account, b"no model"))
    described = account.wait("endpoint_in_service", endpoint)
    assert described["EndpointConfigName"] == before
    assert "did not pass the ping health check" in described["FailureReason"]
    assert account.invoke(endpoint)[0] == pytest.approx(0.99, abs=0.01)
    account.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=before)
    assert "FailureReason" not in account.wait("endpoint_in_service", endpoint)


def test_injected_fault_fails_the_update_and_a_stuck_one_fails_in_the_end(account: Account, other_model: bytes) -> None:
    name = account.endpoint(INSTANCES)
    config = config_of(account, other_model)
    account.aws.fault_injector.inject("UpdateEndpoint", "capacity", 1)
    account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    assert "InsufficientInstanceCapacity" in account.wait("endpoint_in_service", name)["FailureReason"]
    account.aws.fault_injector.inject("UpdateEndpoint", "stuck", 1)
    account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    described = account.describe(name)
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == config
    assert account.invoke(name)[1] == "AllTraffic"
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    assert "Request to service failed" in account.wait("endpoint_in_service", name)["FailureReason"]
    account.delete(name)


def test_weights_are_retained_on_request(account: Account, endpoint: str) -> None:
    account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredWeight": 0.25}]
    )
    account.wait("endpoint_in_service", endpoint)
    new = account.config(INSTANCES)
    account.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, RetainAllVariantProperties=True)
    kept = account.wait("endpoint_in_service", endpoint)
    account.sagemaker.update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName=new,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    described = account.wait("endpoint_in_service", endpoint)
    assert kept["ProductionVariants"][0]["CurrentWeight"] == 0.25
    assert described["ProductionVariants"][0]["CurrentWeight"] == 1.0


def test_invalid_update_is_refused(account: Account, endpoint: str) -> None:
    def refusal(config: str, **more: Any) -> str:
        with pytest.raises(ClientError) as caught:
            account.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, **more)
        return str(caught.value)

    assert "from instances to a serverless" in refusal(account.config(SERVERLESS))
    assert "Could not find endpoint configuration" in refusal("absent")
    without_size = {"Type": "CANARY", "WaitIntervalInSeconds": 0}
    assert "CanarySize" in refusal(account.config(INSTANCES), DeploymentConfig=blue_green(without_size))
    assert "ResourceLimitExceeded" in refusal(account.config(INSTANCES | {"InitialInstanceCount": 4}))
    old = account.describe(endpoint)["EndpointConfigName"]
    account.sagemaker.delete_endpoint_config(EndpointConfigName=old)
    assert old in refusal(account.config(INSTANCES))


def test_serverless_endpoint_updates_only_all_at_once(account: Account, other_model: bytes) -> None:
    name = account.endpoint(SERVERLESS)
    model = account.model(pack({"xgboost-model": other_model}))
    config = account.config({"ModelName": model, **SERVERLESS})
    with pytest.raises(ClientError, match="ALL_AT_ONCE"):
        account.sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=config, DeploymentConfig=blue_green(CANARY)
        )
    account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    account.wait("endpoint_in_service", name)
    assert account.invoke(name)[0] == pytest.approx(0.5)


def test_scaled_variant_cannot_be_replaced_until_deregistered(account: Account) -> None:
    name = account.endpoint(INSTANCES)
    scaling = account.aws.client("application-autoscaling")
    target = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{name}/variant/AllTraffic"}
    scaling.register_scalable_target(
        **target, ScalableDimension="sagemaker:variant:DesiredInstanceCount", MinCapacity=1, MaxCapacity=2
    )
    for change in ({"VariantName": "Other"}, {"InstanceType": "ml.c5.large"}):
        with pytest.raises(ClientError, match="must be deregistered"):
            account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=account.config(INSTANCES | change))
    account.sagemaker.delete_endpoint(EndpointName=name)
    account.wait("endpoint_deleted", name)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
