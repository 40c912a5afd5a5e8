"""The AWS that is rehearsed on, seen from outside: where the app is, what goes wrong on demand, what is left."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from boto3.session import Session

from rehearsal.workspace import RehearsalError
from simulator.runtime import REGION

LONGEST_WAIT_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
_LISTS = {  # what may be left: service -> (operation, member of its answer, member that names a thing)
    "sagemaker": [
        ("list_endpoints", "Endpoints", "EndpointArn"),
        ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn"),
        ("list_models", "Models", "ModelArn"),
        ("list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupArn"),
    ],
    "s3": [("list_buckets", "Buckets", "Name")],
    "iam": [("list_roles", "Roles", "Arn")],
    "cloudwatch": [("describe_alarms", "MetricAlarms", "AlarmArn")],
    "lambda": [("list_functions", "Functions", "FunctionArn")],
    "apigateway": [("get_rest_apis", "items", "id")],
}
_SHARED_LOGS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")
_RUNNING = [
    ("list_training_jobs", "TrainingJobSummaries", "TrainingJobArn"),
    ("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJobSummaries", "HyperParameterTuningJobArn"),
    ("list_transform_jobs", "TransformJobSummaries", "TransformJobArn"),
]


class Rehearsed:
    """An AWS at an address on this machine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": url}
        self._session = Session("simulated", "simulated", region_name=REGION)

    def client(self, service: str) -> Any:
        """Make a boto3 client of it."""
        return self._session.client(service, endpoint_url=self.url)

    def site(self) -> str:
        """Return the address of the app that `chalice deploy` put there."""
        sites = self._tell("GET", "/_simulator")["sites"]
        if len(sites) != 1:
            raise RehearsalError(f"There should be one deployed app, but there are {len(sites)}.")
        return str(next(iter(sites.values())))

    @contextmanager
    def going_wrong(self, operation: str, kind: str) -> Iterator[None]:
        """Let an operation go wrong in one way while the block runs."""
        self._tell("PUT", f"/_simulator/mishaps?operation={operation}&as={kind}")
        try:
            yield
        finally:
            self._tell("DELETE", "/_simulator/mishaps")

    def remaining(self) -> list[str]:
        """Name all that exists, asked service by service, and not by this project's own inventory."""
        found = [
            str(one[name])
            for service, lists in _LISTS.items()
            for operation, member, name in lists
            for one in self._all(service, operation, member)
        ]
        running = [
            str(one[name])
            for operation, member, name in _RUNNING
            for one in self._all("sagemaker", operation, member, StatusEquals="InProgress")
        ]
        targets = self._all(
            "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="sagemaker"
        )
        return [*found, *running, *self._logs(), *(f"scalable target {one['ResourceId']}" for one in targets)]

    def _logs(self) -> Iterator[str]:
        """Name the logs that are left: of groups that all jobs of an account share, the streams of ours."""
        for group in self._all("logs", "describe_log_groups", "logGroups"):
            name = str(group["logGroupName"])
            if name not in _SHARED_LOGS:
                yield name
                continue
            for stream in self._all("logs", "describe_log_streams", "logStreams", logGroupName=name):
                if stream["logStreamName"].startswith("verdict-"):
                    yield f"{name}:{stream['logStreamName']}"

    def _all(self, service: str, operation: str, member: str, **asked: str) -> Iterator[Any]:
        """Yield everything that a list operation gives, page by page."""
        client = self.client(service)
        pages = (
            client.get_paginator(operation).paginate(**asked)
            if client.can_paginate(operation)
            else [getattr(client, operation)(**asked)]
        )
        for page in pages:
            yield from page[member]

    def wait_for(self, happened: Callable[[], bool], what: str) -> None:
        """Return when something has happened; raises `RehearsalError` when it does not."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                raise RehearsalError(f"Waited {LONGEST_WAIT_SECONDS:.0f} s in vain for {what}.")
            time.sleep(LOOK_EVERY_SECONDS)

    def answers(self) -> bool:
        """Tell whether it is there yet."""
        try:
            self._tell("GET", "/_simulator")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _tell(self, method: str, target: str) -> dict[str, Any]:
        """Use the simulator's own control path."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request(method, target)
            answer = connection.getresponse()
            told: dict[str, Any] = json.loads(answer.read() or b"{}")
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise RehearsalError(f"The simulator refused {method} {target}: {told}")
        return told
