"""The execution role that the tutorial's notebook has on AWS."""

import json
from typing import Any

ROLE = "SageMakerTutorial"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def create_role(iam: Any) -> str:
    """Create the role; returns its ARN."""
    return str(iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"])
