"""What `status` shows, and what it reminds of."""

from datetime import UTC, datetime, timedelta

import pytest

from operations import status
from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import NOTHING
from operations.aws.prices import Price
from operations.endpoint import invocation_metrics
from operations.endpoint.transition import UPDATING_TAG
from operations.inventory import inventory, reminders, spending
from operations.inventory.resources import ENDPOINT, Resource
from simulator.aws import SimulatedAws
from tests.operations.existing import FINGERPRINT, made_endpoint, made_model

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


def shown(aws: Aws, stage: str, now: datetime) -> str:
    """Return what `status` prints for a stage."""
    lines: list[str] = []
    status.show(aws.account, inventory.take(aws.account, stage), now, FINGERPRINT, lines.append)
    return "\n".join(lines)


def test_an_endpoint_is_shown_with_shares_state_age_and_cost(aws: Aws) -> None:
    name = made_endpoint(aws, "shown", instances=1, weights=(3.0, 1.0), expires="2999-01-01T00:00:00Z")
    text = shown(aws, "shown", datetime.now(UTC) + timedelta(hours=5))
    release = f"release {FINGERPRINT}-"
    assert f"  endpoint {name}: InService, {release}" in text
    assert "5 h old, expires 2999-01-01T00:00:00Z" in text
    assert "    variant v1 75%, 1 x ml.m5.large\n    variant v2 25%, 1 x ml.m5.large\n" in text
    assert "    $0.230 an hour; this month so far $1.15" in text
    assert "Total by the hour: $0.230 an hour." in text
    assert f"The packaged release asks {name}: InService." in text


def test_an_account_with_nothing_says_so(aws: Aws) -> None:
    lines: list[str] = []
    status.show(aws.account, inventory.Inventory(()), NOW, FINGERPRINT, lines.append)
    assert lines == ["Nothing of Verdict exists in us-east-1 of account 123456789012."]


def test_the_app_is_said_to_ask_an_endpoint_that_is_not_there(aws: Aws) -> None:
    made_endpoint(aws, "other", fingerprint="ffffffffffff")
    text = shown(aws, "other", datetime.now(UTC))
    assert f"asks verdict-other-{FINGERPRINT}, which is not there: verdict deploy --stage other" in text


def test_the_release_is_what_serves_and_an_interrupted_update_is_told(aws: Aws) -> None:
    """As when an update stopped after SageMaker took its order, and before the endpoint's tags were set."""
    name = made_endpoint(aws, "halfway", updating_from="verdict-halfway-before")
    sagemaker = aws.account.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=names.tags("halfway", "ffffffffffff-00000000"))
    text = shown(aws, "halfway", datetime.now(UTC))
    assert f"InService, release {FINGERPRINT}-" in text
    assert "an update was interrupted: repeat it" in text
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[UPDATING_TAG])
    assert "interrupted" not in shown(aws, "halfway", datetime.now(UTC))


def test_an_endpoint_is_unknown_where_none_could_be_listed(aws: Aws, simulated: SimulatedAws) -> None:
    made_model(aws, "blind")
    simulated.fault_injector.order("ListEndpoints", "denied")
    found = inventory.take(aws.account, "blind")
    assert status.asked(found, "blind", FINGERPRINT)["state"] == "unknown"
    text = shown(aws, "blind", datetime.now(UTC))
    assert f"asks verdict-blind-{FINGERPRINT}: unknown, as the endpoints could not be listed." in text
    assert "training deploy" not in text


def test_an_endpoint_that_is_going_has_no_price_any_more(aws: Aws) -> None:
    going = Resource(ENDPOINT, "verdict-going-1", "", "going", state="Deleting", created=NOW, facts={"why": ""})
    lines: list[str] = []
    status.show(aws.account, inventory.Inventory((going,)), NOW, FINGERPRINT, lines.append)
    assert "  endpoint verdict-going-1: Deleting" in "\n".join(lines)
    assert "this month" not in "\n".join(lines)
    assert spending.so_far(aws.account, going, NOW) is None


