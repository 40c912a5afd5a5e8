"""Endpoints through boto3: creation, failures, quotas, weights and deletion."""

from contextlib import nullcontext

import pytest
from botocore.exceptions import ClientError, WaiterError
from werkzeug.datastructures import Headers

from simulator.container.serving import Container
from simulator.endpoint.local_endpoint import MODEL_FILE
from simulator.http.messages import HttpResponse
from tests.simulator.sagemaker.account import BUCKET, SERVERLESS, Account, pack

INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
UNHEALTHY = (
    "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
    "CloudWatch logs for this endpoint."
)


def failed(account: Account, config: str) -> tuple[str, str]:
    """Start an endpoint and wait until it fails; returns its name and the failure reason."""
    name = account.start_endpoint(config)
    with pytest.raises(WaiterError):
        account.wait("endpoint_in_service", name)
    described = account.describe(name)
    assert described["EndpointStatus"] == "Failed"
    return name, described["FailureReason"]


def test_endpoint_is_created_answers_and_is_deleted(account: Account) -> None:
    name = account.endpoint()
    described = account.describe(name)
    (variant,) = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentWeight"]) == ("AllTraffic", 1.0)
    assert variant["CurrentServerlessConfig"] == SERVERLESS["ServerlessConfig"]
    assert "PendingDeploymentSummary" not in described
    expected = Container(MODEL_FILE.read_bytes()).invoke(b"0:1 5:1 6024:1", "text/libsvm")
    assert account.invoke(name) == (float(expected.body), "AllTraffic")
    account.sagemaker.delete_endpoint(EndpointName=name)
    account.wait("endpoint_deleted", name)
    with pytest.raises(ClientError, match="not found"):
        account.invoke(name)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        account.describe(name)


def test_endpoint_does_not_answer_while_it_is_created(account: Account) -> None:
    account.aws.fault_injector.inject("CreateEndpoint", "stuck", 1)
    name = account.start_endpoint(account.config())
    described = account.describe(name)
    assert described["EndpointStatus"] == "Creating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == described["EndpointConfigName"]
    with pytest.raises(ClientError, match="Creating"):
        account.invoke(name)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=described["EndpointConfigName"])
    account.delete(name)


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting"])
def test_endpoint_cannot_be_deleted_while_it_changes(account: Account, status: str) -> None:
    account.aws.fault_injector.inject("CreateEndpoint", "slow")
    account.aws.fault_injector.inject("UpdateEndpoint", "slow")
    name = account.start_endpoint(account.config())
    if status != "Creating":
        config = account.wait("endpoint_in_service", name)["EndpointConfigName"]
    if status == "Updating":
        account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    with account.at_pace(60) if status == "Deleting" else nullcontext():
        if status == "Deleting":
            account.sagemaker.delete_endpoint(EndpointName=name)
        assert account.describe(name)["EndpointStatus"] == status
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint") as caught:
            account.sagemaker.delete_endpoint(EndpointName=name)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_stuck_creation_fails_in_the_end(account: Account) -> None:
    account.aws.fault_injector.inject("CreateEndpoint", "stuck", 1)
    name, reason = failed(account, account.config())
    assert reason.startswith("Request to service failed")
    account.delete(name)


def test_stray_file_in_the_archive_fails_the_endpoint(account: Account) -> None:
    archive = pack({"xgboost-model": MODEL_FILE.read_bytes(), "vocabulary.txt": b"good\nbad\n"})
    name, reason = failed(account, account.config({"ModelName": account.model(archive), **SERVERLESS}))
    assert reason == UNHEALTHY
    assert "Model at /opt/ml/model/vocabulary.txt cannot be loaded" in account.log(name)


def test_files_in_folders_and_hidden_files_are_ignored(account: Account) -> None:
    archive = pack({"./xgboost-model": MODEL_FILE.read_bytes(), "code/notes.txt": b"notes", ".hidden": b"x"})
    name = account.endpoint({"ModelName": account.model(archive), **SERVERLESS})
    assert "Model loaded successfully" in account.log(name)
    assert "notes" not in account.log(name)


