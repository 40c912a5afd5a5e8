"""The tutorial's steps with the AWS CLI, unpatched.

The environment directs the CLI to the simulator. The first command that fails, or answers unlike AWS, ends the run.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from compat import generated_data
from compat.account import ROLE, TRUST
from compat.generated_data import require_accurate

REGION = "us-east-1"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
BUCKET = "sentiment-tutorial-with-cli"
INSTANCE = "ml.m4.xlarge"
RESOURCES = {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5}
HYPERPARAMETERS = {"objective": "binary:logistic", "num_round": "20", "eval_metric": "error", "eta": "0.2"}
TEST = generated_data.rows(300, seed=3)


def aws(*words: str, **options: Any) -> Any:
    """Run a command of the CLI; returns its answer, the parsed JSON if it is JSON. Exits if the command fails.

    `resource_config={...}` becomes `--resource-config` with JSON.
    """
    arguments = [
        word
        for name, value in options.items()
        for word in (f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value))
    ]
    ran = subprocess.run(["aws", *words, *arguments], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"aws {' '.join(words)} failed: {ran.stderr.strip()}")
    return json.loads(ran.stdout) if ran.stdout.lstrip().startswith(("{", "[")) else ran.stdout


def require(holds: bool, failure: str) -> None:
    """Exit unless a condition holds."""
    if not holds:
        raise SystemExit(failure)


def prepare(folder: Path) -> str:
    """Create the role and the bucket, and upload the data; returns the role's ARN."""
    aws("s3", "mb", f"s3://{BUCKET}")
    train, validation = generated_data.rows(400, seed=1), generated_data.rows(200, seed=2)
    texts = {
        "train.csv": generated_data.csv(train),
        "validation.csv": generated_data.csv(validation),
        "train.libsvm": generated_data.libsvm(train),
        "validation.libsvm": generated_data.libsvm(validation),
        "test.csv": generated_data.features(TEST),
    }
    for name, text in texts.items():
        aws("s3", "cp", generated_data.write(folder, name, text), f"s3://{BUCKET}/data/{name}")
    return str(aws("iam", "create-role", role_name=ROLE, assume_role_policy_document=TRUST)["Role"]["Arn"])


def definition(role: str, kind: str) -> dict[str, Any]:
    """Return what a training job and a tuning job's definition share; `kind` is csv or libsvm."""
    return {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [_channel(name, kind) for name in ("train", "validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def _channel(name: str, kind: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/{name}.{kind}"}
    return {"ChannelName": name, "ContentType": f"text/{kind}", "DataSource": {"S3DataSource": source}}


def train(role: str) -> list[str]:
    """Train on csv and on libsvm; returns the archives of the models."""
    for kind in ("csv", "libsvm"):
        request = {"TrainingJobName": kind, "ResourceConfig": RESOURCES, "HyperParameters": HYPERPARAMETERS}
        aws("sagemaker", "create-training-job", cli_input_json=request | definition(role, kind))
    for kind in ("csv", "libsvm"):
        aws("sagemaker", "wait", "training-job-completed-or-stopped", training_job_name=kind)
    listed = aws("sagemaker", "list-training-jobs", status_equals="Completed", name_contains="s")
    names = [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]]
    require(names == ["csv", "libsvm"], f"list-training-jobs: {names}, not the oldest first.")
    described = [aws("sagemaker", "describe-training-job", training_job_name=kind) for kind in ("csv", "libsvm")]
    return [job["ModelArtifacts"]["S3ModelArtifacts"] for job in described]


def tune(role: str) -> None:
    """Tune, and read the training jobs, best first."""
    static = {name: value for name, value in HYPERPARAMETERS.items() if name != "eta"}
    aws(
        *("sagemaker", "create-hyper-parameter-tuning-job"),
        hyper_parameter_tuning_job_name="tuning",
        hyper_parameter_tuning_job_config={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"}],
            },
        },
        training_job_definition=definition(role, "csv")
        | {"StaticHyperParameters": static, "HyperParameterTuningResourceConfig": RESOURCES},
    )
    status = "InProgress"
    while status == "InProgress":
        described = aws("sagemaker", "describe-hyper-parameter-tuning-job", hyper_parameter_tuning_job_name="tuning")
        status = described["HyperParameterTuningJobStatus"]
    require(status == "Completed", f"The tuning job is {status}.")
    require("BestTrainingJob" in described, "The tuning job has no best training job.")


