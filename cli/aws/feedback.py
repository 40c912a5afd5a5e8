"""The `verdict feedback` command."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cli.aws_command import on_aws
from cli.options import json_option, refuse, stage_option, yes_option
from cli.output import print_json
from operations.aws import names, plan
from operations.aws.command import Aws
from operations.feedback import app_settings, export, table
from operations.feedback.report import report, sentences

STATUS, ENABLE, DISABLE, EXPORT, DELETE = "status", "enable", "disable", "export", "delete"
_OPTIONS = {  # action -> its own options
    STATUS: {"as_json"},
    ENABLE: {"days", "share", "operator", "again", "yes"},
    DISABLE: {"yes"},
    EXPORT: {"out"},
    DELETE: {"before", "ids", "yes"},
}


def _time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Parse a date or a time, in UTC unless it has an offset."""
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a time. Write 2026-11-27 or 2026-11-27T11:30:00Z.") from error
    return names.utc_text((when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC))


@on_aws("feedback")
@stage_option
@click.option("--days", type=click.IntRange(1, 3650), help="enable: days until a record expires.  [default: 90]")
@click.option(
    "--collect-share",
    "share",
    type=click.FloatRange(0, 1),
    help="enable: also store this share of all judged reviews, such as 0.02.  [default: 0]",
)
@click.option("--operator", help="enable: who keeps the feedback, as the page states it.")
@click.option(
    "--again", is_flag=True, help="enable: only if it was enabled before, as after the first `chalice deploy`."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="export: the file to write, .csv or .jsonl.  [default: feedback-STAGE.csv]",
)
@click.option("--before", metavar="TIME", callback=_time, help="delete: records before this date or time (UTC).")
@click.option("--id", "ids", multiple=True, metavar="ID", help="delete: the record with this id; may be repeated.")
@yes_option
@json_option
@click.argument("action", type=click.Choice(tuple(_OPTIONS)), default=STATUS)
def command(
    aws: Aws,
    stage: str,
    days: int | None,
    share: float | None,
    operator: str | None,
    again: bool,
    out: Path | None,
    before: str | None,
    ids: tuple[str, ...],
    yes: bool,
    as_json: bool,
    action: str,
) -> None:
    """Collect feedback on verdicts, export it, or delete it.

    `status` shows what is collected; `enable` creates the table and turns feedback on in the stage's app; `disable`
    turns it off and keeps the table; `export` writes the records to a file; `delete` deletes records.
    """
    own = _OPTIONS[action]
    refuse(f"does not apply to `{action}`.", *(set().union(*_OPTIONS.values()) - own))
    if action == STATUS:
        _status(aws, stage, as_json)
    elif action == ENABLE:
        _enable(aws, stage, again, yes, (days, share, operator))
    elif action == DISABLE:
        app_settings.disable(aws, stage, yes)
    elif action == EXPORT:
        _export(aws, stage, out or Path(f"feedback-{stage}.csv"))
    else:
        _delete(aws, stage, before, ids, yes)


def _status(aws: Aws, stage: str, as_json: bool) -> None:
    found = report(aws, stage)
    if as_json:
        print_json(found)
        return
    for sentence in sentences(found):
        click.echo(sentence)


def _enable(aws: Aws, stage: str, again: bool, yes: bool, given: tuple[int | None, float | None, str | None]) -> None:
    if again:
        found = table.describe(aws.account, names.feedback_table(stage))
        if not found or not app_settings.is_enabled(found.tags):
            aws.print(f"Feedback was not enabled in stage {stage}.")
            return
    app_settings.enable(aws, stage, app_settings.chosen(aws.account, stage, *given), yes)


def _export(aws: Aws, stage: str, path: Path) -> None:
    count = export.write(table.read_feedback(aws, names.feedback_table(stage)), path)
    aws.print(f"Wrote {table.count_records(count)} to {path}. Delete the file when you no longer need it.")


def _delete(aws: Aws, stage: str, before: str | None, ids: tuple[str, ...], yes: bool) -> None:
    if (before is None) == (not ids):
        raise click.UsageError("Use either --before or --id.")
    name = names.feedback_table(stage)
    every = table.read_feedback(aws, name, now=lambda: 0.0)  # with those that expired
    chosen = [record.id for record in every if record.id in ids or (before is not None and record.time < before)]
    if not chosen:
        aws.print(f"Table {name} has no such records.")
        return
    plan.confirm(f"Delete {table.count_records(len(chosen))} from {name}? Backups hold them for 35 days more.", yes)
    aws.print(f"Deleted: {table.count_records(table.delete_records(aws, name, chosen))}.")
