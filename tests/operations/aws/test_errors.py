import json
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOTokenLoadError,
    UnknownServiceError,
)
from botocore.stub import Stubber

from operations.aws import bucket
from operations.aws.account import connect
from operations.aws.command import Aws
from operations.aws.errors import (
    AwsError,
    is_absent,
    is_taken,
    refuse_html,
    translate_botocore_error,
    translate_client_error,
    translate_errors,
)
from simulator.aws import SimulatedAws
from simulator.faults.operation_faults import REQUEST_ERRORS
from simulator.http.messages import HttpRequest, HttpResponse
from simulator.http.server import HttpServer

SAGEMAKER = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
QUOTA = "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances."
USED = "with current utilization of {} and a request delta of {}. Please use AWS Service Quotas to request an increase."
CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
AT_ONCE = f"The account-level service limit '{CONCURRENCY}' is 1,000, {USED.format(990, 20)}"
MACHINES = f"The account-level service limit 'ml.m5.large for endpoint usage' is 4 Instances, {USED.format(2, 4)}"
MEMORY = "The account-level service limit 'Memory size in MB per serverless endpoint' is {} MB, {}"
DENIED = (
    "User: arn:aws:iam::123456789012:user/x is not authorized to perform: sagemaker:DescribeEndpoint on resource: "
    "arn:aws:sagemaker:us-east-1:123456789012:endpoint/a because no identity-based policy allows it"
)
REFUSALS_AND_MESSAGES = [  # error code, error message, kind, part of the translated message
    ("AccessDeniedException", DENIED, "no-permission", "do not allow sagemaker:DescribeEndpoint on arn:aws:sagemaker"),
    ("AccessDenied", "Access Denied", "no-permission", "do not allow DescribeEndpoint. See docs"),
    ("ResourceLimitExceeded", QUOTA, "quota", "quotas --request 'ml.m5.large for endpoint usage=1'"),
    ("ResourceLimitExceeded", MACHINES, "quota", "quotas --request 'ml.m5.large for endpoint usage=6'"),
    ("ResourceLimitExceeded", AT_ONCE, "quota", f"quotas --request '{CONCURRENCY}=1010'"),
    ("ResourceLimitExceeded", MEMORY.format("3,072", USED.format(0, 6144)), "quota", "Choose less: --memory 3072"),
    ("ResourceLimitExceeded", "The account-level service limit 'any' is hit.", "quota", "--request 'any=1'"),
    ("LimitExceededException", "Too many log groups.", "quota", "The account has reached a limit: Too many"),
    ("ExpiredTokenException", "expired", "expired", "Log in again"),
    ("ExpiredToken", "expired", "expired", "Log in again"),
    ("RequestExpired", "skewed", "expired", "clock is wrong"),
    ("InvalidClientTokenId", "?", "credentials", "Check AWS_PROFILE"),
    ("UnrecognizedClientException", "?", "credentials", "Check AWS_PROFILE"),
    ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than", "clock", "clock is wrong"),
    ("InvalidSignatureException", "Signature not yet current: 20260101T000000Z", "clock", "clock is wrong"),
    ("RequestTimeTooSkewed", "The difference is too large.", "clock", "Set the clock"),
    ("SignatureDoesNotMatch", "?", "credentials", "Set both again"),
    ("OptInRequired", "?", "region", "set AWS_DEFAULT_REGION"),
    ("301", "Moved Permanently", "region", "The bucket is in another region"),
    ("TooManyRequestsException", "?", "throttled", "Wait a minute and repeat the command"),
    ("PermanentRedirect", "?", "region", "The bucket is in another region"),
    ("ThrottlingException", "Rate exceeded", "throttled", "Wait a minute and repeat the command"),
    ("ServiceUnavailable", "?", "unavailable", "Wait a minute and repeat the command"),
    ("ResourceInUse", "is in use", "name-taken", "The name is taken: is in use"),
    ("ValidationException", 'Cannot create already existing model "m".', "name-taken", "The name is taken"),
    (
        "ValidationException",
        'Could not find endpoint "e".',
        "absent",
        'It does not exist: Could not find endpoint "e".',
    ),
    ("ResourceNotFound", "Requested resource not found.", "absent", "It does not exist"),
    ("ValidationException", "Weights are odd.", "refused", "AWS refused DescribeEndpoint: Weights are odd."),
    ("SomethingNew", "", "refused", "AWS refused DescribeEndpoint: SomethingNew"),
]


