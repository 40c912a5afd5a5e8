"""What `releases` tells of what was deployed, and how a release comes into the registry."""

import pytest

from chalicelib import release
from operations import releases
from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import models
from operations.endpoint.candidate import packaged_candidate
from operations.inventory import inventory, registry, stored_releases
from operations.inventory.resources import PACKAGE_GROUP
from operations.inventory.search import Search
from tests.operations.existing import made_endpoint

PACKAGED = release.load().release_id


def test_a_stored_release_is_told_with_its_lineage_and_figures(aws: Aws) -> None:
    models.store(aws, packaged_candidate())
    (stored,) = (one for one in stored_releases.all_of(aws.account) if one.release == PACKAGED)
    told = releases.document(stored, PACKAGED)
    facts = release.load().facts
    assert told["packaged_here"]
    assert told["data_fingerprint"] == facts.data_fingerprint
    assert told["metrics"]["test"] == facts.metrics["test"]
    test = facts.metrics["test"]
    assert releases.lines(stored, PACKAGED)[1] == (
        f"  official test: accuracy {test['accuracy']:.1%}, log loss {test['log_loss']:.4f}"
    )
    assert stored.deployed == ()


def test_a_run_without_facts_is_listed_with_where_it_serves(aws: Aws) -> None:
    endpoint = made_endpoint(aws, "listed", instances=1, weights=(1, 1))
    release_id = next(iter(stored_releases.deployments(Search(aws.account, "listed"))))
    (stored,) = (one for one in stored_releases.all_of(aws.account) if one.release == release_id)
    assert stored.facts is None
    assert stored.deployed == (f"listed: v1 of {endpoint}", f"listed: v2 of {endpoint}")
    assert releases.lines(stored, PACKAGED)[1:] == [
        f"  vocabulary {stored.fingerprint}; a run, without facts",
        f"  serves listed: v1 of {endpoint}",
        f"  serves listed: v2 of {endpoint}",
    ]


def test_a_release_that_was_not_stored_to_the_end_is_told_as_such(aws: Aws) -> None:
    bucket.ensure(aws)
    bucket.put_bytes(aws.account, "releases/0123456789ab-00000000/vocabulary.txt", b"a")
    (stored,) = (one for one in stored_releases.all_of(aws.account) if one.release == "0123456789ab-00000000")
    assert stored.unread == "its archive is missing: it was not stored to the end"


def test_facts_that_cannot_be_read_are_told_and_hide_nothing_else(aws: Aws) -> None:
    bucket.ensure(aws)
    bucket.put_bytes(aws.account, "releases/0123456789ab-11111111/release.json", b"{}")
    (stored,) = (one for one in stored_releases.all_of(aws.account) if one.release == "0123456789ab-11111111")
    assert stored.unread.startswith("release.json is not of format")


def test_what_serves_and_is_not_in_the_bucket_is_listed(aws: Aws) -> None:
    made_endpoint(aws, "gone", fingerprint="cccccccccccc")
    s3, name = aws.account.client("s3"), bucket.bucket_name(aws.account)
    for key in bucket.keys(aws.account, "releases/cccccccccccc"):
        s3.delete_object(Bucket=name, Key=f"verdict/{key}")
    (found,) = (one for one in stored_releases.all_of(aws.account) if one.fingerprint == "cccccccccccc")
    assert found.stored is None
    assert releases.lines(found, PACKAGED)[0] == f"{found.release}: not in the bucket"


def test_a_release_is_registered_once_and_waits_for_approval(aws: Aws) -> None:
    candidate, facts = packaged_candidate(), release.load().facts
    arn, is_new = registry.register(aws, "verdict-releases", candidate, facts)
    assert is_new
    assert registry.register(aws, "verdict-releases", candidate, facts) == (arn, False)
    package = aws.account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CustomerMetadataProperties"]["data_fingerprint"] == facts.data_fingerprint
    assert package["CustomerMetadataProperties"]["test accuracy"] == str(facts.metrics["test"]["accuracy"])
    (container,) = package["InferenceSpecification"]["Containers"]
    assert bucket.fetch(aws.account, container["ModelDataUrl"])
    assert [one.name for one in inventory.take(aws.account).of(PACKAGE_GROUP)] == ["verdict-releases"]


def test_a_group_that_would_not_be_found_again_is_not_made(aws: Aws) -> None:
    with pytest.raises(AwsError, match="There is no model package group sentiment"):
        registry.register(aws, "sentiment", packaged_candidate(), release.load().facts)


def test_the_packaged_release_is_said_to_be_missing_before_its_first_deployment() -> None:
    said: list[str] = []
    releases.show([], PACKAGED, said.append)
    assert said == [
        "No release is stored yet: the first is by `verdict deploy`.",
        f"The packaged release {PACKAGED} is not among them.",
    ]
