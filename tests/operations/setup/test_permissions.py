import json
import re
from fnmatch import fnmatchcase
from functools import cache

import botocore.session
import pytest
from botocore import xform_name

from operations.aws.account import Account
from operations.aws.command import Aws
from operations.inventory.running_jobs import API_NAMES
from operations.setup import permissions
from operations.setup.permissions import PARTS, principal, sample_arn
from training.project import ROOT as PROJECT

ACCOUNT = Account("123456789012", "us-east-1", "aws", "", lambda service: None)
STATEMENTS = permissions.statements(ACCOUNT)
ACTIONS = {action for statement in STATEMENTS for action in statement["Action"]}
SERVICES = {  # prefix of actions -> the service of botocore whose operations they are called after
    "sagemaker": "sagemaker",
    "iam": "iam",
    "logs": "logs",
    "cloudwatch": "cloudwatch",
    "application-autoscaling": "application-autoscaling",
    "servicequotas": "service-quotas",
    "lambda": "lambda",
    "dynamodb": "dynamodb",
    "sts": "sts",
    "ecr": "ecr",
}
NOT_OPERATIONS = {"iam:PassRole", "sagemaker:InvokeEndpoint"}  # InvokeEndpoint belongs to sagemaker-runtime
S3_ACTIONS = {  # operation -> its action, if the names differ
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "HeadObject": "GetObject",
    "UploadFile": "PutObject",
    "DownloadFile": "GetObject",
    "DeleteObjects": "DeleteObject",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
}
LONGEST_MANAGED_POLICY = 6144  # characters, white space aside: an IAM quota
CALLED = re.compile(r"\.([a-z]+_[a-z0-9_]+)\b|[\"']([a-z]+_[a-z0-9_]+)[\"']")
IMPLIED = {  # actions that are needed in addition to those of the called operations -> the reason
    "iam:TagRole": "CreateRole with tags",
    "iam:CreateServiceLinkedRole": "RegisterScalableTarget, the first time",
    "cloudwatch:TagResource": "PutMetricAlarm with tags",
    "dynamodb:Scan": "the paginator `scan`, a name without an underscore",
}


