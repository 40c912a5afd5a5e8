"""Prices from the Price List API, which the simulator answers from its own table."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from operations.aws.prices import INSTANCE_TYPES, PAGE, PriceList
from simulator.aws import SimulatedAws
from simulator.pricing import products


@pytest.fixture
def price_list(simulated: SimulatedAws) -> PriceList:
    """The simulator's prices in its region."""
    return PriceList(lambda: simulated.client("pricing"), "us-east-1")


def test_instances_have_an_hourly_price(price_list: PriceList) -> None:
    assert str(price_list.instance("hosting", "ml.m5.large")) == "$0.115 an hour"
    assert price_list.instance("hosting", "ml.m5.large", count=3).usd_per_hour == pytest.approx(0.345)


@pytest.mark.parametrize("purpose", INSTANCE_TYPES)
def test_the_simulator_has_a_price_for_every_suggested_instance(price_list: PriceList, purpose: str) -> None:
    assert all(price_list.instance(purpose, name).usd_per_hour for name in INSTANCE_TYPES[purpose])


def test_an_instance_without_a_price_is_unknown_with_a_link(price_list: PriceList) -> None:
    assert str(price_list.instance("hosting", "ml.p5.48xlarge")) == f"price unknown, see {PAGE}"


def test_another_region_has_its_own_prices(simulated: SimulatedAws) -> None:
    frankfurt = PriceList(lambda: simulated.client("pricing"), "eu-central-1")
    assert frankfurt.instance("hosting", "ml.m5.large").usd_per_hour is None


def test_a_serverless_endpoint_costs_nothing_while_idle(price_list: PriceList) -> None:
    price = price_list.serverless(2048)
    assert price.usd_per_hour == 0
    assert str(price) == "nothing while idle, $0.144 an hour of processing"


@pytest.mark.parametrize("memory_mb", [1024 * step for step in range(1, 7)])
def test_every_serverless_memory_size_has_a_price(price_list: PriceList, memory_mb: int) -> None:
    assert price_list.serverless_usd_per_second(memory_mb)


def failing(code: str) -> Callable[[], Any]:
    """Return a factory of a client that answers with an error."""
    client = boto3.client(
        "pricing",
        "us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    stubber = Stubber(client)
    stubber.add_client_error("get_products", code)
    stubber.activate()
    return lambda: client


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalErrorException"])
def test_a_price_list_that_does_not_answer_leaves_prices_unknown(code: str) -> None:
    assert PriceList(failing(code), "us-east-1").instance("hosting", "ml.m5.large").usd_per_hour is None


def test_a_price_is_requested_once(simulated: SimulatedAws) -> None:
    calls: list[str] = []

    def client() -> Any:
        calls.append("pricing")
        return simulated.client("pricing")

    price_list = PriceList(client, "us-east-1")
    for purpose in ("hosting", "training", "hosting"):
        price_list.instance(purpose, "ml.m5.large")
    assert len(calls) == 1


def test_the_simulators_prices_are_marked_as_pretended() -> None:
    terms = [term for product in products() for term in product["terms"]["OnDemand"].values()]
    descriptions = {dimension["description"] for term in terms for dimension in term["priceDimensions"].values()}
    assert all(text.startswith("pretended") for text in descriptions)
