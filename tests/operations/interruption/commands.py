"""The commands that are interrupted, as functions of the AWS connection, a stage, and files on this machine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import xgboost

from chalicelib import release
from operations.aws import bucket, names
from operations.aws.command import Aws
from operations.endpoint import alarms, autoscaling
from operations.endpoint.autoscaling import AutoscalingLimits
from operations.endpoint.candidate import Candidate, packaged_candidate
from operations.endpoint.endpoint_config import HostingSpec
from operations.endpoint.traffic_shift import AT_ONCE, RolloutStrategy
from operations.feedback import app_settings
from operations.feedback.app_settings import CollectionSettings
from operations.inventory import inventory, model_registry
from operations.inventory.resources import Kind
from operations.jobs.batch_prediction import batch_scorer
from operations.jobs.batch_transform import score_in_batch
from operations.jobs.run_jobs import JobOptions
from operations.jobs.sagemaker_training import train_on_sagemaker
from operations.jobs.sagemaker_tuning import tune_on_sagemaker
from operations.jobs.tuning_job import TuningOptions
from operations.rollout.deploy import DeploymentSpec, deploy
from operations.rollout.rollback import PackageFolders, rollback
from operations.rollout.split import SplitSpec, split
from operations.rollout.update import update
from operations.teardown.deletions import Deletion
from operations.teardown.retire import FINDERS, PackagedRelease, retire
from operations.teardown.teardown import Scope, all_deletions, teardown
from tests.operations.apps import create_app
from tests.operations.candidates import small_candidate
from tests.operations.existing import create_endpoint
from training.model.hyperparameters import with_settings
from training.prediction.judge import Judge
from training.prediction.predict import predict
from training.prediction.result_file import ResultFile, choose_format
from training.prediction.review_files import open_reviews
from training.tuning.ranges import check_ranges

TWO, ONE = HostingSpec("ml.m5.large", 2), HostingSpec("ml.m5.large", 1)
STRATEGY = RolloutStrategy("canary", bake_seconds=0)
FIRST, SECOND, OTHER = small_candidate(), small_candidate(seed=2), small_candidate("other", seed=3)
JOB = JobOptions("ml.m5.xlarge", parallel=2, yes=True)
SHORT = ("num_round=3", "early_stopping_rounds=", "max_leaves=3", "eta=0.3")
RETIRED, REQUIRED = "bbbbbbbbbbbb", "cccccccccccc"  # vocabularies of a stage's two endpoints
REVIEWS = ("A superb film.", "A dull film.", "")


@dataclass(frozen=True)
class Files:
    """Training channels, the folders of a packaged release, and a folder for runs."""

    channels: Path
    package: PackageFolders
    runs: Path


Command = Callable[[Aws, str, Files], object]


def nothing(_aws: Aws, _stage: str, _files: Files) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Walk:
    """A command, the preparation of its stage, and a background fault: operation, kind, and number of times.

    `beyond` names the walk of the same command without the fault, whose points are left out. `check` asserts what the
    same command leads to if it is repeated after the interruption.
    """

    command: Command
    prepare: Command = nothing
    fault: tuple[str, str, int | None] | None = None
    beyond: str = ""
    check: Command | None = None


def of_stage(candidate: Candidate, stage: str) -> Candidate:
    """Return the same model with other bytes, so that each stage stores files of its own."""
    booster = xgboost.Booster(model_file=bytearray(candidate.model))
    booster.set_attr(stage=stage)
    return replace(candidate, model=bytes(booster.save_raw("ubj")))


def deploy_on_instances(aws: Aws, stage: str, _files: Files) -> None:
    """Deploy on two instances, with autoscaling."""
    deploy(aws, of_stage(FIRST, stage), DeploymentSpec(stage, TWO, max_instances=3), yes=True)


def deploy_serverless(aws: Aws, stage: str, _files: Files) -> None:
    deploy(aws, of_stage(FIRST, stage), DeploymentSpec(stage, HostingSpec()), yes=True)


def resize(aws: Aws, stage: str, _files: Files) -> None:
    deploy(aws, of_stage(FIRST, stage), DeploymentSpec(stage, ONE), yes=True)


def update_to_second(aws: Aws, stage: str, _files: Files) -> None:
    update(aws, of_stage(SECOND, stage), stage, STRATEGY, yes=True)


def split_in_two(aws: Aws, stage: str, _files: Files) -> None:
    candidates = [of_stage(FIRST, stage), of_stage(OTHER, stage)]
    weights = {candidate.name: 1.0 for candidate in candidates}
    split(aws, SplitSpec(stage, FIRST.encoder.fingerprint, candidates, weights), yes=True)


def choose_other(aws: Aws, stage: str, _files: Files) -> None:
    candidate = of_stage(OTHER, stage)
    split(aws, SplitSpec(stage, FIRST.encoder.fingerprint, [candidate], {"other": 1.0}, drop_others=True), yes=True)


def split_stage(aws: Aws, stage: str, files: Files) -> None:
    """Deploy, and split the traffic."""
    deploy_on_instances(aws, stage, files)
    split_in_two(aws, stage, files)


def updated_stage(aws: Aws, stage: str, files: Files) -> None:
    """Deploy a release before the packaged one, and update to that."""
    packaged = packaged_candidate(files.package.release_folder, files.package.model_folder)
    deploy(aws, of_stage(packaged, stage), DeploymentSpec(stage, ONE), yes=True)
    update(aws, packaged, stage, AT_ONCE, yes=True)


def roll_back(aws: Aws, stage: str, files: Files) -> None:
    rollback(aws, stage, files.package, yes=True)


def train(aws: Aws, stage: str, files: Files) -> None:
    stated = with_settings("default", SHORT)
    train_on_sagemaker(aws, files.channels, files.runs / stage, stated, replace(JOB, stage=stage, run=stage))


def tune(aws: Aws, stage: str, files: Files) -> None:
    static = with_settings("default", (*SHORT, "eta="))
    space = check_ranges(
        {
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9"}]},
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
            "StaticHyperParameters": static,
        }
    )
    options = replace(JOB, stage=stage, run=stage)
    tune_on_sagemaker(aws, space, files.channels, files.runs / stage, TuningOptions("Random", 2, 2), options)


def score(aws: Aws, stage: str, _files: Files) -> None:
    """Score rows in a batch transform job."""
    candidate = of_stage(FIRST, stage)
    row = candidate.encoder.row([candidate.encoder.vocabulary.terms[0]])
    score_in_batch(aws, stage, candidate, [row], "ml.m5.xlarge", yes=True)


def predict_in_batch(aws: Aws, stage: str, files: Files) -> None:
    """Judge a file of reviews in a batch transform job, as `verdict predict --on batch` does, unless it is judged."""
    candidate = of_stage(packaged_candidate(files.package.release_folder, files.package.model_folder), stage)
    into = judged_file(stage, files)
    if into.exists():
        return
    into.parent.mkdir(exist_ok=True)
    into.with_suffix(".csv").write_text("".join(f'"{cell}"\n' for cell in ("review", *REVIEWS)))
    opened = [open_reviews(into.with_suffix(".csv"))]
    judge = Judge(release.load(files.package.release_folder), None, explain=False)
    score = batch_scorer(aws, stage, candidate, "ml.m5.xlarge", yes=True)
    with ResultFile(into, {"stage": stage}, choose_format(opened, into, explain=False, prefix="")) as output:
        predict(opened, judge, output.write, output.rows, score=score, processes=1, score_skipped=True)


def judged_file(stage: str, files: Files) -> Path:
    """Return the file that `predict_in_batch` writes."""
    return files.runs / f"{stage}.jsonl"


def check_judged(aws: Aws, stage: str, files: Files) -> None:
    """Fail unless all reviews are judged, and no job is running."""
    assert len(judged_file(stage, files).read_text().splitlines()) == len(REVIEWS)
    assert inventory.take(aws.account, stage, ("transform jobs",)).resources == ()


def retire_idle(aws: Aws, stage: str, _files: Files) -> None:
    """Delete the endpoint of an earlier vocabulary."""
    retire(aws, stage, PackagedRelease(REQUIRED, datetime(2026, 1, 1, tzinfo=UTC)), timedelta(0), yes=True)


def two_endpoints(aws: Aws, stage: str, _files: Files) -> None:
    """Create the endpoints of two vocabularies, with autoscaling and alarms."""
    for fingerprint in (RETIRED, REQUIRED):
        endpoint = create_endpoint(aws, stage, fingerprint, instances=1)
        alarms.ensure(aws, stage, endpoint, ["v1"])
        autoscaling.ensure(aws, endpoint, AutoscalingLimits("v1", 1, 3, 1000.0))


def check_retired(aws: Aws, stage: str, _files: Files) -> None:
    """Fail unless only the required endpoint is left, with its configuration, model, alarms and autoscaling."""
    found = inventory.take(aws.account, stage, FINDERS).resources
    required = names.endpoint(stage, REQUIRED)
    assert all(required in resource.name for resource in found), found
    assert len(found) == 6


def register(aws: Aws, stage: str, files: Files) -> None:
    """Register a release in a group of the stage's own."""
    facts = release.load(files.package.release_folder).facts
    candidate = of_stage(packaged_candidate(files.package.release_folder, files.package.model_folder), stage)
    facts = replace(facts, model_sha256=candidate.model_sha256)
    model_registry.register(aws, package_group(stage), candidate, facts)


