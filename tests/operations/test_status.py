"""The `status` step shows resources, costs and reminders."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from cli.main import verdict
from operations import status
from operations.aws import names
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import NO_COST
from operations.aws.prices import Price
from operations.endpoint import invocation_metrics
from operations.endpoint.transition import UPDATING_TAG
from operations.inventory import costs, inventory, reminders
from operations.inventory.resources import Kind, Resource
from simulator.aws import SimulatedAws
from tests.operations.existing import FINGERPRINT, create_endpoint, create_model

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


def shown(aws: Aws, stage: str, now: datetime) -> str:
    """Return what `status` prints for a stage."""
    lines: list[str] = []
    status.show(aws.account, inventory.take(aws.account, stage), now, FINGERPRINT, lines.append)
    return "\n".join(lines)


def test_an_endpoint_is_shown_with_weights_state_age_and_cost(aws: Aws) -> None:
    name = create_endpoint(aws, "shown", instances=1, weights=(3.0, 1.0), expires="2999-01-01T00:00:00Z")
    text = shown(aws, "shown", datetime.now(UTC) + timedelta(hours=5))
    release = f"release {FINGERPRINT}-"
    assert f"  endpoint {name}: InService, {release}" in text
    assert "5 h old, expires 2999-01-01T00:00:00Z" in text
    assert "    variant v1 75%, 1 x ml.m5.large\n    variant v2 25%, 1 x ml.m5.large\n" in text
    assert "    $0.230 an hour; $1.15 this month so far" in text
    assert "Total by the hour: $0.230 an hour." in text
    assert f"The packaged release uses {name}: InService." in text


def test_an_empty_account_is_reported(aws: Aws) -> None:
    lines: list[str] = []
    status.show(aws.account, inventory.Inventory(()), NOW, FINGERPRINT, lines.append)
    assert lines == ["Verdict has no resources in us-east-1 of account 123456789012."]


def test_an_untagged_endpoint_is_named_but_not_counted(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    name = create_endpoint(aws, "strange")
    sagemaker = aws.account.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[names.APP_TAG])
    found = inventory.take(aws.account, "strange")
    document = status.report(aws.account, found, datetime.now(UTC), FINGERPRINT)
    assert f"endpoint {name}" in document["untagged"]
    assert [resource for resource in document["resources"] if resource["kind"] == Kind.ENDPOINT] == []
    monkeypatch.setattr("cli.aws_command.connect", lambda: aws.account)
    printed = CliRunner().invoke(verdict, ["status", "--stage", "strange"])
    assert f"Not created by Verdict, despite its name: endpoint {name} (it has no tag verdict:app)." in printed.stderr
    assert "is not in the total." in printed.stderr.replace("\n", " ")
    sagemaker.delete_endpoint(EndpointName=name)


def test_a_missing_endpoint_of_the_app_is_reported(aws: Aws) -> None:
    create_endpoint(aws, "other", fingerprint="ffffffffffff")
    text = shown(aws, "other", datetime.now(UTC))
    assert f"uses verdict-other-{FINGERPRINT}, which does not exist. Deploy it: verdict deploy --stage other" in text


def test_an_interrupted_update_is_shown_with_the_served_release(aws: Aws) -> None:
    """An update was interrupted after SageMaker accepted it, and before the endpoint's tags were set."""
    name = create_endpoint(aws, "halfway", updating_from="verdict-halfway-before")
    sagemaker = aws.account.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=names.tags("halfway", "ffffffffffff-00000000"))
    text = shown(aws, "halfway", datetime.now(UTC))
    assert f"InService, release {FINGERPRINT}-" in text
    assert "an update was interrupted: repeat it" in text
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[UPDATING_TAG])
    assert "interrupted" not in shown(aws, "halfway", datetime.now(UTC))


def test_the_apps_endpoint_is_unknown_if_the_list_is_denied(aws: Aws, simulated: SimulatedAws) -> None:
    create_model(aws, "blind")
    simulated.fault_injector.inject("ListEndpoints", "denied")
    found = inventory.take(aws.account, "blind")
    assert status.app_endpoint(found, "blind", FINGERPRINT)["state"] == "unknown"
    text = shown(aws, "blind", datetime.now(UTC))
    assert f"uses verdict-blind-{FINGERPRINT}: unknown, because the endpoints could not be listed." in text
    assert "verdict deploy" not in text