@cache
def operations(service: str) -> dict[str, str]:
    """Return boto3's name -> the operation's."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def test_every_action_exists_in_its_service() -> None:
    for action in ACTIONS - NOT_OPERATIONS:
        service, _, name = action.partition(":")
        assert "*" not in action
        assert service not in SERVICES or name in operations(SERVICES[service]).values(), action


def called_names() -> set[str]:
    """Return all names in the code that could be boto3 operations."""
    folders = (PROJECT / "operations",)
    source = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    generated = {xform_name(f"{verb}{name}") for verb in ("Describe", "Stop") for name in API_NAMES.values()}
    generated |= {xform_name(f"List{name}s") for name in API_NAMES.values()}
    return generated.union(name for pair in CALLED.findall(source) for name in pair if name)


def test_every_called_operation_is_granted() -> None:
    known: dict[str, set[str]] = {}
    for prefix, service in SERVICES.items():
        for boto3_name, name in operations(service).items():
            known.setdefault(boto3_name, set()).add(f"{prefix}:{name}")
    for boto3_name, name in {**operations("s3"), "upload_file": "UploadFile"}.items():
        known.setdefault(boto3_name, set()).add(f"s3:{S3_ACTIONS.get(name, name)}")
    called = called_names() & known.keys()
    assert len(called) > 40
    lacking = {name: sorted(known[name]) for name in sorted(called) if not known[name] & ACTIONS}
    assert not lacking, lacking


def test_every_granted_action_is_called() -> None:
    own = [item for part in ("setup", "commands") for item in permissions.policy(ACCOUNT, part)["Statement"]]
    actions = {action.partition(":")[::2] for item in own for action in item["Action"] if action not in IMPLIED}
    called = called_names()
    idle = {
        f"{service}:{name}"
        for service, name in actions
        if service in SERVICES and name in operations(SERVICES[service]).values() and xform_name(name) not in called
    }
    assert not idle


def covers(action: str, arn: str) -> bool:
    """Return whether a statement allows an action on a resource."""
    return any(
        action in statement["Action"] and any(fnmatchcase(arn, resource) for resource in statement["Resource"])
        for statement in STATEMENTS
    )


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sagemaker:ListTags", "sagemaker:us-east-1:123456789012:model-package-group/verdict"),
        ("sagemaker:AddTags", "sagemaker:us-east-1:123456789012:model-package-group/verdict"),
        ("sagemaker:AddTags", "sagemaker:us-east-1:123456789012:endpoint/verdict-prod-0123456789ab"),
        ("iam:GetRole", "iam::123456789012:role/people/operator"),
        ("s3:GetBucketTagging", "s3:::verdict-123456789012-us-east-1"),
    ],
)
def test_an_action_is_allowed_on_our_resources_only(action: str, resource: str) -> None:
    assert covers(action, f"arn:aws:{resource}")
    assert not covers(action, f"arn:aws:{resource.replace('verdict', 'other').replace('123456789012', '999999999999')}")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("logs:DeleteLogGroup", "logs:us-east-1:123456789012:log-group:/aws/sagemaker/TrainingJobs"),
        ("logs:DeleteLogStream", "logs:us-east-1:123456789012:log-group:/aws/sagemaker/TrainingJobs:log-stream:theirs"),
        ("logs:DeleteLogGroup", "logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/theirs"),
        ("lambda:CreateFunction", "lambda:eu-west-1:123456789012:function:verdict-dev"),
    ],
)
def test_an_action_is_not_allowed_on_a_shared_resource(action: str, resource: str) -> None:
    assert not covers(action, f"arn:aws:{resource}")


def test_the_apps_policy_changes_and_passes_the_functions_role_only() -> None:
    execution, function = (
        f"arn:aws:iam::123456789012:role/verdict-{name}" for name in ("sagemaker-x", "dev-api_handler")
    )
    granted: dict[str, set[str]] = {execution: set(), function: set()}
    for statement in permissions.policy(ACCOUNT, "app")["Statement"]:
        for role in granted:
            if any(fnmatchcase(role, one) for one in statement["Resource"] if one != "*"):
                granted[role] |= set(statement["Action"])
    assert granted[execution] == {"iam:GetRole", "iam:ListRolePolicies"}
    assert {"iam:PutRolePolicy", "iam:PassRole", "iam:DeleteRole"} <= granted[function]


@pytest.mark.parametrize("part", PARTS)
def test_a_policy_fits_into_a_managed_policy_with_the_longest_names(
    aws: Aws, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_BUCKET", "b" * 63)
    longest = Account("123456789012", "us-gov-east-1", "aws-us-gov", aws.account.caller, aws.account.client)
    policy = permissions.policy(longest, part)
    assert len({statement["Sid"] for statement in policy["Statement"]}) == len(policy["Statement"])
    assert "{" not in str([statement["Resource"] for statement in policy["Statement"]])
    assert len(json.dumps(policy, separators=(",", ":"))) <= LONGEST_MANAGED_POLICY


def test_no_narrowed_action_is_also_allowed_on_everything() -> None:
    narrowed = {action for item in STATEMENTS if "*" not in item["Resource"] for action in item["Action"]}
    everywhere = {action for item in STATEMENTS if "*" in item["Resource"] for action in item["Action"]}
    assert not narrowed & everywhere
    assert not any(re.search(r":(Create|Delete|Update|PassRole|Stop)", action) for action in everywhere)


def test_a_role_can_be_passed_to_one_service_only() -> None:
    passing = [statement for statement in STATEMENTS if "iam:PassRole" in statement["Action"]]
    assert sorted(statement["Condition"]["StringEquals"]["iam:PassedToService"] for statement in passing) == [
        "lambda.amazonaws.com",
        "sagemaker.amazonaws.com",
    ]


def test_a_sample_arn_matches_its_pattern() -> None:
    for statement in STATEMENTS:
        for resource in statement["Resource"]:
            assert fnmatchcase(sample_arn(resource), resource)


def test_a_session_has_the_policies_of_its_role(aws: Aws) -> None:
    iam = aws.account.client("iam")
    made = iam.create_role(RoleName="operator", Path="/people/", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    session = "arn:aws:sts::123456789012:assumed-role/operator/somebody"
    assert principal(Account("123456789012", "us-east-1", "aws", session, aws.account.client)) == made
    assert principal(aws.account) == "arn:aws:iam::123456789012:user/tester"
