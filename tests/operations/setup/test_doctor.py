import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.aws.doctor import command
from operations.aws import bucket, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.setup import checks
from operations.setup.checks import MISSING, OK, UNCHECKED, Check, run_check
from operations.setup.doctor import conclusion, create
from simulator.aws import SimulatedAws
from training.evaluation.packaged_model import MODEL_FOLDER
from training.model.container_image import ImageError

BUCKET, ROLE = "verdict-123456789012-us-east-1", "verdict-sagemaker-us-east-1"


def empty(simulated: SimulatedAws, name: str) -> None:
    """Delete all versions of a bucket's objects."""
    held = simulated.client("s3").list_object_versions(Bucket=name)
    for version in (*held.get("Versions", ()), *held.get("DeleteMarkers", ())):
        simulated.client("s3").delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])


@pytest.fixture(autouse=True)
def nothing_there(simulated: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin each test with no bucket and no role, and let commands find the simulated AWS."""
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)
    yield
    s3, iam = simulated.client("s3"), simulated.client("iam")
    for found in s3.list_buckets()["Buckets"]:
        empty(simulated, found["Name"])
        s3.delete_bucket(Bucket=found["Name"])
    for found in iam.list_roles()["Roles"]:
        for policy in iam.list_role_policies(RoleName=found["RoleName"])["PolicyNames"]:
            iam.delete_role_policy(RoleName=found["RoleName"], PolicyName=policy)
        iam.delete_role(RoleName=found["RoleName"])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def existing(simulated: SimulatedAws) -> tuple[list[str], list[str]]:
    """Return the names of all buckets and roles."""
    buckets, roles = simulated.client("s3").list_buckets()["Buckets"], simulated.client("iam").list_roles()["Roles"]
    return [found["Name"] for found in buckets], [found["RoleName"] for found in roles]


def line_of(printed: str, name: str) -> str:
    """Return the state of a check and what was found."""
    (line,) = (line for line in printed.splitlines() if f"{line[13:]}:".startswith(f"{name}:"))
    return line


def test_an_empty_account_lacks_bucket_and_role_with_status_1() -> None:
    result = run()
    assert result.exit_code == 1
    assert line_of(result.output, "bucket").startswith(MISSING)
    assert line_of(result.output, "execution role").startswith(MISSING)
    assert result.output.count("verdict doctor --create") == 2
    assert "Missing: bucket, execution role." in result.output


def test_create_creates_the_bucket_and_the_role(
    simulated: SimulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHALICE_CONFIG", checks.CHALICE_CONFIG.absolute())
    packaged = MODEL_FOLDER.absolute()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").symlink_to(packaged)
    (tmp_path / ".chalice").symlink_to(checks.CHALICE_CONFIG.parent)
    result = run("--create", "--yes")
    assert result.exit_code == 0, result.output
    assert "private, encrypted, HTTPS only" in line_of(result.output, "bucket")
    assert ROLE in line_of(result.output, "execution role")
    assert "Nothing is missing of what could be checked. Not checked: XGBoost image." in result.output
    assert existing(simulated) == ([BUCKET], [ROLE])


def test_create_keeps_existing_resources(simulated: SimulatedAws, aws: Aws) -> None:
    create(aws, yes=True)
    before = role.find(aws.account)
    create(aws, yes=True)
    assert role.find(aws.account) == before
    assert existing(simulated) == ([BUCKET], [ROLE])


def test_create_secures_an_open_bucket(aws: Aws) -> None:
    aws.account.client("s3").create_bucket(Bucket=BUCKET)
    found = checks.check_bucket(aws.account)
    assert found.state == MISSING
    assert "a block on public access" in found.found
    assert "a policy against plain HTTP" in found.found
    create(aws, yes=True)
    assert checks.check_bucket(aws.account).state == OK


def test_an_untagged_bucket_and_role_are_reported(aws: Aws, simulated: SimulatedAws) -> None:
    create(aws, yes=True)
    s3, iam = aws.account.client("s3"), aws.account.client("iam")
    s3.delete_bucket_tagging(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="theirs", Body=b"")
    iam.untag_role(RoleName=ROLE, TagKeys=["verdict:app"])
    results = [checks.run_check("", partial(check, aws.account)) for check in (checks.check_bucket, checks.check_role)]
    assert [result.state for result in results] == [MISSING, MISSING]
    assert "Set VERDICT_BUCKET" in results[0].remedy
    assert "Set VERDICT_ROLE" in results[1].remedy
    with pytest.raises(AwsError, match="Set VERDICT_BUCKET"):
        create(aws, yes=True)
    empty(simulated, BUCKET)
    iam.tag_role(RoleName=ROLE, Tags=[{"Key": "verdict:app", "Value": "verdict"}])
    create(aws, yes=True)


def test_create_refuses_a_region_without_the_image(simulated: SimulatedAws, aws: Aws) -> None:
    elsewhere = Account("123456789012", "mars-north-1", "aws", aws.account.caller, aws.account.client)
    with pytest.raises(ImageError):
        create(Aws(elsewhere, aws.console), yes=True)
    assert existing(simulated) == ([], [])


def test_the_users_own_bucket_and_role_are_not_changed(
    simulated: SimulatedAws, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.account.client("s3").create_bucket(Bucket="mine")
    monkeypatch.setenv("VERDICT_BUCKET", "mine")
    monkeypatch.setenv("VERDICT_ROLE", "arn:aws:iam::123456789012:role/mine")
    create(aws, yes=True)
    assert existing(simulated) == (["mine"], [])
    assert bucket.tags(aws.account) == {}
    assert "do not change VERDICT_BUCKET" in checks.check_bucket(aws.account).remedy
    assert "Set VERDICT_ROLE" in checks.check_role(aws.account).remedy


def test_an_outdated_role_policy_is_missing(aws: Aws) -> None:
    role.create(aws)
    older = role.policy(aws.account)
    del older["Statement"][1:]
    iam = aws.account.client("iam")
    iam.put_role_policy(RoleName=ROLE, PolicyName=role.POLICY_NAME, PolicyDocument=json.dumps(older))
    assert checks.check_role(aws.account).remedy == checks.CREATE
    iam.delete_role_policy(RoleName=ROLE, PolicyName=role.POLICY_NAME)
    assert checks.check_role(aws.account).remedy == checks.CREATE


def test_a_role_that_does_not_trust_sagemaker_is_missing(aws: Aws) -> None:
    trust = role.trust(aws.account)
    trust["Statement"][0]["Principal"] = {"Service": "lambda.amazonaws.com"}
    aws.account.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    assert "does not trust SageMaker" in checks.check_role(aws.account).found


def test_a_bucket_in_another_region_is_missing(
    simulated: SimulatedAws, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"LocationConstraint": "eu-west-1"}
    simulated.client("s3", "eu-west-1").create_bucket(Bucket="far", CreateBucketConfiguration=place)
    monkeypatch.setenv("VERDICT_BUCKET", "far")
    assert checks.check_bucket(aws.account).found == "far is in eu-west-1"


def test_only_the_quotas_of_the_chosen_instances_are_checked() -> None:
    wanted = line_of(run("--instance-type", "ml.m5.2xlarge").output, "quota: ml.m5.2xlarge for endpoint usage")
    assert wanted.startswith(MISSING)
    assert "ml.m5.2xlarge" not in run().output
    assert "endpoint usage" not in run("--instance-type", "none").output


def test_a_small_quota_is_reported_with_a_remedy(aws: Aws) -> None:
    (found,) = checks.check_quotas(aws.account, {"ml.m5.2xlarge for endpoint usage": 1.0})
    assert found.remedy == "verdict quotas --request 'ml.m5.2xlarge for endpoint usage=1'"


def test_an_unlisted_quota_is_not_checked(aws: Aws) -> None:
    assert [one.state for one in checks.check_quotas(aws.account, {"ml.m0.huge for endpoint usage": 1.0})] == [
        UNCHECKED
    ]


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("ListServiceQuotas", "quotas"),
        ("GetRole", "execution role"),
        ("SimulatePrincipalPolicy", "permissions"),
    ],
)
def test_a_check_without_permission_is_not_checked(simulated: SimulatedAws, operation: str, name: str) -> None:
    simulated.fault_injector.inject(operation, "denied")
    printed = run().output
    assert line_of(printed, name).startswith(UNCHECKED)
    assert name in printed.rpartition("Not checked: ")[2]


def test_a_missing_permission_is_named_with_its_statement(simulated: SimulatedAws) -> None:
    simulated.fault_injector.inject("CreateEndpoint", "denied")
    found = line_of(run().output, "permissions")
    assert found.startswith(MISSING)
    assert "sagemaker:CreateEndpoint (ManageEndpoints)" in found


def test_a_stage_unknown_to_chalice_is_missing(tmp_path: Path) -> None:
    assert checks.check_stage("prod").state == OK
    assert checks.check_stage("foo").remedy == "The stages are: dev, prod."
    assert checks.check_stage("dev", tmp_path / "none.json").state == MISSING


def test_the_installed_xgboost_is_the_images() -> None:
    assert checks.check_xgboost() == Check("xgboost", OK, "3.0.5, as in the image 3.0-5")


def test_an_inconclusive_check_is_not_checked() -> None:
    def denied() -> Check:
        raise AwsError("These credentials do not allow it.", "no-permission")

    def taken() -> Check:
        raise AwsError("Somebody else's.", "name-taken")

    assert run_check("x", denied) == Check("x", UNCHECKED, "", "These credentials do not allow it.")
    assert run_check("x", taken) == Check("x", MISSING, "", "Somebody else's.")


def test_the_conclusion_lists_unchecked_items() -> None:
    ok, unchecked = Check("a", OK, ""), Check("b", UNCHECKED, "")
    assert conclusion([ok]) == "Nothing is missing."
    assert conclusion([ok, unchecked]) == "Nothing is missing of what could be checked. Not checked: b."
    assert conclusion([Check("c", MISSING, ""), unchecked]) == "Missing: c. Not checked: b."


@pytest.mark.parametrize("part", ["setup", "commands", "app"])
def test_policy_prints_only_a_policy(aws: Aws, part: str) -> None:
    result = CliRunner().invoke(command, ["--policy", part])
    assert json.loads(result.stdout)["Version"] == "2012-10-17"
    assert not bucket.exists(aws.account)
