"""An endpoint brought into service on the simulated SageMaker, and every way in which that can end."""

import io

import pytest

from operations.aws import names, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import canary, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import HostingError, HostingSpec, check_max_count, hosting_from_options
from operations.rollout.deploy import DeploymentSpec, deploy
from simulator.aws import SimulatedAws
from tests.operations.candidates import small_candidate
from training.model.canary import computed

SERVERLESS, INSTANCES = HostingSpec(), HostingSpec("ml.m5.large", 1)


def printed(aws: Aws) -> str:
    return " ".join(aws.console.file.getvalue().split())  # type: ignore[attr-defined]


def left_of(aws: Aws, stage: str) -> list[str]:
    """Name the endpoints, configurations and models of a stage."""
    sagemaker, asked = aws.account.client("sagemaker"), {"NameContains": names.prefix(stage)}
    return [
        *(one["EndpointName"] for one in sagemaker.list_endpoints(**asked)["Endpoints"]),
        *(one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs(**asked)["EndpointConfigs"]),
        *(one["ModelName"] for one in sagemaker.list_models(**asked)["Models"]),
    ]


def test_a_release_goes_into_service_and_answers_its_canary(aws: Aws, stage: str) -> None:
    one = small_candidate()
    ready = deploy(aws, one, DeploymentSpec(stage, SERVERLESS), yes=True)
    assert ready.name == f"verdict-{stage}-{one.encoder.fingerprint}"
    assert (ready.status, ready.release, ready.hosting) == ("InService", one.release_id, SERVERLESS)
    assert canary.check(aws.account, ready.name, computed(one.model, one.encoder)) == 0
    assert [line["kind"] for line in aws.journal.read()][-4:] == ["model", "endpoint-config", "endpoint", "endpoint"]


def test_the_plan_is_told_with_its_price_before_anything_is_made(
    aws: Aws, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(DeclinedError):
        deploy(aws, small_candidate(), DeploymentSpec(stage, INSTANCES))
    assert "1 x ml.m5.large: $0.115 an hour" in printed(aws)
    assert not left_of(aws, stage)


def test_a_second_deploy_makes_nothing_twice(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)
    before, lines = left_of(aws, stage), len(list(aws.journal.read()))
    deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS))
    assert left_of(aws, stage) == before
    assert [line["action"] for line in aws.journal.read()][lines:] == ["updated"]


def test_everything_made_is_tagged(aws: Aws, stage: str) -> None:
    one = small_candidate()
    ready = deploy(aws, one, DeploymentSpec(stage, SERVERLESS, expires="2026-11-25T04:00:00Z"), yes=True)
    assert ready.tags == {
        "verdict:app": "verdict",
        "verdict:stage": stage,
        "verdict:release": one.release_id,
        "verdict:expires": "2026-11-25T04:00:00Z",
    }


@pytest.mark.parametrize("on", [SERVERLESS, INSTANCES])
def test_the_model_has_the_pinned_image_and_no_network_where_that_is_offered(
    aws: Aws, stage: str, on: HostingSpec
) -> None:
    ready = deploy(aws, small_candidate(), DeploymentSpec(stage, on), yes=True)
    model = aws.account.client("sagemaker").describe_model(ModelName=ready.variants[0].model)
    assert model["EnableNetworkIsolation"] == (not on.is_serverless)
    assert model["PrimaryContainer"]["Image"].endswith("/sagemaker-xgboost:3.0-5")


def test_instances_get_alarms_and_autoscaling(aws: Aws, stage: str) -> None:
    ready = deploy(aws, small_candidate(), DeploymentSpec(stage, INSTANCES, most_instances=3), yes=True)
    alarms = aws.account.client("cloudwatch").describe_alarms(AlarmNamePrefix=ready.name)["MetricAlarms"]
    assert {alarm["MetricName"] for alarm in alarms} == {"Invocation5XXErrors", "ModelLatency"}
    scaling = aws.account.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert [(one["MinCapacity"], one["MaxCapacity"]) for one in targets if ready.name in one["ResourceId"]] == [(1, 3)]


@pytest.mark.parametrize(
    ("operation", "mishap", "said"),
    [
        ("CreateEndpoint", "fail", "ping health check"),
        ("CreateEndpoint", "capacity", "Unable to provision"),
        ("CreateEndpoint", "stuck", "was not in service after"),
        ("CreateEndpoint", "denied", "may not sagemaker:CreateEndpoint"),
        ("CreateEndpoint", "limit", "verdict quotas --request"),
    ],
)
def test_a_deploy_that_fails_says_why_and_leaves_nothing(
    aws: Aws, simulated: SimulatedAws, stage: str, operation: str, mishap: str, said: str
) -> None:
    simulated.fault_injector.order(operation, mishap)
    with pytest.raises(AwsError, match=said) as caught:
        deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS, minutes=0.02), yes=True)
    assert not left_of(aws, stage), caught.value