def refusal(code: str, message: str) -> ClientError:
    """Return the exception that boto3 raises for an error response."""
    client = boto3.client("sagemaker", **SAGEMAKER)
    stubbed = Stubber(client)
    stubbed.add_client_error("describe_endpoint", code, message)
    with stubbed, pytest.raises(ClientError) as raised:
        client.describe_endpoint(EndpointName="a")
    return raised.value


@pytest.mark.parametrize(("code", "message", "kind", "sentence"), REFUSALS_AND_MESSAGES)
def test_a_refusal_becomes_one_line_with_a_remedy(code: str, message: str, kind: str, sentence: str) -> None:
    with pytest.raises(AwsError) as raised, translate_errors():
        raise refusal(code, message)
    assert raised.value.kind == kind
    assert sentence in raised.value.detail
    assert "\n" not in raised.value.detail
    assert raised.value.aws_message == f"DescribeEndpoint: {code}: {message}"
    assert isinstance(raised.value.__cause__, ClientError)


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (NoCredentialsError(), "no-credentials", "Run `aws configure` or `aws sso login`, or set AWS_PROFILE"),
        (PartialCredentialsError(provider="env", cred_var="x"), "no-credentials", "incomplete"),
        (CredentialRetrievalError(provider="p", error_msg="e"), "no-credentials", "cannot be read"),
        (SSOTokenLoadError(error_msg="e"), "expired", "Log in again"),
        (NoRegionError(), "no-region", "Set AWS_DEFAULT_REGION"),
        (EndpointConnectionError(endpoint_url="https://x"), "not-reached", "Check the network"),
        (ReadTimeoutError(endpoint_url="https://x"), "not-reached", "Check the network and repeat the command"),
        (UnknownServiceError(service_name="x", known_service_names="y"), "request-failed", "The request to AWS failed"),
    ],
)
def test_an_error_without_a_response_has_a_remedy(error: Exception, kind: str, sentence: str) -> None:
    with pytest.raises(AwsError) as raised, translate_errors():
        raise error
    assert raised.value.kind == kind
    assert sentence in raised.value.detail


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(AwsError, match=r"\(nobody\).*Check AWS_PROFILE"), translate_errors():
        boto3.Session(profile_name="nobody")


def test_a_subclass_has_the_message_of_its_nearest_known_ancestor() -> None:
    class NewerError(NoCredentialsError):
        pass

    assert translate_botocore_error(NewerError()).kind == "no-credentials"


def test_an_aws_error_is_not_translated_again() -> None:
    with pytest.raises(AwsError, match="ours"), translate_errors():
        raise AwsError("ours")


def test_other_exceptions_are_not_translated() -> None:
    with pytest.raises(KeyError), translate_errors():
        raise KeyError("bug")


@pytest.mark.parametrize("kind", sorted(set(REQUEST_ERRORS) - {"throttled", "unavailable"}))
def test_a_wire_fault_is_translated(simulated: SimulatedAws, aws: Aws, kind: str) -> None:
    simulated.fault_injector.inject("DescribeEndpoint", kind)
    with pytest.raises(AwsError) as raised, translate_errors():
        aws.account.client("sagemaker").describe_endpoint(EndpointName="a")
    assert raised.value.kind == {"denied": "no-permission", "limit": "quota", "expired": "expired"}[kind]


