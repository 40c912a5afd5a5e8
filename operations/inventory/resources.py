"""AWS resources in a form common to all kinds: name, stage, state, and price."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from operations.aws.plan import NO_COST
from operations.aws.prices import Price
from operations.endpoint.endpoint_state import DeployedVariant


class Kind(StrEnum):
    """The kinds of resources."""

    ENDPOINT = "endpoint"
    CONFIGURATION = "endpoint-config"
    MODEL = "model"
    TRAINING_JOB = "training-job"
    TUNING_JOB = "tuning-job"
    TRANSFORM_JOB = "transform-job"
    SCALABLE_TARGET = "scalable-target"
    ALARM = "alarm"
    APP = "app"
    LOG_GROUP = "log-group"
    LOG_STREAMS = "log-streams"
    PACKAGE_GROUP = "package-group"
    BUCKET = "bucket"
    ROLE = "role"
    TRANSFORM_OUTPUT = "transform-output"
    FEEDBACK_TABLE = "feedback-table"


JOBS = (Kind.TUNING_JOB, Kind.TRAINING_JOB, Kind.TRANSFORM_JOB)
NOT_BILLED = (Kind.CONFIGURATION, Kind.MODEL, Kind.SCALABLE_TARGET, Kind.PACKAGE_GROUP, Kind.ROLE)
BILLED = tuple(kind for kind in Kind if kind not in NOT_BILLED)  # by time, use or storage
SHARED = (Kind.BUCKET, Kind.ROLE, Kind.PACKAGE_GROUP)  # by all stages
_STORED = (Kind.BUCKET, Kind.LOG_GROUP, Kind.TRANSFORM_OUTPUT)  # described by their size


@dataclass(frozen=True)
class Resource:
    """An existing resource. `stage` is "" if all stages share it; `facts` holds what is specific to its kind."""

    kind: Kind
    name: str
    arn: str
    stage: str = ""
    release: str = ""
    state: str = ""
    created: datetime | None = None
    expires: datetime | None = None
    price: Price = NO_COST
    variants: tuple[DeployedVariant, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The kind and the name: `model verdict-dev-...`."""
        return f"{self.kind} {self.name}"

    @property
    def is_hourly(self) -> bool:
        """Whether it is billed by the hour; true if the price is unknown."""
        return self.price.usd_per_hour is None or self.price.usd_per_hour > 0

    @property
    def stage_option(self) -> str:
        """The option that selects its stage: `--stage dev`, or `--all-stages` if it has no stage tag."""
        return f"--stage {self.stage}" if self.stage else "--all-stages"

    @property
    def is_foreign_bucket(self) -> bool:
        """Whether it is the user's own bucket, named by VERDICT_BUCKET."""
        return self.kind == Kind.BUCKET and not self.facts["ours"]

    @property
    def cost(self) -> str:
        """The price as text, "" for resources that are free."""
        return "" if self.price is NO_COST else str(self.price)

    @property
    def summary(self) -> str:
        """The size, the state and URL, or the release, whichever its kind has."""
        if self.kind in _STORED:
            objects = self.facts.get("objects")
            count = f"{objects} object{'' if objects == 1 else 's'}, " if objects is not None else ""
            return f"{count}{self.facts['bytes'] / 1e6:.1f} MB"
        if self.kind == Kind.APP:
            return f"{self.state} {self.facts['url']}".strip()
        return self.state or self.release

    @property
    def line(self) -> str:
        """One line of a list, without the cost."""
        return f"  {self.label}{f': {self.summary}' if self.summary else ''}"

    @property
    def line_with_cost(self) -> str:
        """One line of a list, with the cost."""
        details = ", ".join(filter(None, (self.summary, self.cost)))
        return f"  {self.label}{f': {details}' if details else ''}"

    def has_expired(self, now: datetime) -> bool:
        """Return whether its expiry time has passed."""
        return self.expires is not None and self.expires <= now
