"""The `verdict compare` command."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from chalicelib import release
from cli.aws_command import on_aws
from cli.options import duration_option, json_option, stage_option
from cli.output import print_json
from operations.aws import names
from operations.aws.command import Aws
from operations.comparison.agreement import Agreement
from operations.comparison.compare import Comparison, Evidence, VariantComparison, compare, configured_since, document
from operations.comparison.labelled_answers import FeedbackRecord, read_answers, read_reviews
from operations.comparison.variant_figures import VariantFigures
from operations.endpoint import endpoint_state
from operations.endpoint.invocation_metrics import Latency
from operations.feedback import table as feedback_table
from training.progress import table

HEADINGS = (
    *(
        "variant",
        "traffic",
        "calls",
        "model, ms",
        "model p50, p99, ms",
        "overhead p50, p99, ms",
        "errors",
        "verdicts",
        "positive",
        "negative",
        "not sure",
    ),
    *("known words", "labelled", "right"),
)
UNKNOWN = "-"
LONGEST_REVIEW = 60  # characters shown of a review


@on_aws("compare")
@stage_option
@click.option(
    "--feedback",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An export of the feedback table, CSV or JSON lines.  [default: the table itself, if there is one]",
)
@click.option(
    "--sample",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of reviews that every variant scores: one per line, or a column `review`.",
)
@click.option(
    "--since", callback=duration_option, metavar="DURATION", help="Only the last 4h or 2d.  [default: since the split]"
)
@json_option
def command(
    aws: Aws, stage: str, feedback: Path | None, sample: Path | None, since: timedelta | None, as_json: bool
) -> None:
    """Compare the variants of a split on live traffic, and decide which one is better."""
    packaged, now = release.load(), datetime.now(UTC)
    endpoint = endpoint_state.require_in_service(
        aws.account, names.endpoint(stage, packaged.encoder.fingerprint), stage
    )
    answers = read_answers(feedback) if feedback else _read_table(aws, stage)
    evidence = Evidence(answers, read_reviews(sample) if sample else ())
    begun = configured_since(aws.account, endpoint)
    found = compare(aws, endpoint, packaged, evidence, max(begun, now - since) if since else begun, now)
    if as_json:
        print_json(document(found))
    else:
        _show(aws, found)


def _read_table(aws: Aws, stage: str) -> Sequence[FeedbackRecord]:
    """Read a stage's table of feedback; nothing if there is no table."""
    name = names.feedback_table(stage)
    return list(feedback_table.read_feedback(aws, name)) if feedback_table.describe(aws.account, name) else ()


def _show(aws: Aws, found: Comparison) -> None:
    """Print the variants, and for each comparison its differences, agreement, decision and command."""
    title = f"Endpoint {found.endpoint} since {names.utc_text(found.since)}"
    aws.console.print(table(title, map(_variant_row, found.variants), HEADINGS))
    for comparison in found.comparisons:
        heading = f"{comparison.new} - {comparison.baseline}, percentage points"
        headings = ("difference", "estimate", "between", "and")
        aws.console.print(table(heading, _difference_rows(comparison), headings))
        for line in _agreement_lines(comparison, comparison.agreement):
            aws.print(line)
        click.echo(comparison.decision.sentence)
        if comparison.decision.command:
            click.echo(f"To act on it: {comparison.decision.command}")


def _variant_row(variant: VariantFigures) -> tuple[object, ...]:
    """Return a table row of a variant."""
    verdicts, labelled = variant.verdicts, variant.labelled
    mean = UNKNOWN if variant.model_milliseconds is None else f"{variant.model_milliseconds:.1f}"
    percentiles = [_percentiles(variant.model), _percentiles(variant.overhead)]
    shares = [f"{share:.1%}" for share in verdicts.shares.values()] if verdicts else [UNKNOWN] * 3
    return (
        *(variant.name, f"{variant.share:.0%}", f"{variant.calls:,}", mean, *percentiles, f"{variant.errors:,}"),
        *(f"{verdicts.verdicts:,}" if verdicts else 0, *shares, f"{verdicts.known_words:.1%}" if verdicts else UNKNOWN),
        *(f"{labelled.count:,}", f"{labelled.share:.1%}" if labelled.count else UNKNOWN),
    )


def _percentiles(latency: Latency | None) -> str:
    """Return the percentiles of a latency in milliseconds."""
    return f"{latency.p50:.1f}, {latency.p99:.1f}" if latency else UNKNOWN


def _difference_rows(comparison: VariantComparison) -> Iterator[tuple[object, ...]]:
    """Yield a table row for each difference, with the ends of its interval."""
    for name, difference in comparison.differences.items():
        ends = [f"{end * 100:+.2f}" if math.isfinite(end) else UNKNOWN for end in (difference.low, difference.high)]
        yield name.replace("_", " "), f"{difference.value * 100:+.2f}", *ends


def _agreement_lines(comparison: VariantComparison, agreement: Agreement | None) -> Iterator[str]:
    """Yield lines about the agreement on the same texts, none if there were no texts."""
    if not agreement:
        return
    yield (
        f"On {agreement.texts:,} texts: {agreement.same_verdict:.1%} the same verdict, scores "
        f"{agreement.mean_difference:.3f} apart on average."
    )
    for pair in agreement.strongest:
        text = " ".join(pair.review.split())
        shown = text if len(text) <= LONGEST_REVIEW else f"{text[:LONGEST_REVIEW]}..."
        yield f"  {comparison.new} {pair.new:.2f}, {comparison.baseline} {pair.baseline:.2f}: {shown}"
