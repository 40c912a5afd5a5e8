"""Batch transform jobs through boto3: models from archives, input objects and `.out` objects."""

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.container.serving import Container
from simulator.endpoint.local_endpoint import MODEL_FILE
from tests.simulator.sagemaker.account import BUCKET, pack
from tests.simulator.sagemaker.job_account import JobAccount

ROWS = [b"0:1 %d:1 6024:1" % column for column in range(1, 40)]
SCORES = [
    float(score) for score in Container(MODEL_FILE.read_bytes()).invoke(b"\n".join(ROWS), "text/libsvm").body.split()
]


def start(
    jobs: JobAccount,
    content: bytes = b"\n".join(ROWS),
    model: str = "",
    source: dict[str, Any] | None = None,
    output: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Start a transform job on one object; returns its name."""
    name = jobs.account.new_name()
    jobs.put(f"{name}/in/test.libsvm", content)
    where = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}}
    request = {
        "TransformInput": {"DataSource": where, "ContentType": "text/libsvm", "SplitType": "Line"} | (source or {}),
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}/out", "AssembleWith": "Line"} | (output or {}),
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "BatchStrategy": "MultiRecord",
    } | changes
    jobs.sagemaker.create_transform_job(TransformJobName=name, ModelName=model or jobs.account.model(), **request)
    return name


def transform(jobs: JobAccount, *arguments: Any, **changes: Any) -> dict[str, Any]:
    """Run a transform job to its end; returns its description."""
    return jobs.ended("Transform", start(jobs, *arguments, **changes))


def written(jobs: JobAccount, job: dict[str, Any], path: str = "test.libsvm") -> bytes:
    """Return a job's output for an object."""
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    return jobs.get(f"s3://{BUCKET}/{job['TransformJobName']}/out/{path}.out")


def numbers(content: bytes) -> list[float]:
    return [float(line) for line in content.split()]


def test_each_row_gets_the_models_score(jobs: JobAccount) -> None:
    job = transform(jobs)
    assert numbers(written(jobs, job)) == SCORES
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]


def test_batches_are_as_large_as_the_payload_limit(jobs: JobAccount) -> None:
    many = ROWS * 2000
    job = transform(jobs, b"\n".join(many), MaxPayloadInMB=1)
    assert sum(map(len, many)) > 1024 * 1024
    assert numbers(written(jobs, job)) == SCORES * 2000
    log = jobs.log("TransformJobs", job["TransformJobName"])
    assert "[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD" in log


@pytest.mark.parametrize(
    "changes",
    [{"BatchStrategy": "SingleRecord"}, {"output": {"AssembleWith": "None"}}, {"output": {"Accept": "text/csv"}}],
)
def test_batch_and_assembly_settings_do_not_change_scores(jobs: JobAccount, changes: dict[str, Any]) -> None:
    assert numbers(written(jobs, transform(jobs, **changes))) == SCORES


def test_json_responses_are_concatenated(jobs: JobAccount) -> None:
    job = transform(jobs, BatchStrategy="SingleRecord", output={"Accept": "application/json"})
    lines = written(jobs, job).splitlines()
    assert [json.loads(line)["predictions"][0]["score"] for line in lines] == SCORES


def test_object_can_be_sent_whole(jobs: JobAccount) -> None:
    job = transform(jobs, source={"SplitType": "None"}, BatchStrategy="SingleRecord")
    assert numbers(written(jobs, job)) == SCORES


def test_empty_row_at_the_end_of_a_batch_has_no_score(jobs: JobAccount) -> None:
    job = transform(jobs, b"\n".join([*ROWS, b"1"]))
    assert numbers(written(jobs, job)) == SCORES


def test_subfolders_gzip_objects_and_manifests_are_read(jobs: JobAccount) -> None:
    jobs.put("nested/a/one.gz", gzip.compress(ROWS[0]))
    jobs.put("nested/b/two.gz", gzip.compress(ROWS[1]))
    jobs.put("some.manifest", json.dumps([{"prefix": f"s3://{BUCKET}/nested/"}, "b/two.gz"]).encode())
    prefix = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/nested/"}}
    both = transform(jobs, source={"DataSource": prefix, "CompressionType": "Gzip"})
    assert [numbers(written(jobs, both, path)) for path in ("a/one.gz", "b/two.gz")] == [SCORES[:1], SCORES[1:2]]
    listed = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/some.manifest"}}
    item = transform(jobs, source={"DataSource": listed, "CompressionType": "Gzip"})
    assert numbers(written(jobs, item, "b/two.gz")) == SCORES[1:2]


def test_container_error_fails_the_job_and_is_logged(jobs: JobAccount) -> None:
    job = transform(jobs, b"0:1\n0:one\n")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    log = jobs.log("TransformJobs", job["TransformJobName"])
    assert f"{BUCKET}/{job['TransformJobName']}/in/test.libsvm: ClientError: 415" in log
    assert "Loading libsvm data failed with Exception" in log


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"xgboost-model": b"no model"}, "AlgorithmError: Model container failed to respond to ping"),
        ({"xgboost-model": b"", "vocabulary.txt": b"film"}, "AlgorithmError: Model container failed"),
    ],
)
def test_archive_without_a_valid_model_fails_the_job(jobs: JobAccount, files: dict[str, bytes], reason: str) -> None:
    job = transform(jobs, model=jobs.account.model(pack(files)))
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)


def test_prefix_without_objects_fails_the_job(jobs: JobAccount) -> None:
    nothing = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/nothing/"}}
    job = transform(jobs, source={"DataSource": nothing})
    assert job["FailureReason"].startswith("ClientError: No S3 objects found under S3 URL")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "verdict-absent"}, 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/verdict-'),
        ({"source": {"SplitType": "RecordIO"}}, "SplitType RecordIO"),
        ({"source": {"SplitType": "None"}}, "SplitType must be set"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "not support DataProcessing"),
        ({"MaxPayloadInMB": 0}, "from 1 to 100"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "from 1 to 100"),
        (
            {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 5}},
            "'ml.m5.large for transform job usage' is 4 Instances",
        ),
    ],
)
def test_invalid_request_starts_no_job(jobs: JobAccount, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        start(jobs, **changes)
    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("fault", "reason"), [("fail", "AlgorithmError: "), ("capacity", "CapacityError: Unable to provision")]
)
def test_injected_fault_fails_the_job(jobs: JobAccount, fault: str, reason: str) -> None:
    jobs.account.aws.fault_injector.inject("CreateTransformJob", fault, times=1)
    job = transform(jobs)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)


def test_stuck_job_can_be_stopped_and_listed(jobs: JobAccount) -> None:
    jobs.account.aws.fault_injector.inject("CreateTransformJob", "stuck", times=1)
    name = start(jobs)
    jobs.sagemaker.stop_transform_job(TransformJobName=name)
    assert jobs.ended("Transform", name)["TransformJobStatus"] == "Stopped"
    (listed,) = jobs.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert listed["TransformJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="is in status Stopped"):
        jobs.sagemaker.stop_transform_job(TransformJobName=name)
