"""The Chalice app of a stage on the simulated AWS, as Chalice creates it: role, function, API."""

import io
import json
import zipfile
from functools import cache
from typing import Any

from operations.aws.command import Aws
from operations.aws.errors import if_there

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
LOGGING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}],
}


@cache
def package() -> bytes:
    """Return a minimal deployment package."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "app = None\n")
    return packed.getvalue()


def create_role(aws: Aws, stage: str) -> str:
    """Create the role that Chalice creates, if it does not exist; returns its ARN."""
    iam, name = aws.account.client("iam"), f"verdict-{stage}-api_handler"
    found = if_there(iam.get_role, RoleName=name)
    role = found or iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(LOGGING))
    return str(role["Role"]["Arn"])


def create_function(aws: Aws, stage: str, environment: dict[str, str] | None = None, **tags: str) -> str:
    """Create the function, by default with our tags; returns its ARN."""
    function: dict[str, Any] = aws.account.client("lambda").create_function(
        FunctionName=f"verdict-{stage}",
        Runtime="python3.11",
        Role=create_role(aws, stage),
        Handler="app.app",
        Code={"ZipFile": package()},
        Environment={"Variables": environment or {}},
        Tags=tags or {"verdict:app": "verdict", "verdict:stage": stage},
    )
    return str(function["FunctionArn"])


def create_api(aws: Aws, function: str) -> str:
    """Create an API that calls a function; returns its id."""
    gateway = aws.account.client("apigateway")
    api = gateway.create_rest_api(name="verdict")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(
        restApiId=api,
        resourceId=root,
        httpMethod="GET",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    return str(api)


def create_app(aws: Aws, stage: str, **tags: str) -> str:
    """Create all parts of an app; returns the ARN of its function."""
    function = create_function(aws, stage, **tags)
    create_api(aws, function)
    return function
