"""Tests of the endpoint client against malformed, oversized and slow responses, sent by a socket on loopback."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import endpoint_errors
from chalicelib.endpoint import MAX_SCORE_BYTES, Endpoint, connect
from chalicelib.endpoint_errors import EndpointError, Fault

ROWS = ["0:1 5:1", "0:1 5:1 17:1"]
FAULTS = {*endpoint_errors.FAULTS.values(), endpoint_errors.BAD_ANSWER, endpoint_errors.UNKNOWN}

Serve = Callable[[Iterable[bytes]], "RawServer"]


class RawServer:
    """A server that answers every connection with the same chunks, and counts the bytes that it could send."""

    def __init__(self, chunks: Iterable[bytes], pause_seconds: float = 0.0) -> None:
        self.chunks = chunks
        self.sent = 0
        self._stop = threading.Event()
        self._pause_seconds = pause_seconds
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._stop.set()
        self._socket.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                for chunk in self.chunks:
                    connection.sendall(chunk)
                    self.sent += len(chunk)
                    if self._stop.wait(self._pause_seconds):
                        return
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # unread data would reset the connection
                    pass
            except OSError:
                return  # the client closed the connection


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(chunks: Iterable[bytes], pause_seconds: float = 0.0) -> RawServer:
        servers.append(RawServer(chunks, pause_seconds))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def endpoint_at(url: str, read_seconds: float = 10.0) -> Endpoint:
    timeouts = Config(connect_timeout=0.2, read_timeout=read_seconds, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client: Any = boto3.client("sagemaker-runtime", endpoint_url=url, region_name="us-east-1", config=timeouts, **keys)
    return Endpoint(client, "verdict-dev-x", pause=lambda _: None)


def fault_at(url: str, read_seconds: float = 10.0) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        endpoint_at(url, read_seconds).scores(ROWS, lambda: 29.0)
    return caught.value


def outcome_at(url: str) -> int | Fault:
    """Return the number of scores, or the fault."""
    try:
        return len(endpoint_at(url).scores(ROWS, lambda: 29.0).values)
    except EndpointError as error:
        return error.fault


def response(status: str, body: bytes, *headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        "Connection: close",
        *headers,
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


MODEL_ERROR = "x-amzn-ErrorType: ModelError"
MALFORMED: dict[str, tuple[bytes, Fault]] = {
    "a list": (response("400 Bad Request", b'["a"]'), endpoint_errors.BAD_ANSWER),
    "null": (response("400 Bad Request", b"null"), endpoint_errors.BAD_ANSWER),
    "a number": (response("500 Error", b"3"), endpoint_errors.BAD_ANSWER),
    "not UTF-8": (response("500 Error", b"\xff\xfe"), endpoint_errors.BAD_ANSWER),
    "nested deeply": (response("400 Bad Request", b"[" * 100_000), endpoint_errors.BAD_ANSWER),
    "a code that is an object": (response("400 Bad Request", b'{"__type": {"a": 1}}'), endpoint_errors.BAD_ANSWER),
    "a code that is a number": (response("400 Bad Request", b'{"__type": 7}'), endpoint_errors.BAD_ANSWER),
    "no code": (response("400 Bad Request", b'{"message": null}'), endpoint_errors.UNKNOWN),
    "a status in words": (
        response("424 Failed", b'{"OriginalStatusCode": "abc"}', MODEL_ERROR),
        endpoint_errors.BAD_ANSWER,
    ),
    "a status that is an object": (
        response("424 Failed", b'{"OriginalStatusCode": {}}', MODEL_ERROR),
        endpoint_errors.BAD_ANSWER,
    ),
    "status 999": (response("999 Odd", b"{}"), endpoint_errors.FAILED),
    "status 99": (response("99 Odd", b"{}"), endpoint_errors.DOWN),
    "status 301": (response("301 Moved", b"{}", "Location: http://127.0.0.1:9/"), endpoint_errors.UNKNOWN),
    "status 204": (response("204 No Content", b""), endpoint_errors.BAD_ANSWER),
    "429 without a code": (response("429 Too Many Requests", b""), endpoint_errors.BUSY),
    "503 without a code": (response("503 Unavailable", b""), endpoint_errors.DOWN),
    "an HTML page": (response("502 Bad Gateway", b"<html>"), endpoint_errors.FAILED),
    "no HTTP": (b"hello\r\n\r\n", endpoint_errors.DOWN),
    "nothing": (b"", endpoint_errors.DOWN),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_response_has_a_fault_of_the_table(name: str, serve: Serve) -> None:
    content, fault = MALFORMED[name]
    assert fault_at(serve([content]).url).fault is fault


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999", "http://127.0.0.1:-1", "http://[::1", "127.0.0.1", "http://a b/"]
)
def test_an_invalid_address_is_a_misconfiguration(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(EndpointError) as caught:
        connect(28.0)
    assert caught.value.fault is endpoint_errors.MISCONFIGURED


@pytest.mark.parametrize("prefix", [b"HTTP/1.1 200 OK\r\nContent-Length: 199\r\n\r\n", b"HTTP/1.1 200 "])
def test_a_response_that_drips_is_given_up_in_time(prefix: bytes, serve: Callable[..., RawServer]) -> None:
    dripping = serve(itertools.chain([prefix], itertools.repeat(b"0")), pause_seconds=0.1)
    started = time.monotonic()
    assert fault_at(dripping.url, read_seconds=0.5).fault is endpoint_errors.SLOW
    assert time.monotonic() - started < 5  # an attempt has 0.2 + 0.5 + 1 seconds; the response would take 20


def test_an_oversized_response_is_not_read_whole(serve: Serve) -> None:
    header = b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n"
    server = serve(itertools.chain([header], itertools.repeat(b"0" * 1_000_000, 300)))
    assert fault_at(server.url).fault is endpoint_errors.BAD_ANSWER
    assert server.sent < 50_000_000  # what the kernel's buffers hold


def test_a_response_of_the_largest_size_is_read(serve: Serve) -> None:
    longest = b"0." + b"5" * (MAX_SCORE_BYTES - 3)
    scores = endpoint_at(serve([response("200 OK", b"\n".join([longest] * 2) + b"\n")]).url).scores(ROWS, lambda: 29.0)
    assert scores.values == [0.5555555555555556] * 2


@settings(max_examples=60, deadline=None)
@given(
    status=st.sampled_from(["200 OK", "400 Bad", "424 Failed", "429 Slow", "500 Error", "503 Down", "0 ", "x"]),
    body=st.one_of(st.binary(max_size=60), st.sampled_from([b"0.5\n0.5", b"{}", b'{"message": 1}'])),
    headers=st.lists(st.sampled_from([MODEL_ERROR, "x-amzn-ErrorType: :", "Content-Encoding: gzip", "a"]), max_size=2),
)
def test_any_response_is_scores_or_a_fault_of_the_table(status: str, body: bytes, headers: list[str]) -> None:
    server = RawServer([response(status, body, *headers)])
    with closing(server):
        assert outcome_at(server.url) in {len(ROWS), *FAULTS}
