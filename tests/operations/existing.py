"""Minimal resources on the simulated AWS, as the commands create them."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import xgboost

from operations.aws import bucket, names, role
from operations.aws.command import Aws
from operations.aws.waiting import wait_for
from operations.endpoint.candidate import pack_model
from simulator.aws import SimulatedAws
from training.model import container_image as images

FINGERPRINT = "0123456789ab"


@cache
def tiny_model() -> bytes:
    """Train a model with one tree on four rows."""
    rows = xgboost.DMatrix(np.array([[0.0], [0.0], [1.0], [1.0]]), label=[0, 0, 1, 1])
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 1, "nthread": 1}, rows, num_boost_round=1)
    return bytes(booster.save_raw("ubj"))


def create_model(aws: Aws, stage: str, fingerprint: str = FINGERPRINT) -> str:
    """Create a model of a release with this fingerprint; returns its name."""
    bucket.ensure(aws)
    arn, model = role.create(aws), tiny_model()
    sha256 = hashlib.sha256(model).hexdigest()
    release = f"{fingerprint}-{sha256[:8]}"
    bucket.put_bytes(aws.account, f"releases/{release}/model.tar.gz", pack_model(model))
    name = names.model(stage, fingerprint, sha256, "image and role")
    aws.account.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=arn,
        PrimaryContainer={
            "Image": images.image_uri(aws.account.region),
            "ModelDataUrl": bucket.uri(aws.account, f"releases/{release}/model.tar.gz"),
        },
        Tags=names.tags(stage, release),
    )
    return name


def create_endpoint(
    aws: Aws,
    stage: str,
    fingerprint: str = FINGERPRINT,
    instances: int = 0,
    weights: Sequence[float] = (1.0,),
    wait: bool = True,
    **tags: str,
) -> str:
    """Create an endpoint with a variant per weight, serverless if `instances` is 0; returns its name."""
    model, name = create_model(aws, stage, fingerprint), names.endpoint(stage, fingerprint)
    release = model.removeprefix(names.prefix(stage)).rpartition("-")[0]
    hosting: dict[str, Any] = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
    if instances:
        hosting = {"InstanceType": "ml.m5.large", "InitialInstanceCount": instances}
    variants = [
        {"VariantName": f"v{number}", "ModelName": model, "InitialVariantWeight": weight, **hosting}
        for number, weight in enumerate(weights, 1)
    ]
    configuration = names.configuration(name, variants)
    sagemaker = aws.account.client("sagemaker")
    sagemaker.create_endpoint_config(
        EndpointConfigName=configuration, ProductionVariants=variants, Tags=names.tags(stage, release)
    )
    sagemaker.create_endpoint(
        EndpointName=name, EndpointConfigName=configuration, Tags=names.tags(stage, release, **tags)
    )
    if wait:
        wait_until_stable(aws, name)
    return name


def wait_until_stable(aws: Aws, endpoint: str) -> str:
    """Wait until an endpoint is stable; returns its status."""
    describe = aws.account.client("sagemaker").describe_endpoint

    def look() -> str:
        return str(describe(EndpointName=endpoint)["EndpointStatus"])

    return wait_for(look, lambda status: status in ("InService", "Failed"), str, aws.console, "", 30)


def printed(aws: Aws) -> str:
    """Return the output on a command's console."""
    return str(aws.console.file.getvalue())  # type: ignore[attr-defined]


def start_stuck_job(aws: Aws, simulated: SimulatedAws, stage: str) -> str:
    """Start a training job that does not end; returns its name."""
    bucket.ensure(aws)
    for channel in ("train", "validation"):
        bucket.put_bytes(aws.account, f"channels/tiny/{channel}/rows.libsvm", b"1 0:1 2:1\n0 0:1 1:1 2:1\n")
    simulated.fault_injector.inject("CreateTrainingJob", "stuck", times=1)
    name = names.job(stage, "train", "tiny")
    aws.account.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=role.create(aws),
        AlgorithmSpecification={
            "TrainingImage": images.image_uri(aws.account.region),
            "TrainingInputMode": "File",
        },
        HyperParameters={"num_round": "5", "objective": "binary:logistic"},
        InputDataConfig=[_channel(aws, channel) for channel in ("train", "validation")],
        OutputDataConfig={"S3OutputPath": bucket.uri(aws.account, "jobs")},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        Tags=names.tags(stage),
    )
    return name


def _channel(aws: Aws, name: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": bucket.uri(aws.account, f"channels/tiny/{name}/")}
    return {"ChannelName": name, "ContentType": "text/libsvm", "DataSource": {"S3DataSource": source}}
