"""The setup report of `verdict doctor`, and the creation of the bucket and the role."""

from rich.console import Console
from rich.text import Text

from operations.aws import bucket, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import Item, propose
from operations.setup import checks, permissions
from operations.setup.checks import MISSING, OK, UNCHECKED, Check, problems, run_check
from training.model import container_image as images

NO_MACHINE = "none"
_STYLES = {OK: "green", MISSING: "red", UNCHECKED: "yellow"}


def examine(account: Account, stage: str, wanted: dict[str, float]) -> list[Check]:
    """Run all checks; `wanted` maps a quota's name to its minimum."""
    return [
        checks.check_credentials(account),
        Check("region", OK, account.region),
        run_check("stage of the app", lambda: checks.check_stage(stage)),
        run_check("bucket", lambda: checks.check_bucket(account)),
        run_check("execution role", lambda: checks.check_role(account)),
        run_check("XGBoost image", lambda: checks.check_image(account)),
        *quota_checks(account, wanted),
        run_check("feedback", lambda: checks.check_feedback(account, stage)),
        run_check("permissions", lambda: _permissions(account)),
        checks.check_chalice(),
        checks.check_xgboost(),
        run_check("packaged release", checks.check_release),
    ]


def quota_checks(account: Account, wanted: dict[str, float]) -> list[Check]:
    """Check the quotas; returns a single check if they cannot be read."""
    found: list[Check] = []

    def read() -> Check:
        found.extend(checks.check_quotas(account, wanted))
        return found[-1]

    failed = run_check("quotas", read)
    return found or [failed]


def _permissions(account: Account) -> Check:
    """Check with IAM's policy simulation that every needed action is allowed."""
    refused = permissions.refused(account)
    if not refused:
        return Check(
            "permissions",
            OK,
            f"all {sum(len(statement['Action']) for statement in permissions.statements(account))} are allowed",
        )
    listed = "; ".join(f"{', '.join(actions)} ({sid})" for sid, actions in refused.items())
    return Check(
        "permissions",
        MISSING,
        f"not allowed: {listed}",
        "`verdict doctor --policy commands` (or app) prints the policy to attach.",
    )


def create(aws: Aws, yes: bool) -> None:
    """Create or update the bucket and the role.

    Raises `ImageError` in a region without the image, where they would be useless.
    """
    images.image_uri(aws.account.region)
    items = []
    if bucket.is_managed():
        items.append(Item("bucket, private and encrypted", bucket.bucket_name(aws.account)))
    if role.is_managed():
        items.append(Item("execution role", role.role_name(aws.account)))
    propose(aws.console, "To be created or updated", items, yes)
    bucket.ensure(aws)
    if bucket.is_managed():
        bucket.secure(aws.account)
    if role.is_managed():
        role.create(aws)


def show(console: Console, found: list[Check]) -> None:
    """Print a line for each check, and its remedy on the next line."""
    for check in found:
        line = Text.assemble((f"{check.state:<13}", _STYLES[check.state]), f"{check.name}: {check.found}".rstrip(": "))
        console.print(line, soft_wrap=True)
        if check.remedy:
            console.print(Text(f"{'':<13}  {check.remedy}"), soft_wrap=True)


def conclusion(found: list[Check]) -> str:
    """Return a summary sentence."""
    missing, unchecked = problems(found), problems(found, UNCHECKED)
    skipped = f" Not checked: {', '.join(check.name for check in unchecked)}." if unchecked else ""
    if missing:
        return f"Missing: {', '.join(check.name for check in missing)}.{skipped}"
    return f"Nothing is missing{' of what could be checked' if unchecked else ''}.{skipped}"