def package_group(stage: str) -> str:
    """Return the name of the model package group that `register` uses."""
    return f"verdict-{stage}-releases"


def check_registered(aws: Aws, stage: str, _files: Files) -> None:
    """Fail unless the release is registered once, and its archive is stored."""
    (arn,) = model_registry.package_arns(aws.account, package_group(stage))
    package = aws.account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    (container,) = package["InferenceSpecification"]["Containers"]
    assert bucket.fetch(aws.account, container["ModelDataUrl"])


def create_the_app(aws: Aws, stage: str, _files: Files) -> None:
    create_app(aws, stage)


def enable_feedback(aws: Aws, stage: str, _files: Files) -> None:
    app_settings.enable(aws, stage, CollectionSettings(), yes=True)


def full_stage(aws: Aws, stage: str, files: Files) -> None:
    """Deploy, and create a table of feedback."""
    deploy_on_instances(aws, stage, files)
    enable_feedback(aws, stage, files)


def tear_down(aws: Aws, stage: str, _files: Files) -> None:
    teardown(aws, Scope(stage, optional=("logs", "feedback")), yes=True, deletions=no_chalice())


def no_chalice() -> dict[Kind, Deletion]:
    """Return the deletion functions, without `chalice delete`."""
    return all_deletions(lambda _aws, _app: None)


