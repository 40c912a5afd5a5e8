import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from operations.aws import bucket
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from simulator.aws import SimulatedAws

NAME = "verdict-123456789012-us-east-1"


def empty(aws: Aws) -> None:
    """Delete all objects and versions."""
    s3 = aws.account.client("s3")
    found = s3.list_object_versions(Bucket=NAME)
    for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=NAME, Key=version["Key"], VersionId=version["VersionId"])


def untag(aws: Aws) -> None:
    aws.account.client("s3").delete_bucket_tagging(Bucket=NAME)


@pytest.fixture
def created(aws: Aws) -> Aws:
    bucket.ensure(aws)
    return aws


def test_the_bucket_is_private_encrypted_and_https_only(created: Aws) -> None:
    s3 = created.account.client("s3")
    assert all(s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    assert [rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == ["AES256"]
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"]


def test_overwritten_objects_are_kept_for_a_while(created: Aws) -> None:
    s3 = created.account.client("s3")
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
    rules = s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    kept = [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules if rule["ID"] == "old-versions"]
    assert kept == [bucket.KEPT_VERSION_DAYS]


def test_only_temporary_objects_expire(created: Aws) -> None:
    rules = created.account.client("s3").get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    expiring = [rule["Filter"]["Prefix"] for rule in rules if "Expiration" in rule]
    assert expiring == ["verdict/transform/"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_an_existing_bucket_is_not_created_again(created: Aws) -> None:
    before = created.account.client("s3").list_buckets()["Buckets"]
    assert bucket.ensure(created) == NAME
    assert created.account.client("s3").list_buckets()["Buckets"] == before


def test_an_interrupted_creation_is_completed(created: Aws) -> None:
    s3 = created.account.client("s3")
    s3.delete_public_access_block(Bucket=NAME)
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "paid-by", "Value": "research"}]})
    assert not bucket.is_tagged(created.account)
    bucket.ensure(created)
    assert all(s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"].values())
    assert bucket.tags(created.account) == {"paid-by": "research", "verdict:app": "verdict"}


@pytest.mark.parametrize("deleted", [False, True])
def test_an_untagged_bucket_with_objects_is_not_changed(aws: Aws, deleted: bool) -> None:
    """Old versions of deleted objects count."""
    s3 = aws.account.client("s3")
    s3.create_bucket(Bucket=NAME)
    empty(aws)
    untag(aws)
    s3.delete_public_access_block(Bucket=NAME)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=NAME, Key="theirs", Body=b"precious")
    if deleted:
        s3.delete_object(Bucket=NAME, Key="theirs")
    with pytest.raises(AwsError, match="has objects that these commands did not create") as raised:
        bucket.ensure(aws)
    assert (raised.value.kind, raised.value.detail[-30:]) == ("name-taken", "Set VERDICT_BUCKET to another.")
    assert bucket.tags(aws.account) == {}
    with pytest.raises(ClientError):
        s3.get_public_access_block(Bucket=NAME)
    empty(aws)


def test_the_tag_is_set_after_all_other_settings(created: Aws, simulated: SimulatedAws) -> None:
    created.account.client("s3").delete_bucket_tagging(Bucket=NAME)
    simulated.fault_injector.inject("PutBucketPolicy", "denied")
    with pytest.raises(ClientError):
        bucket.ensure(created)
    assert bucket.tags(created.account) == {}
    simulated.fault_injector.clear()
    bucket.ensure(created)
    assert bucket.is_tagged(created.account)


def test_the_users_own_bucket_is_used_unchanged(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.account.client("s3").create_bucket(Bucket="my-own")
    monkeypatch.setenv("VERDICT_BUCKET", "my-own")
    assert bucket.ensure(aws) == "my-own"
    assert not bucket.is_managed()
    assert bucket.tags(aws.account) == {}
    assert bucket.uri(aws.account, "any") == "s3://my-own/verdict/any"


def test_the_users_own_bucket_is_not_created(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_BUCKET", "forgotten")
    with pytest.raises(AwsError, match="Create it, or unset VERDICT_BUCKET"):
        bucket.ensure(aws)
    assert not bucket.exists(aws.account)


def test_a_taken_name_is_reported_with_a_remedy(simulated: SimulatedAws, aws: Aws) -> None:
    simulated.fault_injector.inject("HeadBucket", "denied")
    with pytest.raises(AwsError, match="Set VERDICT_BUCKET") as raised:
        bucket.ensure(aws)
    assert raised.value.kind == "name-taken"


def test_a_file_is_uploaded_once(created: Aws, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    ticks: list[tuple[int, int]] = []
    assert bucket.put_file(created.account, "some/file", path, lambda done, total, _="": ticks.append((done, total)))
    assert ticks[-1] == (7, 7)
    assert not bucket.put_file(created.account, "some/file", path)
    path.write_bytes(b"changed")
    assert bucket.put_file(created.account, "some/file", path)
    assert bucket.get_bytes(created.account, "some/file") == b"changed"


def test_a_large_file_is_uploaded_in_parts(created: Aws, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "large").write_bytes(content)
    ticks: list[int] = []
    bucket.put_file(created.account, "large", tmp_path / "large", lambda done, _total, _seen="": ticks.append(done))
    head = created.account.client("s3").head_object(Bucket=NAME, Key="verdict/large")
    assert "-" in head["ETag"]  # of a multipart upload
    assert head["ServerSideEncryption"] == "AES256"
    assert ticks == sorted(ticks)
    assert ticks[-1] == len(content)
    assert bucket.get_bytes(created.account, "large") == content
    assert not bucket.put_file(created.account, "large", tmp_path / "large")


def test_bytes_are_uploaded_once(created: Aws) -> None:
    assert bucket.put_bytes(created.account, "some/bytes", b"content")
    assert not bucket.put_bytes(created.account, "some/bytes", b"content")
    assert bucket.put_bytes(created.account, "some/bytes", b"changed")


def test_keys_are_listed_under_a_key(created: Aws) -> None:
    wanted = [f"many/{number:04d}" for number in range(3)]
    for key in (*wanted, "manyfold/0"):
        bucket.put_bytes(created.account, key, b"")
    assert bucket.keys(created.account, "many/") == wanted


def test_a_missing_object_is_reported_with_its_uri(created: Aws) -> None:
    with pytest.raises(AwsError, match=f"There is no object at s3://{NAME}/verdict/nowhere"):
        bucket.get_bytes(created.account, "nowhere")


def test_a_truncated_object_is_uploaded_again(aws: Aws) -> None:
    bucket.ensure(aws)
    assert bucket.put_bytes(aws.account, "releases/one/model.tar.gz", b"all of it")
    key, name = f"{bucket.PREFIX}/releases/one/model.tar.gz", bucket.bucket_name(aws.account)
    stated = aws.account.client("s3").head_object(Bucket=name, Key=key)["Metadata"]
    aws.account.client("s3").put_object(Bucket=name, Key=key, Body=b"some", Metadata=stated)
    assert bucket.put_bytes(aws.account, "releases/one/model.tar.gz", b"all of it")
    assert bucket.get_bytes(aws.account, "releases/one/model.tar.gz") == b"all of it"
    assert not bucket.put_bytes(aws.account, "releases/one/model.tar.gz", b"all of it")