def test_invalid_archive_fails_the_endpoint(account: Account) -> None:
    _, reason = failed(account, account.config({"ModelName": account.model(b"not a tar"), **SERVERLESS}))
    assert "Please ensure that the object located at the URL is a valid tar.gz archive." in reason


def test_deleted_archive_fails_the_endpoint(account: Account) -> None:
    model = account.model(pack({"xgboost-model": b"deleted later"}))
    account.s3.delete_object(Bucket=BUCKET, Key=f"{model}/model.tar.gz")
    _, reason = failed(account, account.config({"ModelName": model, **SERVERLESS}))
    assert f's3://{BUCKET}/{model}/model.tar.gz". Please ensure that there is an object located at the URL' in reason


@pytest.mark.parametrize(
    ("kind", "reason"), [("fail", UNHEALTHY), ("capacity", "Unable to provision requested ML compute capacity")]
)
def test_failed_endpoint_can_only_be_deleted(account: Account, kind: str, reason: str) -> None:
    account.aws.fault_injector.inject("CreateEndpoint", kind, 1)
    config = account.config()
    name, described = failed(account, config)
    assert described.startswith(reason)
    with pytest.raises(ClientError, match="Cannot update failed endpoint"):
        account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    account.sagemaker.delete_endpoint(EndpointName=name)
    account.wait("endpoint_deleted", name)


def test_instances_beyond_the_quota_are_refused(account: Account) -> None:
    limit = int(account.aws.quotas().limit("ml.m5.large for endpoint usage"))
    with pytest.raises(ClientError) as caught:
        account.start_endpoint(account.config({"InstanceType": "ml.m5.large", "InitialInstanceCount": limit + 1}))
    assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert caught.value.response["Error"]["Message"].startswith(
        f"The account-level service limit 'ml.m5.large for endpoint usage' is {limit} Instances, with current "
        f"utilization of 0 Instances and a request delta of {limit + 1} Instances."
    )


def test_serverless_concurrency_beyond_the_quota_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="concurrency") as caught:
        account.start_endpoint(account.config({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 200}}))
    assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"


def test_absent_configuration_and_duplicate_endpoint_are_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        account.start_endpoint("absent")
    name = account.endpoint()
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        account.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=account.config())
    listed = account.sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert name in [item["EndpointName"] for item in listed]


def test_weights_shift_traffic_and_a_variant_can_be_targeted(account: Account, other_model: bytes) -> None:
    challenger = {"VariantName": "B", "InitialVariantWeight": 0.0, **INSTANCE}
    name = account.endpoint(
        {"VariantName": "A", **INSTANCE}, challenger | {"ModelName": model_of(account, other_model)}
    )
    assert {account.invoke(name)[1] for _ in range(20)} == {"A"}
    assert account.invoke(name, TargetVariant="B") == (pytest.approx(0.5), "B")
    account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 0.0},
            {"VariantName": "B", "DesiredWeight": 1.0, "DesiredInstanceCount": 2},
        ],
    )
    assert account.describe(name)["EndpointStatus"] == "Updating"
    described = account.wait("endpoint_in_service", name)
    assert {account.invoke(name)[1] for _ in range(20)} == {"B"}
    assert [(item["CurrentWeight"], item["CurrentInstanceCount"]) for item in described["ProductionVariants"]] == [
        (0.0, 1),
        (1.0, 2),
    ]
    with pytest.raises(ClientError, match='"C"'):
        account.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "C", "DesiredWeight": 1.0}]
        )
    account.sagemaker.delete_endpoint(EndpointName=name)


def model_of(account: Account, model: bytes) -> str:
    """Create a model from one file."""
    return account.model(pack({"xgboost-model": model}))


def test_instances_accept_larger_requests_than_serverless(account: Account) -> None:
    backend = account.aws.backend()
    sizes = []
    for variant in (SERVERLESS, INSTANCE):
        name = account.endpoint(variant)
        answer: HttpResponse = backend.endpoints[name].invoke(name, Headers(), b"0:1" + b" " * (5 * 1024 * 1024))
        sizes.append(answer.status)
        account.sagemaker.delete_endpoint(EndpointName=name)
    assert sizes == [400, 200]
