"""What a training job leaves in S3: model.tar.gz with the model alone in it."""

import io
import tarfile
from typing import Any

from simulator.sagemaker.backend import Resource
from simulator.sagemaker.jobs import stored

MODEL_NAME = "xgboost-model"


def upload(s3: Any, job: Resource, model: bytes) -> str:
    """Write a job's artifact; returns where it is. Raises `StorageError`."""
    url = stored.below(job.facts["OutputDataConfig"]["S3OutputPath"], job.name, "output", "model.tar.gz")
    stored.write(s3, url, packed(model))
    return url


def packed(model: bytes) -> bytes:
    """Pack a model as the service does."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo(MODEL_NAME)
        member.size = len(model)
        tar.addfile(member, io.BytesIO(model))
    return archive.getvalue()
