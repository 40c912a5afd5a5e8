import http.client
import json
import socket
from typing import Any

import pytest

from simulator.endpoint.local_endpoint import LocalEndpoint, packaged_container
from simulator.http.messages import HttpRequest, HttpResponse
from simulator.http.server import Handler, HttpServer, PortInUseError

ROW = b"0:1 5:1"


class Broken:
    """A site with a bug."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        raise KeyError(request.path)


def path_of(endpoint: LocalEndpoint) -> str:
    return f"/endpoints/{endpoint.name}/invocations"


def exchange(endpoint: LocalEndpoint, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    connection.request(method, path, body)
    answer = connection.getresponse()
    content = json.loads(answer.read().partition(b"\n")[0])
    connection.close()
    return answer.status, content


def test_faults_are_injected_and_removed_over_http(local_endpoint: LocalEndpoint) -> None:
    assert exchange(local_endpoint, "PUT", "/_simulator/faults?fault=throttled&times=1")[0] == 200
    assert exchange(local_endpoint, "GET", "/_simulator")[1]["fault"] == "throttled"
    assert exchange(local_endpoint, "POST", path_of(local_endpoint), ROW)[0] == 400
    assert exchange(local_endpoint, "POST", path_of(local_endpoint), ROW)[0] == 200
    exchange(local_endpoint, "PUT", "/_simulator/faults?fault=cut")
    assert exchange(local_endpoint, "DELETE", "/_simulator/faults")[0] == 200
    assert exchange(local_endpoint, "POST", path_of(local_endpoint), ROW)[0] == 200


@pytest.mark.parametrize("query", ["", "fault=moody", "fault=cut&times=often", "fault=cut&times=-3"])
def test_unknown_faults_are_rejected_over_http(local_endpoint: LocalEndpoint, query: str) -> None:
    status, content = exchange(local_endpoint, "PUT", f"/_simulator/faults?{query}")
    assert status == 400
    assert content["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ping"), ("POST", "/endpoints/any"), ("DELETE", "/_simulator"), ("PUT", "/")]
)
def test_other_operations_are_unknown(local_endpoint: LocalEndpoint, method: str, path: str) -> None:
    assert exchange(local_endpoint, method, path)[0] == 404


def test_bodies_without_a_length_or_too_large_are_rejected(local_endpoint: LocalEndpoint) -> None:
    for header, value, status in [("Transfer-Encoding", "chunked", 411), ("Content-Length", "999999999", 413)]:
        connection = http.client.HTTPConnection("127.0.0.1", local_endpoint.port, timeout=10)
        connection.putrequest("POST", f"/endpoints/{local_endpoint.name}/invocations")
        connection.putheader(header, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_keep_alive_requests_share_a_connection(local_endpoint: LocalEndpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", local_endpoint.port, timeout=10)
    connection.connect()
    first = connection.sock
    for _ in range(5):
        connection.request("POST", path_of(local_endpoint), ROW)
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_small_packets_are_sent_at_once() -> None:
    """With Nagle's algorithm a response would wait 40 ms for an acknowledgement."""
    assert Handler.disable_nagle_algorithm
    assert Handler.wbufsize == -1  # headers and body in one packet


def test_unfinished_request_is_dropped_and_not_counted(local_endpoint: LocalEndpoint) -> None:
    before = local_endpoint.requests
    with socket.create_connection(("127.0.0.1", local_endpoint.port), timeout=10) as connection:
        connection.sendall(f"POST {path_of(local_endpoint)} HTTP/1.1\r\nContent-Length: 9\r\n\r\n0:1".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert local_endpoint.requests == before


def test_port_in_use_is_reported(local_endpoint: LocalEndpoint) -> None:
    with pytest.raises(PortInUseError, match=rf"Port {local_endpoint.port} .* --port"):
        LocalEndpoint("any", packaged_container(), local_endpoint.port)


def test_bug_becomes_an_internal_failure_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    listening = HttpServer(0, Broken())
    with socket.create_connection(("127.0.0.1", listening.port), timeout=30) as connection:
        connection.sendall(b"POST /any HTTP/1.1\r\nContent-Length: 3\r\n\r\n0:1")
        answer = connection.makefile("rb").read()  # to the end of the connection, which follows the traceback
    listening.stop()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"\r\nx-amzn-ErrorType: InternalFailure\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["__type"] == "InternalFailure"
    assert "KeyError: '/any'" in capsys.readouterr().err
