"""Files of unlabelled reviews on Spark, as the rows that `training.prediction.review_files` reads on one machine.

Lines of JSON and Parquet files are read by Spark, which divides large files. A CSV or text file can have line breaks in
its cells, and any encoding, so it is read whole, in one task, by the reader of one machine; many files are read in
parallel. Spark decompresses lines of JSON without dividing their file; the reader of one machine decompresses others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from training.data.columns import choose_review_column
from training.data.content import format_ending, uncompressed_name
from training.data.reviews import DataError
from training.prediction.review_files import (
    JSON_ENDINGS,
    PARQUET_ENDING,
    SAMPLE_ROWS,
    ReviewFile,
    Row,
    json_row,
    open_reviews,
    parsed,
)
from training.spark.storage import Folder

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession

_TEXT_ENDING = ".txt"
_TABLE_ENDINGS = (".csv", ".tsv", _TEXT_ENDING)


@dataclass(frozen=True)
class SparkInput:
    """Reviews at a location: their columns, without a reader, and their rows."""

    file: ReviewFile
    rows: "RDD[Row]"


def open_input(
    session: "SparkSession", location: str, column: str | None = None, one_per_file: bool = False
) -> SparkInput:
    """Find the format and the columns of a file, or of a folder of files with one format; raises `DataError`.

    The location is a path on this machine or a Hadoop path. Each .txt file of a folder is a review.
    """
    source = Folder(session, location)
    endings = {format_ending(PurePosixPath(name)) for name in source.names()}
    if len(endings) != 1:
        raise DataError(f"{location} has {'files of several formats' if endings else 'no files of reviews'}.")
    (ending,) = endings
    if ending == PARQUET_ENDING:
        return _parquet(session, source, column)
    if ending in JSON_ENDINGS:
        return _json_lines(session, source, column)
    if ending in _TABLE_ENDINGS:
        whole = one_per_file or (ending == _TEXT_ENDING and not source.is_file)
        return _tables(session, source, column, whole)
    raise DataError(f"{location} should end in {', '.join((*_TABLE_ENDINGS, *JSON_ENDINGS, PARQUET_ENDING))}.")


def _json_lines(session: "SparkSession", source: Folder, column: str | None) -> SparkInput:
    """Open lines of JSON in UTF-8; the column is chosen in the first ones, as on one machine."""
    lines = session.sparkContext.textFile(source.uri)
    sample = "".join(f"{line}\n" for line in lines.take(SAMPLE_ROWS))
    opened = _opened(uncompressed_name(PurePosixPath(source.names()[0])), sample.encode(), column, False)
    name = opened.names[opened.place]
    numbered = lines.zipWithIndex().filter(lambda item: item[0].strip())
    return SparkInput(opened, numbered.map(lambda item: json_row(parsed(item[0]), item[1] + 1, name)))


def _parquet(session: "SparkSession", source: Folder, column: str | None) -> SparkInput:
    """Open Parquet files."""
    table = session.read.parquet(source.uri)
    names = table.schema.names
    textual = {place for place, kind in enumerate(table.schema.fields) if kind.dataType.typeName() == "string"}
    place = choose_review_column(source.location, names, True, textual, column)
    rows = table.rdd.map(lambda cells: _parquet_row(tuple(cells), place))
    return SparkInput(_without_reader(source.names()[0], tuple(names), False, place), rows)


def _parquet_row(cells: tuple[object, ...], place: int) -> Row:
    """Return the row of a Parquet file's cells."""
    has_text = isinstance(cells[place], str)
    return Row(cells, cells[place]) if has_text else Row(cells, error="The row has no text.")


def _tables(session: "SparkSession", source: Folder, column: str | None, one_per_file: bool) -> SparkInput:
    """Open CSV or text files, each of which is read by one task; the first one decides the columns."""
    files = session.sparkContext.binaryFiles(source.uri, session.sparkContext.defaultParallelism)
    files = files.sortByKey(numPartitions=files.getNumPartitions())
    name, content = files.first()
    opened = _opened(PurePosixPath(name).name, content, column, one_per_file)
    rows = files.flatMap(lambda item: _table_rows(PurePosixPath(item[0]).name, item[1], opened, one_per_file))
    return SparkInput(opened, rows)


def _table_rows(name: str, content: bytes, first: ReviewFile, one_per_file: bool) -> Iterator[Row]:
    """Yield the rows of a file; raises `DataError` if it has other columns than the first file."""
    column = None if one_per_file else str(first.place + 1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        opened = open_reviews(path, column, one_per_file)
        if opened.names != first.names:
            raise DataError(f"{name} has other columns than {first.path.name}. Judge them one by one.")
        yield from opened.rows(lambda _position: None)


def _opened(name: str, content: bytes, column: str | None, one_per_file: bool) -> ReviewFile:
    """Find the columns of a file with this content."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        opened = open_reviews(path, column, one_per_file)
    return _without_reader(name, opened.names, opened.nested, opened.place)


def _without_reader(name: str, names: tuple[str, ...], nested: bool, place: int) -> ReviewFile:
    """Return the facts of a file whose rows Spark reads."""
    return ReviewFile(Path(name), names, 0, lambda _position: iter(()), nested, place)
