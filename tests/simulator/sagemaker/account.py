"""An account of the simulated AWS in few words: models, configurations and endpoints for tests of hosting."""

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


@dataclass
class Account:
    """What a test needs to ask of AWS, in few words."""

    aws: SimulatedAws
    role: str
    count: int = 0

    def __post_init__(self) -> None:
        self.sagemaker = self.aws.client("sagemaker")
        self.runtime = self.aws.client("sagemaker-runtime")
        self.s3 = self.aws.client("s3")

    def new_name(self) -> str:
        """Return a name that nothing has yet."""
        self.count += 1
        return f"verdict-test-{self.count}"

    def model(self, archive: bytes | None = None, url: str = "", **changes: Any) -> str:
        """Make a model of an archive (the packaged one unless described); returns its name."""
        name = self.new_name()
        if archive is not None:
            url = f"s3://{BUCKET}/{name}/model.tar.gz"
            self.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=archive)
        container = {"Image": image_uri("us-east-1"), "ModelDataUrl": url or f"s3://{BUCKET}/model.tar.gz"}
        asked = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": self.role}
        self.sagemaker.create_model(**asked | changes)
        return name

    def config(self, *variants: dict[str, Any]) -> str:
        """Make a configuration of variants, to which what they lack is added; returns its name."""
        name = self.new_name()
        whole = [
            {"VariantName": "AllTraffic"} | ({"ModelName": self.model()} if "ModelName" not in one else {}) | one
            for one in variants or (SERVERLESS,)
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=whole)
        return name

    def start_endpoint(self, config: str) -> str:
        """Begin an endpoint; returns its name."""
        name = self.new_name()
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def endpoint(self, *variants: dict[str, Any]) -> str:
        """Bring an endpoint into service; returns its name."""
        name = self.start_endpoint(self.config(*variants))
        self.wait("endpoint_in_service", name)
        return name

    def wait(self, waiter: str, name: str) -> dict[str, Any]:
        """Wait for an endpoint with boto3's own waiter; returns what is then described of it, if it is still there."""
        self.sagemaker.get_waiter(waiter).wait(EndpointName=name, WaiterConfig=QUICK)
        return {} if waiter == "endpoint_deleted" else self.describe(name)

    def wait_until(self, name: str, path: str, value: str) -> dict[str, Any]:
        """Wait until what is described of an endpoint has a value at a JMESPath; returns what is described then."""
        reached = {"matcher": "path", "argument": path, "expected": value, "state": "success"}
        once = {
            "operation": "DescribeEndpoint",
            "delay": QUICK["Delay"],
            "maxAttempts": QUICK["MaxAttempts"],
            "acceptors": [reached],
        }
        model = WaiterModel({"version": 2, "waiters": {"Reached": once}})
        create_waiter_with_client("Reached", model, self.sagemaker).wait(EndpointName=name)
        return self.describe(name)

    @contextmanager
    def at_pace(self, pace: float) -> Iterator[None]:
        """Let time pass at another pace for a while."""
        world = self.aws.world()
        before, world.pace = world.pace, pace
        try:
            yield
        finally:
            world.pace = before

    def describe(self, name: str) -> dict[str, Any]:
        """Tell about an endpoint."""
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        return described

    def invoke(self, name: str, **more: str) -> tuple[float, str]:
        """Ask an endpoint for a score; returns it and the variant that answered."""
        answer = self.runtime.invoke_endpoint(EndpointName=name, ContentType="text/libsvm", Body=ROW, **more)
        return float(answer["Body"].read()), answer["InvokedProductionVariant"]

    def log(self, name: str) -> str:
        """Return all that an endpoint's containers logged."""
        group = f"/aws/sagemaker/Endpoints/{name}"
        events = self.aws.client("logs").filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"] for event in events)