def test_a_refused_head_request_names_its_permission() -> None:
    error = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")
    assert translate_client_error(error).detail.startswith("These credentials do not allow s3:GetObject.")


def test_a_refused_upload_names_its_permission(simulated: SimulatedAws, aws: Aws, tmp_path: Path) -> None:
    bucket.ensure(aws)
    (tmp_path / "file").write_bytes(b"content")
    simulated.fault_injector.inject("PutObject", "denied")
    with pytest.raises(AwsError, match="do not allow s3:PutObject") as raised, translate_errors():
        bucket.put_file(aws.account, "any/file", tmp_path / "file")
    assert raised.value.kind == "no-permission"


class Portal:
    """A network's login page, in place of AWS."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            200, f"<!doctype html><title>{request.method} log in".encode(), {"Content-Type": "text/html"}
        )


@pytest.mark.parametrize(("service", "operation"), [("sts", "get_caller_identity"), ("iam", "list_roles")])
def test_an_html_page_is_not_a_response_of_aws(service: str, operation: str) -> None:
    portal = HttpServer(0, Portal())
    try:
        once = Config(retries={"total_max_attempts": 1})
        client = boto3.client(service, endpoint_url=portal.url, config=once, **SAGEMAKER)
        with pytest.raises(AwsError, match="not from AWS"), translate_errors():
            getattr(client, operation)()
        client.close()
    finally:
        portal.stop()


def test_a_page_with_status_200_does_not_mean_that_nothing_exists() -> None:
    portal = HttpServer(0, Portal())
    try:
        client = boto3.client("sagemaker", endpoint_url=portal.url, **SAGEMAKER)
        client.meta.events.register("before-parse", refuse_html)
        with pytest.raises(AwsError, match="Log in to this network"), translate_errors():
            client.list_endpoints()
        client.close()
    finally:
        portal.stop()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AWS_ENDPOINT_URL", "localhost:8002", "must begin with http://"),
        ("AWS_DEFAULT_REGION", "mars", "Check AWS_DEFAULT_REGION"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    simulated: SimulatedAws, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    for name, setting in {**simulated.environment, variable: value}.items():
        monkeypatch.setenv(name, setting)
    with pytest.raises(AwsError, match=message) as raised:
        connect()
    assert "\n" not in raised.value.detail


class ExpiredLogin:
    """S3's response to a HEAD request with an expired login: status 400 without a body."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(400, b"", {"Content-Type": "application/xml"} if request.method == "HEAD" else {})


@pytest.mark.parametrize("request_", [{"operation": "head_bucket"}, {"operation": "head_object", "Key": "any"}])
def test_a_bare_400_of_s3_may_be_an_expired_login(request_: dict[str, str]) -> None:
    server = HttpServer(0, ExpiredLogin())
    try:
        client = boto3.client(
            "s3", endpoint_url=server.url, config=Config(s3={"addressing_style": "path"}), **SAGEMAKER
        )
        call = getattr(client, request_["operation"])
        parameters = {name: value for name, value in request_.items() if name != "operation"}
        with pytest.raises(AwsError, match="login may have expired") as raised, translate_errors():
            call(Bucket="any", **parameters)
        assert raised.value.kind == "expired"
        client.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("code", "message", "absent", "taken"),
    [
        ("404", "Not Found", True, False),
        ("NoSuchEntity", "The role cannot be found.", True, False),
        ("ValidationException", "Could not find model", True, False),
        ("ValidationException", "Cannot create already existing model", False, True),
        ("BucketAlreadyOwnedByYou", "yours", False, True),
        ("AccessDenied", "Bucket not found or you may not see it", False, False),
    ],
)
def test_absent_and_taken_are_distinguished(code: str, message: str, absent: bool, taken: bool) -> None:
    error = refusal(code, message)
    assert (is_absent(error), is_taken(error)) == (absent, taken), json.dumps(error.response)
