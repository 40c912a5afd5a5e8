import json

import pytest
from botocore.exceptions import ClientError

from simulator.aws import SimulatedAws
from simulator.moto import bucket_policies

NAME = "closed-to-plain-http"
HTTPS_ONLY = {
    "Sid": "HttpsOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
NO_READING = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{NAME}/secret"}


def policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_https_only_bucket_works_and_returns_its_policy(simulated_aws: SimulatedAws) -> None:
    s3 = simulated_aws.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_bucket_policy(Bucket=NAME, Policy=policy(HTTPS_ONLY))
    s3.put_object(Bucket=NAME, Key="key", Body=b"content")
    assert s3.get_object(Bucket=NAME, Key="key")["Body"].read() == b"content"
    assert json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"]) == json.loads(policy(HTTPS_ONLY))


def test_other_statements_of_the_policy_stay_in_force(simulated_aws: SimulatedAws) -> None:
    s3 = simulated_aws.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="secret", Body=b"content")
    s3.put_bucket_policy(Bucket=NAME, Policy=policy(HTTPS_ONLY, NO_READING))
    with pytest.raises(ClientError, match=r"403|Forbidden|AccessDenied"):
        s3.get_object(Bucket=NAME, Key="secret")


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"Version": "2012-10-17"}'])
def test_anything_but_a_policy_is_left_to_moto(body: bytes) -> None:
    assert bucket_policies.disable_https_only(body) == body


def test_single_statement_is_a_policy_too() -> None:
    alone = json.dumps({"Version": "2012-10-17", "Statement": HTTPS_ONLY}).encode()
    (statement,) = json.loads(bucket_policies.disable_https_only(alone))["Statement"]
    assert statement["Principal"] != "*"
