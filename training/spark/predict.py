"""The `predict` step on Spark: the packaged model in the workers, and a folder of parts with the judged rows.

Rows, columns and verdicts are those of `training.prediction.predict`. Each part of a table has the header.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from chalicelib.sentiment import Verdict
from training.data.reviews import DataError
from training.prediction.judge import Judge, JudgedRow
from training.prediction.predict import CHUNK_ROWS, EXPLAINED_CHUNK_ROWS, Summary
from training.prediction.result_file import Format, choose_format
from training.prediction.review_files import Row
from training.spark.inputs import open_input
from training.spark.storage import Folder
from training.spark.texts import batches

if TYPE_CHECKING:
    from pyspark import Accumulator
    from pyspark.sql import SparkSession

_ERROR = ""  # counts rows with an error among the labels of verdicts


class _CounterParam:
    """Adds up counters of Spark's workers."""

    def zero(self, _value: "Counter[str]") -> "Counter[str]":
        """Return an empty counter."""
        return Counter()

    def addInPlace(self, first: "Counter[str]", second: "Counter[str]") -> "Counter[str]":  # noqa: N802  (Spark's name)
        """Add a counter to another."""
        first.update(second)
        return first


def predict_on_spark(
    session: "SparkSession",
    locations: Sequence[str],
    into: str,
    judge: Judge,
    column: str | None = None,
    one_per_file: bool = False,
    prefix: str = "",
) -> Summary:
    """Judge the rows of files, and write them into a new folder; raises `DataError` if it exists.

    Locations are files or folders of this machine, or Hadoop paths. The format is that of the first one: lines of JSON
    or a table.
    """
    output = Folder(session, into)
    if output.exists():
        raise DataError(f"{into} exists. Give another --into, or remove it first.")
    inputs = [open_input(session, location, column, one_per_file) for location in locations]
    chosen = choose_format([each.file for each in inputs], None, judge.explain, prefix)
    context = session.sparkContext
    counts: Accumulator[Counter[str]] = context.accumulator(Counter(), _CounterParam())
    shared = context.broadcast(judge)
    rows = context.union([each.rows for each in inputs])
    lines = rows.mapPartitions(lambda part: _lines(part, shared.value, chosen, counts))
    lines.saveAsTextFile(output.uri)
    shared.destroy()
    found = Counter(counts.value)
    errors = found.pop(_ERROR, 0)
    return Summary(found, errors)


def _lines(rows: Iterable[Row], judge: Judge, chosen: Format, counts: "Accumulator[Counter[str]]") -> Iterator[bytes]:
    """Yield the lines of a part, without their line breaks; the header first, if it has one."""
    if chosen.header:
        yield chosen.header.removesuffix(b"\n")
    for batch in batches(rows, EXPLAINED_CHUNK_ROWS if judge.explain else CHUNK_ROWS):
        judged = judge.judge(batch)
        counts.add(Counter(map(_label, judged)))
        for each in judged:
            yield chosen.encode([each]).removesuffix(b"\n")


def _label(judged: JudgedRow) -> str:
    """Return the label of a verdict, `_ERROR` for a row with an error."""
    return judged.outcome.label if isinstance(judged.outcome, Verdict) else _ERROR
