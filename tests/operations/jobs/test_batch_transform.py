"""Scores from batch transform jobs on the simulated SageMaker."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.endpoint_errors import EndpointError
from operations.aws import bucket, names, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.aws.waiting import StoppedWaitingError
from operations.endpoint import endpoint_state, models
from operations.endpoint.candidate import Candidate
from operations.jobs import batch_transform
from operations.jobs.batch_transform import describe, find, score_in_batch, write_row_files
from operations.jobs.remote_predictor import verified
from simulator.aws import SimulatedAws
from tests.operations.candidates import interrupt
from training.evaluation.evaluate import evaluate
from training.evaluation.predictions import Predict, predictor
from training.model.run_folder import Run

INSTANCE = "ml.m5.xlarge"


@pytest.fixture(autouse=True)
def with_role(aws: Aws, quickly: Callable[[float], None]) -> None:
    role.create(aws)
    aws.pause = quickly


@pytest.fixture
def candidate(trained_run: Run) -> Candidate:
    return Candidate("small", trained_run.model, trained_run.encoder)


@pytest.fixture
def local(candidate: Candidate) -> Predict:
    """The candidate's predictions on this machine."""
    return predictor(candidate.model, candidate.encoder.columns)


def rows_of(candidate: Candidate, count: int, first: int = 0) -> list[str]:
    """Return rows of one to three words; they differ between tests, by `first`."""
    terms = candidate.encoder.vocabulary.terms
    return [
        candidate.encoder.row([terms[(number * step) % len(terms)] for step in (1, 3, 7)])
        for number in range(first, first + count)
    ]


def models_of(aws: Aws) -> list[Any]:
    found: list[Any] = aws.account.client("sagemaker").list_models()["Models"]
    return found


def jobs_of(aws: Aws) -> list[str]:
    listed = aws.account.client("sagemaker").list_transform_jobs()["TransformJobSummaries"]
    return [job["TransformJobName"] for job in listed]


def test_scores_from_several_files_equal_local_ones_and_nothing_is_left(
    aws: Aws, candidate: Candidate, local: Predict, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(batch_transform, "FILE_BYTES", 2_000)
    rows = rows_of(candidate, 60)
    name = find(aws.account, "dev", candidate, write_row_files(rows, tmp_path), INSTANCE).name
    scores = score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True)
    assert scores.tolist() == local(rows).tolist()
    assert describe(aws.account, name)["TransformInput"]["SplitType"] == "Line"
    assert bucket.keys(aws.account, "transform/") == []
    assert models_of(aws) == []


def test_the_model_of_an_endpoint_is_kept(aws: Aws, candidate: Candidate) -> None:
    model = models.ensure(aws, "dev", candidate)
    score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=100), INSTANCE, yes=True)
    assert models.exists(aws.account, model)
    endpoint_state.delete_configs_and_models(aws, models=[model])


def test_a_model_that_lost_our_tag_during_the_job_is_kept(aws: Aws, candidate: Candidate) -> None:
    sagemaker = aws.account.client("sagemaker")

    def untag(_seconds: float) -> None:
        for model in models_of(aws):
            sagemaker.delete_tags(ResourceArn=model["ModelArn"], TagKeys=[names.APP_TAG])

    aws.pause = untag
    score_in_batch(aws, "dev", candidate, rows_of(candidate, 5), INSTANCE, yes=True)
    kept = models_of(aws)
    assert len(kept) == 1
    sagemaker.delete_model(ModelName=kept[0]["ModelName"])


def test_two_commands_with_one_model_keep_each_others(aws: Aws, candidate: Candidate, local: Predict) -> None:
    """Another command with the same model, and other rows, begins and ends while the first one waits for its job."""
    other = Aws(aws.account, aws.console, aws.pause)
    rows, other_rows, kept = rows_of(candidate, 6), rows_of(candidate, 7), list[int]()

    def run_the_other(_seconds: float) -> None:
        if not kept:
            assert (
                score_in_batch(other, "dev", candidate, other_rows, INSTANCE, yes=True).tolist()
                == local(other_rows).tolist()
            )
            kept.append(len(models_of(aws)))
        other.pause(0.1)

    aws.pause = run_the_other
    assert score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True).tolist() == local(rows).tolist()
    assert kept == [1]
    assert models_of(aws) == []


