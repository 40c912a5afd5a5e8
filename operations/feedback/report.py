"""The report of `verdict feedback status`: what a stage collects, and how much."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from operations.aws import names
from operations.aws.command import Aws
from operations.feedback import app_settings, table
from operations.feedback.table import PRICE, count_records


@dataclass(frozen=True)
class FeedbackReport:
    """A stage's collection of feedback. `counts` has the records by verdict and correction; "" is a sample's."""

    stage: str
    table: str
    exists: bool
    is_ours: bool
    app: str  # "on", "off", or "absent"
    settings: dict[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    records: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    oldest: str = ""
    newest: str = ""


def report(aws: Aws, stage: str) -> FeedbackReport:
    """Read the table and the app's settings."""
    name, function = names.feedback_table(stage), app_settings.find_function(aws.account, stage)
    state = "absent" if function is None else "on" if function.collects else "off"
    found = table.describe(aws.account, name)
    if found is None:
        return FeedbackReport(stage, name, exists=False, is_ours=False, app=state)
    settings = app_settings.from_tags(found.tags) if app_settings.is_enabled(found.tags) else None
    by_label: dict[str, Counter[str]] = {}
    times = []
    for record in table.read_feedback(aws, name):
        by_label.setdefault(record.verdict, Counter())[record.correction] += 1
        times.append(record.time)
    return FeedbackReport(
        stage,
        name,
        exists=True,
        is_ours=found.is_ours,
        app=state,
        settings=vars(settings) if settings else {},
        missing=tuple(table.missing_protections(aws.account, name)),
        records=len(times),
        counts={label: dict(counts) for label, counts in by_label.items()},
        oldest=min(times, default=""),
        newest=max(times, default=""),
    )


def sentences(found: FeedbackReport) -> Iterator[str]:
    """Yield the report as sentences."""
    enable = f"verdict feedback enable --stage {found.stage}"
    if not found.exists:
        yield f"Feedback is off in stage {found.stage}: there is no table {found.table}. Turn it on: {enable}"
        if found.app == "on":
            yield f"The app is set up to collect feedback, and fails to. Create the table: {enable}"
        return
    if not found.is_ours:
        yield f"Table {found.table} was not created by Verdict, despite its name."
        return
    yield f"Table {found.table}: {count_records(found.records)}, {PRICE}"
    if found.records:
        yield f"From {found.oldest} to {found.newest}:"
    for label, counts in sorted(found.counts.items()):
        corrections = ", ".join(
            f"{correction or 'no answer'} {count:,}" for correction, count in sorted(counts.items())
        )
        yield f"  verdict {label}: {corrections}"
    if found.settings:
        share = found.settings["share"]
        sampled = f"{share * 100:g}% of all reviews are stored too" if share else "no other reviews are stored"
        yield f"Kept for {found.settings['days']} days by {found.settings['operator']}; {sampled}."
    yield {
        "on": "The app collects feedback.",
        "off": f"The app does not collect feedback. Turn it on: {enable}",
        "absent": f"There is no app in stage {found.stage}.",
    }[found.app]
    if found.missing:
        yield f"The table lacks {', '.join(found.missing)}. Add it: {enable}"
