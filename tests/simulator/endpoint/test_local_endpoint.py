"""The endpoint as boto3 meets it: a real client, over the wire, on loopback."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from chalicelib import release
from chalicelib.errors import ReleaseError
from simulator.endpoint.local_endpoint import MODEL_FILE, LocalEndpoint, packaged_container
from simulator.endpoint.runtime import SERVERLESS_BODY_BYTES
from simulator.faults.endpoint_faults import ERRORS

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


def client_of(endpoint: LocalEndpoint, attempts: int = 1, read_seconds: float = 10) -> "SageMakerRuntimeClient":
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=read_seconds),
    )


def invoke(endpoint: LocalEndpoint, body: bytes, attempts: int = 1, **parameters: Any) -> bytes:
    answer = client_of(endpoint, attempts).invoke_endpoint(EndpointName=endpoint.name, Body=body, **parameters)
    return answer["Body"].read()


def refusal(endpoint: LocalEndpoint, body: bytes, **parameters: Any) -> Any:
    """The parsed error that boto3 raises."""
    with pytest.raises(ClientError) as caught:
        client_of(endpoint).invoke_endpoint(**{"EndpointName": endpoint.name, "Body": body, **parameters})
    return caught.value.response


def row(review: str) -> bytes:
    return release.load().encoder.row(review.split()).encode()


ROW = row("a wonderful film")


def test_a_praising_review_scores_above_a_panning_one(local_endpoint: LocalEndpoint) -> None:
    praise, pan = map(float, invoke(local_endpoint, ROW + b"\n" + row("the worst waste of time")).split())
    assert 0 < pan < 0.5 < praise < 1


def test_an_answer_names_its_variant_content_type_and_request(local_endpoint: LocalEndpoint) -> None:
    answer = client_of(local_endpoint).invoke_endpoint(EndpointName=local_endpoint.name, Body=ROW)
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


def test_content_type_and_accept_reach_the_container(local_endpoint: LocalEndpoint) -> None:
    body = invoke(local_endpoint, b"1,0", ContentType="text/csv", Accept="application/json")
    assert len(json.loads(body)["predictions"]) == 1


def test_the_parameters_of_the_service_are_taken(local_endpoint: LocalEndpoint) -> None:
    parameters = {"TargetVariant": "AllTraffic", "InferenceId": "one", "CustomAttributes": "trace=1"}
    assert invoke(local_endpoint, ROW, **parameters) == invoke(local_endpoint, ROW)


def test_no_content_passes_as_an_empty_body(local_endpoint: LocalEndpoint) -> None:
    assert invoke(local_endpoint, b"") == b""


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"EndpointName": "verdict-dev-000000000000"},
            "Endpoint verdict-dev-000000000000 of account 123456789012 not found",
        ),
        ({"TargetVariant": "Challenger"}, "Variant Challenger of endpoint"),
        ({"TargetModel": "other.tar.gz"}, "not a multi-model endpoint"),
        ({"Body": b" " * (SERVERLESS_BODY_BYTES + 1)}, "has oversize body"),
    ],
)
def test_what_the_service_refuses_is_a_validation_error(
    local_endpoint: LocalEndpoint, parameters: dict[str, Any], message: str
) -> None:
    response = refusal(local_endpoint, ROW, **parameters)
    assert response["Error"]["Code"] == "ValidationError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert message in response["Error"]["Message"]


def test_container_errors_become_model_errors_with_its_body(local_endpoint: LocalEndpoint) -> None:
    response = refusal(local_endpoint, b"{}", ContentType="application/json")
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 415
    assert response["OriginalMessage"].startswith("application/json is not an accepted ContentType")
    assert response["OriginalMessage"] in response["Error"]["Message"]
    assert response["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{local_endpoint.name}")


@pytest.mark.parametrize("kind", ERRORS)
def test_service_errors_reach_boto3_with_code_and_status(local_endpoint: LocalEndpoint, kind: str) -> None:
    local_endpoint.inject_fault(kind)
    response = refusal(local_endpoint, ROW)
    assert response["Error"]["Code"] == ERRORS[kind].code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == ERRORS[kind].status
    assert response["Error"]["Message"]


@pytest.mark.parametrize("kind", ["not-ready", "unavailable", "internal-failure", "dependency", "validation"])
def test_a_modelled_error_has_its_own_class_in_boto3(local_endpoint: LocalEndpoint, kind: str) -> None:
    local_endpoint.inject_fault(kind)
    client = client_of(local_endpoint)
    with pytest.raises(getattr(client.exceptions, ERRORS[kind].code)):
        client.invoke_endpoint(EndpointName=local_endpoint.name, Body=ROW)


def test_a_failing_container_is_a_model_error(local_endpoint: LocalEndpoint) -> None:
    local_endpoint.inject_fault("model-error")
    response = refusal(local_endpoint, ROW)
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 500


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("short", 1), ("extra", 3), ("empty", 0), ("garbage", 2), ("nan", 2), ("out-of-range", 2)],
)
def test_a_distorted_answer_has_that_many_fields(local_endpoint: LocalEndpoint, kind: str, fields: int) -> None:
    local_endpoint.inject_fault(kind)
    assert len(invoke(local_endpoint, ROW + b"\n" + ROW).split()) == fields


def test_distorted_scores_are_no_probabilities(local_endpoint: LocalEndpoint) -> None:
    local_endpoint.inject_fault("garbage")
    assert invoke(local_endpoint, ROW) == b"positive\n"
    local_endpoint.inject_fault("nan")
    assert math.isnan(float(invoke(local_endpoint, ROW)))
    local_endpoint.inject_fault("out-of-range")
    assert float(invoke(local_endpoint, ROW)) > 1


def test_a_cut_connection_gives_no_answer(local_endpoint: LocalEndpoint) -> None:
    local_endpoint.inject_fault("cut")
    with pytest.raises(ConnectionClosedError):
        invoke(local_endpoint, ROW)


def test_a_slow_endpoint_outlasts_an_impatient_client(local_endpoint: LocalEndpoint) -> None:
    local_endpoint.inject_fault("slow:30")
    with pytest.raises(ReadTimeoutError):
        client_of(local_endpoint, read_seconds=0.2).invoke_endpoint(EndpointName=local_endpoint.name, Body=ROW)


def test_an_endpoint_throttled_twice_answers_the_third_try(local_endpoint: LocalEndpoint) -> None:
    before = local_endpoint.requests
    local_endpoint.inject_fault("throttled", times=2)
    assert invoke(local_endpoint, ROW, attempts=3)
    assert local_endpoint.requests - before == 3


def test_a_stopped_endpoint_refuses_new_connections_and_drops_kept_ones() -> None:
    with LocalEndpoint("any", packaged_container()) as endpoint:
        client = client_of(endpoint)
        client.invoke_endpoint(EndpointName="any", Body=ROW)["Body"].read()
    assert not endpoint.is_serving
    with pytest.raises(EndpointConnectionError):
        client.invoke_endpoint(EndpointName="any", Body=ROW)


def test_a_model_of_another_release_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "xgboost-model"
    other.write_bytes(MODEL_FILE.read_bytes() + b" ")
    with pytest.raises(ReleaseError, match="SHA-256"):
        packaged_container(other)
    with pytest.raises(ReleaseError, match="cannot be read"):
        packaged_container(tmp_path / "absent")


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_command_prints_its_address_and_stops_cleanly(signal_number: int) -> None:
    command = [sys.executable, "-u", "-m", "cli.main", "endpoint", "--port", "0", "--misbehave", "throttled"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        first_line = process.stdout.readline()
        process.send_signal(signal_number)
        rest = process.stdout.read()
    assert "is at http://127.0.0.1:" in first_line
    assert "export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=" in rest
    assert rest.endswith("The endpoint has stopped.\n")
    assert process.returncode == 0


def test_command_rejects_an_unknown_fault_in_one_line() -> None:
    command = [sys.executable, "-m", "cli.main", "endpoint", "--port", "0", "--misbehave", "moody"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: Unknown fault 'moody'.")
    assert ended.stderr.count("\n") == 1


def test_the_command_refuses_a_port_that_cannot_be() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", "endpoint", "--port", "99999"], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert "99999 is not in the range 0<=x<=65535" in ended.stderr
