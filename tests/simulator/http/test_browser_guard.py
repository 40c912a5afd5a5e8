"""Requests of web pages to the simulator: only its own pages are answered."""

import http.client
import json

import pytest

from simulator.aws import SimulatedAws


def send(aws: SimulatedAws, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Send a request; returns the status and the message of a refusal."""
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(body)["message"] if response.status == 403 else ""


@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:8002", "127.0.0.1.attacker.example", "0.0.0.0"])
def test_a_host_that_resolves_to_this_machine_is_refused(simulated_aws: SimulatedAws, host: str) -> None:
    status, message = send(simulated_aws, "POST", "/2015-03-31/functions", {"Host": host})
    assert status == 403
    assert host in message
    assert "http://127.0.0.1" in message


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:3000", "https://localhost"])
def test_a_page_of_another_site_is_refused(simulated_aws: SimulatedAws, origin: str) -> None:
    status, message = send(simulated_aws, "POST", "/_simulator/faults", {"Origin": origin})
    assert status == 403
    assert origin in message


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_image_or_script_of_another_site_is_refused(simulated_aws: SimulatedAws, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert send(simulated_aws, "GET", "/_simulator", headers)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8002", "bucket.localhost:8002", "127.0.0.1", "[::1]:8002"])
def test_loopback_hosts_are_answered(simulated_aws: SimulatedAws, host: str) -> None:
    assert send(simulated_aws, "GET", "/_simulator", {"Host": host})[0] == 200


def test_the_simulators_own_pages_and_links_to_them_are_answered(simulated_aws: SimulatedAws) -> None:
    own = {"Origin": simulated_aws.url, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert [send(simulated_aws, "GET", "/_simulator", headers)[0] for headers in (own, link)] == [200, 200]