def test_the_same_command_twice_shares_one_job(aws: Aws, candidate: Candidate, local: Predict) -> None:
    """The second one ends first, and deletes the scores; the first one then names what to do."""
    rows, before = rows_of(candidate, 8), jobs_of(aws)
    other = Aws(aws.account, aws.console, aws.pause)

    def run_the_same(_seconds: float) -> None:
        assert score_in_batch(other, "dev", candidate, rows, INSTANCE, yes=False).tolist() == local(rows).tolist()

    aws.pause = run_the_same
    with pytest.raises(AwsError, match="Another command with the same rows has read and deleted the scores"):
        score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True)
    assert len(jobs_of(aws)) == len(before) + 1
    assert models_of(aws) == []


def test_an_evaluation_in_batch_equals_the_local_one(
    aws: Aws, evaluated_run: Run, small_data: Path, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("local", "batch")]
    for folder in folders:
        shutil.copytree(evaluated_run.folder, folder)
        (folder / "evaluation.json").unlink()
    candidate = Candidate("small", evaluated_run.model, evaluated_run.encoder)
    in_batch = verified(
        lambda rows: score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True),
        predictor(candidate.model, candidate.encoder.columns),
        aws.print,
    )
    local = evaluate(folders[0], small_data, include_test=True)
    remote = evaluate(folders[1], small_data, include_test=True, predict=in_batch)
    assert remote.figures == local.figures
    assert "600 remote scores" in aws.console.file.getvalue()  # type: ignore[attr-defined]


def test_an_interrupted_batch_is_resumed_by_the_same_command(
    aws: Aws, candidate: Candidate, local: Predict, quickly: Callable[[float], None], tmp_path: Path
) -> None:
    rows = rows_of(candidate, 4, first=200)
    files = write_row_files(rows, tmp_path)
    aws.pause = interrupt
    with pytest.raises(StoppedWaitingError, match="the same command"):
        score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=True)
    aws.pause = quickly
    first = find(aws.account, "dev", candidate, files, INSTANCE)
    assert first.status
    assert score_in_batch(aws, "dev", candidate, rows, INSTANCE, yes=False).tolist() == local(rows).tolist()
    assert models_of(aws) == []
    again = find(aws.account, "dev", candidate, files, INSTANCE)  # its output was read and deleted
    assert (again.name, again.status) == (f"{first.name}-2", "")


def test_a_failed_batch_reports_the_reason_and_leaves_nothing(
    simulated: SimulatedAws, aws: Aws, candidate: Candidate
) -> None:
    simulated.fault_injector.inject("CreateTransformJob", "fail", times=1)
    with pytest.raises(AwsError) as caught:
        score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=300), INSTANCE, yes=True)
    assert caught.value.kind == "job-failed"
    assert bucket.keys(aws.account, "transform/") == []
    assert models_of(aws) == []


def test_nothing_is_created_without_confirmation(
    aws: Aws, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    before = jobs_of(aws)
    with pytest.raises(DeclinedError):
        score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=400), INSTANCE, yes=False)
    assert models_of(aws) == []
    assert jobs_of(aws) == before


def test_fewer_scores_than_rows_are_an_error(aws: Aws, candidate: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "get_bytes", lambda _account, _key: b"0.5\n\n0.25\n")
    with pytest.raises(EndpointError) as caught:
        score_in_batch(aws, "dev", candidate, rows_of(candidate, 3, first=500), INSTANCE, yes=True)
    assert caught.value.cause == "2 scores for 3 rows"
