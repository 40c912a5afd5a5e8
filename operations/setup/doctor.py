"""Step `doctor`: is everything there that the commands on AWS need? Makes the role and the bucket when asked."""

from rich.console import Console
from rich.text import Text

from operations.aws import bucket, role
from operations.aws.account import Account
from operations.aws.command import Aws
from operations.aws.plan import Item, propose
from operations.setup import allowed, checks
from operations.setup.checks import MISSING, OK, UNCHECKED, Check, made, problems
from operations.setup.grants import GRANTS
from training.model import container_image as images

NO_MACHINE = "none"
_STYLES = {OK: "green", MISSING: "red", UNCHECKED: "yellow"}


def examine(account: Account, stage: str, wanted: dict[str, float]) -> list[Check]:
    """Make all checks; `wanted` maps a quota's name to the least that is needed of it."""
    return [
        checks.credentials(account),
        Check("region", OK, account.region),
        made("stage of the app", lambda: checks.the_stage(stage)),
        made("bucket", lambda: checks.the_bucket(account)),
        made("execution role", lambda: checks.the_role(account)),
        made("XGBoost image", lambda: checks.the_image(account)),
        *quota_checks(account, wanted),
        made("permissions", lambda: _permissions(account)),
        checks.the_chalice_command(),
        checks.the_xgboost(),
        made("packaged release", checks.the_release),
    ]


def quota_checks(account: Account, wanted: dict[str, float]) -> list[Check]:
    """Check the quotas; one line for all where they cannot be read."""
    found: list[Check] = []

    def read() -> Check:
        found.extend(checks.the_quotas(account, wanted))
        return found[-1]

    failed = made("quotas", read)
    return found or [failed]


def _permissions(account: Account) -> Check:
    """Ask IAM whether all that the commands do is allowed."""
    refused = allowed.refused(account)
    if not refused:
        return Check("permissions", OK, f"all {sum(len(grant.actions) for grant in GRANTS)} are there")
    listed = "; ".join(f"{', '.join(actions)} ({why})" for why, actions in refused.items())
    return Check(
        "permissions",
        MISSING,
        f"not allowed: {listed}",
        "verdict doctor --policy commands (or app) prints what to allow.",
    )


def create(aws: Aws, yes: bool) -> None:
    """Make the bucket and the role where they are absent, and bring both up to date.

    Raises `ImageError` where they would be of no use.
    """
    images.image_uri(aws.account.region)
    items = []
    if bucket.is_managed():
        items.append(Item("bucket, private and encrypted", bucket.bucket_name(aws.account)))
    if role.is_managed():
        items.append(Item("execution role, for its part of the bucket", role.role_name(aws.account)))
    propose(aws.console, "To be made or brought up to date", items, yes)
    bucket.ensure(aws)
    if bucket.is_managed():
        bucket.secure(aws.account)
    if role.is_managed():
        role.create(aws)


def show(console: Console, found: list[Check]) -> None:
    """Print a line for each check, and below it what to do, in one piece to copy."""
    for check in found:
        line = Text.assemble((f"{check.state:<13}", _STYLES[check.state]), f"{check.name}: {check.found}".rstrip(": "))
        console.print(line, soft_wrap=True)
        if check.cure:
            console.print(Text(f"{'':<13}  {check.cure}"), soft_wrap=True)


def conclusion(found: list[Check]) -> str:
    """Say in a sentence what it came to."""
    missing, unchecked = problems(found), problems(found, UNCHECKED)
    left = f" Not checked: {', '.join(check.name for check in unchecked)}." if unchecked else ""
    if missing:
        return f"Missing: {', '.join(check.name for check in missing)}.{left}"
    return f"Nothing is missing{' of what could be checked' if unchecked else ''}.{left}"
