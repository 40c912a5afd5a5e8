"""Execution roles: whether SageMaker could take one on, as it checks before it makes anything."""

from typing import Any

from botocore.exceptions import ClientError

from simulator.sagemaker.backend import Backend, ServiceError

SERVICE = "sagemaker.amazonaws.com"


def require_assumable(world: Backend, arn: str) -> None:
    """Raise `ServiceError` unless IAM has the role and lets SageMaker assume it."""
    try:
        role = world.client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
    except ClientError:
        role = {}
    if role.get("Arn") != arn or not any(map(_lets_service_in, _statements(role))):
        raise ServiceError(
            "ValidationException",
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal '{SERVICE}' to "
            "assume the role.",
        )


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a role's trust policy, which may be one or several."""
    return list(map(dict, _listed(role["AssumeRolePolicyDocument"]["Statement"])))


def _lets_service_in(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = _listed(principal.get("Service", [])) if isinstance(principal, dict) else []
    return (
        statement.get("Effect") == "Allow"
        and SERVICE in services
        and bool({"sts:AssumeRole", "sts:*", "*"} & set(_listed(statement.get("Action", []))))
    )


def _listed(value: Any) -> list[Any]:
    """`"a"` -> `["a"]`: policies may leave out the brackets around one."""
    return value if isinstance(value, list) else [value]