def transform() -> None:
    """Transform the test rows in a batch, and read the scores."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/test.csv"}}
    aws(
        *("sagemaker", "create-transform-job"),
        transform_job_name="transform",
        model_name="csv",
        transform_input={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        transform_output={"S3OutputPath": f"s3://{BUCKET}/scores"},
        transform_resources={"InstanceType": INSTANCE, "InstanceCount": 1},
    )
    aws("sagemaker", "wait", "transform-job-completed-or-stopped", transform_job_name="transform")
    scores = aws("s3", "cp", f"s3://{BUCKET}/scores/test.csv.out", "-")
    require_accurate([float(line) for line in scores.split()], TEST, "transform")


def create_models(role: str, archives: list[str]) -> None:
    """Create a model for each archive: one with a primary container, one with a list of one container."""
    first, second = ({"Image": IMAGE, "ModelDataUrl": archive} for archive in archives)
    aws("sagemaker", "create-model", model_name="csv", execution_role_arn=role, primary_container=first)
    aws("sagemaker", "create-model", model_name="libsvm", execution_role_arn=role, containers=[second])


def deploy(folder: Path) -> None:
    """Deploy both models on one endpoint, predict, shift to one model, and delete everything."""
    variants = [
        {"VariantName": name, "ModelName": name, "InitialInstanceCount": 1, "InstanceType": INSTANCE}
        for name in ("csv", "libsvm")
    ]
    for name, chosen in (("split", variants), ("single", variants[:1])):
        aws("sagemaker", "create-endpoint-config", endpoint_config_name=name, production_variants=chosen)
    aws("sagemaker", "create-endpoint", endpoint_name="sentiment", endpoint_config_name="split")
    aws("sagemaker", "wait", "endpoint-in-service", endpoint_name="sentiment")
    for name in ("csv", "libsvm"):
        predict(folder, name)
    aws("sagemaker", "update-endpoint", endpoint_name="sentiment", endpoint_config_name="single")
    aws("sagemaker", "wait", "endpoint-in-service", endpoint_name="sentiment")
    predict(folder, "csv")
    aws("sagemaker", "delete-endpoint", endpoint_name="sentiment")
    aws("sagemaker", "wait", "endpoint-deleted", endpoint_name="sentiment")
    for name in ("split", "single"):
        aws("sagemaker", "delete-endpoint-config", endpoint_config_name=name)
    for name in ("csv", "libsvm"):
        aws("sagemaker", "delete-model", model_name=name)


def predict(folder: Path, variant: str) -> None:
    """Send the test rows to a variant, and read the scores."""
    scores = folder / "scores.csv"
    answer = aws(
        *("sagemaker-runtime", "invoke-endpoint", str(scores)),
        endpoint_name="sentiment",
        target_variant=variant,
        content_type="text/csv",
        body=f"file://{folder / 'test.csv'}",
    )
    require(answer["InvokedProductionVariant"] == variant, f"{answer} is not from {variant}.")
    require_accurate([float(line) for line in scores.read_text().split()], TEST, f"predict with {variant}")


def main() -> None:
    """Run the steps in the tutorial's order."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = aws("service-quotas", "list-services")["Services"]
        require("sagemaker" in [service["ServiceCode"] for service in services], "SageMaker has no quotas.")
        role = prepare(folder)
        create_models(role, train(role))
        tune(role)
        transform()
        deploy(folder)


if __name__ == "__main__":
    main()
