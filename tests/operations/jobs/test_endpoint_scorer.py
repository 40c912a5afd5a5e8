import shutil

import pytest
from click.testing import CliRunner

from chalicelib.endpoint_errors import EndpointError
from cli.model.evaluate import command
from operations.aws import names
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.endpoint import endpoint_config, endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.endpoint.endpoint_config import HostingSpec, VariantSpec
from operations.jobs import endpoint_scorer
from operations.jobs.agreement import agreeing
from operations.jobs.endpoint_scorer import chunks_of, score_live
from simulator.endpoint_faults import Misbehaviour
from training.evaluation.evaluate import evaluate, load_evaluation
from training.evaluation.predictions import predictor
from training.model.run_folder import load_run
from training.model.train import train


@pytest.fixture
def candidate(trained_run):
    return Candidate("small", trained_run.model, trained_run.encoder)


@pytest.fixture
def other(small_channels, small_hyperparameters, tmp_path):
    """Another model that reads the same rows."""
    train(small_channels, tmp_path / "other", {**small_hyperparameters, "seed": "2"})
    run = load_run(tmp_path / "other")
    return Candidate("other", run.model, run.encoder)


def serve(aws, stage, *candidates, on=HostingSpec()):  # noqa: B008  (it is frozen)
    """Put candidates behind a stage's endpoint, each a variant, the first with all the traffic."""
    name = names.endpoint(stage, candidates[0].encoder.fingerprint)
    made = [models.ensure(aws, stage, one, isolated=not on.is_serverless) for one in candidates]
    shares = [
        VariantSpec(one.name, model, float(number == 0))
        for number, (one, model) in enumerate(zip(candidates, made, strict=True))
    ]
    wanted = endpoint_config.request(stage, name, candidates[0].release_id, on, shares)
    configuration = endpoint_config.ensure(aws, stage, wanted)
    tags = names.tags(stage, candidates[0].release_id)
    aws.account.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=configuration, Tags=tags)
    endpoint_state.wait_until_stable(aws, name, "again")
    return name


@pytest.fixture(autouse=True)
def without_pauses(aws, quickly):
    aws.pause = quickly


def rows_of(candidate, count):
    terms = candidate.encoder.vocabulary.terms
    return [
        candidate.encoder.row([terms[number % len(terms)], terms[3 * number % len(terms)]]) for number in range(count)
    ]


def test_the_endpoint_says_of_every_row_what_the_model_says_here(aws, stage, candidate, monkeypatch):
    monkeypatch.setattr(endpoint_scorer, "CHUNK_BYTES", 1_000)
    serve(aws, stage, candidate)
    rows = rows_of(candidate, 50)
    there = score_live(aws, stage, candidate, "", rows, yes=True)
    assert there.tolist() == predictor(candidate.model, candidate.encoder.columns)(rows).tolist()


def test_the_whole_evaluation_is_the_local_one(aws, stage, evaluated_run, small_data, tmp_path):
    candidate = Candidate("small", evaluated_run.model, evaluated_run.encoder)
    serve(aws, stage, candidate)
    shutil.copytree(evaluated_run.folder, tmp_path / "run")
    by_endpoint = agreeing(
        lambda rows: score_live(aws, stage, candidate, "", rows, yes=True),
        predictor(candidate.model, candidate.encoder.columns),
        aws.say,
    )
    evaluation = evaluate(tmp_path / "run", small_data, include_test=True, predict=by_endpoint)
    assert evaluation.figures == load_evaluation(evaluated_run).figures
    assert evaluation.test_looks == 2


def test_one_variant_of_several_is_asked(aws, stage, candidate, other):
    serve(aws, stage, candidate, other, on=HostingSpec("ml.m5.large"))
    rows = rows_of(candidate, 5)
    said = score_live(aws, stage, other, "other", rows, yes=False)  # instances are paid for anyway
    assert said.tolist() == predictor(other.model, other.encoder.columns)(rows).tolist()
    assert said.tolist() != score_live(aws, stage, candidate, "", rows, yes=False).tolist()


def test_an_endpoint_with_another_model_is_refused_before_it_is_asked(aws, stage, candidate, other):
    serve(aws, stage, candidate)
    with pytest.raises(AwsError, match=rf"another model than other .* serves {candidate.release_id}") as raised:
        score_live(aws, stage, other, "", rows_of(other, 1), yes=True)
    assert raised.value.kind == "other-release"


def test_an_absent_variant_or_endpoint_is_said(aws, stage, candidate):
    with pytest.raises(AwsError, match="There is no endpoint"):
        score_live(aws, stage, candidate, "", rows_of(candidate, 1), yes=True)
    serve(aws, stage, candidate)
    with pytest.raises(AwsError, match="has no variant 'linear'; it has small"):
        score_live(aws, stage, candidate, "linear", rows_of(candidate, 1), yes=True)


def test_nobody_agreed_so_a_serverless_endpoint_is_not_asked(aws, stage, candidate, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    serve(aws, stage, candidate)
    with pytest.raises(DeclinedError):
        score_live(aws, stage, candidate, "", rows_of(candidate, 1), yes=False)


@pytest.mark.parametrize(
    ("misbehaviour", "cause"), [("short", "1 scores for 2 rows"), ("garbage", "not a probability")]
)
def test_an_answer_that_cannot_be_believed_gives_no_scores(simulated, aws, stage, candidate, misbehaviour, cause):
    name = serve(aws, stage, candidate)
    simulated.world().endpoints[name].orders.misbehave(Misbehaviour.parse(misbehaviour))
    with pytest.raises(EndpointError) as raised:
        score_live(aws, stage, candidate, "", rows_of(candidate, 2), yes=True)
    assert raised.value.cause == cause


def test_chunks_keep_the_order_and_the_limit():
    rows = ["a" * 9, "b" * 9, "c" * 30, "d"]
    assert list(chunks_of(rows, 20)) == [["a" * 9, "b" * 9], ["c" * 30], ["d"]]
    assert list(chunks_of([], 20)) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--on", "batch"], "--on batch needs something to score"),
        (["--variant", "a"], "--variant applies to work on SageMaker"),
    ],
)
def test_a_command_that_leaves_open_what_or_where_is_refused(arguments, said):
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert said in result.output
