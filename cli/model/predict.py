"""The `verdict predict` command."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from chalicelib import release
from chalicelib.sentiment import Verdict
from cli import options
from cli.output import print_json
from cli.spark import engine_options, refuse_without_spark, session_of
from training.data.reviews import DataError
from training.evaluation.packaged_model import packaged_model
from training.features.channels import SPARK
from training.prediction.judge import Judge, JudgedRow
from training.prediction.predict import ChunkScorer, Summary, Write, predict, predict_text
from training.prediction.result_file import Format, ResultFile, choose_format
from training.prediction.review_files import ReviewFile, open_reviews
from training.progress import bars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BATCH = "batch"


@dataclass(frozen=True)
class _Task:
    """Files to judge, the column and form of their reviews, where the model runs, and what is written."""

    files: tuple[str, ...]
    column: str | None
    one_per_file: bool
    on: str
    into: str | None
    prefix: str


@click.command(name="predict")
@click.argument("files", nargs=-1, type=click.Path(), metavar="FILE...")
@click.option("--text", help="Judge one text instead of files.")
@click.option(
    "--column", "--review-column", "column", metavar="NAME", help="The column of reviews, by name or by number from 1."
)
@click.option("--one-per-file", is_flag=True, help="Each .txt file is one review; by default each line is.")
@click.option(
    "--into",
    type=click.Path(),
    help="File to write: .csv, .tsv or .jsonl, also with .gz, or .parquet; else stdout. On Spark, the folder to "
    "write, or a Hadoop path.",
)
@click.option("--prefix", default="", help="A prefix for the names of the added columns.")
@click.option("--explain", is_flag=True, help="Add each sentence's score, and the words that it depends on, as JSON.")
@click.option("--processes", type=click.IntRange(1), help="Processes that encode.  [default: one per processor]")
@engine_options
@options.json_option
@options.on("endpoint", BATCH)
@click.option("--parallel", type=click.IntRange(1, 100), default=4, show_default=True, help="Requests at a time.")
@options.scoring_options
def command(
    files: tuple[str, ...],
    text: str | None,
    column: str | None,
    one_per_file: bool,
    into: str | None,
    prefix: str,
    explain: bool,
    processes: int | None,
    engine: str,
    master: str | None,
    settings: tuple[str, ...],
    as_json: bool,
    on: str,
    verbose: bool,
    **remote: Any,
) -> None:
    """Judge reviews without labels with the packaged release: files of them, or one text.

    Reads .csv, .tsv, .jsonl, .parquet and .txt files, and folders of .txt files; all but .parquet may be compressed
    with gzip (.csv.gz). Writes the same rows with the columns
    verdict, score (the probability of positive), known_words, warnings and error. A row that cannot be judged has an
    error; all others are judged. Repeat a stopped command to resume it, if it writes a file. --json prints the result
    of --text as the app does. The scores of --on endpoint, --on batch and --engine spark are the same.

    On Apache Spark, files may be Hadoop paths such as s3://bucket/new/, and the result is a folder of parts.
    """
    _check_options(files, text, into, engine, on, ("verbose", "parallel", *remote))
    packaged, task = release.load(), _Task(files, column, one_per_file, on, into, prefix)
    judge = Judge(packaged, packaged_model(packaged) if on == options.LOCAL else None, explain)
    if text is not None:
        _judge_text(text, judge, on, as_json)
    elif engine == SPARK:
        _predict_on_spark(task, judge, session_of(master, settings))
    else:
        _predict_files(task, judge, _scorer(on, verbose, remote), processes)


def _check_options(
    files: Sequence[str], text: str | None, into: str | None, engine: str, on: str, remote: Sequence[str]
) -> None:
    """Raise `click.UsageError` for options that do not go together; `remote` names those of work on SageMaker."""
    if bool(files) == (text is not None):
        raise click.UsageError("Give one or more files, or --text.")
    refuse_without_spark(engine)
    if engine == SPARK:
        options.refuse("does not apply to --engine spark.", "text", "processes", "as_json", "on")
        if into is None:
            raise click.UsageError("Give --into a folder to write.")
    if on == options.LOCAL:
        options.refuse_locally(*remote)


def _predict_on_spark(task: _Task, judge: Judge, session: "AbstractContextManager[SparkSession]") -> None:
    """Judge files on Spark."""
    from training.spark.predict import predict_on_spark  # only needed here

    with session as spark:
        summary = predict_on_spark(
            spark, task.files, str(task.into), judge, task.column, task.one_per_file, task.prefix
        )
    _report(summary, 0, task.into, Console(stderr=True))


def _predict_files(
    task: _Task, judge: Judge, scorer: AbstractContextManager[ChunkScorer | None], processes: int | None
) -> None:
    """Judge files in this machine's processes, after the rows that a stopped command has written."""
    console = Console(stderr=True)
    opened = [open_reviews(path, task.column, task.one_per_file) for path in options.existing(task.files, "files")]
    target = options.file_to_write(task.into, "into")
    chosen = choose_format(opened, target, judge.explain, task.prefix)
    request = _request(opened, chosen, judge)
    with scorer as score, _output(target, chosen, request) as (write, done):
        if done:
            console.print(f"Resuming after {done:,} rows.", highlight=False)
        try:
            with bars(console, "Judging") as (tick,):
                summary = predict(opened, judge, write, done, tick, score, processes, score_skipped=task.on == BATCH)
        except KeyboardInterrupt:
            console.print(f"\nStopped. {_remedy(task)}", highlight=False)
            sys.exit(options.EXIT_INTERRUPTED)
    _report(summary, done, task.into, console)


