"""A candidate becomes a model on SageMaker: its release stored whole in the bucket, its archive registered.

What is stored is all that is needed to go back to it: the archive for the endpoint, and the files that the app ships.
"""

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.release import EVIDENCE_NAME, FACTS_NAME, VOCABULARY_NAME
from training.run_folder import MODEL_NAME
from training.sagemaker import bucket, images, names, role
from training.sagemaker.account import Account
from training.sagemaker.candidate import PACKAGED_NAME, Candidate
from training.sagemaker.command import Aws
from training.sagemaker.faults import is_absent

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
    if candidate.encoder.evidence:
        files[EVIDENCE_NAME] = candidate.encoder.evidence.dumps()
    if candidate.name == PACKAGED_NAME:
        files |= {path.name: path.read_bytes() for path in candidate.told}
        files[FACTS_NAME] = files.pop(FACTS_NAME)  # last: who reads it can rely on the others
    return files


def request(account: Account, stage: str, candidate: Candidate) -> dict[str, Any]:
    """Return the CreateModel request: the pinned image, no way out to the network, our role."""
    image = images.image_uri(account.region)
    archive = bucket.uri(account, f"releases/{candidate.release_id}/{ARCHIVE_NAME}")
    arn = role.need(account)
    name = names.model(stage, candidate.encoder.fingerprint, candidate.model_sha256, [image, archive, arn])
    return {
        "ModelName": name,
        "ExecutionRoleArn": arn,
        "PrimaryContainer": {"Image": image, "ModelDataUrl": archive},
        "EnableNetworkIsolation": True,
        "Tags": names.tags(stage, candidate.release_id),
    }


def ensure(aws: Aws, stage: str, candidate: Candidate) -> str:
    """Make the model where it is absent, and return its name."""
    wanted = request(aws.account, stage, candidate)
    store(aws, candidate)
    sagemaker = aws.account.client("sagemaker")
    name = str(wanted["ModelName"])
    try:
        sagemaker.describe_model(ModelName=name)
    except ClientError as error:
        if not is_absent(error):
            raise
        sagemaker.create_model(**wanted)
        aws.journal.write("created", "model", name, stage=stage, release=candidate.release_id)
    return name
