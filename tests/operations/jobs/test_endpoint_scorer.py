"""Scores from a deployed endpoint on the simulated SageMaker."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from chalicelib.endpoint_errors import EndpointError
from cli.model.evaluate import command
from operations.aws import names
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.endpoint import endpoint_config, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import HostingSpec, VariantSpec
from operations.jobs import endpoint_scorer
from operations.jobs.endpoint_scorer import chunks_of, score_on_endpoint
from operations.jobs.remote_predictor import verified
from simulator.aws import SimulatedAws
from simulator.faults.endpoint_faults import EndpointFault
from training.evaluation.evaluate import evaluate, load_evaluation
from training.evaluation.predictions import predictor
from training.model.run_folder import Run, load_run
from training.model.train import train

SERVERLESS = HostingSpec()


@pytest.fixture
def candidate(trained_run: Run) -> Candidate:
    return Candidate("small", trained_run.model, trained_run.encoder)


@pytest.fixture
def other(small_channels: Path, small_hyperparameters: dict[str, str], tmp_path: Path) -> Candidate:
    """Another model with the same vocabulary."""
    train(small_channels, tmp_path / "other", {**small_hyperparameters, "seed": "2"})
    run = load_run(tmp_path / "other")
    return Candidate("other", run.model, run.encoder)


def serve(aws: Aws, stage: str, *candidates: Candidate, hosting: HostingSpec = SERVERLESS) -> str:
    """Create a stage's endpoint with a variant per candidate; the first gets all traffic. Return its name."""
    name = names.endpoint(stage, candidates[0].encoder.fingerprint)
    variants = [
        VariantSpec(
            candidate.name,
            models.ensure(aws, stage, candidate, isolated=not hosting.is_serverless),
            float(candidate is candidates[0]),
        )
        for candidate in candidates
    ]
    request = endpoint_config.request(stage, name, candidates[0].release_id, hosting, variants)
    configuration = endpoint_config.ensure(aws, request)
    tags = names.tags(stage, candidates[0].release_id)
    aws.account.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=configuration, Tags=tags)
    endpoint_state.wait_until_stable(aws, name, "again")
    return name


@pytest.fixture(autouse=True)
def without_pauses(aws: Aws, quickly: Callable[[float], None]) -> None:
    aws.pause = quickly


def rows_of(candidate: Candidate, count: int) -> list[str]:
    terms = candidate.encoder.vocabulary.terms
    return [
        candidate.encoder.row([terms[number % len(terms)], terms[3 * number % len(terms)]]) for number in range(count)
    ]


def test_scores_in_several_chunks_equal_local_ones(
    aws: Aws, stage: str, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_scorer, "CHUNK_BYTES", 1_000)
    serve(aws, stage, candidate)
    rows = rows_of(candidate, 50)
    scores = score_on_endpoint(aws, stage, candidate, "", rows, yes=True)
    assert scores.tolist() == predictor(candidate.model, candidate.encoder.columns)(rows).tolist()
    assert "requests to" in aws.console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 requests to" not in aws.console.file.getvalue()  # type: ignore[attr-defined]


def test_an_evaluation_on_the_endpoint_equals_the_local_one(
    aws: Aws, stage: str, evaluated_run: Run, small_data: Path, tmp_path: Path
) -> None:
    candidate = Candidate("small", evaluated_run.model, evaluated_run.encoder)
    serve(aws, stage, candidate)
    shutil.copytree(evaluated_run.folder, tmp_path / "run")
    on_endpoint = verified(
        lambda rows: score_on_endpoint(aws, stage, candidate, "", rows, yes=True),
        predictor(candidate.model, candidate.encoder.columns),
        aws.print,
    )
    evaluation = evaluate(tmp_path / "run", small_data, include_test=True, predict=on_endpoint)
    assert evaluation.figures == load_evaluation(evaluated_run).figures
    assert evaluation.test_looks == 2


def test_one_of_several_variants_can_be_scored(aws: Aws, stage: str, candidate: Candidate, other: Candidate) -> None:
    serve(aws, stage, candidate, other, hosting=HostingSpec("ml.m5.large"))
    rows = rows_of(candidate, 5)
    scores = score_on_endpoint(aws, stage, other, "other", rows, yes=False)  # instances are billed anyway
    assert scores.tolist() == predictor(other.model, other.encoder.columns)(rows).tolist()
    assert scores.tolist() != score_on_endpoint(aws, stage, candidate, "", rows, yes=False).tolist()


def test_an_endpoint_with_another_model_is_refused(
    aws: Aws, stage: str, candidate: Candidate, other: Candidate
) -> None:
    serve(aws, stage, candidate)
    with pytest.raises(AwsError, match=candidate.release_id) as caught:
        score_on_endpoint(aws, stage, other, "", rows_of(other, 1), yes=True)
    assert caught.value.kind == "other-release"


def test_a_missing_endpoint_or_variant_is_reported(aws: Aws, stage: str, candidate: Candidate) -> None:
    with pytest.raises(AwsError, match="There is no endpoint"):
        score_on_endpoint(aws, stage, candidate, "", rows_of(candidate, 1), yes=True)
    serve(aws, stage, candidate)
    with pytest.raises(AwsError, match="no variant 'linear'"):
        score_on_endpoint(aws, stage, candidate, "linear", rows_of(candidate, 1), yes=True)


def test_a_serverless_endpoint_gets_no_request_without_confirmation(
    aws: Aws, stage: str, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    serve(aws, stage, candidate)
    with pytest.raises(DeclinedError):
        score_on_endpoint(aws, stage, candidate, "", rows_of(candidate, 1), yes=False)


@pytest.mark.parametrize(
    ("misbehaviour", "cause"), [("short", "1 scores for 2 rows"), ("garbage", "not a probability")]
)
def test_an_invalid_response_gives_no_scores(
    simulated: SimulatedAws, aws: Aws, stage: str, candidate: Candidate, misbehaviour: str, cause: str
) -> None:
    name = serve(aws, stage, candidate)
    simulated.backend().endpoints[name].faults.inject(EndpointFault.parse(misbehaviour))
    with pytest.raises(EndpointError) as caught:
        score_on_endpoint(aws, stage, candidate, "", rows_of(candidate, 2), yes=True)
    assert caught.value.cause == cause


def test_chunks_keep_the_order_and_the_limit() -> None:
    rows = ["a" * 9, "b" * 9, "c" * 30, "d"]
    assert list(chunks_of(rows, 20)) == [["a" * 9, "b" * 9], ["c" * 30], ["d"]]
    assert list(chunks_of([], 20)) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--on", "batch"], "--on batch needs something to score"),
        (["--variant", "a"], "--variant applies to work on SageMaker"),
    ],
)
def test_incomplete_or_contradictory_options_are_refused(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert message in result.output
