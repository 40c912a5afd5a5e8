import re

import pytest

from operations.aws import prices

HOME = prices.table()["region"]


def test_a_machine_in_the_tables_region_has_a_price_by_the_hour() -> None:
    one = prices.instance("hosting", "ml.m5.large", HOME)
    assert str(one) == f"${one.usd_per_hour:.3f} an hour"
    three = prices.instance("hosting", "ml.m5.large", HOME, count=3)
    assert three.usd_per_hour == pytest.approx(3 * (one.usd_per_hour or 0))


def test_another_regions_price_is_unknown_with_the_tables_as_a_hint() -> None:
    price = prices.instance("training", "ml.m5.xlarge", "eu-central-1", count=2)
    assert price.usd_per_hour is None
    assert str(price) == "price unknown, $0.460 an hour in us-east-1"


def test_a_machine_that_is_not_in_the_table_has_an_unknown_price_and_where_to_look() -> None:
    price = prices.instance("hosting", "ml.p5.48xlarge", HOME)
    assert str(price) == f"price unknown, see {prices.table()['source']}"


def test_a_serverless_endpoint_costs_nothing_while_idle_and_says_what_answering_costs() -> None:
    price = prices.serverless(2048, HOME)
    assert price.usd_per_hour == 0
    assert str(price) == "nothing while idle, $0.144 an hour of answering"
    assert str(prices.serverless(2048, "eu-west-1")).endswith("an hour of answering in us-east-1")


def test_the_table_is_dated_and_says_where_it_is_from() -> None:
    assert re.fullmatch(r"\d{4}-\d{2}", prices.table()["date"])
    assert prices.source().startswith(f"Prices of {prices.table()['date']} (https://")


def test_every_memory_size_of_a_serverless_endpoint_has_a_price() -> None:
    assert sorted(map(int, prices.table()["serverless_second"])) == [1024 * step for step in range(1, 7)]
