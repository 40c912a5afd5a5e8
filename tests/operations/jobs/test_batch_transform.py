import shutil

import numpy as np
import pytest

from chalicelib.endpoint_errors import EndpointError
from operations.aws import bucket, role
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.jobs import batch_transform
from operations.jobs.agreement import DisagreementError, agreeing
from operations.jobs.batch_transform import MADE_TAG, describe, find, score_in_batch
from training.evaluation.evaluate import evaluate
from training.evaluation.predictions import predictor

INSTANCE = "ml.m5.xlarge"


@pytest.fixture(autouse=True)
def with_role(aws, quickly):
    role.create(aws)
    aws.pause = quickly


@pytest.fixture
def candidate(trained_run):
    return Candidate("small", trained_run.model, trained_run.encoder)


@pytest.fixture
def here(candidate):
    return predictor(candidate.model, candidate.encoder.columns)


def rows_of(candidate, count, first=0):
    """Rows of one to three words, none like another test's with another `first`."""
    terms = candidate.encoder.vocabulary.terms
    return [
        candidate.encoder.row([terms[(number * step) % len(terms)] for step in (1, 3, 7)])
        for number in range(first, first + count)
    ]


def made(aws, action, kind):
    return [line["name"] for line in aws.journal.read() if (line["action"], line["kind"]) == (action, kind)]


def test_a_batch_says_of_every_row_what_the_model_says_here_and_leaves_nothing(aws, candidate, here, monkeypatch):
    """From several files, as a large test needs."""
    monkeypatch.setattr(batch_transform, "FILE_BYTES", 2_000)
    rows = rows_of(candidate, 60)
    there = score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True)
    assert there.tolist() == here(rows).tolist()
    name = made(aws, "created", "transform-job")[0]
    told = describe(aws.account, name)
    assert told["TransformInput"]["SplitType"] == "Line"
    assert bucket.keys(aws.account, "transform/") == []
    assert made(aws, "deleted", "model") == made(aws, "created", "model") != []
    assert aws.account.client("sagemaker").list_models()["Models"] == []


def test_a_model_that_an_endpoint_may_use_stays(aws, candidate):
    model = models.ensure(aws, "dev", candidate)
    score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=100), INSTANCE, yes=True)
    assert models.exists(aws.account, model)
    endpoint_state.delete_configs_and_models(aws, models=[model])


def test_the_whole_evaluation_is_the_local_one(aws, evaluated_run, small_data, tmp_path):
    folders = [tmp_path / name for name in ("here", "there")]
    for folder in folders:
        shutil.copytree(evaluated_run.folder, folder)
        (folder / "evaluation.json").unlink()
    candidate = Candidate("small", evaluated_run.model, evaluated_run.encoder)
    by_batch = agreeing(
        lambda rows: score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True),
        predictor(candidate.model, candidate.encoder.columns),
        aws.say,
    )
    here = evaluate(folders[0], small_data, include_test=True)
    there = evaluate(folders[1], small_data, include_test=True, predict=by_batch)
    assert here.figures == there.figures
    assert "Scored there and here: 600 rows. The largest difference is 0." in aws.console.file.getvalue()


def test_ctrl_c_stops_waiting_and_the_same_command_takes_the_answers(aws, candidate, here, quickly):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    rows = rows_of(candidate, 4, first=200)
    aws.pause = interrupt
    with pytest.raises(StoppedWaitingError, match="the same command"):
        score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True)
    aws.pause = quickly
    assert score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=False).tolist() == here(rows).tolist()
    name = made(aws, "created", "transform-job")[0]
    tags = aws.account.client("sagemaker").list_tags(ResourceArn=describe(aws.account, name)["TransformJobArn"])["Tags"]
    assert MADE_TAG in [tag["Key"] for tag in tags]
    assert made(aws, "deleted", "model")
    assert find(aws.account, "dev", candidate, rows, INSTANCE).name == f"{name}-2"  # its answers were taken


def test_a_failed_batch_says_why_and_leaves_nothing(simulated, aws, candidate):
    simulated.fault_injector.order("CreateTransformJob", "fail", times=1)
    with pytest.raises(AwsError, match=r"failed: .*Nothing of it is left") as raised:
        score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=300), INSTANCE, yes=True)
    assert raised.value.kind == "job-failed"
    assert bucket.keys(aws.account, "transform/") == []
    assert aws.account.client("sagemaker").list_models()["Models"] == []


def test_nothing_is_made_when_nobody_agrees(aws, candidate, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    with pytest.raises(DeclinedError):
        score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=400), INSTANCE, yes=False)
    assert made(aws, "created", "model") == made(aws, "created", "transform-job") == []


def test_an_answer_of_fewer_lines_is_no_answer(aws, candidate, monkeypatch):
    monkeypatch.setattr(bucket, "get_bytes", lambda _account, _key: b"0.5\n\n0.25\n")
    with pytest.raises(EndpointError) as raised:
        score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=500), INSTANCE, yes=True)
    assert raised.value.cause == "2 scores for 3 rows"


def test_answers_that_differ_are_an_error_that_says_where():
    there, here = (lambda rows: np.array([0.5, 0.25, 0.75])), (lambda rows: np.array([0.5, 0.2500005, 0.7]))
    with pytest.raises(DisagreementError, match=r"1 of 3 rows score otherwise there than here, row 3 by 0\.05"):
        agreeing(there, here, print)(["a", "b", "c"])


def test_the_last_bits_may_differ():
    said = []
    answers = agreeing(lambda rows: np.array([0.5]), lambda rows: np.array([0.5 + 1e-7]), said.append)(["a"])
    assert answers.tolist() == [0.5]
    assert said == ["Scored there and here: 1 rows. The largest difference is 1e-07."]
