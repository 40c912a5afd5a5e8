"""The rehearsal's account lists what remains, and injects faults into the simulated AWS."""

import pytest
from botocore.exceptions import ClientError

from operations.aws.command import Aws
from operations.feedback import table
from rehearsal.simulated_account import SimulatedAccount
from simulator.aws import SimulatedAws
from tests.operations.existing import create_endpoint


def test_remaining_resources_of_every_service_are_listed(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    endpoint = create_endpoint(aws, stage, instances=1)
    aws.account.client("logs").create_log_group(logGroupName=f"/aws/lambda/verdict-{stage}")
    aws.account.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{endpoint}/variant/v1",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=3,
    )
    feedback = table.ensure(aws, stage)
    remaining = SimulatedAccount(simulated.url).remaining()
    assert {f"endpoint/{endpoint}/variant/v1", f"/aws/lambda/verdict-{stage}", feedback} <= {*remaining}
    for kind in (":endpoint/", ":endpoint-config/", ":model/"):
        assert any(f"{kind}verdict-{stage}-" in name for name in remaining)


def test_a_fault_is_injected_for_the_duration_of_a_block(simulated: SimulatedAws) -> None:
    account = SimulatedAccount(simulated.url)
    client = account.client("sagemaker")
    with account.injected_fault("ListModels", "denied"), pytest.raises(ClientError):
        client.list_models()
    assert client.list_models()["ResponseMetadata"]["HTTPStatusCode"] == 200