def _remedy(task: _Task) -> str:
    """Return how to continue after Ctrl-C."""
    if task.on == BATCH:  # the job is found again by its rows
        return (
            "A job that was started continues and is billed: `verdict status` shows it. Repeat the command to resume."
        )
    return "Repeat the command to resume." if task.into else "Nothing is kept: give --into to be able to resume."


@contextmanager
def _scorer(on: str, verbose: bool, remote: dict[str, Any]) -> Iterator[ChunkScorer | None]:
    """Connect to where the model is; None is this machine."""
    if on == options.LOCAL:
        yield None
        return
    from cli.aws_command import connected
    from operations.endpoint.candidate import packaged_candidate
    from operations.jobs import batch_prediction  # boto3: slow to import, and only needed here

    instance_type, variant = remote.pop("instance_type"), remote.pop("variant")
    with connected(verbose) as aws:
        parallel = remote.pop("parallel")
        if on == BATCH:
            yield batch_prediction.batch_scorer(
                aws, candidate=packaged_candidate(), instance_type=instance_type, **remote
            )
        else:
            yield batch_prediction.endpoint_scorer(
                aws, candidate=packaged_candidate(), variant=variant, parallel=parallel, **remote
            )


def _request(files: Sequence[ReviewFile], chosen: Format, judge: Judge) -> dict[str, Any]:
    """Return what a resumed command must have in common with the stopped one."""
    read = [[str(file.path.resolve()), file.size, file.modified] for file in files]
    return {"files": read, "release": judge.release.release_id, "added": [chosen.prefix, *chosen.added]}


@contextmanager
def _output(into: Path | None, chosen: Format, request: dict[str, Any]) -> Iterator[tuple[Write, int]]:
    """Open the output; yields a function that writes judged rows, and the number of rows that are already there."""
    if into is None:
        stdout = sys.stdout.buffer
        stdout.write(chosen.header)

        def write(judged: Sequence[JudgedRow]) -> None:
            stdout.write(chosen.encode(judged))
            stdout.flush()

        yield write, 0
        return
    with ResultFile(into, request, chosen) as output:
        yield output.write, output.rows


def _report(summary: Summary, done: int, into: str | None, console: Console) -> None:
    """Print how many rows were judged, and how."""
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(summary.verdicts.items())) or "none judged"
    errors = f", {summary.errors:,} with an error" if summary.errors else ""
    where = f" in {into}" if into else ""
    rows = done + summary.rows
    console.print(
        f"{rows:,} {'row' if rows == 1 else 'rows'}{where}: {counts}{errors}.", highlight=False, soft_wrap=True
    )


def _judge_text(text: str, judge: Judge, on: str, as_json: bool) -> None:
    """Judge and print one text."""
    if on != options.LOCAL:
        raise click.UsageError("--text is judged on this machine: leave --on out.")
    judged = predict_text(text, judge)
    values = judged.added(judge.explain)
    if values["error"]:
        raise DataError(values["error"])
    if as_json:
        print_json(values)
        return
    known = f"{values['known_words']:.0%} of the words known"
    click.echo(f"{values['verdict']}: {values['score']:.1%} likely to be positive, {known}")
    for warning in judged.outcome.warnings if isinstance(judged.outcome, Verdict) else ():
        click.echo(f"Warning: {warning.message}")
    for sentence in values.get("sentences", ()):
        click.echo(f"{sentence['score']:7.1%}  {' '.join(sentence['text'].split())}")
    for word in values.get("words", ()):
        click.echo(f"{word['sentence_effect']:+7.1%}  {word['text']}")
