import io
from collections.abc import Iterator
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner, Result

from cli.aws.quotas import command
from operations.aws.command import Aws
from operations.aws.plan import DeclinedError
from operations.setup import service_quotas
from operations.setup.service_quotas import Quota, QuotaError, checked_increase
from simulator.aws import SimulatedAws
from simulator.quotas import defaults

HOSTING = "ml.m5.large for endpoint usage"
KNOWN = {name: Quota(name, "L-1", value, True) for name, value in defaults().items()}


@pytest.fixture(autouse=True)
def environment(simulated: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)
    simulated.quotas().pending_seconds = 3600.0
    yield
    simulated.quotas().changes.clear()


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(command, arguments, input=answer)


def test_relevant_quotas_are_listed_with_their_values() -> None:
    printed = run().output
    for name in (HOSTING, "ml.m5.xlarge for spot training job usage", service_quotas.SERVERLESS_CONCURRENCY):
        (line,) = (line for line in printed.splitlines() if f" {name} " in line)
        assert f" {defaults()[name]:g} " in line


def test_every_priced_instance_is_listed_for_each_use() -> None:
    assert {HOSTING, "ml.c5.xlarge for spot training job usage", "ml.m5.4xlarge for transform job usage"} <= set(
        service_quotas.relevant()
    )


def test_a_requested_increase_is_shown_as_pending(aws: Aws) -> None:
    quota = service_quotas.read(aws.account)[HOSTING]
    service_quotas.request(aws, quota, 7)
    assert service_quotas.read(aws.account)[HOSTING] == replace(quota, pending=7)
    shown = run().output.splitlines()
    (heading,) = (line for line in shown if "current" in line)
    (row,) = (line for line in shown if f" {HOSTING} " in line)
    assert heading.rstrip("│┃ ").endswith("requested")
    assert row.rstrip("│┃ ").endswith(" 7")


def test_a_confirmed_increase_is_requested(simulated: SimulatedAws) -> None:
    result = run("--request", f"{HOSTING}=9", answer="y\n")
    assert result.exit_code == 0
    assert f"{HOSTING}: 4 -> 9" in result.output
    assert [change["DesiredValue"] for change in simulated.quotas().changes] == [9]


@pytest.mark.parametrize("answer", ["n\n", None])
def test_an_unconfirmed_increase_is_not_requested(simulated: SimulatedAws, answer: str | None) -> None:
    assert isinstance(run("--request", f"{HOSTING}=9", answer=answer).exception, DeclinedError)
    assert simulated.quotas().changes == []


def test_all_increases_are_checked_before_any_is_requested(simulated: SimulatedAws) -> None:
    result = run("--yes", "--request", f"{HOSTING}=9", "--request", "ml.m5.huge for endpoint usage=1")
    assert isinstance(result.exception, QuotaError)
    assert simulated.quotas().changes == []


@pytest.mark.parametrize("value", [defaults()[HOSTING], 0.5])
def test_a_value_not_above_the_current_value_is_refused(value: float) -> None:
    with pytest.raises(QuotaError, match="is already 4"):
        checked_increase(KNOWN, HOSTING, value)


def test_an_unknown_name_is_refused_with_similar_names() -> None:
    with pytest.raises(QuotaError, match=f"Did you mean: '{HOSTING}'"):
        checked_increase(KNOWN, "ml.m5.larg for endpoint usage", 2)
    with pytest.raises(QuotaError, match="`verdict quotas` lists them"):
        checked_increase(KNOWN, "zzz", 2)


def test_a_pending_increase_is_not_requested_again() -> None:
    pending = KNOWN | {HOSTING: replace(KNOWN[HOSTING], pending=8)}
    with pytest.raises(QuotaError, match="8 is already requested"):
        checked_increase(pending, HOSTING, 9)


def test_a_fixed_quota_is_refused() -> None:
    with pytest.raises(QuotaError, match="AWS does not increase"):
        checked_increase({HOSTING: replace(KNOWN[HOSTING], adjustable=False)}, HOSTING, 9)


@pytest.mark.parametrize("text", ["", "5", "=5", "a=b", "a=0", "a=-1", "a=nan", "a=inf"])
def test_an_invalid_increase_is_refused_with_an_example(text: str) -> None:
    result = run("--request", text)
    assert result.exit_code == click.UsageError.exit_code
    assert "endpoint usage=2" in result.output


def test_a_quota_without_an_applied_value_has_the_default(aws: Aws) -> None:
    assert service_quotas.read(aws.account, ["ml.p5.48xlarge for endpoint usage"]).keys() == defaults().keys()
    assert isinstance(aws.console.file, io.StringIO)