def test_an_interrupted_deploy_says_how_to_go_on_and_goes_on(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    impatient = Aws(aws.account, aws.journal, aws.console, pause=interrupt)
    simulated.fault_injector.order("CreateEndpoint", "slow")
    with pytest.raises(StoppedWaitingError, match=f"deploy --stage {stage}"):
        deploy(impatient, small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)
    assert deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS)).status == "InService"


def test_an_endpoint_that_failed_before_is_made_anew(aws: Aws, simulated: SimulatedAws, stage: str) -> None:
    one = small_candidate()
    model = models.ensure(aws, stage, one)
    name = names.endpoint(stage, one.encoder.fingerprint)
    sagemaker = aws.account.client("sagemaker")
    variant = {"VariantName": "release", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    simulated.fault_injector.order("CreateEndpoint", "fail", times=1)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=names.tags(stage, one.release_id))
    failed = endpoint_state.wait_until_stable(aws, name, "")
    assert failed
    assert failed.status == "Failed"
    assert deploy(aws, one, DeploymentSpec(stage, SERVERLESS), yes=True).status == "InService"
    assert "had failed" in printed(aws)


def test_a_strangers_endpoint_of_that_name_is_left_alone(aws: Aws, stage: str) -> None:
    one = small_candidate()
    name = names.endpoint(stage, one.encoder.fingerprint)
    model = models.ensure(aws, stage, one)
    variant = {"VariantName": "theirs", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker = aws.account.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    with pytest.raises(AwsError, match="name is taken") as caught:
        deploy(aws, one, DeploymentSpec(stage, SERVERLESS), yes=True)
    assert caught.value.kind == "name-taken"
    assert name in left_of(aws, stage)


def test_another_release_is_for_update_and_another_kind_of_hosting_for_teardown(aws: Aws, stage: str) -> None:
    deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, SERVERLESS), yes=True)
    with pytest.raises(AwsError, match="verdict update"):
        deploy(aws, small_candidate(seed=2), DeploymentSpec(stage, SERVERLESS), yes=True)
    with pytest.raises(AwsError, match="verdict teardown"):
        deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, INSTANCES), yes=True)


def test_an_endpoint_that_answers_otherwise_fails_its_canary(aws: Aws, stage: str) -> None:
    ready = deploy(aws, small_candidate(seed=1), DeploymentSpec(stage, SERVERLESS), yes=True)
    other = small_candidate(seed=2)
    with pytest.raises(canary.CanaryError, match="another one, or computes otherwise"):
        canary.check(aws.account, ready.name, computed(other.model, other.encoder))


def test_a_row_that_was_shifted_is_told_from_another_model(aws: Aws, stage: str) -> None:
    one = small_candidate()
    ready = deploy(aws, one, DeploymentSpec(stage, SERVERLESS), yes=True)
    known = computed(one.model, one.encoder)
    shifted = type(known)(known.model_sha256, known.rows, [*known.scores[:-1], known.scores[-1] + 0.1])
    with pytest.raises(canary.CanaryError, match="smallest index"):
        canary.check(aws.account, ready.name, shifted)


def test_without_a_role_it_says_how_to_make_one(aws: Aws, stage: str) -> None:
    name = role.role_name(aws.account)
    iam = aws.account.client("iam")
    iam.delete_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)
    iam.delete_role(RoleName=name)
    with pytest.raises(AwsError, match="doctor --create"):
        deploy(aws, small_candidate(), DeploymentSpec(stage, SERVERLESS), yes=True)


@pytest.mark.parametrize("instance_type", ["ml.t3.medium", "m5.large"])
def test_a_type_that_hosts_nothing_is_refused_before_aws_is_asked(instance_type: str) -> None:
    with pytest.raises(HostingError, match=r"ml\."):
        hosting_from_options(instance_type, 1, "2048", 5)


@pytest.mark.parametrize(("on", "most"), [(SERVERLESS, 4), (HostingSpec("ml.m5.large", 4), 2), (INSTANCES, 1)])
def test_autoscaling_that_would_do_nothing_is_refused(on: HostingSpec, most: int) -> None:
    with pytest.raises(HostingError, match="--max-count"):
        check_max_count(on, most)


def test_the_candidates_differ() -> None:
    one: Candidate = small_candidate(seed=1)
    assert one.release_id != small_candidate(seed=2).release_id
    assert one.encoder.fingerprint == small_candidate(seed=2).encoder.fingerprint
