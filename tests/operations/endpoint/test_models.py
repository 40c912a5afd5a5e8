"""Stored releases, and SageMaker models created from them."""

import pytest

from chalicelib import release
from operations.aws import bucket, names, role
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import models
from operations.endpoint.candidate import Candidate, packaged_candidate, unpack_model
from training.model.run_folder import Run
from training.tuning.service_model import shape_problems


@pytest.fixture(scope="module")
def candidate(trained_run: Run) -> Candidate:
    """A candidate with a small model."""
    return Candidate("run", trained_run.model, trained_run.encoder)


@pytest.fixture
def with_role(aws: Aws) -> Aws:
    """A connection to an account with the execution role."""
    role.create(aws)
    return aws


def test_a_model_needs_the_execution_role(aws: Aws, candidate: Candidate) -> None:
    with pytest.raises(AwsError, match="doctor --create"):
        models.ensure(aws, "dev", candidate)
    assert not bucket.exists(aws.account)


def test_the_request_is_valid_and_isolates_the_model(with_role: Aws, candidate: Candidate) -> None:
    request = models.request(with_role.account, "dev", candidate)
    assert shape_problems("CreateModelInput", request, "request") == []
    assert request["EnableNetworkIsolation"]
    assert names.tag_value(request["Tags"], names.RELEASE_TAG) == candidate.release_id


def test_a_model_is_created_once(with_role: Aws, candidate: Candidate) -> None:
    name = models.ensure(with_role, "dev", candidate)
    sagemaker = with_role.account.client("sagemaker")
    created = sagemaker.describe_model(ModelName=name)["CreationTime"]
    assert models.ensure(with_role, "dev", candidate) == name
    assert sagemaker.describe_model(ModelName=name)["CreationTime"] == created


def test_each_stage_has_its_own_model(with_role: Aws, candidate: Candidate) -> None:
    assert models.ensure(with_role, "prod", candidate) != models.ensure(with_role, "dev", candidate)


def test_a_stored_release_has_all_its_files(with_role: Aws) -> None:
    candidate = packaged_candidate()
    address = models.store(with_role, candidate)
    below = f"releases/{candidate.release_id}/"
    assert unpack_model(bucket.fetch(with_role.account, address)) == candidate.model
    stored = {key.removeprefix(below) for key in bucket.keys(with_role.account, below)}
    assert stored >= {"model.tar.gz", "xgboost-model", *(path.name for path in candidate.release_files)}
    facts = bucket.get_bytes(with_role.account, f"{below}{release.FACTS_NAME}")
    assert facts == (release.PACKAGED / release.FACTS_NAME).read_bytes()
