"""The simulated AWS as boto3 meets it: which part answers, what goes wrong on demand, and S3's transfers."""

import http.client
import json
import os
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from simulator.aws import SimulatedAws
from simulator.container.serving import Container
from simulator.endpoint.runtime import RuntimeEndpoint, Variant
from simulator.http.server import PortInUseError
from simulator.sagemaker.hosting.endpoint_lifecycle import ENDPOINT

ROW = b"0:1 5:1"


@pytest.fixture
def bucket(simulated_aws: SimulatedAws, request: pytest.FixtureRequest) -> str:
    name = "bucket-" + request.node.name.partition("[")[0].replace("_", "-")[:40]
    simulated_aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def endpoint(simulated_aws: SimulatedAws, packaged: Container) -> RuntimeEndpoint:
    made = RuntimeEndpoint("verdict-test", [Variant("AllTraffic", 1.0, packaged)], pause=lambda seconds: None)
    simulated_aws.backend().endpoints[made.name] = made
    return made


def simulator(aws: SimulatedAws, path: str, method: str = "GET") -> Any:
    with urlopen(Request(f"{aws.url}/_simulator{path}", method=method)) as answer:
        return json.loads(answer.read())


def invoke(aws: SimulatedAws, name: str, region: str = "us-east-1") -> bytes:
    return aws.client("sagemaker-runtime", region).invoke_endpoint(EndpointName=name, Body=ROW)["Body"].read()


def test_a_large_file_goes_up_in_parts_and_comes_back(simulated_aws: SimulatedAws, bucket: str, tmp_path: Path) -> None:
    sent, received = tmp_path / "sent", tmp_path / "received"
    sent.write_bytes(os.urandom(33 * 1024 * 1024))
    s3 = simulated_aws.client("s3")
    s3.upload_file(str(sent), bucket, "folder/a file.bin")
    s3.download_file(bucket, "folder/a file.bin", str(received))
    assert received.read_bytes() == sent.read_bytes()
    assert s3.head_object(Bucket=bucket, Key="folder/a file.bin")["ETag"].endswith('-5"')


def test_objects_are_read_in_ranges_listed_and_deleted(simulated_aws: SimulatedAws, bucket: str) -> None:
    s3 = simulated_aws.client("s3")
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"0123456789", ServerSideEncryption="AES256")
    assert s3.get_object(Bucket=bucket, Key="a/b", Range="bytes=2-4")["Body"].read() == b"234"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="a/")["Contents"]] == ["a/b"]
    s3.delete_object(Bucket=bucket, Key="a/b")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="a/b")


def test_chunked_body_is_read(simulated_aws: SimulatedAws, bucket: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", simulated_aws.port, timeout=10)
    connection.request("PUT", f"/{bucket}/chunked", iter([b"one ", b"two"]))
    assert connection.getresponse().status == 200
    connection.close()
    assert simulated_aws.client("s3").get_object(Bucket=bucket, Key="chunked")["Body"].read() == b"one two"


def test_malformed_chunks_are_rejected(simulated_aws: SimulatedAws) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", simulated_aws.port, timeout=10)
    connection.request("PUT", "/any/key", b"no size\r\n", {"Transfer-Encoding": "chunked"})
    assert connection.getresponse().status == 400
    connection.close()


def test_an_endpoint_answers_in_its_own_region_only(simulated_aws: SimulatedAws, endpoint: RuntimeEndpoint) -> None:
    assert 0 < float(invoke(simulated_aws, endpoint.name)) < 1
    with pytest.raises(ClientError, match="Endpoint verdict-test of account 123456789012 not found") as caught:
        invoke(simulated_aws, endpoint.name, "eu-west-1")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_an_endpoint_that_is_being_created_does_not_answer(simulated_aws: SimulatedAws) -> None:
    simulated_aws.backend().create(ENDPOINT, {"EndpointName": "verdict-new"}, status="Creating")
    with pytest.raises(ClientError, match="its status is Creating") as caught:
        invoke(simulated_aws, "verdict-new")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_fault_is_injected_into_an_endpoint(simulated_aws: SimulatedAws, endpoint: RuntimeEndpoint) -> None:
    path = f"/endpoints/{endpoint.name}/faults"
    assert simulator(simulated_aws, f"{path}?fault=model-error", "PUT") == {"fault": "model-error"}
    with pytest.raises(ClientError, match="ModelError"):
        invoke(simulated_aws, endpoint.name)
    simulator(simulated_aws, path, "DELETE")
    assert invoke(simulated_aws, endpoint.name)


def test_state_lists_requests_and_endpoints(simulated_aws: SimulatedAws, endpoint: RuntimeEndpoint) -> None:
    before = simulator(simulated_aws, "")["requests"]
    invoke(simulated_aws, endpoint.name)
    state = simulator(simulated_aws, "")
    assert state["requests"] == before + 2
    assert state["endpoints"]["us-east-1"]["verdict-test"] == {"requests": 1, "fault": ""}


def test_fault_is_injected_and_cleared_over_http(simulated_aws: SimulatedAws) -> None:
    ordered = simulator(simulated_aws, "/faults?operation=DescribeEndpoint&fault=denied", "PUT")
    assert ordered == {"faults": {"DescribeEndpoint": "denied"}} == simulator(simulated_aws, "/faults")
    with pytest.raises(ClientError, match=r"not authorized to perform: sagemaker:DescribeEndpoint"):
        simulated_aws.client("sagemaker").describe_endpoint(EndpointName="any")
    assert simulator(simulated_aws, "/faults", "DELETE") == {"faults": {}}


@pytest.mark.parametrize(
    "query", ["fault=stuck", "operation=CreateEndpoint&fault=moody", "operation=A&fault=stuck&times=some"]
)
def test_unknown_operation_faults_are_rejected(simulated_aws: SimulatedAws, query: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", simulated_aws.port, timeout=10)
    connection.request("PUT", f"/_simulator/faults?{query}")
    answer = connection.getresponse()
    assert (answer.status, "error" in json.loads(answer.read())) == (400, True)
    connection.close()


def test_unknown_operation_is_reported(simulated_aws: SimulatedAws) -> None:
    with pytest.raises(ClientError, match="does not support ListAutoMLJobs") as caught:
        simulated_aws.client("sagemaker").list_auto_ml_jobs()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_environment_directs_boto3_here_without_profiles(simulated_aws: SimulatedAws) -> None:
    environment = simulated_aws.environment
    assert environment["AWS_ENDPOINT_URL"] == simulated_aws.url
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_stopped_simulator_frees_its_port() -> None:
    with SimulatedAws() as aws:
        sts = aws.client("sts")
        assert sts.get_caller_identity()["Account"] == "123456789012"
        with pytest.raises(PortInUseError, match="Choose another with --port"):
            SimulatedAws(aws.port)
    with pytest.raises(EndpointConnectionError):
        sts.get_caller_identity()
    with SimulatedAws(aws.port) as again:
        assert again.port == aws.port
