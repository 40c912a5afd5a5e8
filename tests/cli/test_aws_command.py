import click
import pytest
from click.testing import CliRunner

from cli.aws_command import on_aws
from cli.options import EXIT_INTERRUPTED, stage_option, yes_option
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.names import NameRefusedError
from operations.aws.waiting import StoppedWaitingError
from simulator.aws import SimulatedAws


@pytest.fixture(autouse=True)
def environment(simulated: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3's usual places lead to the simulated AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)


@on_aws("example")
@stage_option
@yes_option
@click.option("--fail", default="")
def command(aws: Aws, stage: str, yes: bool, fail: str) -> None:
    """An example."""
    if fail == "interrupt":
        raise KeyboardInterrupt
    if fail == "stop waiting":
        raise StoppedWaitingError("Resume with X.") from KeyboardInterrupt()
    if fail == "wait too long":
        raise StoppedWaitingError("Still Creating.")
    if fail:
        aws.account.client("sagemaker").describe_endpoint(EndpointName=fail)
    click.echo(f"{aws.account.number} {aws.account.region} {aws.account.partition} {stage} {yes}")


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    """Run the command as `verdict` does; returns the exit status, the output, and the exception."""
    result = CliRunner().invoke(command, arguments)
    raised = None if isinstance(result.exception, SystemExit) else result.exception
    return result.exit_code, result.output, raised


def test_a_command_is_given_the_account_that_boto3_finds() -> None:
    assert run("--stage", "prod", "--yes")[:2] == (
        0,
        "123456789012 us-east-1 aws prod True\n",
    )


def test_the_stage_is_dev_unless_told_and_nothing_is_agreed_to() -> None:
    assert " dev False" in run()[1]


def test_a_stage_that_cannot_be_one_is_refused_before_aws_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert isinstance(run("--stage", "No!")[2], NameRefusedError)


def test_an_error_of_aws_is_explained(simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("DescribeEndpoint", "denied")
    _, printed, raised = run("--fail", "verdict-dev-a")
    assert isinstance(raised, AwsError)
    assert "do not allow sagemaker:DescribeEndpoint" in raised.detail
    assert printed == ""


def test_v_also_shows_what_aws_said() -> None:
    _, printed, raised = run("--fail", "verdict-dev-a", "-v")
    assert isinstance(raised, AwsError)
    assert "AWS: DescribeEndpoint: ValidationException: Could not find endpoint" in printed
    assert "Traceback" not in printed


def test_without_a_region_it_says_how_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    _, _, raised = run()
    assert isinstance(raised, AwsError)
    assert (raised.kind, "AWS_DEFAULT_REGION" in raised.detail) == ("no-region", True)


def test_without_credentials_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    _, _, raised = run()
    assert isinstance(raised, AwsError)
    assert (raised.kind, "aws configure" in raised.detail) == ("no-credentials", True)


@pytest.mark.parametrize(("how", "message"), [("stop waiting", "Resume with X."), ("interrupt", "shows what exists")])
def test_ctrl_c_has_the_exit_status_of_an_interrupted_program(how: str, message: str) -> None:
    status, printed, raised = run("--fail", how)
    assert (status, raised) == (EXIT_INTERRUPTED, None)
    assert message in printed
    assert "Traceback" not in printed


def test_waiting_too_long_is_an_error_like_others() -> None:
    status, _, raised = run("--fail", "wait too long")
    assert status == 1
    assert isinstance(raised, StoppedWaitingError)
