"""Deployment to the simulated SageMaker: success, every failure, and interruption."""

import io

import pytest

from operations.aws import names, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import canary, endpoint_state, models
from operations.endpoint.candidate import packaged_candidate
from operations.endpoint.endpoint_config import HostingError, HostingSpec, check_max_count, hosting_from_options
from operations.rollout.deploy import DeploymentSpec, deploy
from simulator.aws import SimulatedAws
from tests.operations.candidates import interrupted, resources_of, serves, small_candidate
from training.model.canary import score_canary
from training.model.container_image import image_uri

SERVERLESS, INSTANCES = HostingSpec(), HostingSpec("ml.m5.large", 1)


def printed(aws: Aws) -> str:
    """Return the printed text, without line breaks."""
    return " ".join(aws.console.file.getvalue().split())  # type: ignore[attr-defined]


def test_a_release_goes_into_service_with_correct_scores(aws: Aws, stage: str) -> None:
    candidate = small_candidate()
    ready = deploy(aws, candidate, DeploymentSpec(stage, SERVERLESS), yes=True)
    assert ready.name == f"verdict-{stage}-{candidate.encoder.fingerprint}"
    assert (ready.status, ready.release, ready.hosting) == ("InService", candidate.release_id, SERVERLESS)
    assert serves(aws, ready, candidate)


def test_the_plan_shows_prices_before_anything_is_created(
    aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(DeclinedError):
        deploy(aws, small_candidate(), DeploymentSpec(stage, INSTANCES))
    assert "1 x ml.m5.large: $0.115 an hour" in printed(aws)
    assert not resources_of(aws, stage)


def test_a_second_deploy_creates_nothing(aws: Aws, stage: str) -> None:
    first = deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)
    before = resources_of(aws, stage)
    assert deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS)).created == first.created
    assert resources_of(aws, stage) == before


def test_the_endpoint_is_tagged(aws: Aws, stage: str) -> None:
    candidate = small_candidate()
    ready = deploy(aws, candidate, DeploymentSpec(stage, SERVERLESS, expires="2026-11-25T04:00:00Z"), yes=True)
    assert ready.tags == {
        "verdict:app": "verdict",
        "verdict:stage": stage,
        "verdict:release": candidate.release_id,
        "verdict:expires": "2026-11-25T04:00:00Z",
    }


@pytest.mark.parametrize("hosting", [SERVERLESS, INSTANCES])
def test_models_have_the_pinned_image_and_no_network_on_instances(aws: Aws, stage: str, hosting: HostingSpec) -> None:
    ready = deploy(aws, small_candidate(), DeploymentSpec(stage, hosting), yes=True)
    model = aws.account.client("sagemaker").describe_model(ModelName=ready.variants[0].model)
    assert model["EnableNetworkIsolation"] == (not hosting.is_serverless)
    assert model["PrimaryContainer"]["Image"].endswith("/sagemaker-xgboost:3.0-5")


def test_instances_get_alarms_and_autoscaling(aws: Aws, stage: str) -> None:
    ready = deploy(aws, small_candidate(), DeploymentSpec(stage, INSTANCES, max_instances=3), yes=True)
    alarms = aws.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=ready.name)["MetricAlarms"]
    assert {alarm["MetricName"] for alarm in alarms} == {"Invocation5XXErrors", "ModelLatency"}
    scaling = aws.account.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    limits = [
        (target["MinCapacity"], target["MaxCapacity"]) for target in targets if ready.name in target["ResourceId"]
    ]
    assert limits == [(1, 3)]


@pytest.mark.parametrize(
    ("operation", "mishap", "message"),
    [
        ("CreateEndpoint", "fail", "ping health check"),
        ("CreateEndpoint", "capacity", "Unable to provision"),
        ("CreateEndpoint", "stuck", "was not in service after"),
        ("CreateEndpoint", "denied", "sagemaker:CreateEndpoint"),
        ("CreateEndpoint", "limit", "verdict quotas --request"),
    ],
)
def test_a_failed_deploy_reports_the_reason_and_leaves_nothing(
    aws: Aws, simulated: SimulatedAws, stage: str, operation: str, mishap: str, message: str
) -> None:
    simulated.fault_injector.inject(operation, mishap)
    minutes = 0.005 if mishap == "stuck" else 1.0  # the simulator gives up after two seconds
    with pytest.raises(AwsError, match=message) as caught:
        deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS, minutes=minutes), yes=True)
    assert not resources_of(aws, stage), caught.value


