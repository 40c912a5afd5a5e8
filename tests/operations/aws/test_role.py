import json

import pytest

from operations.aws import role
from operations.aws.command import Aws
from operations.aws.errors import AwsError

UNNARROWED = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}  # these actions have no resource


def actions(statement: dict[str, object]) -> list[str]:
    stated = statement["Action"]
    return stated if isinstance(stated, list) else [str(stated)]


def test_the_policy_has_no_wildcard_actions(aws: Aws) -> None:
    statements = role.policy(aws.account)["Statement"]
    assert not any("*" in action for statement in statements for action in actions(statement))
    everywhere = {action for statement in statements if statement["Resource"] == "*" for action in actions(statement)}
    assert everywhere == UNNARROWED


def test_the_policy_covers_one_prefix_of_one_bucket(aws: Aws) -> None:
    statements = role.policy(aws.account)["Statement"]
    stated = {action: one["Resource"] for one in statements for action in actions(one)}
    assert stated["s3:GetObject"] == "arn:aws:s3:::verdict-123456789012-us-east-1/verdict/*"
    written = [one["Resource"].partition("/")[2] for one in statements if "s3:PutObject" in actions(one)]
    assert written == ["verdict/jobs/*", "verdict/transform/*"]  # not the releases that endpoints load
    assert stated["s3:DeleteObject"] == "arn:aws:s3:::verdict-123456789012-us-east-1/verdict/jobs/*"  # checkpoints
    assert stated["ecr:BatchGetImage"] == "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost"


def test_only_sagemaker_can_assume_the_role_for_this_account(aws: Aws) -> None:
    (statement,) = role.trust(aws.account)["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_trust_of_an_existing_role_is_updated(aws: Aws) -> None:
    role.create(aws)
    iam, name = aws.account.client("iam"), role.role_name(aws.account)
    older = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(older))
    role.create(aws)
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == role.trust(aws.account)
    iam.delete_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)
    iam.delete_role(RoleName=name)


def test_a_missing_role_is_reported_with_a_remedy(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_BUCKET", "any")
    assert role.find(aws.account) == ""
    with pytest.raises(AwsError, match="verdict doctor --create") as raised:
        role.require(aws.account)
    assert raised.value.kind == "no-role"


def test_the_users_own_role_is_used_unchanged(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_ROLE", "arn:aws:iam::123456789012:role/mine")
    assert role.require(aws.account) == "arn:aws:iam::123456789012:role/mine"
    assert not role.is_managed()


@pytest.mark.parametrize(
    "stated", ["mine", "arn:aws:s3:::bucket", "arn:aws:iam::123:role/mine", "arn:aws:iam::123456789012:user/me"]
)
def test_an_invalid_role_arn_is_refused(aws: Aws, monkeypatch: pytest.MonkeyPatch, stated: str) -> None:
    monkeypatch.setenv("VERDICT_ROLE", stated)
    with pytest.raises(AwsError, match="is not the ARN of a role: arn:aws:iam::123456789012:role/<name>") as raised:
        role.require(aws.account)
    assert raised.value.kind == "role-refused"
    assert "\n" not in raised.value.detail


def test_a_role_arn_can_have_a_path(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERDICT_ROLE", "arn:aws-us-gov:iam::123456789012:role/service-role/Mine_1.2")
    assert role.require(aws.account).endswith("/Mine_1.2")


def test_an_untagged_role_is_not_changed(aws: Aws) -> None:
    iam, name = aws.account.client("iam"), role.role_name(aws.account)
    role.create(aws)
    iam.untag_role(RoleName=name, TagKeys=["verdict:app"])
    iam.delete_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)
    with pytest.raises(AwsError, match="Set VERDICT_ROLE") as raised:
        role.create(aws)
    assert raised.value.kind == "name-taken"
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    iam.delete_role(RoleName=name)


def test_the_role_is_created_once_with_its_policy(aws: Aws) -> None:
    iam = aws.account.client("iam")
    arn = role.create(aws)
    assert role.create(aws) == arn == role.require(aws.account)
    stated = iam.get_role_policy(RoleName=role.role_name(aws.account), PolicyName=role.POLICY_NAME)["PolicyDocument"]
    assert stated == role.policy(aws.account)


def test_an_older_policy_is_updated(aws: Aws) -> None:
    iam, name = aws.account.client("iam"), role.role_name(aws.account)
    role.create(aws)
    older = role.policy(aws.account)
    del older["Statement"][1:]
    iam.put_role_policy(RoleName=name, PolicyName=role.POLICY_NAME, PolicyDocument=json.dumps(older))
    role.create(aws)
    stated = iam.get_role_policy(RoleName=name, PolicyName=role.POLICY_NAME)["PolicyDocument"]
    assert stated == role.policy(aws.account)