def test_the_same_is_told_in_json(aws: Aws) -> None:
    made_endpoint(aws, "json", expires="2026-01-01T00:00:00Z")
    report = status.report(aws.account, inventory.take(aws.account, "json"), NOW, FINGERPRINT)
    (endpoint,) = (row for row in report["resources"] if row["kind"] == ENDPOINT)
    assert endpoint["expires"] == "2026-01-01T00:00:00Z"
    assert endpoint["variants"][0]["memory_mb"] == 2048
    assert report["usd_per_hour"] == 0
    assert report["asked_by_the_app"] == {"json": {"endpoint": f"verdict-json-{FINGERPRINT}", "state": "InService"}}
    assert len(report["reminders"]) == 1


def test_a_serverless_endpoint_is_billed_for_its_seconds_of_answering(aws: Aws) -> None:
    name = made_endpoint(aws, "spent")
    now = datetime.now(UTC)
    aws.account.client("cloudwatch").put_metric_data(
        Namespace=invocation_metrics.NAMESPACE,
        MetricData=[
            {
                "MetricName": "ModelLatency",
                "Dimensions": [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "v1"}],
                "Timestamp": now,
                "Value": 50e6,
            }
        ],
    )
    (endpoint,) = inventory.take(aws.account, "spent").of(ENDPOINT)
    spent = spending.so_far(aws.account, endpoint, now + timedelta(minutes=2))
    assert spent == pytest.approx(50 * 0.00004)


def test_what_cannot_be_read_is_unknown_and_not_nothing(aws: Aws) -> None:
    made_endpoint(aws, "unread")
    (endpoint,) = inventory.take(aws.account, "unread").of(ENDPOINT)
    elsewhere = Account("123456789012", "eu-west-1", "aws", "", aws.account.client)
    assert spending.so_far(elsewhere, endpoint, datetime.now(UTC)) is None
    assert spending.dollars(None) == "unknown"


def test_the_month_so_far_begins_with_the_month_or_with_the_endpoint() -> None:
    hourly = Resource(ENDPOINT, "x", "", created=datetime(2026, 10, 1, tzinfo=UTC), price=Price(0.5))
    assert spending.hours_this_month(hourly.created or NOW, NOW) == 24 * 24 + 4
    assert spending.hours_this_month(NOW - timedelta(hours=3), NOW) == 3


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    assert spending.total([Price(0.1), NOTHING, Price(0.2)]).usd_per_hour == pytest.approx(0.3)
    assert spending.total([Price(0.1), Price(None)]).usd_per_hour is None
    assert spending.total([]) is NOTHING


def test_what_has_expired_or_runs_for_long_is_reminded_of() -> None:
    yesterday = NOW - timedelta(days=3)
    found = [
        Resource(ENDPOINT, "verdict-a-1", "", "a", created=yesterday, price=Price(0.5)),
        Resource(ENDPOINT, "verdict-b-2", "", "b", created=yesterday, price=Price(0.0)),
        Resource(ENDPOINT, "verdict-c-3", "", "c", created=yesterday, price=Price(0.0), expires=NOW),
        Resource(ENDPOINT, "verdict-d-4", "", "d", created=NOW, price=Price(0.5), expires=NOW + timedelta(hours=1)),
    ]
    assert reminders.of(found, NOW) == [
        "Endpoint verdict-a-1 has been running for 3 days ($0.500 an hour). To end it: verdict teardown --stage a",
        "Endpoint verdict-c-3 expired 0 s ago and is still there (nothing): verdict teardown --stage c --expired",
    ]
    (sentence,) = reminders.of(
        [Resource("training-job", "verdict-of-no-stage", "", price=Price(0.5), created=yesterday)], NOW
    )
    assert sentence.endswith("To end it: verdict teardown --all-stages")


def test_a_reminder_that_cannot_be_looked_up_says_so(aws: Aws, simulated: SimulatedAws) -> None:
    simulated.fault_injector.order("ListEndpoints", "expired")
    (sentence,) = reminders.reminders(aws, NOW)
    assert sentence.startswith("What else is running could not be looked up")