def test_an_interrupted_deploy_is_resumed_by_the_same_command(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError, match=f"deploy --stage {stage}"):
        deploy(interrupted(aws), small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)
    assert deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS)).status == "InService"


def test_a_failed_endpoint_is_created_again(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    candidate = small_candidate()
    model = models.ensure(aws, stage, candidate)
    name = names.endpoint(stage, candidate.encoder.fingerprint)
    sagemaker = aws.account.client("sagemaker")
    variant = {"VariantName": "release", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    simulated.fault_injector.inject("CreateEndpoint", "fail", times=1)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=names.tags(stage, candidate.release_id))
    failed = endpoint_state.wait_until_stable(aws, name, "")
    assert failed
    assert (failed.status, failed.is_running) == ("Failed", False)
    assert deploy(aws, candidate, DeploymentSpec(stage, SERVERLESS), yes=True).status == "InService"
    assert "failed before" in printed(aws)


def test_an_endpoint_of_another_project_is_left_alone(aws: Aws, stage: str) -> None:
    candidate = small_candidate()
    name = names.endpoint(stage, candidate.encoder.fingerprint)
    model = models.ensure(aws, stage, candidate)
    variant = {"VariantName": "theirs", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker = aws.account.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    with pytest.raises(AwsError) as caught:
        deploy(aws, candidate, DeploymentSpec(stage, SERVERLESS), yes=True)
    assert caught.value.kind == "name-taken"
    assert name in resources_of(aws, stage)


def test_deploy_refuses_another_release_or_kind_of_hosting(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, SERVERLESS), yes=True)
    with pytest.raises(AwsError, match="verdict update"):
        deploy(aws, small_candidate(seed=2), DeploymentSpec(stage, SERVERLESS), yes=True)
    with pytest.raises(AwsError, match="verdict teardown"):
        deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)


def test_an_endpoint_with_another_model_fails_its_canary(aws: Aws, stage: str) -> None:
    ready = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, SERVERLESS), yes=True)
    other = small_candidate(seed=2)
    with pytest.raises(canary.CanaryError, match="another model"):
        canary.verify(aws.account, ready.name, score_canary(other.model, other.encoder))


@pytest.mark.parametrize("packaged", [True, False], ids=["packaged model", "small model"])
def test_an_image_that_shifts_indices_fails_the_canary(aws: Aws, stage: str, packaged: bool) -> None:
    candidate = packaged_candidate() if packaged else small_candidate()
    ready = deploy(aws, candidate, DeploymentSpec(stage, SERVERLESS), yes=True)
    sagemaker, other = aws.account.client("sagemaker"), f"{ready.name}-shifting"
    model = sagemaker.describe_model(ModelName=ready.variants[0].model)
    container = model["PrimaryContainer"] | {"Image": image_uri(aws.account.region, "3.2-0")}
    sagemaker.create_model(ModelName=other, PrimaryContainer=container, ExecutionRoleArn=model["ExecutionRoleArn"])
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=ready.configuration)["ProductionVariants"]
    sagemaker.create_endpoint_config(EndpointConfigName=other, ProductionVariants=[variant | {"ModelName": other}])
    sagemaker.update_endpoint(EndpointName=ready.name, EndpointConfigName=other)
    endpoint_state.wait_until_in_service(aws, ready.name, stage, "")
    with pytest.raises(canary.CanaryError, match="smallest index"):
        canary.verify(aws.account, ready.name, canary.expected(candidate))


def test_a_missing_role_is_reported_with_the_command_that_creates_it(aws: Aws, stage: str) -> None:
    name = role.role_name(aws.account)
    iam = aws.account.client("iam")
    iam.delete_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)
    iam.delete_role(RoleName=name)
    with pytest.raises(AwsError, match="doctor --create"):
        deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)


@pytest.mark.parametrize("instance_type", ["ml.t3.medium", "m5.large"])
def test_an_unknown_instance_type_is_refused_without_a_request(instance_type: str) -> None:
    with pytest.raises(HostingError):
        hosting_from_options(instance_type, 1, "2048", 5)


@pytest.mark.parametrize(
    ("hosting", "max_count"), [(SERVERLESS, 4), (HostingSpec("ml.m5.large", 4), 2), (INSTANCES, 1)]
)
def test_autoscaling_without_effect_is_refused(hosting: HostingSpec, max_count: int) -> None:
    with pytest.raises(HostingError):
        check_max_count(hosting, max_count)


def test_seeds_give_different_candidates() -> None:
    first, second = small_candidate(seed=1), small_candidate(seed=2)
    assert first.release_id != second.release_id
    assert first.encoder.fingerprint == second.encoder.fingerprint
