"""The real `chalice` command against the simulated AWS, and the site that it deploys there."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from chalicelib import release
from operations.feedback import app_settings, table
from operations.feedback.app_settings import CollectionSettings
from simulator.apps.gateway import LARGEST_BODY_BYTES
from simulator.apps.lambda_package import copy_app
from simulator.aws import SimulatedAws
from simulator.container.serving import Container
from simulator.endpoint.runtime import RuntimeEndpoint, Variant
from tests.synthetic_run import command_context

PRAISE = b"One of the best films I have ever seen"
TEXT = {"Content-Type": "text/plain"}


@dataclass(frozen=True)
class Reply:
    """An answer, read whole."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Deployed:
    """This project, deployed to the simulated AWS."""

    aws: SimulatedAws
    project: Path
    api: str

    def ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, method: str = ""
    ) -> Reply:
        return self.ask_at(f"/_site/{self.api}/prod{path}", body, headers, method)

    def ask_at(self, target: str, body: bytes | None, headers: dict[str, str] | None, method: str = "") -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.aws.port, timeout=30)
        connection.request(method or ("POST" if body else "GET"), target, body, headers or {})
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read())
        connection.close()
        return reply


def chalice(aws: SimulatedAws, project: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [Path(sys.executable).with_name("chalice"), *arguments, "--stage", "prod"],
        cwd=project,
        env={**aws.environment, "PATH": os.environ["PATH"], "HOME": str(project)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def deployed(
    running_aws: SimulatedAws, packaged: Container, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    name = f"verdict-prod-{release.load().encoder.fingerprint}"
    endpoint = RuntimeEndpoint(name, [Variant("AllTraffic", 1.0, packaged)], pause=lambda seconds: None)
    running_aws.backend().endpoints[name] = endpoint
    project = copy_app(tmp_path_factory.mktemp("deployment") / "project")
    match = re.search(r"Rest API URL: https://(\w+)\.execute-api", chalice(running_aws, project, "deploy"))
    assert match
    yield Deployed(running_aws, project, match[1])
    del running_aws.backend().endpoints[name]


def test_chalice_and_the_simulator_report_the_url(deployed: Deployed) -> None:
    url = f"https://{deployed.api}.execute-api.us-east-1.amazonaws.com/prod/\n"
    assert chalice(deployed.aws, deployed.project, "url") == url
    answer = deployed.ask_at("/_simulator", None, {})
    sites = json.loads(answer.body)["sites"]
    assert sites[deployed.api] == f"{deployed.aws.url}/_site/{deployed.api}/prod/"


def test_the_site_judges_a_review_through_the_endpoint(deployed: Deployed) -> None:
    answer = deployed.ask("/predict", PRAISE, TEXT)
    assert (answer.status, answer.body) == (200, b"1")
    assert answer.headers["x-amzn-RequestId"]


def test_the_page_finds_its_parts_where_the_stage_is(deployed: Deployed) -> None:
    page = deployed.ask("/")
    assert f'<base href="/_site/{deployed.api}/prod/">'.encode() in page.body
    style = deployed.ask("/static/style.css")
    assert style.headers["Content-Type"].startswith("text/css")
    page = deployed.ask_at("/prod/", None, {"Host": f"{deployed.api}.execute-api.us-east-1.amazonaws.com"})
    assert b'<base href="/prod/">' in page.body


def test_long_response_is_compressed_if_accepted(deployed: Deployed) -> None:
    zipped, plain = deployed.ask("/", headers={"Accept-Encoding": "gzip"}), deployed.ask("/")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert 0 < len(zipped.body) < len(plain.body) / 2


def test_a_preflight_is_answered_without_the_function(deployed: Deployed) -> None:
    answer = deployed.ask("/predict", method="OPTIONS")
    assert (answer.status, answer.body) == (200, b"")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    ("path", "method", "message"),
    [("/a/b/c", "GET", "Missing Authentication Token"), ("/predict", "DELETE", "Missing Authentication Token")],
)
def test_what_the_api_does_not_define_never_reaches_the_app(
    deployed: Deployed, path: str, method: str, message: str
) -> None:
    answer = deployed.ask(path, method=method)
    assert (answer.status, json.loads(answer.body)) == (403, {"message": message})


@pytest.mark.parametrize("path", ["/favicon.ico", "/robots.txt", "/absent/page"])
def test_an_unknown_address_reaches_the_app(deployed: Deployed, path: str) -> None:
    answer = deployed.ask(path)
    assert (answer.status, json.loads(answer.body)["type"]) == (404, "urn:verdict:problem:not-found")


def test_a_stage_that_is_not_there_is_forbidden(deployed: Deployed) -> None:
    for target in (f"/_site/{deployed.api}/dev/", "/_site/absent/prod/"):
        answer = deployed.ask_at(target, None, {})
        assert (answer.status, json.loads(answer.body)) == (403, {"message": "Forbidden"})


def test_a_body_past_the_gateways_limit_is_refused(deployed: Deployed) -> None:
    answer = deployed.ask("/predict", b" " * (LARGEST_BODY_BYTES + 1), TEXT)
    assert (answer.status, json.loads(answer.body)) == (413, {"message": "Request Too Long"})


def lines_of(logs: Any) -> list[str]:
    """The lines in the function's log so far; it is made with the first of them."""
    try:
        return [event["message"] for event in logs.filter_log_events(logGroupName="/aws/lambda/verdict-prod")["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def test_function_output_is_logged(deployed: Deployed) -> None:
    identity = deployed.ask("/predict", PRAISE, TEXT).headers["X-Request-Id"]
    logs, deadline = deployed.aws.client("logs"), time.monotonic() + 60
    while not (found := [line for line in lines_of(logs) if identity in line]):
        assert time.monotonic() < deadline
    assert json.loads(found[0])["route"] == "/predict"


def test_redeployment_fails_no_request(deployed: Deployed) -> None:
    statuses: list[int] = []
    done = threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            answer = deployed.ask("/predict", PRAISE, TEXT)
            statuses.append(answer.status)

    clients = [threading.Thread(target=keep_asking) for _ in range(3)]
    for client in clients:
        client.start()
    style = deployed.project / "static" / "style.css"
    style.write_text(style.read_text() + "/* second */\n")
    try:
        assert "Updating rest API" in chalice(deployed.aws, deployed.project, "deploy")
    finally:
        done.set()
        for client in clients:
            client.join()
    assert set(statuses) == {200}
    answer = deployed.ask("/static/style.css")
    assert answer.body.endswith(b"/* second */\n")


def test_a_change_of_a_function_is_noted_with_its_time(deployed: Deployed) -> None:
    client = deployed.aws.client("lambda")
    before = client.get_function_configuration(FunctionName="verdict-prod")["LastModified"]
    client.update_function_configuration(FunctionName="verdict-prod", Description="another")
    assert client.get_function_configuration(FunctionName="verdict-prod")["LastModified"] > before


def test_failing_function_is_a_502_until_it_is_repaired(deployed: Deployed) -> None:
    client = deployed.aws.client("lambda")
    which = {"FunctionName": "verdict-prod"}
    client.update_function_configuration(**which, Handler="app.absent")
    answer = deployed.ask("/predict", PRAISE, TEXT)
    assert (answer.status, json.loads(answer.body)) == (502, {"message": "Internal server error"})
    client.update_function_configuration(**which, Handler="app.app")
    answer = deployed.ask("/predict", PRAISE, TEXT)
    assert answer.status == 200


def feedback_on(deployed: Deployed) -> int:
    """Judge a review, send its receipt, and return the status of the answer to that."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    verdict = json.loads(deployed.ask("/predict", json.dumps({"review": PRAISE.decode()}).encode(), headers).body)
    sent = {"review": PRAISE.decode(), "receipt": verdict.get("receipt", ""), "correction": "mixed"}
    return deployed.ask("/feedback", json.dumps(sent).encode(), headers).status


def test_a_deployed_app_collects_feedback_across_deployments(deployed: Deployed) -> None:
    aws, config = command_context(deployed.aws), deployed.project / ".chalice" / "config.json"
    assert feedback_on(deployed) == 404
    app_settings.enable(aws, "prod", CollectionSettings(share=1.0), yes=True, config=config)
    assert feedback_on(deployed) == 200
    (record,) = table.read_feedback(aws, "verdict-prod-feedback")
    assert (record.review, record.correction, record.source) == (PRAISE.decode(), "mixed", "feedback")
    chalice(deployed.aws, deployed.project, "deploy")
    assert feedback_on(deployed) == 200
    table.delete(aws, "verdict-prod-feedback", "prod")
    assert feedback_on(deployed) == 503
    app_settings.disable(aws, "prod", yes=True, config=config)
    assert feedback_on(deployed) == 404
    chalice(deployed.aws, deployed.project, "deploy")
    assert feedback_on(deployed) == 404


def test_what_was_deployed_can_be_deleted(deployed: Deployed) -> None:
    chalice(deployed.aws, deployed.project, "delete")
    assert deployed.aws.client("lambda").list_functions()["Functions"] == []
    assert deployed.aws.client("apigateway").get_rest_apis()["items"] == []
    answer = deployed.ask("/predict", PRAISE, TEXT)
    assert answer.status == 403
