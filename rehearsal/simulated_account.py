"""The simulated AWS account that the rehearsal uses: clients, fault injection, and remaining resources."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from boto3.session import Session

from rehearsal.workspace import RehearsalError
from simulator.endpoint.runtime import REGION

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.1
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
_RUNNING, _OF_SAGEMAKER = {"StatusEquals": "InProgress"}, {"ServiceNamespace": "sagemaker"}
_TUNING = "HyperParameterTuningJob"
_LISTS: list[tuple[str, str, str, str, dict[str, str]]] = [  # service, operation, member, name of an item, parameters
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointArn", {}),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn", {}),
    ("sagemaker", "list_models", "Models", "ModelArn", {}),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupArn", {}),
    ("sagemaker", "list_training_jobs", "TrainingJobSummaries", "TrainingJobArn", _RUNNING),
    ("sagemaker", "list_transform_jobs", "TransformJobSummaries", "TransformJobArn", _RUNNING),
    ("sagemaker", "list_hyper_parameter_tuning_jobs", f"{_TUNING}Summaries", f"{_TUNING}Arn", _RUNNING),
    ("application-autoscaling", "describe_scalable_targets", "ScalableTargets", "ResourceId", _OF_SAGEMAKER),
    ("s3", "list_buckets", "Buckets", "Name", {}),
    ("iam", "list_roles", "Roles", "Arn", {}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmArn", {}),
    ("lambda", "list_functions", "Functions", "FunctionArn", {}),
    ("apigateway", "get_rest_apis", "items", "id", {}),
]
_SHARED_LOG_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs")


class SimulatedAccount:
    """A simulated AWS account at a URL on this machine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": url}
        self._session = Session("simulated", "simulated", region_name=REGION)

    def client(self, service: str) -> Any:
        """Create a boto3 client."""
        return self._session.client(service, endpoint_url=self.url)

    def app_url(self) -> str:
        """Return the URL of the app that `chalice deploy` created."""
        sites = self._control("GET", "/_simulator")["sites"]
        if len(sites) != 1:
            raise RehearsalError(f"Expected one deployed app, found {len(sites)}.")
        return str(next(iter(sites.values())))

    @contextmanager
    def injected_fault(self, operation: str, kind: str) -> Iterator[None]:
        """Inject a fault into an operation for the duration of the block."""
        self._control("PUT", f"/_simulator/faults?operation={operation}&fault={kind}")
        try:
            yield
        finally:
            self._control("DELETE", "/_simulator/faults")

    def remaining(self) -> list[str]:
        """Return the names of all remaining resources, listed independently of `operations.inventory`."""
        found = [
            str(resource[name])
            for service, operation, member, name, parameters in _LISTS
            for resource in self._all(service, operation, member, **parameters)
        ]
        return [*found, *self._all("dynamodb", "list_tables", "TableNames"), *self._logs()]

    def _logs(self) -> Iterator[str]:
        """Yield the remaining log groups; of the groups shared by all jobs of an account, our log streams."""
        for group in self._all("logs", "describe_log_groups", "logGroups"):
            name = str(group["logGroupName"])
            if name not in _SHARED_LOG_GROUPS:
                yield name
                continue
            for stream in self._all("logs", "describe_log_streams", "logStreams", logGroupName=name):
                if stream["logStreamName"].startswith("verdict-"):
                    yield f"{name}:{stream['logStreamName']}"

    def _all(self, service: str, operation: str, member: str, **parameters: str) -> Iterator[Any]:
        """Yield the items of a list operation, from all pages."""
        client = self.client(service)
        pages = (
            client.get_paginator(operation).paginate(**parameters)
            if client.can_paginate(operation)
            else [getattr(client, operation)(**parameters)]
        )
        for page in pages:
            yield from page[member]

    def wait_until(self, condition: Callable[[], bool], description: str) -> None:
        """Return when a condition is true; raises `RehearsalError` on timeout."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise RehearsalError(f"Timed out after {TIMEOUT_SECONDS:.0f} s waiting for {description}.")
            time.sleep(POLL_SECONDS)

    def is_ready(self) -> bool:
        """Return whether the simulator responds."""
        try:
            self._control("GET", "/_simulator")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _control(self, method: str, target: str) -> dict[str, Any]:
        """Send a request to the simulator's control API."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            document: dict[str, Any] = json.loads(response.read() or b"{}")
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise RehearsalError(f"The simulator refused {method} {target}: {document}")
        return document
