"""An endpoint is retired only if it is certainly idle."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from chalicelib import release
from cli.aws.retire import command
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.plan import DeclinedError
from operations.endpoint import endpoint_state
from operations.endpoint.invocation_metrics import NAMESPACE
from operations.inventory import inventory
from operations.inventory.resources import Kind
from operations.teardown.retire import PackagedRelease, Retired, required_endpoints, retire, use_of
from simulator.aws import SimulatedAws
from tests.operations.apps import create_function
from tests.operations.candidates import AnswerAfter
from tests.operations.existing import create_endpoint, printed

IDLE, AT_ONCE = timedelta(minutes=15), timedelta(0)
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def delete_endpoints(aws: Aws) -> Iterator[None]:
    """Delete the endpoints of a test, because quotas are small."""
    yield
    for resource in inventory.take(aws.account, None, ["endpoints"]).of(Kind.ENDPOINT):
        endpoint_state.start_deletion(aws, resource.name, None, "")


def retired(
    aws: Aws, stage: str, packaged: str = NEW, since: datetime = LONG_AGO, idle: timedelta = AT_ONCE
) -> Retired:
    """Retire a stage's endpoints, except that of the packaged vocabulary."""
    return retire(aws, stage, PackagedRelease(packaged, since), idle, yes=True)


def count(aws: Aws, endpoint: str, variant: str, invocations: int, when: datetime) -> None:
    """Add invocations of a variant to CloudWatch."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    point = {"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": when, "Value": invocations}
    aws.account.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[point])


def endpoints_of(aws: Aws, stage: str) -> list[str]:
    """Return the names of a stage's endpoints."""
    return sorted(resource.name for resource in inventory.take(aws.account, stage, ["endpoints"]).of(Kind.ENDPOINT))


def test_an_idle_endpoint_is_deleted_with_its_dependents(aws: Aws) -> None:
    old, new = (create_endpoint(aws, "moved", fingerprint) for fingerprint in (OLD, NEW))
    done = retired(aws, "moved")
    assert (done.deleted, done.used, done.left) == ((old,), (), ())
    left = inventory.take(aws.account, "moved").of(Kind.ENDPOINT, Kind.CONFIGURATION, Kind.MODEL)
    assert len(left) == 3
    assert all(resource.name.startswith(new) for resource in left)


