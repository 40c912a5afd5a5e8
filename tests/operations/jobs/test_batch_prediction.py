"""Verdicts on files of reviews with the model on the simulated SageMaker."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from chalicelib import release
from chalicelib.endpoint_errors import EndpointError
from cli.main import verdict
from operations.aws import bucket
from operations.aws.command import Aws
from operations.endpoint.candidate import packaged_candidate
from operations.jobs import endpoint_scorer
from operations.jobs.batch_prediction import batch_scorer
from operations.jobs.batch_prediction import endpoint_scorer as scorer_of_endpoint
from simulator.aws import SimulatedAws
from simulator.faults.endpoint_faults import EndpointFault
from tests.operations.jobs.test_endpoint_scorer import serve
from training.evaluation.packaged_model import packaged_model
from training.prediction import predict as predict_module
from training.prediction.judge import Judge, JudgedRow
from training.prediction.predict import ChunkScorer, Summary, predict
from training.prediction.review_files import ReviewFile, open_reviews
from training.project import ROOT

pytestmark = pytest.mark.usefixtures("with_role")
REVIEWS = [f"Film {number} is {word}. I {verb} it." for number in range(400) for word, verb in [("superb", "loved")]]


@pytest.fixture
def file(tmp_path: Path) -> ReviewFile:
    path = tmp_path / "new.csv"
    with path.open("w", newline="") as opened:
        csv.writer(opened).writerows([("review",), *((text,) for text in REVIEWS), ("",), ("zxcv",)])
    return open_reviews(path)


def judged(file: ReviewFile, explain: bool, score: ChunkScorer | None = None) -> list[str]:
    """Judge a file; returns each row's outcome, with every digit."""
    packaged = release.load()
    rows: list[JudgedRow] = []
    judge = Judge(packaged, None if score else packaged_model(packaged), explain)
    predict([file], judge, rows.extend, score=score, processes=1)
    return [repr(row.outcome) for row in rows]


@pytest.mark.parametrize("explain", [False, True], ids=["plain", "explained"])
def test_all_three_agree_to_the_last_bit(
    aws: Aws, stage: str, file: ReviewFile, explain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_scorer, "CHUNK_BYTES", 20_000)
    candidate = packaged_candidate()
    serve(aws, stage, candidate)
    here = judged(file, explain)
    assert judged(file, explain, scorer_of_endpoint(aws, stage, candidate, "", 3, yes=True)) == here
    assert judged(file, explain, batch_scorer(aws, stage, candidate, "ml.m5.xlarge", yes=True)) == here
    assert len(here) == len(REVIEWS) + 2
    assert not list(bucket.keys(aws.account, "transform/"))


def test_a_stopped_prediction_is_resumed_with_the_scores_of_its_job(
    aws: Aws, stage: str, file: ReviewFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_module, "CHUNK_ROWS", 150)
    candidate, packaged, written = packaged_candidate(), release.load(), list[JudgedRow]()
    judge, jobs = Judge(packaged, None, explain=False), aws.account.client("sagemaker").list_transform_jobs
    before = len(jobs()["TransformJobSummaries"])

    def run(write: Callable[[Sequence[JudgedRow]], None]) -> Summary:
        score = batch_scorer(aws, stage, candidate, "ml.m5.xlarge", yes=True)
        return predict([file], judge, write, len(written), score=score, processes=1, score_skipped=True)

    def write_one(rows: Sequence[JudgedRow]) -> None:
        if written:
            raise KeyboardInterrupt
        written.extend(rows)

    with pytest.raises(KeyboardInterrupt):
        run(write_one)
    assert len(written) == 150
    assert run(written.extend).rows == len(REVIEWS) + 2 - 150
    assert [repr(row.outcome) for row in written] == judged(file, explain=False)
    assert run(written.extend).rows == 0  # all rows are written: no other job starts
    assert len(jobs()["TransformJobSummaries"]) == before + 1
    assert not list(bucket.keys(aws.account, "transform/"))


def test_a_throttled_request_is_repeated_after_a_pause(
    simulated: SimulatedAws, aws: Aws, stage: str, file: ReviewFile, quickly: Callable[[float], None]
) -> None:
    candidate = packaged_candidate()
    name = serve(aws, stage, candidate)
    pauses: list[float] = []
    aws.pause = lambda seconds: pauses.append(seconds) or quickly(seconds)  # type: ignore[func-returns-value]
    score = scorer_of_endpoint(aws, stage, candidate, "", 2, yes=True)
    simulated.backend().endpoints[name].faults.inject(
        EndpointFault.parse("throttled"), times=20
    )  # more than the clients repeat by themselves
    assert judged(file, False, score) == judged(file, False)
    assert endpoint_scorer.THROTTLED_PAUSES_SECONDS[0] in pauses


def test_a_failed_request_gives_no_verdict(simulated: SimulatedAws, aws: Aws, stage: str, file: ReviewFile) -> None:
    candidate = packaged_candidate()
    name = serve(aws, stage, candidate)
    score = scorer_of_endpoint(aws, stage, candidate, "", 2, yes=True)
    simulated.backend().endpoints[name].faults.inject(EndpointFault.parse("garbage"))
    with pytest.raises(EndpointError, match="probability"):
        judged(file, False, score)


def test_the_command_judges_a_file_and_a_text(file: ReviewFile, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.main", "predict", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)

    into = tmp_path / "out.csv"
    first = run(str(file.path), "--into", str(into))
    assert first.returncode == 0
    assert "402 rows" in first.stderr
    assert "1 with an error" in first.stderr
    assert [row["review"] for row in csv.DictReader(io.StringIO(into.read_text()))] == [*REVIEWS, "", "zxcv"]
    assert run(str(file.path)).stdout == into.read_text()
    assert run("--text", "I loved it").stdout.startswith("positive: ")
    refused = run(str(file.path), "--into", str(into))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "exists" in refused.stderr


def test_a_check_on_the_endpoint_equals_the_local_one(
    simulated: SimulatedAws, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(aws, "dev", packaged_candidate())
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "labelled.csv"
    with path.open("w", newline="") as opened:
        rows = [
            (f"I {verb} film {number}.", label) for number in range(20) for verb, label in (("love", 1), ("hate", 0))
        ]
        csv.writer(opened).writerows([("review", "label"), *rows])
    arguments = ["check", str(path), "--data", str(tmp_path / "absent"), "--into", str(tmp_path / "r.html"), "--json"]
    here, there = (CliRunner().invoke(verdict, [*arguments, *on]) for on in ((), ("--on", "endpoint", "--yes")))
    assert (here.exit_code, there.exit_code) == (0, 0), there.output
    assert json.loads(there.stdout) == json.loads(here.stdout)
    assert "The largest difference is 0." in " ".join(there.stderr.split())
