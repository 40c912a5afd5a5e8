"""Whether what all stages share (the bucket, the role, model package groups) may go with a stage, and if not, why."""

from operations.inventory.inventory import Inventory


def why_kept(found: Inventory, stage: str | None) -> str:
    """Say why what is shared stays when a stage (None: all) goes, and what would delete it; "" where it may go.

    Another stage may be what could not be looked up: then its endpoints may still need the role and the bucket.
    """
    others = [one for one in found.stages if stage not in (None, one)]
    if others:
        using = f"stage {others[0]} uses" if len(others) == 1 else f"stages {', '.join(others)} use"
        return f"Kept: {using} it; it goes with all of them by --all-stages."
    if found.unread:
        return "Kept: something that could not be looked up may use it."
    return ""
