"""The `releases` step lists stored releases, and registers them in the model registry."""

import pytest

from chalicelib import release
from operations import releases
from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.endpoint import models
from operations.endpoint.candidate import packaged_candidate
from operations.inventory import inventory, model_registry
from operations.inventory.resources import Kind
from operations.inventory.search import Search
from tests.operations.existing import create_endpoint

PACKAGED = release.load().release_id


def test_a_stored_release_has_its_lineage_and_metrics(aws: Aws) -> None:
    models.store(aws, packaged_candidate())
    (stored,) = (entry for entry in releases.find_all(aws.account) if entry.release == PACKAGED)
    document = releases.document(stored, PACKAGED)
    facts = release.load().facts
    assert document["packaged_here"]
    assert document["data_fingerprint"] == facts.data_fingerprint
    assert document["metrics"]["test"] == facts.metrics["test"]
    test = facts.metrics["test"]
    assert releases.lines(stored, PACKAGED)[1] == (
        f"  official test: accuracy {test['accuracy']:.1%}, log loss {test['log_loss']:.4f}"
    )
    assert stored.deployed == ()


def test_a_training_run_is_listed_with_its_deployments(aws: Aws) -> None:
    endpoint = create_endpoint(aws, "listed", instances=1, weights=(1, 1))
    release_id = next(iter(releases.deployments(Search(aws.account, "listed"))))
    (stored,) = (entry for entry in releases.find_all(aws.account) if entry.release == release_id)
    assert stored.facts is None
    assert stored.deployed == (f"listed: v1 of {endpoint}", f"listed: v2 of {endpoint}")
    assert releases.lines(stored, PACKAGED)[1:] == [
        f"  vocabulary {stored.fingerprint}; a training run, without release facts",
        f"  serves listed: v1 of {endpoint}",
        f"  serves listed: v2 of {endpoint}",
    ]


def test_an_incomplete_release_is_listed_as_such(aws: Aws) -> None:
    bucket.ensure(aws)
    bucket.put_bytes(aws.account, "releases/0123456789ab-00000000/vocabulary.txt", b"a")
    (stored,) = (entry for entry in releases.find_all(aws.account) if entry.release == "0123456789ab-00000000")
    assert stored.unread == "incomplete: its archive is missing"


def test_invalid_release_facts_are_reported(aws: Aws) -> None:
    bucket.ensure(aws)
    bucket.put_bytes(aws.account, "releases/0123456789ab-11111111/release.json", b"{}")
    (stored,) = (entry for entry in releases.find_all(aws.account) if entry.release == "0123456789ab-11111111")
    assert stored.unread.startswith("release.json is not of format")


def test_a_deployed_release_that_is_not_stored_is_listed(aws: Aws) -> None:
    create_endpoint(aws, "unstored", fingerprint="cccccccccccc")
    s3, name = aws.account.client("s3"), bucket.bucket_name(aws.account)
    for key in bucket.keys(aws.account, "releases/cccccccccccc"):
        s3.delete_object(Bucket=name, Key=f"verdict/{key}")
    (found,) = (entry for entry in releases.find_all(aws.account) if entry.fingerprint == "cccccccccccc")
    assert found.stored is None
    assert releases.lines(found, PACKAGED)[0] == f"{found.release}: not in the bucket"


def test_a_release_is_registered_once_pending_approval(aws: Aws) -> None:
    candidate, facts = packaged_candidate(), release.load().facts
    arn, is_new = model_registry.register(aws, "verdict-releases", candidate, facts)
    assert is_new
    assert model_registry.register(aws, "verdict-releases", candidate, facts) == (arn, False)
    package = aws.account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CustomerMetadataProperties"]["data_fingerprint"] == facts.data_fingerprint
    assert package["CustomerMetadataProperties"]["test accuracy"] == str(facts.metrics["test"]["accuracy"])
    (container,) = package["InferenceSpecification"]["Containers"]
    assert bucket.fetch(aws.account, container["ModelDataUrl"])
    assert [each.name for each in inventory.take(aws.account).of(Kind.PACKAGE_GROUP)] == ["verdict-releases"]


def test_of_two_registrations_at_once_one_creates_the_group(aws: Aws) -> None:
    candidate, facts = packaged_candidate(), release.load().facts
    events, begun = aws.account.client("sagemaker").meta.events, list[tuple[str, bool]]()

    def register_too(**_: object) -> None:
        events.unregister("before-send.sagemaker.CreateModelPackageGroup", register_too)
        begun.append(model_registry.register(aws, "verdict-at-once", candidate, facts))

    events.register("before-send.sagemaker.CreateModelPackageGroup", register_too)
    assert model_registry.register(aws, "verdict-at-once", candidate, facts) == (begun[0][0], False)
    assert begun[0][1]


def test_a_package_group_without_our_prefix_is_not_created(aws: Aws) -> None:
    with pytest.raises(AwsError, match="no model package group sentiment"):
        model_registry.register(aws, "sentiment", packaged_candidate(), release.load().facts)


def test_a_packaged_release_that_is_not_stored_is_reported() -> None:
    lines: list[str] = []
    releases.show([], PACKAGED, lines.append)
    assert lines == [
        "No release is stored yet. `verdict deploy` stores the first.",
        f"The packaged release {PACKAGED} is not stored.",
    ]
