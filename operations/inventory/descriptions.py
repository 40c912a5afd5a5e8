"""What there is to say of a thing in a list: its state, address or size, and what it costs."""

from operations.aws.plan import NOTHING
from operations.inventory.resources import APP, BUCKET, LOG_GROUP, TRANSFORMED, Resource

_SIZED = (BUCKET, LOG_GROUP, TRANSFORMED)


def cost(resource: Resource) -> str:
    """Say what a thing costs, "" for nothing at all."""
    return "" if resource.price is NOTHING else str(resource.price)


def about(resource: Resource) -> str:
    """Say what there is to say of a thing besides its name: its state, address, size or release."""
    if resource.kind in _SIZED:
        count = f"{resource.facts['objects']} objects, " if "objects" in resource.facts else ""
        return f"{count}{megabytes(resource.facts['bytes'])}"
    if resource.kind == APP:
        return f"{resource.state} {resource.facts['url']}".strip()
    return resource.state or resource.release


def megabytes(size: int) -> str:
    """Write a size: `12.3 MB`."""
    return f"{size / 1e6:.1f} MB"