def test_an_endpoint_being_deleted_is_not_billed(aws: Aws) -> None:
    going = Resource(Kind.ENDPOINT, "verdict-going-1", "", "going", state="Deleting", created=NOW, facts={"why": ""})
    lines: list[str] = []
    status.show(aws.account, inventory.Inventory((going,)), NOW, FINGERPRINT, lines.append)
    assert "  endpoint verdict-going-1: Deleting" in "\n".join(lines)
    assert "this month" not in "\n".join(lines)
    assert costs.month_to_date(aws.account, going, NOW) is None


def test_the_report_has_the_same_in_json(aws: Aws) -> None:
    create_endpoint(aws, "json", expires="2026-01-01T00:00:00Z")
    report = status.report(aws.account, inventory.take(aws.account, "json"), NOW, FINGERPRINT)
    (endpoint,) = (row for row in report["resources"] if row["kind"] == Kind.ENDPOINT)
    assert endpoint["expires"] == "2026-01-01T00:00:00Z"
    assert endpoint["variants"][0]["memory_mb"] == 2048
    assert report["usd_per_hour"] == 0
    assert report["asked_by_the_app"] == {"json": {"endpoint": f"verdict-json-{FINGERPRINT}", "state": "InService"}}
    assert len(report["reminders"]) == 1


def test_a_serverless_endpoint_is_billed_by_processing_seconds(aws: Aws) -> None:
    name = create_endpoint(aws, "spent")
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
    (endpoint,) = inventory.take(aws.account, "spent").of(Kind.ENDPOINT)
    spent = costs.month_to_date(aws.account, endpoint, now + timedelta(minutes=2))
    assert spent == pytest.approx(50 * 0.00004)


def test_a_cost_that_cannot_be_read_is_unknown(aws: Aws) -> None:
    create_endpoint(aws, "unread")
    (endpoint,) = inventory.take(aws.account, "unread").of(Kind.ENDPOINT)
    elsewhere = Account("123456789012", "eu-west-1", "aws", "", aws.account.client)
    assert costs.month_to_date(elsewhere, endpoint, datetime.now(UTC)) is None
    assert costs.format_usd(None) == "unknown"


def test_hours_count_from_the_month_start_or_the_creation() -> None:
    hourly = Resource(Kind.ENDPOINT, "x", "", created=datetime(2026, 10, 1, tzinfo=UTC), price=Price(0.5))
    assert costs.hours_this_month(hourly.created or NOW, NOW) == 24 * 24 + 4
    assert costs.hours_this_month(NOW - timedelta(hours=3), NOW) == 3


def test_an_unknown_price_makes_the_sum_unknown() -> None:
    assert costs.total_price([Price(0.1), NO_COST, Price(0.2)]).usd_per_hour == pytest.approx(0.3)
    assert costs.total_price([Price(0.1), Price(None)]).usd_per_hour is None
    assert costs.total_price([]) is NO_COST


def test_expired_and_long_running_resources_have_reminders() -> None:
    yesterday = NOW - timedelta(days=3)
    found = [
        Resource(Kind.ENDPOINT, "verdict-a-1", "", "a", created=yesterday, price=Price(0.5)),
        Resource(Kind.ENDPOINT, "verdict-b-2", "", "b", created=yesterday, price=Price(0.0)),
        Resource(Kind.ENDPOINT, "verdict-c-3", "", "c", created=yesterday, price=Price(0.0), expires=NOW),
        Resource(
            Kind.ENDPOINT, "verdict-d-4", "", "d", created=NOW, price=Price(0.5), expires=NOW + timedelta(hours=1)
        ),
    ]
    assert reminders.reminders_of(found, NOW) == [
        "Endpoint verdict-a-1 has been running for 3 days ($0.500 an hour). Delete it: verdict teardown --stage a",
        (
            "Endpoint verdict-c-3 expired 0 s ago and still exists (nothing). "
            "Delete it: verdict teardown --stage c --expired"
        ),
    ]
    (sentence,) = reminders.reminders_of(
        [Resource("training-job", "verdict-of-no-stage", "", price=Price(0.5), created=yesterday)], NOW
    )
    assert sentence.endswith("Stop it: verdict teardown --all-stages --jobs")


def test_an_error_of_the_reminders_is_reported(aws: Aws, simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("ListEndpoints", "expired")
    (sentence,) = reminders.current_reminders(aws, NOW)
    assert sentence.startswith("Other running resources could not be listed")
