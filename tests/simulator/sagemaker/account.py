"""A simulated AWS account for tests: short calls that create models, configurations and endpoints."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.waiter import WaiterModel, create_waiter_with_client

from simulator.aws import SimulatedAws
from training.model.container_image import image_uri

BUCKET = "verdict-hosting"
ROLE = "verdict-hosting"
QUICK = {"Delay": 0.02, "MaxAttempts": 3000}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
ROW = b"0:1 5:1 6024:1"


def pack(files: dict[str, bytes]) -> bytes:
    """Pack a model.tar.gz."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


def wait_for(client: Any, operation: str, *acceptors: dict[str, Any], **request: Any) -> None:
    """Repeat an operation until one of a waiter's acceptors matches."""
    waiter = {"operation": operation, "delay": 0.02, "maxAttempts": 3000, "acceptors": acceptors}
    model = WaiterModel({"version": 2, "waiters": {"Reached": waiter}})
    create_waiter_with_client("Reached", model, client).wait(**request)


@dataclass
class Account:
    """A simulated AWS account, with short calls that fill in default parameters."""

    aws: SimulatedAws
    role: str
    count: int = 0

    def __post_init__(self) -> None:
        self.sagemaker = self.aws.client("sagemaker")
        self.runtime = self.aws.client("sagemaker-runtime")
        self.s3 = self.aws.client("s3")

    def new_name(self) -> str:
        """Return an unused name."""
        self.count += 1
        return f"verdict-test-{self.count}"

    def model(self, archive: bytes | None = None, url: str = "", **changes: Any) -> str:
        """Create a model from an archive, by default the packaged model's; returns its name."""
        name = self.new_name()
        if archive is not None:
            url = f"s3://{BUCKET}/{name}/model.tar.gz"
            self.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=archive)
        container = {"Image": image_uri("us-east-1"), "ModelDataUrl": url or f"s3://{BUCKET}/model.tar.gz"}
        request = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": self.role}
        self.sagemaker.create_model(**request | changes)
        return name

    def config(self, *variants: dict[str, Any]) -> str:
        """Create a configuration from variants, completed with a name and a model; returns its name."""
        name = self.new_name()
        complete = [
            {"VariantName": "AllTraffic"} | ({} if "ModelName" in variant else {"ModelName": self.model()}) | variant
            for variant in variants or (SERVERLESS,)
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=complete)
        return name

    def start_endpoint(self, config: str) -> str:
        """Start to create an endpoint; returns its name."""
        name = self.new_name()
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def endpoint(self, *variants: dict[str, Any]) -> str:
        """Create an endpoint and wait until it is in service; returns its name."""
        name = self.start_endpoint(self.config(*variants))
        self.wait("endpoint_in_service", name)
        return name

    def wait(self, waiter: str, name: str) -> dict[str, Any]:
        """Wait for an endpoint with a boto3 waiter; returns its description, {} if it was deleted."""
        self.sagemaker.get_waiter(waiter).wait(EndpointName=name, WaiterConfig=QUICK)
        return {} if waiter == "endpoint_deleted" else self.describe(name)

    def delete(self, name: str) -> None:
        """Delete an endpoint once it is stable, and wait until it is deleted."""
        statuses = ("InService", "Failed")
        stable = [
            {"matcher": "path", "argument": "EndpointStatus", "expected": status, "state": "success"}
            for status in statuses
        ]
        wait_for(self.sagemaker, "DescribeEndpoint", *stable, EndpointName=name)
        self.sagemaker.delete_endpoint(EndpointName=name)
        self.wait("endpoint_deleted", name)

    def wait_until(self, name: str, path: str, value: str) -> dict[str, Any]:
        """Wait until an endpoint has a value at a JMESPath; returns its description."""
        reached = {"matcher": "path", "argument": path, "expected": value, "state": "success"}
        wait_for(self.sagemaker, "DescribeEndpoint", reached, EndpointName=name)
        return self.describe(name)

    @contextmanager
    def at_pace(self, pace: float) -> Iterator[None]:
        """Change the simulator's pace within a `with` statement."""
        backend = self.aws.backend()
        before, backend.pace = backend.pace, pace
        try:
            yield
        finally:
            backend.pace = before

    def describe(self, name: str) -> dict[str, Any]:
        """Return an endpoint's description."""
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        return described

    def invoke(self, name: str, **more: str) -> tuple[float, str]:
        """Send a row to an endpoint; returns the score and the variant that answered."""
        response = self.runtime.invoke_endpoint(EndpointName=name, ContentType="text/libsvm", Body=ROW, **more)
        return float(response["Body"].read()), response["InvokedProductionVariant"]

    def log(self, name: str) -> str:
        """Return the log lines of an endpoint's containers."""
        group = f"/aws/sagemaker/Endpoints/{name}"
        events = self.aws.client("logs").filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"] for event in events)
