import re

import pytest

from operations.aws import prices

HOME = prices.table()["region"]


def test_an_instance_in_the_tables_region_has_an_hourly_price() -> None:
    one = prices.instance("hosting", "ml.m5.large", HOME)
    assert str(one) == f"${one.usd_per_hour:.3f} an hour"
    three = prices.instance("hosting", "ml.m5.large", HOME, count=3)
    assert three.usd_per_hour == pytest.approx(3 * (one.usd_per_hour or 0))


def test_another_regions_price_is_unknown_with_a_hint() -> None:
    price = prices.instance("training", "ml.m5.xlarge", "eu-central-1", count=2)
    assert price.usd_per_hour is None
    assert str(price) == "price unknown, $0.460 an hour in us-east-1"


def test_an_instance_outside_the_table_has_an_unknown_price() -> None:
    price = prices.instance("hosting", "ml.p5.48xlarge", HOME)
    assert str(price) == f"price unknown, see {prices.table()['source']}"


def test_a_serverless_endpoint_costs_nothing_while_idle() -> None:
    price = prices.serverless(2048, HOME)
    assert price.usd_per_hour == 0
    assert str(price) == "nothing while idle, $0.144 an hour of answering"
    assert str(prices.serverless(2048, "eu-west-1")).endswith("an hour of answering in us-east-1")


def test_the_table_has_a_date_and_a_source() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}", prices.table()["date"])
    assert prices.source().startswith(f"Prices of {prices.table()['date']} (https://")


def test_every_serverless_memory_size_has_a_price() -> None:
    assert sorted(map(int, prices.table()["serverless_second"])) == [1024 * step for step in range(1, 7)]