def test_nothing_is_deleted_without_confirmation(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.confirm", lambda *_arguments, **_options: False)
    old = create_endpoint(aws, "declined", OLD)
    with pytest.raises(DeclinedError):
        retire(aws, "declined", PackagedRelease(NEW, LONG_AGO), AT_ONCE, yes=False)
    assert endpoints_of(aws, "declined") == [old]


def test_an_endpoint_used_during_the_prompt_is_kept(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    old = create_endpoint(aws, "woken", OLD)

    def use() -> None:
        """Report invocations half a minute ahead, so that the next minute may begin before they are counted."""
        count(aws, old, "v1", 3, datetime.now(UTC) + timedelta(seconds=30))

    monkeypatch.setattr("sys.stdin", AnswerAfter(use))
    assert retire(aws, "woken", PackagedRelease(NEW, LONG_AGO), timedelta(milliseconds=1), yes=False).deleted == ()
    assert endpoints_of(aws, "woken") == [old]
    assert f"Kept: endpoint {old}. It changed, or was used, after it was listed." in printed(aws)


def test_of_two_retirements_at_once_one_deletes_and_the_other_reports(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (create_endpoint(aws, "twice", fingerprint) for fingerprint in (OLD, NEW))
    other = list[Retired]()
    monkeypatch.setattr("sys.stdin", AnswerAfter(lambda: other.append(retired(aws, "twice"))))
    late = retire(aws, "twice", PackagedRelease(NEW, LONG_AGO), AT_ONCE, yes=False)
    assert other[0].deleted == (old,)
    assert (late.deleted, late.left) == ((), ())
    assert f"Kept: endpoint {old}. It changed, or was used, after it was listed." in printed(aws)
    assert endpoints_of(aws, "twice") == [new]


def test_an_endpoint_that_a_rollback_requires_again_is_kept(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (create_endpoint(aws, "again", fingerprint) for fingerprint in (OLD, NEW))

    def serve_old_again() -> None:
        create_function(aws, "again", {"ENDPOINT_NAME": old})

    monkeypatch.setattr("sys.stdin", AnswerAfter(serve_old_again))
    assert retire(aws, "again", PackagedRelease(NEW, LONG_AGO), AT_ONCE, yes=False).deleted == ()
    assert endpoints_of(aws, "again") == sorted((old, new))


def test_invocations_are_counted_over_all_variants(aws: Aws) -> None:
    busy = create_endpoint(aws, "busy")
    now = datetime.now(UTC)
    count(aws, busy, "v1", 40, now)
    count(aws, busy, "an-earlier-variant", 2, now)
    (endpoint,) = inventory.take(aws.account, "busy").of(Kind.ENDPOINT)
    use = use_of(aws.account, endpoint, IDLE, now + timedelta(minutes=16))
    assert (use.invocations, use.is_idle) == (0, True)  # the period starts after them
    use = use_of(aws.account, endpoint, timedelta(minutes=1), now + timedelta(minutes=1))
    assert (use.invocations, use.is_idle) == (42, False)


def test_an_endpoint_with_unreadable_metrics_is_not_idle(aws: Aws, simulated: SimulatedAws) -> None:
    name = create_endpoint(aws, "unknown")
    simulated.fault_injector.inject("GetMetricStatistics", "denied")
    done = retired(aws, "unknown")
    assert done.deleted == ()
    assert [use.endpoint.name for use in done.used] == [name]
    assert "could not be read: These credentials do not allow" in done.used[0].why


def test_a_new_or_changing_endpoint_is_kept(aws: Aws, simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "stuck", times=1)
    create_endpoint(aws, "early", wait=False)
    assert [use.why for use in retired(aws, "early").used] == ["it is Creating"]
    create_endpoint(aws, "young")
    assert [use.why for use in retired(aws, "young", idle=IDLE).used] == ["it is too new"]


def test_an_app_that_was_not_deployed_since_keeps_its_endpoint(aws: Aws) -> None:
    old = create_endpoint(aws, "quiet", OLD)
    create_function(aws, "quiet")
    new = create_endpoint(aws, "quiet", NEW)
    done = retired(aws, "quiet")
    assert done.deleted == ()
    assert [(use.endpoint.name, use.why) for use in done.used] == [(old, "the app may still use it")]
    assert "Nothing can be deleted yet: the app must be deployed first. Run: chalice deploy --stage quiet" in printed(
        aws
    )
    redeploy(aws, "quiet")
    assert retired(aws, "quiet").deleted == (old,)
    assert endpoints_of(aws, "quiet") == [new]


def redeploy(aws: Aws, stage: str) -> None:
    """Deploy the app again; the function is recreated, because moto does not record changes."""
    aws.account.client("lambda").delete_function(FunctionName=f"verdict-{stage}")
    create_function(aws, stage)


def test_an_app_keeps_its_endpoint_while_the_packaged_release_has_none(aws: Aws) -> None:
    old = create_endpoint(aws, "ahead", OLD)
    create_function(aws, "ahead")
    assert retired(aws, "ahead").deleted == ()
    name = names.endpoint("ahead", NEW)
    assert f"{name} does not exist yet. Run: verdict update --stage ahead" in printed(aws)
    assert endpoints_of(aws, "ahead") == [old]


def test_after_a_rollback_the_newer_endpoint_stays_until_deployment(aws: Aws) -> None:
    old, new = (create_endpoint(aws, "back", fingerprint) for fingerprint in (OLD, NEW))
    create_function(aws, "back")
    rolled_back = datetime.now(UTC)
    assert retired(aws, "back", OLD, rolled_back).deleted == ()
    redeploy(aws, "back")
    assert retired(aws, "back", OLD, rolled_back).deleted == (new,)
    assert endpoints_of(aws, "back") == [old]


def test_the_endpoint_in_the_apps_environment_is_required(aws: Aws) -> None:
    create_function(aws, "named", {"ENDPOINT_NAME": "verdict-named-elsewhere"})
    required = required_endpoints(
        aws.account, inventory.take(aws.account, "named", ["endpoints"]), "named", PackagedRelease(NEW, LONG_AGO)
    )
    assert required.names == {names.endpoint("named", NEW), "verdict-named-elsewhere"}
    assert required.condition == ""


def test_the_packaged_release_is_the_apps() -> None:
    packaged = PackagedRelease.read()
    assert packaged.fingerprint == release.load().facts.vocabulary_fingerprint
    assert packaged.since <= datetime.now(UTC)


@pytest.mark.parametrize("idle", [AT_ONCE, IDLE])
def test_a_stage_without_endpoints_has_nothing_to_retire(aws: Aws, idle: timedelta) -> None:
    assert retired(aws, "empty", idle=idle).deleted == ()


@pytest.mark.parametrize("idle", ["0s", "4m", "299s"])
def test_an_idle_time_shorter_than_cloudwatchs_delay_is_refused(idle: str) -> None:
    ran = CliRunner().invoke(command, ["--idle", idle])
    assert ran.exit_code == 2
    assert "Use at least 5m" in ran.output
