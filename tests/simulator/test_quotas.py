from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.aws import SimulatedAws
from simulator.quotas import Quotas, code_of, defaults
from simulator.sagemaker.backend import ServiceError

HOSTING = "ml.m5.large for endpoint usage"


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quotas(clock: Clock) -> Quotas:
    return Quotas("us-east-1", pending_seconds=60, now=clock)


def increase(quotas: Quotas, name: str, desired: float) -> Any:
    return quotas.request_increase({"QuotaCode": code_of(name), "DesiredValue": desired})["RequestedQuota"]


def test_an_increase_is_pending_and_then_granted(quotas: Quotas, clock: Clock) -> None:
    assert increase(quotas, HOSTING, 10)["Status"] == "PENDING"
    assert quotas.limit(HOSTING) == defaults()[HOSTING]
    clock.time += timedelta(seconds=60)
    assert quotas.limit(HOSTING) == 10
    assert [change["Status"] for change in quotas.list_changes({})["RequestedQuotas"]] == ["APPROVED"]


def test_one_increase_at_a_time_and_upwards_only(quotas: Quotas) -> None:
    with pytest.raises(ServiceError, match="greater than the current"):
        increase(quotas, HOSTING, defaults()[HOSTING])
    increase(quotas, HOSTING, 10)
    with pytest.raises(ServiceError, match="Only one open"):
        increase(quotas, HOSTING, 20)


def test_large_instances_are_granted_on_request(quotas: Quotas, clock: Clock) -> None:
    assert quotas.limit("ml.p5.48xlarge for endpoint usage") == 0
    increase(quotas, "ml.p5.48xlarge for endpoint usage", 1)
    clock.time += timedelta(seconds=60)
    assert quotas.limit("ml.p5.48xlarge for endpoint usage") == 1


@pytest.mark.parametrize("use", ["training job usage", "transform job usage", "endpoint usage"])
def test_the_instances_of_older_tutorials_can_be_used(quotas: Quotas, use: str) -> None:
    assert quotas.limit(f"ml.m4.xlarge for {use}") >= 1


def test_services_with_quotas_are_listed(simulated_aws: SimulatedAws) -> None:
    (service,) = simulated_aws.client("service-quotas").list_services()["Services"]
    assert service == {"ServiceCode": "sagemaker", "ServiceName": "Amazon SageMaker"}


def test_boto3_reads_quotas_page_by_page(simulated_aws: SimulatedAws) -> None:
    pages = simulated_aws.client("service-quotas").get_paginator("list_service_quotas")
    found = pages.paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 100})
    assert {quota["QuotaName"]: quota["Value"] for page in found for quota in page["Quotas"]} == defaults()


def test_increase_applies_to_one_region(simulated_aws: SimulatedAws) -> None:
    client = simulated_aws.client("service-quotas", "eu-central-1")
    which = {"ServiceCode": "sagemaker", "QuotaCode": code_of(HOSTING)}
    requested = client.request_service_quota_increase(**which, DesiredValue=8)["RequestedQuota"]
    history = client.list_requested_service_quota_change_history_by_quota(**which)["RequestedQuotas"]
    assert [change["Id"] for change in history] == [requested["Id"]]
    assert client.get_aws_default_service_quota(**which)["Quota"]["Value"] == defaults()[HOSTING]
    elsewhere = simulated_aws.client("service-quotas", "eu-west-3")
    assert elsewhere.get_service_quota(**which)["Quota"]["Value"] == defaults()[HOSTING]


@pytest.mark.parametrize(("service", "code"), [("sagemaker", "L-00000000"), ("ec2", code_of(HOSTING))])
def test_unknown_quota_is_reported(simulated_aws: SimulatedAws, service: str, code: str) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        simulated_aws.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)


def test_backend_uses_the_quotas_of_its_region(simulated_aws: SimulatedAws) -> None:
    assert simulated_aws.backend("eu-north-1").limit(HOSTING) == defaults()[HOSTING]
