"""Execution roles: the check that SageMaker can assume a role before it creates a resource."""

from typing import Any

from botocore.exceptions import ClientError

from simulator.sagemaker.backend import Backend, InvalidRequestError

SERVICE = "sagemaker.amazonaws.com"


def require_assumable(backend: Backend, arn: str) -> None:
    """Raise `ServiceError` unless the role exists in IAM and trusts SageMaker."""
    try:
        role = backend.client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
    except ClientError:
        role = {}
    if role.get("Arn") != arn or not any(
        map(_trusts_sagemaker, _as_list(role["AssumeRolePolicyDocument"]["Statement"]))
    ):
        raise InvalidRequestError(
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal '{SERVICE}' to "
            "assume the role.",
        )


def _trusts_sagemaker(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = _as_list(principal.get("Service", [])) if isinstance(principal, dict) else []
    return (
        statement.get("Effect") == "Allow"
        and SERVICE in services
        and bool({"sts:AssumeRole", "sts:*", "*"} & set(_as_list(statement.get("Action", []))))
    )


def _as_list(value: Any) -> list[Any]:
    """Wrap a single value in a list: in policies, `"a"` means `["a"]`."""
    return value if isinstance(value, list) else [value]
