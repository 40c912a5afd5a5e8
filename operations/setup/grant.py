"""A grant: what one purpose needs to be allowed, and on what. `grants` and `command_grants` are tables of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANY = "*"  # for actions that cannot be narrowed to a resource
ARN = "arn:{partition}"
SAGEMAKER = f"{ARN}:sagemaker:{{region}}:{{account}}"


@dataclass(frozen=True)
class Grant:
    """Actions of one purpose on the same resources.

    `resources` are ARNs with `{partition}`, `{region}`, `{account}`, `{bucket}`, `{role}` and `{registry}` to fill in.
    `conditions` maps a condition key to the value that it must have.
    """

    sid: str
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, str] = field(default_factory=dict)


def actions(service: str, names: str) -> tuple[str, ...]:
    """`("s3", "GetObject PutObject")` -> `("s3:GetObject", "s3:PutObject")`."""
    return tuple(f"{service}:{name}" for name in names.split())