def walks() -> dict[str, Walk]:
    """Return the commands to interrupt, by name."""
    return {
        "deploy": Walk(deploy_on_instances),
        "deploy-serverless": Walk(deploy_serverless),
        "deploy-that-fails": Walk(deploy_on_instances, fault=("CreateEndpoint", "fail", 1), beyond="deploy"),
        "resize": Walk(resize, deploy_on_instances),
        "update": Walk(update_to_second, deploy_on_instances),
        "update-that-fails": Walk(update_to_second, deploy_on_instances, ("UpdateEndpoint", "fail", 1), "update"),
        "split": Walk(split_in_two, deploy_on_instances),
        "split-chosen": Walk(choose_other, split_stage),
        "rollback": Walk(roll_back, updated_stage),
        "train": Walk(train, fault=("CreateTrainingJob", "stuck", None)),
        "train-that-fails": Walk(train, fault=("CreateTrainingJob", "fail", 1), beyond="train"),
        "tune": Walk(tune, fault=("CreateTrainingJob", "stuck", None)),
        "batch": Walk(score, fault=("CreateTransformJob", "stuck", None)),
        "predict": Walk(predict_in_batch, check=check_judged),
        "retire": Walk(retire_idle, two_endpoints, check=check_retired),
        "register": Walk(register, check=check_registered),
        "feedback-enable": Walk(enable_feedback, create_the_app),
        "teardown": Walk(tear_down, full_stage),
    }
