"""A candidate becomes a model on SageMaker: its release stored whole in the bucket, its archive registered.

What is stored is all that is needed to go back to it: the archive for the endpoint, and the files that the app ships.
"""

from typing import Any

from chalicelib.release import NGRAM_TABLE_NAME, VOCABULARY_NAME
from operations.aws import bucket, names, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import if_there
from operations.endpoint.candidate import Candidate
from training.model import container_image as images
from training.model.run_folder import MODEL_NAME

ARCHIVE_NAME = "model.tar.gz"


def store(aws: Aws, candidate: Candidate) -> str:
    """Store a candidate in the bucket, what is there already excepted; returns its archive's s3:// address."""
    bucket.ensure(aws)
    for name, content in _files(candidate).items():
        if bucket.put_bytes(aws.account, f"releases/{candidate.release_id}/{name}", content):
            aws.journal.write("created", "object", bucket.uri(aws.account, f"releases/{candidate.release_id}/{name}"))
    return bucket.uri(aws.account, f"releases/{candidate.release_id}/{ARCHIVE_NAME}")


def _files(candidate: Candidate) -> dict[str, bytes]:
    """Return what is stored of a candidate, by name; of the packaged release, its facts and report too."""
    files = {ARCHIVE_NAME: candidate.archive, MODEL_NAME: candidate.model}
    files[VOCABULARY_NAME] = candidate.encoder.vocabulary.dumps().encode()
    if candidate.encoder.ngram_table:
        files[NGRAM_TABLE_NAME] = candidate.encoder.ngram_table.dumps()
    return files | {path.name: path.read_bytes() for path in candidate.told}  # the facts last: they vouch for the rest


def request(
    account: Account, stage: str, candidate: Candidate, isolated: bool = True, purpose: str = ""
) -> dict[str, Any]:
    """Return the CreateModel request: the pinned image and our role.

    An `isolated` model has no way out to any network; serverless hosting takes no such model. `purpose` keeps a model
    apart from others of the same content.
    """
    image = images.image_uri(account.region)
    archive = bucket.uri(account, f"releases/{candidate.release_id}/{ARCHIVE_NAME}")
    arn = role.need(account)
    made_of = [image, archive, arn, isolated, purpose]
    return {
        "ModelName": names.model(stage, candidate.encoder.fingerprint, candidate.model_sha256, made_of),
        "ExecutionRoleArn": arn,
        "PrimaryContainer": {"Image": image, "ModelDataUrl": archive},
        "EnableNetworkIsolation": isolated,
        "Tags": names.tags(stage, candidate.release_id),
    }


def name_of(account: Account, stage: str, candidate: Candidate, isolated: bool = True) -> str:
    """Name the model that a candidate becomes."""
    return str(request(account, stage, candidate, isolated)["ModelName"])


def exists(account: Account, name: str) -> bool:
    """Tell whether a model is there."""
    return if_there(account.client("sagemaker").describe_model, ModelName=name) is not None


def ensure(aws: Aws, stage: str, candidate: Candidate, isolated: bool = True, purpose: str = "") -> str:
    """Make the model where it is absent, and return its name."""
    wanted = request(aws.account, stage, candidate, isolated, purpose)
    store(aws, candidate)
    name = str(wanted["ModelName"])
    if not exists(aws.account, name):
        sagemaker = aws.account.client("sagemaker")
        role.retry_until_propagated(aws, lambda: sagemaker.create_model(**wanted))
        aws.journal.write("created", "model", name, stage=stage, release=candidate.release_id)
    return name
