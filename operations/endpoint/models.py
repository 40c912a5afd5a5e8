"""SageMaker models: a candidate's files are stored in the bucket, and its archive becomes a model.

All files of a release are stored, for a rollback: the archive for the endpoint, and what the app ships.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from operations.aws import bucket, names, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there, is_taken
from operations.endpoint.candidate import Candidate
from training.model import container_image as images
from training.model.run_folder import MODEL_NAME

ARCHIVE_NAME = "model.tar.gz"


def store(aws: Aws, candidate: Candidate) -> str:
    """Store a candidate's files in the bucket, and return its archive's s3:// address."""
    bucket.ensure(aws)
    for name, content in _files(candidate).items():
        bucket.put_bytes(aws.account, f"releases/{candidate.release_id}/{name}", content)
    return _archive_uri(aws.account, candidate)


def _archive_uri(account: Account, candidate: Candidate) -> str:
    return bucket.uri(account, f"releases/{candidate.release_id}/{ARCHIVE_NAME}")


def _files(candidate: Candidate) -> dict[str, bytes]:
    """Return the files to store, by name; a release's facts come last, so their presence means that all are stored."""
    files = {ARCHIVE_NAME: candidate.archive, MODEL_NAME: candidate.model}
    files[VOCABULARY_NAME] = candidate.encoder.vocabulary.dumps().encode()
    if candidate.encoder.ngram_table:
        files[NGRAM_TABLE_NAME] = candidate.encoder.ngram_table.dumps()
    return files | {path.name: path.read_bytes() for path in candidate.release_files}


def request(
    account: Account, stage: str, candidate: Candidate, isolated: bool = True, purpose: str = ""
) -> dict[str, Any]:
    """Return the CreateModel request, with the pinned image and the execution role.

    An `isolated` model has no network access; serverless hosting does not support that. A `purpose` gives the model its
    own name, so that it can be deleted while others of the same content stay.
    """
    image, archive, arn = images.image_uri(account.region), _archive_uri(account, candidate), role.require(account)
    made_of = [image, archive, arn, isolated, purpose]
    return {
        "ModelName": names.model(stage, candidate.encoder.fingerprint, candidate.model_sha256, made_of),
        "ExecutionRoleArn": arn,
        "PrimaryContainer": {"Image": image, "ModelDataUrl": archive},
        "EnableNetworkIsolation": isolated,
        "Tags": names.tags(stage, candidate.release_id),
    }


def name_of(account: Account, stage: str, candidate: Candidate, isolated: bool = True, purpose: str = "") -> str:
    """Return the name of a candidate's model."""
    return str(request(account, stage, candidate, isolated, purpose)["ModelName"])


def exists(account: Account, name: str) -> bool:
    """Return whether a model exists."""
    return if_there(account.client("sagemaker").describe_model, ModelName=name) is not None


def ensure(aws: Aws, stage: str, candidate: Candidate, isolated: bool = True, purpose: str = "") -> str:
    """Create a candidate's model if it does not exist, and return its name."""
    wanted = request(aws.account, stage, candidate, isolated, purpose)
    store(aws, candidate)
    create(aws, wanted)
    return str(wanted["ModelName"])


def create(aws: Aws, request: Mapping[str, Any]) -> bool:
    """Create a model, and return True; returns False if it exists, even if another command created it just now."""
    if exists(aws.account, request["ModelName"]):
        return False
    try:
        role.retry_until_propagated(aws, lambda: aws.account.client("sagemaker").create_model(**request))
    except ClientError as error:
        if is_taken(error):
            return False
        raise
    return True
