"""Tests of the endpoint client, against the local endpoint, and with botocore's Stubber for its other errors."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib import endpoint_errors
from chalicelib.endpoint import MAX_ATTEMPTS, Endpoint, connect, endpoint_name, parse_scores
from chalicelib.endpoint_errors import FAULTS, EndpointError, Fault, fault_for_class, fault_for_code
from chalicelib.sentiment import Scores
from simulator.faults.endpoint_faults import KINDS

if TYPE_CHECKING:
    from simulator.endpoint.local_endpoint import LocalEndpoint

ROWS = ["0:1 5:1", "0:1 5:1 17:1"]  # narrower than any release's: the container accepts these too
ON_THE_WIRE: dict[str, tuple[Fault, bool]] = {  # misbehaviour -> the fault, and whether it is retried
    "not-ready": (endpoint_errors.STARTING, False),
    "throttled": (endpoint_errors.BUSY, True),
    "unavailable": (endpoint_errors.DOWN, True),
    "internal-failure": (endpoint_errors.FAILED, True),
    "dependency": (endpoint_errors.FAILED, True),
    "model-error": (endpoint_errors.MODEL_FAILED, False),
    "validation": (endpoint_errors.ABSENT, False),
    "access-denied": (endpoint_errors.MISCONFIGURED, False),
    "expired-token": (endpoint_errors.MISCONFIGURED, False),
    "cut": (endpoint_errors.DOWN, True),
    "empty": (endpoint_errors.BAD_ANSWER, False),
    "garbage": (endpoint_errors.BAD_ANSWER, False),
    "nan": (endpoint_errors.BAD_ANSWER, False),
    "out-of-range": (endpoint_errors.BAD_ANSWER, False),
    "short": (endpoint_errors.BAD_ANSWER, False),
    "extra": (endpoint_errors.BAD_ANSWER, False),
    "slow": (endpoint_errors.SLOW, False),
}


def client_for(url: str, read_timeout_seconds: float = 5.0) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=1, read_timeout=read_timeout_seconds, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def endpoint(local_endpoint: "LocalEndpoint", pauses: list[float]) -> Iterator[Endpoint]:
    client = client_for(local_endpoint.url)
    yield Endpoint(client, local_endpoint.name, pause=pauses.append)
    client.close()


def enough_time() -> float:
    return 29.0


def test_scores_are_one_per_row_with_the_variant(endpoint: Endpoint) -> None:
    scores = endpoint.scores(ROWS, enough_time)
    assert len(scores.values) == 2
    assert all(0 < value < 1 for value in scores.values)
    assert scores.variant == "AllTraffic"


def test_every_misbehaviour_of_the_local_endpoint_is_tested() -> None:
    assert set(ON_THE_WIRE) == set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in ON_THE_WIRE if kind != "slow"])
def test_each_misbehaviour_raises_its_fault(
    kind: str, endpoint: Endpoint, local_endpoint: "LocalEndpoint", pauses: list[float]
) -> None:
    fault, retried = ON_THE_WIRE[kind]
    local_endpoint.inject_fault(kind)
    before = local_endpoint.requests
    with pytest.raises(EndpointError) as caught:
        endpoint.scores(ROWS, enough_time)
    assert caught.value.fault is fault
    assert (caught.value.status, caught.value.type) == (fault.status, fault.type)
    assert local_endpoint.requests - before == (3 if retried else 1)
    assert pauses == ([0.0, 0.1, 0.4] if retried else [0.0])


def test_a_slow_response_times_out(local_endpoint: "LocalEndpoint") -> None:
    client = client_for(local_endpoint.url, read_timeout_seconds=0.2)
    local_endpoint.inject_fault("slow:2", times=1)
    with pytest.raises(EndpointError) as caught:
        Endpoint(client, local_endpoint.name).scores(ROWS, enough_time)
    assert caught.value.fault is endpoint_errors.SLOW
    client.close()


@pytest.mark.parametrize("kind", ["throttled", "cut", "unavailable"])
def test_a_temporary_fault_is_retried(kind: str, endpoint: Endpoint, local_endpoint: "LocalEndpoint") -> None:
    local_endpoint.inject_fault(kind, times=2)
    assert len(endpoint.scores(ROWS, enough_time).values) == 2


def test_there_is_no_retry_without_time_for_a_whole_attempt(
    endpoint: Endpoint, local_endpoint: "LocalEndpoint"
) -> None:
    local_endpoint.inject_fault("throttled")
    before = local_endpoint.requests
    seconds = iter([29.0, 6.9])  # an attempt takes up to 1 + 5 + 1 seconds
    with pytest.raises(EndpointError) as caught:
        endpoint.scores(ROWS, lambda: next(seconds))
    assert caught.value.fault is endpoint_errors.BUSY
    assert local_endpoint.requests - before == 1


def test_the_endpoint_is_not_called_without_time_left(endpoint: Endpoint, local_endpoint: "LocalEndpoint") -> None:
    before = local_endpoint.requests
    with pytest.raises(EndpointError) as caught:
        endpoint.scores(ROWS, lambda: 2.0)
    assert caught.value.fault is endpoint_errors.SLOW
    assert local_endpoint.requests == before


def test_a_missing_endpoint_has_its_own_fault(local_endpoint: "LocalEndpoint") -> None:
    client = client_for(local_endpoint.url)
    with pytest.raises(EndpointError) as caught:
        Endpoint(client, "verdict-dev-elsewhere").scores(ROWS, enough_time)
    assert caught.value.fault is endpoint_errors.ABSENT
    client.close()


def test_a_refused_connection_means_the_endpoint_is_down(pauses: list[float]) -> None:
    client = client_for("http://127.0.0.1:9")  # the discard port, where no process listens
    with pytest.raises(EndpointError) as caught:
        Endpoint(client, "verdict-dev-x", pause=pauses.append).scores(ROWS, enough_time)
    assert caught.value.fault is endpoint_errors.DOWN
    client.close()


def test_missing_credentials_are_a_misconfiguration(
    local_endpoint: "LocalEndpoint", monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    client = boto3.Session().client("sagemaker-runtime", endpoint_url=local_endpoint.url, region_name="us-east-1")
    with pytest.raises(EndpointError) as caught:
        Endpoint(client, local_endpoint.name).scores(ROWS, lambda: 1000.0)
    assert caught.value.fault is endpoint_errors.MISCONFIGURED
    client.close()


@pytest.mark.parametrize(
    ("code", "status", "fault"),
    [
        ("TooManyRequestsException", 429, endpoint_errors.BUSY),
        ("InvalidSignatureException", 403, endpoint_errors.MISCONFIGURED),
        ("NeverSeenBefore", 500, endpoint_errors.FAILED),
        ("NeverSeenBefore", 400, endpoint_errors.UNKNOWN),
    ],
)
def test_other_error_codes_have_faults(code: str, status: int, fault: Fault, pauses: list[float]) -> None:
    client = client_for("http://127.0.0.1:9")
    with Stubber(client) as stub:
        for _ in range(MAX_ATTEMPTS):
            stub.add_client_error("invoke_endpoint", code, "secret internals", status)
        with pytest.raises(EndpointError) as caught:
            Endpoint(client, "verdict-dev-x", pause=pauses.append).scores(ROWS, enough_time)
    assert caught.value.fault is fault
    assert "secret" not in caught.value.detail
    client.close()


def test_every_modelled_error_of_the_service_has_a_fault() -> None:
    operation = client_for("http://127.0.0.1:9").meta.service_model.operation_model("InvokeEndpoint")
    assert {shape.name for shape in operation.error_shapes} <= FAULTS.keys()


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (exceptions.ReadTimeoutError, endpoint_errors.SLOW),
        (exceptions.ConnectTimeoutError, endpoint_errors.DOWN),
        (exceptions.EndpointConnectionError, endpoint_errors.DOWN),
        (exceptions.SSLError, endpoint_errors.DOWN),
        (exceptions.UnknownServiceError, endpoint_errors.UNKNOWN),
    ],
)
def test_an_error_of_botocore_has_the_fault_of_its_base_class(error: type[Exception], fault: Fault) -> None:
    assert fault_for_class(error) is fault


def test_an_error_without_a_code_has_the_unknown_fault() -> None:
    assert fault_for_code("", 0) is endpoint_errors.UNKNOWN


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"0.25\n0.5\n", [0.25, 0.5]),
        (b"0.25,0.5", [0.25, 0.5]),
        (b"1e-05\r\n1", [1e-05, 1.0]),
        (b"0.0\n1.0", [0.0, 1.0]),
    ],
)
def test_scores_are_separated_by_lines_or_commas(content: bytes, expected: list[float]) -> None:
    assert parse_scores(content, 2) == expected


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b" \n", b"0.5", b"0.5\n0.5\n0.5", b"0.5\n", b"0.5\nnan", b"0.5\n-0.1", b"0.5\n1.1", b"0.5\ninf"),
        *(b"0.5\n1_0", b"0.5\npositive", b"0.5\n0x1", b'{"predictions": [0.5, 0.5]}', b"0.5\n\xd9\xa0"),
    ],
)
def test_any_other_content_is_a_fault(content: bytes) -> None:
    with pytest.raises(EndpointError) as caught:
        parse_scores(content, 2)
    assert caught.value.fault is endpoint_errors.BAD_ANSWER


def test_the_default_name_has_the_stage_and_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENDPOINT_NAME", raising=False)
    monkeypatch.delenv("VERDICT_STAGE", raising=False)
    assert endpoint_name("0123456789ab") == "verdict-dev-0123456789ab"
    monkeypatch.setenv("VERDICT_STAGE", "prod")
    assert endpoint_name("0123456789ab") == "verdict-prod-0123456789ab"
    monkeypatch.setenv("ENDPOINT_NAME", "mine")
    assert endpoint_name("0123456789ab") == "mine"


@pytest.mark.parametrize(("seconds_left", "read_seconds"), [(28.0, 15.0), (10.0, 4.0), (0.5, 1.0)])
def test_the_clients_timeouts_fit_the_time_left(
    seconds_left: float, read_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = connect(seconds_left).meta.config
    assert config.read_timeout == read_seconds  # type: ignore[attr-defined]
    assert config.connect_timeout == 2.0  # type: ignore[attr-defined]
    assert config.retries["total_max_attempts"] == 1  # type: ignore[attr-defined]


def test_the_first_request_has_time_for_an_attempt(
    local_endpoint: "LocalEndpoint", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its timeouts fit the time left before the client was created, which takes seconds in a cold Lambda."""
    for name, value in {"ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", local_endpoint.url)
    first = Endpoint(connect(10.0), local_endpoint.name)
    assert len(first.scores(ROWS, lambda: 8.0).values) == len(ROWS)


def test_no_region_is_a_misconfiguration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(EndpointError) as caught:
        connect(28.0)
    assert caught.value.fault is endpoint_errors.MISCONFIGURED


def test_one_client_serves_many_threads(endpoint: Endpoint) -> None:
    results: list[Scores] = []
    threads = [threading.Thread(target=lambda: results.append(endpoint.scores(ROWS, enough_time))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len({tuple(scores.values) for scores in results}) == 1
