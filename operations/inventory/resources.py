"""What exists on AWS because of this project, as the commands see it: a name, a state, a price."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operations.aws.plan import NOTHING
from operations.aws.prices import Price

ENDPOINT, CONFIGURATION, MODEL = "endpoint", "endpoint-config", "model"
TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB = "training-job", "tuning-job", "transform-job"
SCALING, ALARM, APP, LOG_GROUP = "scalable-target", "alarm", "app", "log-group"
PACKAGE_GROUP, BUCKET, ROLE = "package-group", "bucket", "role"
TRANSFORMED, LOG_STREAMS = "transform-output", "log-streams"
JOBS = (TUNING_JOB, TRAINING_JOB, TRANSFORM_JOB)
BILLED = (
    ENDPOINT,
    *JOBS,
    APP,
    ALARM,
    LOG_GROUP,
    LOG_STREAMS,
    TRANSFORMED,
    BUCKET,
)  # by the hour, by use or by what they keep
SHARED = (BUCKET, ROLE, PACKAGE_GROUP)  # by all stages


@dataclass(frozen=True)
class Variant:
    """A production variant: its model, its weight, and the machines behind it (none: serverless)."""

    name: str
    model: str
    weight: float
    desired_weight: float
    instance_type: str = ""
    count: int = 0
    desired_count: int = 0
    memory_mb: int = 0
    max_concurrency: int = 0

    @property
    def machines(self) -> str:
        """`2 x ml.m5.large`, `serverless, 2048 MB, 5 at once`."""
        if self.memory_mb:
            return f"serverless, {self.memory_mb} MB, {self.max_concurrency} at once"
        coming = f", {self.desired_count} wanted" if self.desired_count != self.count else ""
        return f"{self.count} x {self.instance_type}{coming}"


@dataclass(frozen=True)
class Resource:
    """One thing that exists. `stage` is "" for what all stages share; `facts` is whatever else its kind has to say."""

    kind: str
    name: str
    arn: str
    stage: str = ""
    release: str = ""
    state: str = ""
    created: datetime | None = None
    expires: datetime | None = None
    price: Price = NOTHING
    variants: tuple[Variant, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_hourly(self) -> bool:
        """Whether it costs something every hour that it exists; an unknown price counts."""
        return self.price.usd_per_hour is None or self.price.usd_per_hour > 0

    @property
    def whose(self) -> str:
        """The option of a command that is about its stage: `--stage dev`; it has none where its tag is lost."""
        return f"--stage {self.stage}" if self.stage else "--all-stages"

    def has_expired(self, now: datetime) -> bool:
        """Tell whether its time is over."""
        return self.expires is not None and self.expires <= now
